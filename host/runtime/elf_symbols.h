// Names for places in a shared object, from its symbol tables: .symtab, or .dynsym if it was stripped.
//
// Read from bytes, nothing is run or mapped; the file may be hostile, so names are cut and cleaned and
// damage makes a table empty, never an error: a stack without names is still worth having.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace garland::runtime {

class ElfSymbols {
public:
  static ElfSymbols read(std::string_view bytes);

  // "dav::pull+1f": the function that holds the place and how far into it. Empty if none does.
  std::string nameAt(std::uint64_t place) const;
  bool empty() const { return functions_.empty(); }

private:
  struct Function {
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    std::uint32_t name = 0; // where it begins in names_
  };
  void take(std::string_view symbols, std::string_view names);

  std::string names_;
  std::vector<Function> functions_; // by begin
};

} // namespace garland::runtime
