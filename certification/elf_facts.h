// What the loader would make of a shared object: what it exports, wants and permits. Read from its bytes,
// which may be hostile: only program headers and the dynamic section are believed, every offset is checked.
#pragma once

#include "host/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::certification {

struct ElfSymbol {
  std::string name;
  std::string version; // "GLIBC_2.34"; "" if it has none
  unsigned char binding = 0;
  unsigned char type = 0;
};

struct ElfFacts {
  std::string manifest; // the note "Garland", type 1; "" if there is none
  std::string build_id; // hexadecimal; "" if there is none
  std::vector<ElfSymbol> exports;
  std::vector<ElfSymbol> imports;
  std::vector<std::string> needed;   // DT_NEEDED
  std::vector<std::string> run_path; // DT_RPATH and DT_RUNPATH
  bool relro = false;
  bool bind_now = false;
  bool text_relocations = false;
  bool executable_stack = true;         // PT_GNU_STACK is missing or has PF_X
  bool writable_and_executable = false; // some segment is both
  bool has_interpreter = false;
};

// invalidInput, going on from "the shared object ...".
Result<ElfFacts> readElfFacts(std::string_view bytes);

} // namespace garland::certification
