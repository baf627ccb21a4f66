// What a process looks like from outside: descriptors, threads, mappings, user, namespaces.
//
// A worker of an ordinary user shows its descriptors and mappings to root only. An Observer is a process that
// was left behind as root before the driver gave that up, and looks for it.
#pragma once

#include "host/base/json.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace garland::hostile {

// {"state","threads","uid","users",...,"descriptors":{link:n},"executable":[...],"namespaces":{...}}; what
// cannot be seen is missing; null if there is no such process.
json::value lookAt(pid_t pid);

// What a live worker has now that it had not before, one sentence each.
std::vector<std::string> gainedBetween(json::value const& before, json::value const& after);
// What it has that another worker, of a plugin that does nothing, has not.
std::vector<std::string> gainedOver(json::value const& ordinary, json::value const& suspect);

// Processes of that group, or whose parent is in it; zombies do not count.
std::vector<pid_t> processesOf(pid_t group);

class Observer {
public:
  // `socket` leads to a process in serve(); -1: look with this process's own eyes.
  explicit Observer(int socket) : socket_(socket) {}
  json::value look(pid_t pid) const;
  // Answers until the other end is closed.
  static void serve(int socket);

private:
  int socket_;
};

} // namespace garland::hostile
