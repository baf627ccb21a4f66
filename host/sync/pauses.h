// Connections that a person has put to rest: what comes in for them is kept, and nothing is done about it.
// Every daemon on the database follows the table; the one that runs the connection tells when it rests.
#pragma once

#include "host/sync/barrier.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace garland::sync {

class Pauses {
public:
  Pauses(Context& context, Connections& connections, Callers callers)
      : context_(context), connections_(connections), callers_(callers), nursery_(context.doors.executor) {}

  // Answers when nothing of it is under way. It stays so over a restart. `by`: who asks for it, if it is not
  // paused yet.
  Task<Connection> pause(std::string id, std::string by);
  Task<Connection> resume(std::string id);
  // Follows the table: what was paused before this start, or by another daemon. Called often.
  Task<void> tick();
  // A daemon that takes the connection over follows its pause before anything of it begins.
  Task<void> takeOver(Owner owner);
  // Another daemon has paused the connection, or lets it go on.
  Task<void> look(Owner owner);
  // Another daemon, which runs the connection, says that it is paused and nothing of it is under way.
  void rests(std::string const& id);
  Task<void> stop();
  // The connection is gone.
  void forget(std::string const& id) { paused_.erase(id); }

private:
  using Held = std::shared_ptr<Barrier>;
  Task<void> quiet(Owner owner, Held barrier);
  Task<void> tellRest(Owner owner);
  Task<void> restElsewhere(Owner owner);
  Task<bool> isPaused(Owner owner);
  Held hold(Owner const& owner);
  void follow(std::map<std::string, Owner> const& paused);

  Context& context_;
  Connections& connections_;
  Callers callers_;
  Nursery nursery_;
  std::map<std::string, Held> paused_; // by connection
  std::uint64_t acts_ = 0;             // of this daemon: what was read before one may be old
  std::multimap<std::string, std::shared_ptr<Event>> asking_; // by connection; taken out when it rests
};

} // namespace garland::sync
