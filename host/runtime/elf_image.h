// What a plugin's shared object says of itself, read from its bytes without running or mapping it.
//
// Only the tables that the dynamic loader uses are believed (program headers, the dynamic section,
// the hash table it looks symbols up in); section headers serve to notice a file that was cut short.
// Every offset is checked against the bytes: the file may be hostile.
#pragma once

#include "host/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::runtime {

struct ElfImage {
  std::string architecture;         // "x86_64-linux-gnu"
  std::string manifest;             // descriptor of the note "Garland\0", type 1
  std::vector<std::string> exports; // names that other objects could bind to, sorted
  std::vector<std::string> needed;  // libraries that the loader brings along
};

// invalidInput with one sentence that goes on from "the shared object ...": what is wrong with it.
Result<ElfImage> readElf(std::string_view bytes);
// The same for an object that need not carry a manifest: "" then.
Result<ElfImage> readBareElf(std::string_view bytes);

// The note that the linker writes (--build-id), in lower-case hex; "" if there is none that can be read.
std::string gnuBuildId(std::string_view bytes);

// The rules of a plugin besides: exactly one export, garland_entry_v1, and the note equal to
// `manifest_text` byte for byte. The first other export ends the reading.
Result<void> checkPluginElf(std::string_view bytes, std::string_view manifest_text);

} // namespace garland::runtime
