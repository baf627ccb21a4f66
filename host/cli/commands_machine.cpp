// What this machine offers, and what is wrong with a set-up.
#include "host/cli/commands.h"
#include "host/cli/daemon_check.h"

#include "host/runtime/runtime.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

struct Finding {
  std::string check;
  bool good;
  std::string says;
  std::string type; // what to do, "" if nothing
};

void checkSandbox(std::vector<Finding>& findings) {
  auto const sandbox = runtime::probeSandbox();
  auto const tier = std::string(runtime::name(sandbox.tier));
  findings.push_back({"sandbox", sandbox.tier != runtime::SandboxTier::d,
                      "tier " + tier + ": " + std::string(runtime::coverage(sandbox.tier)),
                      sandbox.notes.empty() ? "" : sandbox.notes.front()});
}

void checkPlugins(Client& client, std::vector<Finding>& findings) {
  auto const plugins = client.get(kBase + "/plugins");
  if (!plugins) {
    findings.push_back({"plugins", false, plugins.error().message, ""});
    return;
  }
  auto const& items = plugins->at("items").as_array();
  if (items.empty())
    findings.push_back({"plugins", false, "none is installed", "set [plugins] dirs in garland.toml"});
  for (auto const& plugin : items) {
    auto const refusal = textOr(plugin, "/refusal", "");
    findings.push_back({"plugin " + textOr(plugin, "/id", "?"), refusal.empty(),
                        refusal.empty() ? "may be loaded" : refusal, ""});
  }
}

void checkConnections(Client& client, std::vector<Finding>& findings) {
  auto const connections = client.get(kBase + "/connections");
  if (!connections) return;
  for (auto const& connection : connections->at("items").as_array()) {
    auto const state = textOr(connection, "/state", "");
    auto const id = textOr(connection, "/id", "");
    auto const reason = textOr(connection, "/state_reason", "");
    bool const good = state == "connected";
    findings.push_back({"connection " + id, good, state + (reason.empty() ? "" : ": " + reason),
                        good ? "" : "garland sync status " + id});
  }
}

// The daemon's own look at configuration, keys, plugins, database; while it runs, the rest is asked of it.
void checkSetUp(Place const& place, std::vector<Finding>& findings) {
  auto const report = daemonCheck(place.data_dir, place.config);
  if (!report) {
    findings.push_back({"garlandd --check", false, report.error().message, ""});
    return;
  }
  auto const* list = find(*report, "/findings");
  if (list == nullptr || !list->is_array()) return;
  for (auto const& one : list->as_array()) {
    auto const check = textOr(one, "/check", "?");
    if (check == "sandbox" || check == "plugins") continue; // found out here
    findings.push_back(
        {check, boolOr(one, "/ok", false), textOr(one, "/message", ""), textOr(one, "/fix", "")});
  }
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

Exit doctor(Context with, Place const& place) {
  std::vector<Finding> findings;
  checkSandbox(findings);
  checkSetUp(place, findings);
  findings.push_back({"key", place.key_read,
                      place.key_read ? "read from " + place.key_file : place.key_problem,
                      place.key_read ? "" : "point to the daemon's key: --key-file DATA_DIR/api.key"});
  auto const health = with.client.get("/health");
  if (health) {
    findings.push_back({"daemon", textOr(*health, "/status", "") == "ok",
                        "version " + textOr(*health, "/version", "?") + " on " +
                            textOr(*health, "/database", "?") + " at " + place.url,
                        ""});
    checkPlugins(with.client, findings);
    checkConnections(with.client, findings);
  } else {
    findings.push_back(
        {"daemon", false, health.error().message, "start it with: garlandd --data-dir " + place.data_dir});
  }
  json::array list;
  bool all_good = true;
  for (auto const& finding : findings) {
    all_good = all_good && finding.good;
    list.push_back(json::object{
        {"check", finding.check}, {"good", finding.good}, {"says", finding.says}, {"type", finding.type}});
    if (with.output.json()) continue;
    with.output.line((finding.good ? with.output.good("ok   ") : with.output.bad("FIX  ")) + finding.check +
                     ": " + finding.says);
    if (!finding.type.empty()) with.output.line("       " + finding.type);
  }
  if (with.output.json()) with.output.value(json::object{{"good", all_good}, {"findings", std::move(list)}});
  if (!health) return Exit::environment;
  return all_good ? Exit::ok : Exit::findings;
}

} // namespace garland::cli
