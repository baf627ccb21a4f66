#include "host/cli/next_step.h"

#include "host/cli/output.h"

#include <algorithm>
#include <string_view>

namespace garland::cli {
namespace {

json::array const& listAt(json::value const& value, std::string_view pointer) {
  static json::array const none;
  auto const* list = find(value, pointer);
  return list != nullptr && list->is_array() ? list->get_array() : none;
}

// crm.pull/1, calendar.pull/1, ...: without one, there is nothing that a sync could ask for.
bool isAsked(json::value const& plugin) {
  return std::ranges::any_of(listAt(plugin, "/operations"), [](json::value const& operation) {
    return operation.is_string() && std::string_view(operation.get_string()).ends_with(".pull/1");
  });
}

bool takes(json::value const& plugin, std::string_view way) {
  return std::ranges::find(listAt(plugin, "/intake"), json::value(way)) != listAt(plugin, "/intake").end();
}

bool hasPage(json::value const& plugin) {
  return std::ranges::any_of(listAt(plugin, "/auth"),
                             [](json::value const& slot) { return boolOr(slot, "/page", false); });
}

bool asksForUser(json::value const& plugin) {
  return std::ranges::any_of(listAt(plugin, "/auth"), [](json::value const& slot) {
    auto const& fields = listAt(slot, "/fields");
    return std::ranges::find(fields, json::value("username")) != fields.end();
  });
}

} // namespace

std::string waysIn(json::value const& plugin, std::string const& connection) {
  std::string ways;
  auto const add = [&](std::string const& way) { ways += (ways.empty() ? "" : ", or ") + way; };
  if (takes(plugin, "hook")) add("by a web hook: garland connections hook " + connection);
  if (takes(plugin, "mail"))
    add("by mail to an address of its own: garland connections mailbox " + connection +
        ", or out of a mailbox: garland connections imap " + connection + " --url imaps://HOST --user NAME");
  if (takes(plugin, "csv")) add("in files: garland import csv " + connection + " FILE");
  if (isAsked(plugin)) {
    auto const run = "bring everything in with: garland sync run " + connection;
    return ways.empty() ? run : run + "; more comes in " + ways;
  }
  return ways.empty() ? "" : "what it has comes in " + ways;
}

std::string afterChange(json::value const& plugin, std::string const& connection) {
  if (isAsked(plugin))
    return "everything comes in anew, into the same records, with: garland sync run " + connection;
  if (listAt(plugin, "/intake").empty()) return "";
  return "what comes in from now on is read by it; what waits for a person is read again with: garland "
         "intake "
         "retry " +
         connection;
}

Result<void> checkTakesCsv(json::value const& plugin, std::string const& connection,
                           std::string const& kind) {
  auto const name = textOr(plugin, "/name", "its connector");
  if (!takes(plugin, "csv")) {
    auto const ways = waysIn(plugin, connection);
    return Error(ErrorKind::invalidInput, name + " reads no CSV files" + (ways.empty() ? "" : "; " + ways));
  }
  auto const& brought = listAt(plugin, "/brings");
  if (kind.empty() || std::ranges::find(brought, json::value(kind)) != brought.end()) return {};
  std::string kinds;
  for (auto const& one : brought) kinds += (kinds.empty() ? "" : ", ") + std::string(one.as_string());
  return Error(ErrorKind::invalidInput,
               name + " brings no records of kind \"" + kind + "\"; --kind is one of: " + kinds);
}

bool signsIn(json::value const& plugin) { return !listAt(plugin, "/auth").empty(); }

std::string firstConnect(json::value const& plugin, std::string const& id, std::string const& vendor) {
  return std::string("garland connections ") + (hasPage(plugin) ? "authorize " : "connect ") +
         shellQuoted(id) + " --vendor " + vendor;
}

std::string reconnecting(json::value const& plugin, json::value const& connection) {
  auto command =
      firstConnect(plugin, textOr(connection, "/plugin", ""), textOr(connection, "/vendor_id", ""));
  if (auto const* settings = find(connection, "/settings"); settings != nullptr && settings->is_object())
    for (auto const& setting : settings->as_object())
      command += " --set " + shellQuoted(std::string(setting.key()) + "=" + plain(&setting.value()));
  if (boolOr(connection, "/allow_private_network", false)) command += " --allow-private-network";
  return command + (asksForUser(plugin) ? " --username NAME" : "");
}

std::string standingOf(json::value const& connection) {
  auto const state = textOr(connection, "/state", "");
  return state == "paused" ? textOr(connection, "/condition/state", state) : state;
}

std::string afterResume(json::value const& connection) {
  auto const id = textOr(connection, "/id", "");
  auto const state = textOr(connection, "/state", "");
  if (state == "reconnect needed" || state == "revoked")
    return "not paused any more, but " + state + ": " + textOr(connection, "/state_reason", "") +
           "; what to type is told by: garland doctor";
  return "it goes on; see how with: garland sync status " + id;
}

} // namespace garland::cli
