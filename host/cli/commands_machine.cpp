// What this machine offers, and what is wrong with a set-up.
#include "host/cli/commands.h"

#include "host/base/bundled.h"
#include "host/base/clock.h"
#include "host/base/schema_prune.h"
#include "host/cli/input_members.h"
#include "host/cli/next_step.h"
#include "host/cli/refused_webhooks.h"
#include "host/runtime/runtime.h"

#include <garland/schemas.hpp>

#include <algorithm>

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

struct Finding {
  std::string check;
  bool ok;
  std::string message;
  std::string fix;   // what to do, "" if nothing
  bool weak = false; // ok, and to be mended all the same
};

// What is wrong with an installed plugin, the gravest first.
Finding findingOf(json::value const& plugin) {
  auto const id = textOr(plugin, "/id", "?");
  auto const check = "plugin " + id;
  auto const show = "see what happened with: garland plugins show " + id;
  if (auto const quarantine = textOr(plugin, "/quarantine", ""); !quarantine.empty())
    return {check, false, quarantine, show};
  if (auto const refusal = textOr(plugin, "/refusal", ""); !refusal.empty())
    return {check, false, refusal, "install a sound build, or remove its folder from [plugins] dirs"};
  if (textOr(plugin, "/state", "") == "half open")
    return {
        check, false,
        "half open: its worker died again and again, so one call every 30 seconds is let through to try it",
        show};
  auto const certified = textOr(plugin, "/certified", "");
  bool const unjudged = certified.ends_with("build"); // no marketplace's attestation
  return {check, true, "may be loaded" + (unjudged ? ", as a " + certified : ""), ""};
}

void checkPlugins(Client& client, std::vector<Finding>& findings) {
  auto const plugins = client.get(kBase + "/plugins");
  if (!plugins) {
    findings.push_back({"plugins", false, plugins.error().message, "see the daemon's log"});
    return;
  }
  auto const& items = plugins->at("items").as_array();
  if (items.empty())
    findings.push_back({"plugins", false, "none is installed", "set [plugins] dirs in garland.toml"});
  for (bool const bundled : {false, true}) // a stranger's before the many that came with Garland
    for (auto const& plugin : items)
      if (isBundled(textOr(plugin, "/id", "")) == bundled) findings.push_back(findingOf(plugin));
}

// What to type for a connection that is not well.
std::string remedyFor(Client& client, json::value const& connection) {
  auto const state = standingOf(connection);
  auto const id = textOr(connection, "/id", "");
  if (state == "paused") return "let it go on with: garland connections resume " + id;
  if (state != "reconnect needed" && state != "revoked") return "garland sync status " + id;
  auto const plugin = client.get(kBase + "/plugins/" + percentEncode(textOr(connection, "/plugin", "")));
  return reconnecting(plugin ? *plugin : json::value(), connection);
}

// Who paused one wanted that: it is told lest it be forgotten.
void checkConnections(Client& client, std::vector<Finding>& findings) {
  auto const connections = client.get(kBase + "/connections");
  if (!connections) return;
  for (auto const& connection : connections->at("items").as_array()) {
    auto const state = standingOf(connection);
    auto const id = textOr(connection, "/id", "");
    bool const is_paused = textOr(connection, "/state", "") == "paused";
    auto const reason = textOr(connection, is_paused ? "/condition/why" : "/state_reason", "");
    bool const well = state == "connected";
    bool const rests = state == "paused";
    findings.push_back({"connection " + id, well || rests, state + (reason.empty() ? "" : ": " + reason),
                        well ? "" : remedyFor(client, connection), rests});
  }
}

// Those that share the database; none if the daemon is alone on it.
void checkNodes(Client& client, std::vector<Finding>& findings) {
  auto const nodes = client.get(kBase + "/nodes");
  if (!nodes) return;
  for (auto const& node : nodes->at("items").as_array()) {
    auto const count = integerOr(node, "/connections", 0);
    bool const lives = boolOr(node, "/lives", false);
    if (!lives && count == 0) continue;
    auto const has = std::to_string(count) + (count == 1 ? " connection" : " connections");
    auto const words =
        "version " + textOr(node, "/version", "?") + ", " +
        (lives ? "runs " + has : "gone since " + textOr(node, "/last_sign", "?") + ", with " + has);
    findings.push_back(
        {"node " + textOr(node, "/name", "?"), lives, words,
         lives ? "" : "another daemon takes them in a few seconds; if none does, see the logs"});
  }
  if (find(*nodes, "/carrier") == nullptr) return;
  bool const connected = boolOr(*nodes, "/carrier/connected", false);
  findings.push_back({textOr(*nodes, "/carrier/name", "?"), connected,
                      connected
                          ? "tells other daemons at once what this one has done"
                          : "cannot be reached: other daemons find what this one has done within seconds",
                      connected ? "" : "start it, or correct [events]; the daemon's log says why"});
}

// Nobody knows whether they took place; those that are looked up again are no finding yet.
void checkActions(Client& client, std::vector<Finding>& findings) {
  auto const actions = client.get(kBase + "/actions?state=unknown");
  if (!actions) return;
  for (auto const& action : actions->at("items").as_array()) {
    if (!textOr(action, "/next_attempt", "").empty()) continue;
    auto const id = textOr(action, "/id", "");
    findings.push_back(
        {"action " + id, false, "whether " + textOr(action, "/operation", "") + " took place is not known",
         "look it up at the provider, then: garland actions settle " + id + " --applied or --not-applied"});
  }
}

// Nobody could read them: a lead may be among them.
void checkIntake(json::value const& health, std::vector<Finding>& findings) {
  auto const review = integerOr(health, "/intake/review", 0);
  if (review == 0) return;
  findings.push_back({"intake", false,
                      std::to_string(review) +
                          (review == 1 ? " item that came in waits" : " items that came in wait") +
                          " for a person",
                      "garland intake ls --state review"});
}

void checkWebhooks(json::value const& health, std::vector<Finding>& findings) {
  auto const dead = integerOr(health, "/webhooks/dead", 0);
  if (dead == 0) return;
  findings.push_back({"webhooks", false,
                      std::to_string(dead) + (dead == 1 ? " webhook" : " webhooks") + " could not be read",
                      "garland dlq ls"});
}

// Each daemon knows of those that came to it. Where genuine ones come as well, nobody misses anything.
void checkRefused(Client& client, std::vector<Finding>& findings) {
  auto const refused = client.get(kBase + "/webhooks/refused");
  if (!refused) return;
  for (auto const& line : refused->at("items").as_array()) {
    auto words = refusedWords(line);
    findings.push_back({"refused webhooks", !words.nothing_comes, std::move(words.message),
                        std::move(words.fix), !words.nothing_comes});
  }
}

// They are told nothing until somebody enables them.
void checkEndpoints(json::value const& health, std::vector<Finding>& findings) {
  auto const disabled = integerOr(health, "/endpoints/disabled", 0);
  if (disabled == 0) return;
  findings.push_back(
      {"endpoints", false,
       std::to_string(disabled) + (disabled == 1 ? " endpoint failed for so long that it is disabled"
                                                 : " endpoints failed for so long that they are disabled"),
       "garland endpoints ls"});
}

// Nothing that is under such a key can be opened.
void checkVault(Client& client, std::vector<Finding>& findings) {
  auto const status = client.get(kBase + "/vault");
  if (!status) return;
  auto const* keys = find(*status, "/keys");
  if (keys == nullptr || !keys->is_array()) return;
  for (auto const& key : keys->get_array()) {
    auto const id = textOr(key, "/id", "");
    if (boolOr(key, "/held", false) || id.empty()) continue;
    findings.push_back({"vault", false,
                        std::to_string(integerOr(key, "/secrets", 0)) + " secrets are under the master key " +
                            id + ", which is not here",
                        "add it to [vault] old_keys and start garlandd again"});
  }
}

// Those that end within two weeks and that nobody has rotated yet.
void checkKeys(Client& client, std::vector<Finding>& findings) {
  auto const keys = client.get(kBase + "/keys?limit=1000");
  if (!keys) return;
  auto const soon = SystemClock().now() + std::chrono::hours(14 * 24);
  for (auto const& key : keys->at("items").as_array()) {
    auto const id = textOr(key, "/id", "");
    auto const expires = parseRfc3339(textOr(key, "/expires", ""));
    bool const rotated = !textOr(key, "/replaced_by", "").empty();
    if (textOr(key, "/state", "") != "active" || rotated || !expires || *expires > soon) continue;
    findings.push_back(
        {"API key " + id, false,
         "the key of \"" + plain(find(key, "/name")) + "\" expires on " + rfc3339(*expires).substr(0, 10),
         "garland keys rotate " + id + ", or revoke it if nobody needs it"});
  }
}

constexpr char const* kDaemon = "daemon"; // of garlandd --check: one has the data folder

bool holdsFolder(Result<json::value> const& check) {
  auto const* list = check ? find(*check, "/findings") : nullptr;
  if (list == nullptr || !list->is_array()) return false;
  return std::ranges::any_of(list->get_array(),
                             [](json::value const& one) { return textOr(one, "/check", "") == kDaemon; });
}

// The daemon's own look at configuration, keys, sandbox, database; of plugins a running daemon knows more.
void checkSetUp(Place const& place, bool daemon_runs, std::vector<Finding>& findings) {
  if (!place.check) {
    findings.push_back({"garlandd --check", false, place.check.error().message, "install Garland again"});
    return;
  }
  auto const* list = find(*place.check, "/findings");
  if (list == nullptr || !list->is_array()) return;
  for (auto const& one : list->as_array()) {
    auto const check = textOr(one, "/check", "?");
    if (daemon_runs && check == "plugins") continue;
    if (!daemon_runs && check == kDaemon) continue; // told with why it does not answer
    findings.push_back({check, boolOr(one, "/ok", false), textOr(one, "/message", ""),
                        textOr(one, "/fix", ""), boolOr(one, "/weak", false)});
  }
}

// What stands between these two in the names of the schemas; "crm.pull.1" is the operation crm.pull/1.
std::string namesOf(std::string_view before, std::string_view after) {
  std::string names;
  for (std::string_view file : schemas::schemaNames()) {
    if (!file.starts_with(before) || !file.ends_with(after)) continue;
    std::string name(file.substr(before.size(), file.size() - before.size() - after.size()));
    if (before.empty()) name[name.rfind('.')] = '/';
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

// "/text or /html", where one of these has to be there.
std::string alternatives(json::value const& schema) {
  std::string words;
  auto const* any = find(schema, "/anyOf");
  if (any == nullptr || !any->is_array()) return words;
  for (auto const& one : any->get_array())
    if (auto const name = textOr(one, "/required/0", ""); !name.empty())
      words += (words.empty() ? "/" : " or /") + name;
  return words;
}

Exit describeInput(Output& output, std::string const& operation) {
  auto file = operation + ".in.json";
  std::replace(file.begin(), file.end(), '/', '.');
  auto const read = parseJson(schemaText(file));
  if (!read)
    return output.error(
        Error(ErrorKind::invalidInput, "nothing is known of the input of \"" + operation +
                                           "\"; the operations are: " + namesOf("", ".in.json")));
  bool const once = find(*read, "/properties/" + std::string(kKeyMember)) != nullptr;
  auto const schema = withoutMember(*read, kKeyMember);
  if (output.json()) {
    output.value(schema);
    return Exit::ok;
  }
  output.line(textOr(schema, "/title", operation));
  output.table(inputMembers(schema),
               {{"MEMBER", "/member"}, {"TYPE", "/type"}, {"REQUIRED", "/required"}, {"ABOUT", "/about"}},
               "it takes nothing: {}");
  if (auto const words = alternatives(schema); !words.empty()) output.line("it needs " + words);
  if (once)
    output.line("have it done with: garland actions run CONNECTION " + operation + " --key KEY --input FILE");
  return Exit::ok;
}

std::string startCommand(Place const& place) {
  if (!place.config.empty()) return "start it with: garlandd --config " + shellQuoted(place.config);
  return "start it with: garlandd --data-dir " + shellQuoted(place.data_dir);
}

// One finding, whatever each of the two says: nobody answers there, and one has the data folder.
Finding unanswered(Place const& place, Error const& error) {
  auto const& code = error.provider_code;
  bool const runs = holdsFolder(place.check);
  auto const fix = code == "not_garlandd"         ? "name its address with --url"
                   : code == "daemon_not_trusted" ? "name its authority with --ca-file, its name with --url"
                   : code == "wants_certificate"  ? "go through a proxy that has a client's certificate"
                   : code == "wants_tls"          ? "call it by https:// with --url"
                   : runs
                       ? "it is starting or ending: ask again in a moment; if it goes on like this see its "
                         "log, or name its address with --url"
                       : startCommand(place);
  return {kDaemon, false, error.message + (runs ? "; a garlandd runs on " + place.data_dir : ""), fix};
}

std::string whyDegraded(json::value const& health) {
  if (textOr(health, "/sandbox_tier", "") == "D") return "it is degraded: see garland sandbox status";
  return "it is " + textOr(health, "/status", "?") + ": see garland plugins ls";
}

Exit tell(Output& output, std::vector<Finding> const& findings) {
  json::array list;
  bool ok = true;
  for (auto const& finding : findings) {
    ok = ok && finding.ok;
    list.push_back(json::object{{"check", finding.check},
                                {"ok", finding.ok},
                                {"weak", finding.weak},
                                {"message", finding.message},
                                {"fix", finding.fix}});
    if (output.json()) continue;
    auto const verdict = finding.weak ? output.warning("WEAK ")
                         : finding.ok ? output.good("ok   ")
                                      : output.bad("FIX  ");
    output.line(verdict + finding.check + ": " + finding.message);
    if (!finding.fix.empty()) output.line("       " + finding.fix);
  }
  if (output.json()) output.value(json::object{{"ok", ok}, {"findings", std::move(list)}});
  return ok ? Exit::ok : Exit::findings;
}

} // namespace

Exit sandboxStatus(Output& output) {
  auto const status = runtime::probeSandbox();
  auto value = runtime::toJson(status);
  if (output.json()) {
    auto& object = value.as_object();
    object["coverage"] = runtime::coverage(status.tier);
    output.value(value);
  } else {
    output.line("tier " + std::string(runtime::name(status.tier)) + ": " +
                std::string(runtime::coverage(status.tier)));
    for (auto const& note : status.notes) output.line("  " + note);
  }
  return status.tier == runtime::SandboxTier::d ? Exit::findings : Exit::ok;
}

Exit describe(Output& output, std::string const& name) {
  if (name.find('/') != std::string::npos) return describeInput(output, name);
  auto const text = schemaText("record." + name + ".json");
  if (!text.empty()) {
    output.line(std::string(text));
    return Exit::ok;
  }
  auto const kinds = namesOf("record.", ".json");
  if (!name.empty())
    return output.error(Error(ErrorKind::invalidInput, "there are no records of kind \"" + name +
                                                           "\"; the kinds are: " + kinds +
                                                           "; operations are asked for with their version: "
                                                           "payments.refund/1"));
  output.line("kinds of records: " + kinds);
  output.line("inputs of operations: " + namesOf("", ".in.json"));
  return Exit::ok;
}

Exit doctor(Context with, Place const& place) {
  std::vector<Finding> findings;
  auto const health = with.client.get("/health");
  checkSetUp(place, health.has_value(), findings);
  findings.push_back({"key", place.key_read,
                      place.key_read ? "read from " + place.key_file : place.key_problem,
                      place.key_read ? "" : kNameAKey});
  if (health) {
    bool const ok = textOr(*health, "/status", "") == "ok";
    findings.push_back({kDaemon, ok,
                        "version " + textOr(*health, "/version", "?") + " on " +
                            textOr(*health, "/database", "?") + " at " + place.url,
                        ok ? "" : whyDegraded(*health)});
    checkIntake(*health, findings);
    checkWebhooks(*health, findings);
    checkEndpoints(*health, findings);
    if (place.key_read) {
      checkNodes(with.client, findings);
      checkRefused(with.client, findings);
      checkVault(with.client, findings);
      checkKeys(with.client, findings);
      checkPlugins(with.client, findings);
      checkConnections(with.client, findings);
      checkActions(with.client, findings);
    }
  } else {
    findings.push_back(unanswered(place, health.error()));
  }
  auto const verdict = tell(with.output, findings);
  return health ? verdict : Exit::environment;
}

} // namespace garland::cli
