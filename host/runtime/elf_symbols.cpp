#include "host/runtime/elf_symbols.h"

#include "host/runtime/elf_reader.h"
#include "host/runtime/tainted.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace garland::runtime {
namespace {

constexpr std::uint64_t kMaxSections = 1024;
constexpr std::uint64_t kMaxSymbols = 1U << 18U;
constexpr std::size_t kMaxName = 200;

struct Tables {
  std::string_view symbols;
  std::string_view names;
};

std::optional<Tables> tablesOf(ElfReader const& file, Elf64_Word type) {
  auto const header = file.value<Elf64_Ehdr>(0);
  if (!header || header->e_shentsize != sizeof(Elf64_Shdr)) return std::nullopt;
  auto const count = std::min<std::uint64_t>(header->e_shnum, kMaxSections);
  auto const section = [&](std::uint64_t index) -> std::optional<Elf64_Shdr> {
    if (index >= count || header->e_shoff > file.size()) return std::nullopt;
    return file.value<Elf64_Shdr>(header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const symbols = section(i);
    if (!symbols || symbols->sh_type != type) continue;
    auto const names = section(symbols->sh_link);
    if (!names) return std::nullopt;
    auto const symbol_bytes = file.part(symbols->sh_offset, symbols->sh_size);
    auto const name_bytes = file.part(names->sh_offset, names->sh_size);
    if (!symbol_bytes || !name_bytes) return std::nullopt;
    return Tables{*symbol_bytes, *name_bytes};
  }
  return std::nullopt;
}

// "12some_name..." gives "some_name" and goes behind it; empty if that is not what stands there.
std::string_view takeIdentifier(std::string_view& text) {
  std::size_t length = 0;
  auto const read = std::from_chars(text.data(), text.data() + text.size(), length);
  auto const digits = static_cast<std::size_t>(read.ptr - text.data());
  if (read.ec != std::errc() || length == 0 || length > text.size() - digits) return {};
  auto const name = text.substr(digits, length);
  text.remove_prefix(digits + length);
  return name;
}

// "_ZN3dav4pullEv" as "dav::pull". Only plain qualified names: a complete demangler can be fed names that
// explode or overflow it, and these come from a plugin. Others stay as they are, for c++filt.
std::string readable(std::string_view mangled) {
  auto text = mangled;
  auto const asItIs = [&] { return cleanText(mangled, kMaxName); };
  if (!text.starts_with("_Z")) return asItIs();
  text.remove_prefix(2);
  if (text.starts_with('L')) text.remove_prefix(1);
  bool const nested = text.starts_with('N');
  if (nested) text.remove_prefix(1);
  while (nested && (text.starts_with('K') || text.starts_with('V'))) text.remove_prefix(1);
  std::string out;
  do {
    auto const name = takeIdentifier(text);
    if (name.empty()) return asItIs();
    out += out.empty() ? "" : "::";
    out += name == "_GLOBAL__N_1" ? std::string_view("(anonymous namespace)") : name;
  } while (nested && !text.starts_with('E'));
  return cleanText(out, kMaxName);
}

} // namespace

ElfSymbols ElfSymbols::read(std::string_view bytes) {
  ElfSymbols out;
  ElfReader const file(bytes);
  auto const ident = file.part(0, EI_NIDENT);
  if (!ident || !ident->starts_with(std::string_view(ELFMAG, SELFMAG)) || (*ident)[EI_CLASS] != ELFCLASS64)
    return out;
  for (auto const type : {Elf64_Word{SHT_SYMTAB}, Elf64_Word{SHT_DYNSYM}}) {
    if (auto const tables = tablesOf(file, type)) out.take(tables->symbols, tables->names);
    if (!out.empty()) break;
  }
  return out;
}

void ElfSymbols::take(std::string_view symbols, std::string_view names) {
  ElfReader const table(symbols);
  auto const count = std::min<std::uint64_t>(symbols.size() / sizeof(Elf64_Sym), kMaxSymbols);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const symbol = *table.value<Elf64_Sym>(i * sizeof(Elf64_Sym));
    auto const type = ELF64_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) continue;
    if (symbol.st_name >= names.size()) continue;
    functions_.push_back({symbol.st_value, symbol.st_size, symbol.st_name});
  }
  names_ = names;
  std::ranges::sort(functions_, {}, &Function::begin);
}

std::string ElfSymbols::nameAt(std::uint64_t place) const {
  auto const after = std::ranges::upper_bound(functions_, place, {}, &Function::begin);
  if (after == functions_.begin()) return {};
  auto const& function = *std::prev(after);
  auto const into = place - function.begin;
  if (function.size != 0 && into >= function.size) return {};
  auto const name = std::string_view(names_).substr(function.name);
  std::array<char, 17> digits{};
  auto const written = std::to_chars(digits.begin(), digits.end(), into, 16);
  return readable(name.substr(0, name.find('\0'))) + "+" + std::string(digits.data(), written.ptr);
}

} // namespace garland::runtime
