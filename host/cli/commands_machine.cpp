// What this machine offers, and what is wrong with a set-up.
#include "host/cli/commands.h"

#include "host/runtime/runtime.h"

#include <garland/schemas.hpp>

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

struct Finding {
  std::string check;
  bool ok;
  std::string message;
  std::string fix; // what to do, "" if nothing
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
  return {check, true, "may be loaded", ""};
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
  for (auto const& plugin : items) findings.push_back(findingOf(plugin));
}

// The account's words again, so that only the password has to be typed. Connecting it again replaces the
// credential and keeps what waits; disconnecting first would not.
std::string reconnectCommand(json::value const& connection) {
  std::string command = "garland connections connect " + shellQuoted(textOr(connection, "/plugin", "")) +
                        " --vendor " + textOr(connection, "/vendor_id", "");
  if (auto const* settings = find(connection, "/settings"); settings != nullptr && settings->is_object())
    for (auto const& setting : settings->as_object())
      command += " --set " + shellQuoted(std::string(setting.key()) + "=" + plain(&setting.value()));
  if (boolOr(connection, "/allow_private_network", false)) command += " --allow-private-network";
  return command + " --username NAME";
}

void checkConnections(Client& client, std::vector<Finding>& findings) {
  auto const connections = client.get(kBase + "/connections");
  if (!connections) return;
  for (auto const& connection : connections->at("items").as_array()) {
    auto const state = textOr(connection, "/state", "");
    auto const id = textOr(connection, "/id", "");
    auto const reason = textOr(connection, "/state_reason", "");
    bool const ok = state == "connected";
    std::string fix;
    if (!ok) fix = state == "reconnect needed" ? reconnectCommand(connection) : "garland sync status " + id;
    findings.push_back({"connection " + id, ok, state + (reason.empty() ? "" : ": " + reason), fix});
  }
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
    findings.push_back(
        {check, boolOr(one, "/ok", false), textOr(one, "/message", ""), textOr(one, "/fix", "")});
  }
}

std::string startCommand(Place const& place) {
  if (!place.config.empty()) return "start it with: garlandd --config " + shellQuoted(place.config);
  return "start it with: garlandd --data-dir " + shellQuoted(place.data_dir);
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
    list.push_back(json::object{
        {"check", finding.check}, {"ok", finding.ok}, {"message", finding.message}, {"fix", finding.fix}});
    if (output.json()) continue;
    output.line((finding.ok ? output.good("ok   ") : output.bad("FIX  ")) + finding.check + ": " +
                finding.message);
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

Exit recordSchema(Output& output, std::string const& kind) {
  constexpr std::string_view kBefore = "record.";
  constexpr std::string_view kAfter = ".json";
  auto const text = schemaText(std::string(kBefore) + kind + std::string(kAfter));
  if (!text.empty()) {
    output.line(std::string(text));
    return Exit::ok;
  }
  std::string kinds;
  for (std::string_view name : schemas::schemaNames()) {
    if (!name.starts_with(kBefore)) continue;
    name.remove_prefix(kBefore.size());
    name.remove_suffix(kAfter.size());
    kinds += (kinds.empty() ? "" : ", ") + std::string(name);
  }
  if (!kind.empty())
    return output.error(
        Error(ErrorKind::invalidInput, "there are no records of that kind; the kinds are: " + kinds));
  output.line("kinds of records: " + kinds);
  return Exit::ok;
}

Exit doctor(Context with, Place const& place) {
  std::vector<Finding> findings;
  auto const health = with.client.get("/health");
  checkSetUp(place, health.has_value(), findings);
  findings.push_back({"key", place.key_read,
                      place.key_read ? "read from " + place.key_file : place.key_problem,
                      place.key_read ? "" : "point to the daemon's key: --key-file DATA_DIR/api.key"});
  if (health) {
    bool const ok = textOr(*health, "/status", "") == "ok";
    findings.push_back({"daemon", ok,
                        "version " + textOr(*health, "/version", "?") + " on " +
                            textOr(*health, "/database", "?") + " at " + place.url,
                        ok ? "" : whyDegraded(*health)});
    checkIntake(*health, findings);
    if (place.key_read) {
      checkPlugins(with.client, findings);
      checkConnections(with.client, findings);
      checkActions(with.client, findings);
    }
  } else {
    bool const other = health.error().provider_code == "not_garlandd";
    findings.push_back({"daemon", false, health.error().message,
                        other ? "name its address with --url" : startCommand(place)});
  }
  auto const verdict = tell(with.output, findings);
  return health ? verdict : Exit::environment;
}

} // namespace garland::cli
