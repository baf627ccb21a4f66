// Own namespaces, a private read-only root with nothing but system libraries in it, and an ordinary user.
#pragma once

#include <string>
#include <vector>

namespace garland::runtime::sandbox {

struct Inside {
  bool user_namespace = false; // made as an ordinary user; root needs none
  bool private_root = false;
  std::vector<std::string> notes;
};

// Moves this process, while it has one thread, into new mount, network, IPC and UTS namespaces (as an
// ordinary user inside a new user namespace), makes a private root and, coming from root, becomes "nobody".
// Never fails as a whole: what could not be had is in the notes.
//
// There is no pid namespace: it would take a second process, its first process is immune to default signals
// (an abort() would not end it), and it would hide only what the private root hides already. Signals to
// other processes are refused by seccomp and Landlock.
Inside enterNamespaces();

} // namespace garland::runtime::sandbox
