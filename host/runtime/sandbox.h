// The sandbox of a worker process: closed before the first instruction of a plugin, from inside.
//
// Layers, outermost first: an unprivileged user, resource limits, own namespaces with a private read-only
// root that holds nothing but system libraries, Landlock, seccomp. close() puts up every layer the kernel
// offers and says how far it came (the tier); seal() takes away what only loading a plugin needs.
//
//   tier  private root  Landlock  seccomp   what a plugin can still learn of the machine
//   A     yes           yes       yes       the contents of system libraries
//   B     no            yes       yes       that a path exists, its size and times (stat)
//   C     yes           no        yes       the contents of system libraries
//   D     no            no        yes       until seal(): every file that the worker's user may read (unless
//                                           garlandd is root: master key, API key and database), and memory
//                                           of the user's other programs
//   -     without seccomp no plugin is ever loaded
//
// A refused system call answers EPERM (or ENOSYS where a C library knows how to go on without it) instead
// of killing: many harmless libraries try a socket or a configuration file in a static initialiser and go on
// when that fails, and a plugin that links one of them must not die for it.
#pragma once

#include "host/runtime/runtime.h"

#include <cstddef>
#include <string>
#include <vector>

namespace garland::runtime::sandbox {

struct Options {
  std::size_t address_space = 256U << 20U; // bytes; 0: unlimited
  bool allow_degraded = false;             // go on in tier D
  bool audit = false;                      // for developers: tell of every refused call (sandbox_audit.h)
};

struct Closed {
  SandboxTier tier = SandboxTier::d;
  int landlock_abi = 0;
  bool private_root = false;
  std::vector<std::string> notes; // one sentence for each layer that is missing
  bool audited = false;
};

// [main thread, while it is the only one] Cannot be undone. Errors: unsupported, if seccomp is missing or
// only tier D was reached without allow_degraded; a failed call must be followed by the end of the process.
Result<Closed> close(Options const& options);

// After the plugin is loaded: no more executable memory, no more filters; in tier D no more files either.
Result<void> seal(Closed const& closed);

SandboxTier tierOf(bool landlock, bool private_root);

} // namespace garland::runtime::sandbox
