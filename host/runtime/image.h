// A plugin's bytes between the disk and the worker: read once, checked, and sealed against change.
#pragma once

#include "host/runtime/owned_fd.h"
#include "host/runtime/runtime.h"

#include <string>

namespace garland::runtime {

inline constexpr std::size_t kMaxPluginBytes = 64U << 20U;

// The whole of a regular file. "cannot be read: ...": invalidInput (a FIFO or a directory), transient (the
// host may not, or lacks something), notFound; hostLimit if it has more than `limit` bytes. Blocks on the
// disk.
Result<std::string> readPluginFile(std::string const& path, std::size_t limit);

// The shared object in a memfd that nobody can change any more. What is checked is what is sealed:
// the digest is that of the catalogue and the note still holds the manifest; the path is opened once.
// invalidInput if the file is not the one that the catalogue saw, transient if it cannot be read. Blocks on
// the disk. [any thread]
Result<OwnedFd> sealImage(PluginInfo const& plugin);

} // namespace garland::runtime
