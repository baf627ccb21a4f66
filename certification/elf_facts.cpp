#include "certification/elf_facts.h"

#include <elf.h>

#include <algorithm>
#include <map>
#include <optional>
#include <type_traits>

namespace garland::certification {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMostSymbols = 200'000;
constexpr std::size_t kMostEntries = 10'000; // of any other table
constexpr std::size_t kLongestName = 4096;
// Owners of notes, with the zero byte that ends them.
constexpr std::string_view kGarland = "Garland\0"sv;
constexpr std::string_view kGnu = "GNU\0"sv;

Error bad(std::string what) { return Error(ErrorKind::invalidInput, std::move(what)); }

class File {
public:
  explicit File(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::string_view> part(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return std::nullopt;
    return bytes_.substr(at, size);
  }
  template <class T> std::optional<T> value(std::uint64_t at) const {
    static_assert(std::is_trivially_copyable_v<T>);
    auto const found = part(at, sizeof(T));
    if (!found) return std::nullopt;
    T out;
    found->copy(reinterpret_cast<char*>(&out), sizeof(T));
    return out;
  }
  // Where in the file an address of the loaded object lies.
  std::optional<std::uint64_t> offsetOf(std::uint64_t address) const {
    for (auto const& header : headers_)
      if (header.p_type == PT_LOAD && address >= header.p_vaddr && address - header.p_vaddr < header.p_filesz)
        return header.p_offset + (address - header.p_vaddr);
    return std::nullopt;
  }
  template <class T> std::optional<T> valueAt(std::uint64_t address) const {
    auto const offset = offsetOf(address);
    return offset ? value<T>(*offset) : std::nullopt;
  }
  Result<void> readHeaders();
  std::vector<Elf64_Phdr> const& headers() const { return headers_; }

private:
  std::string_view bytes_;
  std::vector<Elf64_Phdr> headers_;
};

Result<void> File::readHeaders() {
  auto const header = value<Elf64_Ehdr>(0);
  if (!header || std::string_view(reinterpret_cast<char const*>(header->e_ident), SELFMAG) != ELFMAG)
    return bad("is not an ELF file");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_type != ET_DYN)
    return bad("is not a 64-bit little-endian shared object; link it with -shared");
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > kMostEntries)
    return bad("has program headers that cannot be read");
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    auto const found = value<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
    if (header->e_phoff > bytes_.size() || !found)
      return bad("is cut short: its program headers are missing");
    headers_.push_back(*found);
  }
  return {};
}

// The dynamic section by tag; repeated tags keep every value.
using Dynamic = std::multimap<std::int64_t, std::uint64_t>;

Result<Dynamic> readDynamic(File const& file) {
  auto const& headers = file.headers();
  auto const found = std::ranges::find(headers, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
  if (found == headers.end()) return bad("has no dynamic section; link it with -shared");
  Dynamic out;
  for (std::uint64_t i = 0; i < kMostEntries; ++i) {
    auto const entry = file.value<Elf64_Dyn>(found->p_offset + i * sizeof(Elf64_Dyn));
    if (!entry) break;
    if (entry->d_tag == DT_NULL) return out;
    out.emplace(entry->d_tag, entry->d_un.d_val);
  }
  return bad("has a dynamic section without an end");
}

std::uint64_t one(Dynamic const& dynamic, std::int64_t tag) {
  auto const found = dynamic.find(tag);
  return found == dynamic.end() ? 0 : found->second;
}

class Symbols {
public:
  Symbols(File const& file, Dynamic const& dynamic) : file_(file), dynamic_(dynamic) {}

  std::string text(std::uint64_t offset) const {
    auto const size = one(dynamic_, DT_STRSZ);
    auto const table = file_.offsetOf(one(dynamic_, DT_STRTAB));
    if (!table || offset >= size) return {};
    auto const room = file_.part(*table + offset, std::min<std::uint64_t>(size - offset, kLongestName));
    if (!room) return {};
    return std::string(room->substr(0, room->find('\0')));
  }

  Result<void> readInto(ElfFacts& facts) {
    readWantedVersions();
    auto const table = one(dynamic_, DT_SYMTAB);
    auto const number = count();
    if (!number) return bad("has no hash table by which its symbols could be counted");
    for (std::uint64_t i = 1; i < *number; ++i) {
      auto const symbol = file_.valueAt<Elf64_Sym>(table + i * sizeof(Elf64_Sym));
      if (!symbol) return bad("is cut short: its symbol table is missing");
      add(*symbol, i, facts);
    }
    return {};
  }

private:
  void add(Elf64_Sym const& symbol, std::uint64_t index, ElfFacts& facts) const {
    ElfSymbol out;
    out.name = text(symbol.st_name);
    out.binding = ELF64_ST_BIND(symbol.st_info);
    out.type = ELF64_ST_TYPE(symbol.st_info);
    auto const visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (symbol.st_shndx == SHN_UNDEF) {
      out.version = versionOf(index);
      facts.imports.push_back(std::move(out));
    } else if (out.binding != STB_LOCAL && (visibility == STV_DEFAULT || visibility == STV_PROTECTED)) {
      facts.exports.push_back(std::move(out));
    }
  }

  // The dynamic section does not tell; the hash tables do.
  std::optional<std::uint64_t> count() const {
    if (auto const table = one(dynamic_, DT_HASH); table != 0) {
      auto const chains = file_.valueAt<std::uint32_t>(table + 4);
      if (chains && *chains < kMostSymbols) return *chains;
    }
    auto const table = one(dynamic_, DT_GNU_HASH);
    auto const buckets = file_.valueAt<std::uint32_t>(table);
    auto const first = file_.valueAt<std::uint32_t>(table + 4);
    auto const words = file_.valueAt<std::uint32_t>(table + 8);
    if (table == 0 || !buckets || !first || !words || *buckets > kMostSymbols || *words > kMostSymbols)
      return std::nullopt;
    auto const bucket_at = table + 16 + std::uint64_t{*words} * 8;
    auto const chain_at = bucket_at + std::uint64_t{*buckets} * 4;
    return endOfChains(bucket_at, *buckets, chain_at, *first);
  }

  std::optional<std::uint64_t> endOfChains(std::uint64_t bucket_at, std::uint32_t buckets,
                                           std::uint64_t chain_at, std::uint32_t first) const {
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < buckets; ++i) {
      auto const bucket = file_.valueAt<std::uint32_t>(bucket_at + std::uint64_t{i} * 4);
      if (!bucket) return std::nullopt;
      last = std::max(last, *bucket);
    }
    if (last < first) return first;
    for (std::uint64_t i = last; i < kMostSymbols; ++i) {
      auto const link = file_.valueAt<std::uint32_t>(chain_at + (i - first) * 4);
      if (!link) return std::nullopt;
      if ((*link & 1U) != 0) return i + 1;
    }
    return std::nullopt;
  }

  void readWantedVersions() {
    auto at = one(dynamic_, DT_VERNEED);
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(one(dynamic_, DT_VERNEEDNUM), kMostEntries); ++i) {
      auto const need = file_.valueAt<Elf64_Verneed>(at);
      if (!need) return;
      auto aux_at = at + need->vn_aux;
      for (unsigned k = 0; k < need->vn_cnt; ++k) {
        auto const aux = file_.valueAt<Elf64_Vernaux>(aux_at);
        if (!aux) return;
        versions_[aux->vna_other] = text(aux->vna_name);
        aux_at += aux->vna_next;
      }
      at += need->vn_next;
    }
  }

  std::string versionOf(std::uint64_t index) const {
    auto const table = one(dynamic_, DT_VERSYM);
    auto const number = table == 0 ? std::nullopt : file_.valueAt<std::uint16_t>(table + index * 2);
    auto const found = number ? versions_.find(*number & 0x7fffU) : versions_.end();
    return found == versions_.end() ? std::string() : found->second;
  }

  File const& file_;
  Dynamic const& dynamic_;
  std::map<unsigned, std::string> versions_;
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (char const c : bytes) {
    auto const byte = std::size_t{static_cast<unsigned char>(c)};
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

void readNotes(File const& file, Elf64_Phdr const& header, ElfFacts& facts) {
  auto const padded = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
  auto at = header.p_offset;
  auto const end = header.p_offset + header.p_filesz;
  for (std::size_t i = 0; i < kMostEntries && at < end; ++i) {
    auto const note = file.value<Elf64_Nhdr>(at);
    if (!note) return;
    auto const name = file.part(at + sizeof *note, note->n_namesz);
    auto const content_at = at + sizeof *note + padded(note->n_namesz);
    auto const content = file.part(content_at, note->n_descsz);
    if (!name || !content) return;
    if (*name == kGarland && note->n_type == 1) facts.manifest = std::string(*content);
    if (*name == kGnu && note->n_type == NT_GNU_BUILD_ID) facts.build_id = hex(*content);
    at = content_at + padded(note->n_descsz);
  }
}

void readSegments(File const& file, ElfFacts& facts) {
  for (auto const& header : file.headers()) {
    if (header.p_type == PT_NOTE) readNotes(file, header, facts);
    if (header.p_type == PT_GNU_RELRO) facts.relro = true;
    if (header.p_type == PT_INTERP) facts.has_interpreter = true;
    if (header.p_type == PT_GNU_STACK) facts.executable_stack = (header.p_flags & PF_X) != 0;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0 && (header.p_flags & PF_W) != 0)
      facts.writable_and_executable = true;
  }
}

} // namespace

Result<ElfFacts> readElfFacts(std::string_view bytes) {
  File file(bytes);
  TRY_VOID(file.readHeaders());
  TRY(dynamic, readDynamic(file));
  ElfFacts facts;
  readSegments(file, facts);
  Symbols symbols(file, dynamic);
  TRY_VOID(symbols.readInto(facts));
  auto const flags = one(dynamic, DT_FLAGS);
  facts.bind_now = dynamic.contains(DT_BIND_NOW) || (flags & DF_BIND_NOW) != 0 ||
                   (one(dynamic, DT_FLAGS_1) & DF_1_NOW) != 0;
  facts.text_relocations = dynamic.contains(DT_TEXTREL) || (flags & DF_TEXTREL) != 0;
  auto const texts = [&](std::int64_t tag, std::vector<std::string>& out) {
    auto const [from, until] = dynamic.equal_range(tag);
    for (auto at = from; at != until; ++at) out.push_back(symbols.text(at->second));
  };
  texts(DT_NEEDED, facts.needed);
  texts(DT_RPATH, facts.run_path);
  texts(DT_RUNPATH, facts.run_path);
  return facts;
}

} // namespace garland::certification
