// Plugins, vendors and connections: what is there, and making it ready to sync.
#include "host/cli/commands.h"

#include "host/base/bytes.h"
#include "host/cli/next_step.h"
#include "host/cli/prompt.h"
#include "host/cli/setting_words.h"

#include <algorithm>

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

std::string pluginOfVendor(std::string const& vendor, std::string const& id) {
  return kBase + "/vendors/" + percentEncode(vendor) + "/plugins/" + percentEncode(id);
}

Exit show(Context with, Result<json::value> const& answer) {
  if (!answer) return with.output.error(answer.error());
  with.output.value(*answer);
  return Exit::ok;
}

// Done, said in words or as JSON.
Exit done(Context with, Result<json::value> const& answer, std::string const& sentence) {
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(answer->is_null() ? json::value(json::object{{"done", true}}) : *answer);
  else
    with.output.line(sentence);
  return Exit::ok;
}

bool isOptional(json::value const& slot, std::string_view field) {
  auto const* optional = find(slot, "/optional");
  if (optional == nullptr || !optional->is_array()) return false;
  auto const& names = optional->get_array();
  return std::find(names.begin(), names.end(), json::value(field)) != names.end();
}

// "; " and the sentence, if there is one.
std::string further(std::string const& sentence) { return sentence.empty() ? "" : "; " + sentence; }

// What the plugin's credential slot wants typed: the username given, everything else asked for.
Result<json::object> askCredentials(json::value const& plugin, ConnectWords const& words) {
  json::object credentials;
  auto const* slots = find(plugin, "/auth");
  if (slots == nullptr || !slots->is_array()) return credentials;
  for (auto const& slot : slots->as_array()) {
    json::object fields;
    for (auto const& field : slot.at("fields").as_array()) {
      std::string const name(field.as_string());
      if (name == "username") {
        if (words.username.empty())
          return Error(ErrorKind::invalidInput,
                       "this connector signs in with a user name; add --username NAME");
        fields[name] = words.username;
        continue;
      }
      bool const optional = isOptional(slot, name);
      auto const* const ask = optional ? " (or nothing): " : ": ";
      auto secret = words.password_from_stdin ? secretFromStdin() : askSecret(name + ask, kPasswordStdin);
      if (!secret && optional) continue; // the fields before it were read, so there is just no more
      if (!secret) return std::move(secret).error();
      fields[name] = secret->reveal();
    }
    credentials[textOr(slot, "/slot", "login")] = std::move(fields);
  }
  return credentials;
}

// What the connector of a connection wants typed.
Result<json::object> credentialsOf(Context with, std::string const& connection, ConnectWords const& words) {
  TRY(known, with.client.get(kBase + "/connections/" + percentEncode(connection)));
  TRY(plugin, with.client.get(kBase + "/plugins/" + percentEncode(textOr(known, "/plugin", ""))));
  return askCredentials(plugin, words);
}

Result<json::value> knownPlugin(Context with, std::string const& id, json::object const& settings) {
  TRY(plugin, with.client.get(kBase + "/plugins/" + percentEncode(id)));
  TRY_VOID(checkSettingNames(plugin, settings));
  return plugin;
}

Result<json::object> settingsOf(std::vector<std::string> const& words) {
  json::object settings;
  for (auto const& word : words) {
    auto const equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(
          ErrorKind::invalidInput,
          "--set takes NAME=VALUE, such as url=https://dav.example.com/ (garland plugins show PLUGIN names "
          "the settings)");
    settings[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return settings;
}

// Below the table, where a sentence has room.
void tellRefusals(Output& output, json::value const& plugins) {
  if (output.json()) return;
  for (auto const& plugin : plugins.at("items").as_array())
    if (auto const why = textOr(plugin, "/refusal", ""); !why.empty())
      output.line(output.bad("REFUSED ") + plain(find(plugin, "/short_name")) + ": " +
                  plain(find(plugin, "/refusal")));
}

} // namespace

Exit tellAdoptions(Context with, Result<json::value> const& answer) {
  if (!answer) return with.output.error(answer.error());
  with.output.table(
      *answer, {{"PLUGIN", "/plugin"}, {"OUTCOME", "/outcome"}, {"RUNS", "/version"}, {"WHAT", "/message"}},
      "no plugin is installed; garlandd looks in the folders of [plugins] dirs");
  for (auto const& item : answer->at("items").as_array())
    if (textOr(item, "/outcome", "") == "refused") return Exit::findings;
  return Exit::ok;
}

Exit listPlugins(Context with) {
  auto const answer = with.client.get(kBase + "/plugins");
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer,
                    {{"NAME", "/short_name"},
                     {"RUNS", "/version"},
                     {"INSTALLED", "/installed_version"},
                     {"STATE", "/state"},
                     {"CERTIFIED", "/certified"},
                     {"CATEGORY", "/category"},
                     {"ABOUT", "/summary", true}},
                    "no plugin is installed; garlandd looks in the folders of [plugins] dirs");
  tellRefusals(with.output, *answer);
  return Exit::ok;
}

Exit showPlugin(Context with, std::string const& id) {
  return show(with, with.client.get(kBase + "/plugins/" + percentEncode(id)));
}

Exit rescanPlugins(Context with, bool allow_downgrade) {
  std::string const query = allow_downgrade ? "?allow_downgrade=1" : "";
  return tellAdoptions(with, with.client.post(kBase + "/plugins/rescan" + query, nullptr));
}

Exit releasePlugin(Context with, std::string const& id) {
  return tellAdoptions(with, with.client.post(kBase + "/plugins/" + percentEncode(id) + "/release", nullptr));
}

Exit enablePlugin(Context with, std::string const& id, std::string const& vendor) {
  auto const answer = with.client.put(pluginOfVendor(vendor, id), nullptr);
  if (!answer) return with.output.error(answer.error());
  auto const plugin = with.client.get(kBase + "/plugins/" + percentEncode(id));
  return done(with, answer,
              id + " is enabled; connect an account with: " +
                  firstConnect(plugin ? *plugin : json::value(), id, vendor));
}

Exit disablePlugin(Context with, std::string const& id, std::string const& vendor) {
  return done(with, with.client.remove(pluginOfVendor(vendor, id)),
              id + " is disabled; its connections are not synced");
}

Exit listVendors(Context with) {
  auto const answer = with.client.get(kBase + "/vendors");
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer, {{"ID", "/id"}, {"NAME", "/name"}, {"SINCE", "/created"}},
                    "no vendor yet; add one with: garland vendors add NAME");
  return Exit::ok;
}

Exit addVendor(Context with, std::string const& name) {
  auto const answer = with.client.post(kBase + "/vendors", json::object{{"name", name}});
  return done(with, answer, answer ? "added " + textOr(*answer, "/id", "") : "");
}

Exit listConnections(Context with, std::string const& vendor) {
  auto const answer =
      with.client.get(kBase + "/connections" + (vendor.empty() ? "" : "?" + parameter("vendor_id", vendor)));
  if (!answer) return with.output.error(answer.error());
  with.output.table(
      *answer,
      {{"ID", "/id"},
       {"PLUGIN", "/plugin"},
       {"ACCOUNT", "/account"},
       {"STATE", "/condition/state"},
       {"UNTIL", "/condition/until"},
       {"LAST SUCCESS", "/last_success"},
       {"WHY", "/condition/why"}},
      "no account is connected; connect one with: garland connections connect PLUGIN --vendor VENDOR");
  return Exit::ok;
}

Exit showConnection(Context with, std::string const& id) {
  return show(with, with.client.get(kBase + "/connections/" + percentEncode(id)));
}

std::string reconnectedAs(json::value const& connection, bool signs_in) {
  auto const id = textOr(connection, "/id", "");
  std::string out = "connected again as " + id + "; ";
  out += signs_in ? "the new credential was accepted, and what waited is kept"
                  : "it has no credential to replace, and what waited is kept";
  if (textOr(connection, "/state", "") == "paused")
    out += "; it is still paused: resume it with: garland connections resume " + id;
  return out;
}

Exit connectAccount(Context with, ConnectWords const& words) {
  auto settings = settingsOf(words.settings);
  if (!settings) return with.output.error(settings.error());
  auto const plugin = knownPlugin(with, words.plugin, *settings);
  if (!plugin) return with.output.error(plugin.error());
  auto credentials = askCredentials(*plugin, words);
  if (!credentials) return with.output.error(credentials.error());
  json::object body{{"vendor_id", words.vendor},
                    {"plugin", words.plugin},
                    {"allow_private_network", words.allow_private_network}};
  body["settings"] = std::move(*settings);
  body["credentials"] = std::move(*credentials);
  auto const answer = with.client.post(kBase + "/vendor/connect", std::move(body));
  auto const id = answer ? textOr(*answer, "/id", "") : "";
  if (answer && boolOr(*answer, "/reconnected", false))
    return done(with, answer, reconnectedAs(*answer, signsIn(*plugin)) + further(waysIn(*plugin, id)));
  return done(with, answer, "connected as " + id + further(waysIn(*plugin, id)));
}

namespace {

// Of what the connector wants typed, what the sign-in at the provider does not give: the first two fields of
// a slot with a page of its own, or one that is signed in to on another device: the client's.
Result<json::object> askClient(json::value plugin, ConnectWords const& words) {
  auto const* const way = words.device ? "/device" : "/page";
  if (auto* slots = plugin.as_object().if_contains("auth"); slots != nullptr && slots->is_array())
    for (auto& slot : slots->as_array()) {
      auto& fields = slot.at("fields").as_array();
      if (!boolOr(slot, way, false)) continue;
      fields.resize(std::min<std::size_t>(fields.size(), 2));
      break; // there is one sign-in at a time
    }
  return askCredentials(plugin, words);
}

} // namespace

Exit authorizeAccount(Context with, ConnectWords const& words) {
  auto settings = settingsOf(words.settings);
  if (!settings) return with.output.error(settings.error());
  auto const plugin = knownPlugin(with, words.plugin, *settings);
  if (!plugin) return with.output.error(plugin.error());
  auto credentials = askClient(*plugin, words);
  if (!credentials) return with.output.error(credentials.error());
  json::object body{{"vendor_id", words.vendor},
                    {"plugin", words.plugin},
                    {"allow_private_network", words.allow_private_network}};
  body["settings"] = std::move(*settings);
  body["credentials"] = std::move(*credentials);
  auto const* const route = words.device ? "/vendor/authorize/device" : "/vendor/authorize";
  auto const answer = with.client.post(kBase + route, std::move(body));
  if (!answer || with.output.json()) return show(with, answer);
  if (words.device) {
    tellDevice(with.output, *answer);
    return Exit::ok;
  }
  with.output.line(textOr(*answer, "/url", ""));
  with.output.line("open this in the vendor's browser before " + textOr(*answer, "/expires", "") +
                   "; it is shown once. What came of it: garland connections authorization " +
                   textOr(*answer, "/id", "") + " --vendor " + words.vendor);
  return Exit::ok;
}

void tellDevice(Output& output, json::value const& authorization) {
  output.line(textOr(authorization, "/user_code", ""));
  output.line("type this at " + textOr(authorization, "/verification_uri", "") + ", in any browser, before " +
              textOr(authorization, "/expires", "") + "; it is shown once");
  if (auto const whole = textOr(authorization, "/verification_uri_complete", ""); !whole.empty())
    output.line("or open " + whole);
  output.line("what came of it: garland connections authorization " + textOr(authorization, "/id", "") +
              " --vendor " + textOr(authorization, "/vendor_id", ""));
}

Exit showAuthorization(Context with, std::string const& id, std::string const& vendor) {
  return show(with, with.client.get(kBase + "/vendors/" + percentEncode(vendor) + "/authorizations/" +
                                    percentEncode(id)));
}

Exit changeSettings(Context with, std::string const& id, ConnectWords const& words, bool credential,
                    std::vector<std::string> const& removed) {
  auto changes = settingsOf(words.settings);
  if (!changes) return with.output.error(changes.error());
  for (auto const& name : removed) (*changes)[name] = nullptr;
  if (changes->empty())
    return with.output.error(
        Error(ErrorKind::invalidInput, "say what is to be changed: --set NAME=VALUE or --unset NAME"));
  json::object body;
  body["settings"] = std::move(*changes);
  if (credential || words.password_from_stdin || !words.username.empty()) {
    auto typed = credentialsOf(with, id, words);
    if (!typed) return with.output.error(typed.error());
    body["credentials"] = std::move(*typed);
  }
  auto const answer = with.client.patch(kBase + "/connections/" + percentEncode(id), std::move(body));
  if (!answer) return with.output.error(answer.error());
  auto const plugin = with.client.get(kBase + "/plugins/" + percentEncode(textOr(*answer, "/plugin", "")));
  return done(with, answer, "changed" + (plugin ? further(afterChange(*plugin, id)) : std::string()));
}

Exit disconnect(Context with, std::string const& id, bool discard) {
  auto const path = kBase + "/connections/" + percentEncode(id);
  return done(
      with, with.client.remove(discard ? path + "?discard=true" : path),
      "disconnected; the credential is forgotten, and what came in by itself for this account is deleted "
      "with its addresses; the records stay with the vendor");
}

Exit watchMailbox(Context with, ImapWords const& words) {
  auto const path = kBase + "/connections/" + percentEncode(words.connection) + "/imap";
  if (words.stop)
    return done(with, with.client.remove(path),
                "the mailbox is visited no more, and its password is forgotten");
  if (words.url.empty()) return show(with, with.client.get(path));
  auto const password =
      words.password_from_stdin ? secretFromStdin() : askSecret("Password of the mailbox: ", kPasswordStdin);
  if (!password) return with.output.error(password.error());
  json::object body{{"url", words.url}, {"user", words.user}};
  if (!words.folder.empty()) body["folder"] = words.folder;
  body["password"] = password->reveal();
  return done(
      with, with.client.put(path, std::move(body)),
      "the mailbox was opened; what comes in there is taken in from now on, and of the last two days");
}

Exit openMailbox(Context with, std::string const& connection, bool rotate) {
  auto const answer = with.client.post(kBase + "/connections/" + percentEncode(connection) + "/mailbox",
                                       json::object{{"rotate", rotate}});
  if (!answer) return with.output.error(answer.error());
  if (with.output.json()) {
    with.output.value(*answer);
  } else if (auto const address = textOr(*answer, "/address", ""); !address.empty()) {
    with.output.line(address);
    with.output.line("this is shown once; whoever has it may send leads");
  } else {
    with.output.line("there is an address, made at " + textOr(*answer, "/created", "") +
                     "; it was shown then, and --rotate makes another in its place");
  }
  return Exit::ok;
}

namespace {

Result<json::value> askedOf(Context with, std::string const& id, std::string const& what) {
  return with.client.post(kBase + "/connections/" + percentEncode(id) + "/" + what, nullptr);
}

} // namespace

Exit testConnection(Context with, std::string const& id) {
  auto const answer = askedOf(with, id, "test");
  if (!answer) return with.output.error(answer.error());
  bool const ok = boolOr(*answer, "/ok", false);
  if (with.output.json())
    with.output.value(*answer);
  else if (ok)
    with.output.line("it can be reached, as " + textOr(*answer, "/account", ""));
  else
    with.output.line(textOr(*answer, "/problem", ""));
  return ok ? Exit::ok : Exit::findings;
}

Exit rotateConnection(Context with, std::string const& id) {
  return done(with, askedOf(with, id, "rotate"), "the provider has given another token");
}

Exit revokeConnection(Context with, std::string const& id) {
  auto const answer = askedOf(with, id, "revoke");
  return done(with, answer, answer ? textOr(*answer, "/state_reason", "") : "");
}

Exit pauseConnection(Context with, std::string const& id) {
  return done(with, askedOf(with, id, "pause"),
              "paused; let it go on with: garland connections resume " + id);
}

Exit resumeConnection(Context with, std::string const& id) {
  auto const answer = askedOf(with, id, "resume");
  return done(with, answer, answer ? afterResume(*answer) : "");
}

Exit resyncConnection(Context with, std::string const& id) {
  return done(with, askedOf(with, id, "resync"),
              "everything is brought in anew; see how with: garland sync status " + id);
}

Exit confirmDeletes(Context with, std::string const& id) {
  auto const status = with.client.get(kBase + "/status/" + percentEncode(id));
  if (!status) return with.output.error(status.error());
  auto const* run = find(*status, "/last_run");
  bool const nothing_held =
      run != nullptr && (run->is_null() || (textOr(*run, "/state", "") == "done" &&
                                            integerOr(*run, "/held_deletions", 0) == 0));
  if (nothing_held) {
    if (with.output.json())
      with.output.value(json::object{{"done", true}, {"held_deletions", 0}});
    else
      with.output.line("its last sync held no deletions, so there is nothing to confirm");
    return Exit::ok;
  }
  return done(with,
              with.client.post(kBase + "/connections/" + percentEncode(id) + "/confirm-deletes", nullptr),
              "confirmed; the next sync applies the deletions that were held");
}

} // namespace garland::cli
