// The secret addresses of connections: who is meant by a token. All of them are held in memory, by their
// hashes, so that a stranger's guess costs no query and time tells nothing.
#pragma once

#include "host/sync/context.h"

#include <map>
#include <optional>
#include <string>

namespace garland::sync {

class IntakeDoors {
public:
  explicit IntakeDoors(Context& context) : context_(context) {}

  Task<void> load();
  Task<OpenedDoor> open(Connection connection, IntakeSource source, bool rotate);
  Task<IntakeDoor> sign(Connection connection, json::value scheme, Secret secret);
  std::optional<IntakeDoor> find(IntakeSource source, std::string_view token) const;
  Task<Secret> signingSecret(IntakeDoor door);
  // A connection is gone.
  void forget(std::string const& connection_id);

private:
  Context& context_;
  std::map<std::string, IntakeDoor, std::less<>> by_hash_;
};

} // namespace garland::sync
