#include "host/sync/session.h"

namespace garland::sync {

std::string credentialContext(Connection const& connection, std::string_view slot) {
  return connection.vendor_id + "/" + connection.id + "/" + std::string(slot);
}

runtime::Call makeCall(Session const& session, std::string operation, json::value const& input,
                       Milliseconds deadline) {
  json::array slots;
  for (auto const& [slot, sealed] : session.sealed) slots.emplace_back(slot);
  json::object account;
  account["account_id"] = session.connection.id;
  account["settings"] = session.connection.settings;
  account["slots"] = std::move(slots);

  runtime::Call call;
  call.operation = std::move(operation);
  call.vendor_id = session.connection.vendor_id;
  call.account_id = session.connection.id;
  call.record_id = session.record_id;
  call.account = json::serialize(account);
  call.input = json::serialize(input);
  call.deadline = deadline;
  return call;
}

} // namespace garland::sync
