// Everything about one connection that a call to its plugin needs, read once per run.
#pragma once

#include "host/sync/context.h"

#include <map>
#include <memory>
#include <string>

namespace garland::sync {

struct Session {
  Connection connection;
  std::shared_ptr<runtime::PluginInfo const> plugin; // the build that takes its calls
  std::string account_key;                           // which account it is: unique per vendor and plugin
  std::map<std::string, std::string> sealed;         // slot -> sealed JSON object of its fields
  bool confirm_deletes = false;
  std::int64_t credential_version = 0; // grows when the credential is replaced
  TimePoint resumed{};                 // when its last pause ended, or its account was connected again
  // A connection that is being tried: nothing that the plugin keeps outlives the call.
  bool trial = false;
  store::Unit sign_ins;  // ... and what its trial finds where tokens are kept
  std::string signs_in;  // ... and the slot of a code that is redeemed before
  std::string record_id; // that the call writes; "" if it is about many
};

// What a credential's sealed text is bound to.
std::string credentialContext(Connection const& connection, std::string_view slot);

runtime::Call makeCall(Session const& session, std::string operation, json::value const& input,
                       Milliseconds deadline);

} // namespace garland::sync
