#include "host/runtime/elf_image.h"

#include "host/runtime/elf_reader.h"
#include "host/runtime/runtime.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace garland::runtime {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif

struct Architecture {
  Elf64_Half machine;
  std::string_view name; // as Debian names the folder of its libraries
};
constexpr std::array<Architecture, 2> kArchitectures{
    {{EM_X86_64, "x86_64-linux-gnu"}, {EM_AARCH64, "aarch64-linux-gnu"}}};

constexpr std::string_view kEntry = "garland_entry_v1";
// A note of which an object has one at most.
struct NoteKind {
  std::string_view name;
  Elf64_Word type;
  char const* plural;
};
constexpr NoteKind kManifestNote{{"Garland\0", 8}, 1, "manifests (notes .note.garland)"};
constexpr NoteKind kBuildIdNote{{"GNU\0", 4}, NT_GNU_BUILD_ID, "build ids"};
constexpr std::size_t kMaxBuildId = 64; // bytes
constexpr std::size_t kMaxProgramHeaders = 256;
constexpr std::size_t kMaxSymbols = 1U << 20U;
constexpr std::size_t kMaxName = 64U << 10U; // of an exported symbol; C++ templates make names of kilobytes
constexpr std::size_t kMaxExports = 64U << 10U; // of an object that need not be a plugin
constexpr std::size_t kMaxNeeded = 64;
constexpr std::size_t kMaxNames = 16U << 20U; // bytes of all of them: names may overlap in the file

Error bad(std::string what) { return Error(ErrorKind::invalidInput, std::move(what)); }
Error cutShort(std::string_view where) {
  return bad("is cut short or damaged: " + std::string(where) + " lies outside the file");
}

using Reader = ElfReader;

// The file as the loader sees it: addresses translated by the loadable segments.
class Segments {
public:
  Segments(Reader file, std::vector<Elf64_Phdr> headers) : file_(file), headers_(std::move(headers)) {}

  // From `address` to the end of its segment's bytes in the file.
  std::optional<Reader> from(std::uint64_t address) const {
    for (auto const& header : headers_) {
      if (header.p_type != PT_LOAD || address < header.p_vaddr) continue;
      auto const within = address - header.p_vaddr;
      if (within >= header.p_filesz) continue;
      auto const bytes = file_.part(header.p_offset + within, header.p_filesz - within);
      if (!bytes) return std::nullopt;
      return Reader(*bytes);
    }
    return std::nullopt;
  }
  std::vector<Elf64_Phdr> const& headers() const { return headers_; }
  Elf64_Phdr const* first(Elf64_Word type) const {
    auto const found = std::ranges::find(headers_, type, &Elf64_Phdr::p_type);
    return found == headers_.end() ? nullptr : &*found;
  }

private:
  Reader file_;
  std::vector<Elf64_Phdr> headers_;
};

struct Dynamic {
  std::uint64_t symbols = 0;
  std::uint64_t strings = 0;
  std::uint64_t hash = 0;
  std::uint64_t gnu_hash = 0;
  std::vector<std::uint64_t> needed; // places in the strings
  bool program = false;              // a position-independent executable
};

// Which machines an object may be for.
enum class Machines { thisOne, known };

std::string_view architectureOf(Elf64_Half machine) {
  auto const* const found = std::ranges::find(kArchitectures, machine, &Architecture::machine);
  return found == kArchitectures.end() ? std::string_view() : found->name;
}

Result<void> checkMachine(Elf64_Half machine, Machines allowed) {
  if (allowed == Machines::known && !architectureOf(machine).empty()) return {};
  if (allowed == Machines::known)
    return bad("is built for a processor that Garland does not run on (ELF machine " +
               std::to_string(machine) + ")");
  if (machine == kMachine) return {};
  return bad("is built for another processor (ELF machine " + std::to_string(machine) + ", this host is " +
             std::to_string(kMachine) + "); build it for this one");
}

Result<Elf64_Ehdr> readHeader(Reader const& file, Machines allowed) {
  auto const ident = file.part(0, EI_NIDENT);
  if (!ident || !ident->starts_with(std::string_view(ELFMAG, SELFMAG))) return bad("is not an ELF file");
  if ((*ident)[EI_CLASS] != ELFCLASS64) return bad("is not a 64-bit object; build it for a 64-bit machine");
  if ((*ident)[EI_DATA] != ELFDATA2LSB) return bad("is not a little-endian object");
  auto const header = file.value<Elf64_Ehdr>(0);
  if (!header) return cutShort("the ELF header");
  TRY_VOID(checkMachine(header->e_machine, allowed));
  if (header->e_type != ET_DYN)
    return bad("is not a shared object (ELF type " + std::to_string(header->e_type) +
               "); link it with -shared");
  if (header->e_shoff != 0 &&
      !file.part(header->e_shoff, std::uint64_t{header->e_shnum} * header->e_shentsize))
    return cutShort("the section table");
  return *header;
}

Result<Segments> readSegments(Reader const& file, Elf64_Ehdr const& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxProgramHeaders)
    return bad("has no usable program headers");
  std::vector<Elf64_Phdr> headers;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    auto const at = file.value<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (header.e_phoff > file.size() || !at) return cutShort("the program header table");
    if (at->p_type != PT_NULL && !file.part(at->p_offset, at->p_filesz))
      return cutShort("segment " + std::to_string(i));
    headers.push_back(*at);
  }
  return Segments(file, std::move(headers));
}

Result<Dynamic> readDynamic(Reader const& file, Segments const& segments) {
  auto const* header = segments.first(PT_DYNAMIC);
  if (!header) return bad("has no dynamic section; link it with -shared");
  Dynamic out;
  for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= header->p_filesz; at += sizeof(Elf64_Dyn)) {
    auto const entry = file.value<Elf64_Dyn>(header->p_offset + at);
    if (!entry) return cutShort("the dynamic section");
    switch (entry->d_tag) {
    case DT_NULL: return out;
    case DT_SYMTAB: out.symbols = entry->d_un.d_ptr; break;
    case DT_STRTAB: out.strings = entry->d_un.d_ptr; break;
    case DT_NEEDED:
      if (out.needed.size() >= kMaxNeeded) return bad("is linked with too many libraries");
      out.needed.push_back(entry->d_un.d_val);
      break;
    case DT_HASH: out.hash = entry->d_un.d_ptr; break;
    case DT_GNU_HASH: out.gnu_hash = entry->d_un.d_ptr; break;
    case DT_FLAGS_1: out.program = (entry->d_un.d_val & DF_1_PIE) != 0; break;
    default: break;
    }
  }
  return bad("has a dynamic section without an end");
}

// How many symbols the GNU hash table can reach: one more than the end of its last chain.
std::optional<std::uint64_t> countByGnuHash(Reader const& table) {
  auto const buckets = table.value<std::uint32_t>(0);
  auto const first = table.value<std::uint32_t>(4);
  auto const bloom_words = table.value<std::uint32_t>(8);
  if (!buckets || !first || !bloom_words || *buckets > kMaxSymbols || *bloom_words > kMaxSymbols)
    return std::nullopt;
  std::uint64_t const buckets_at = 16 + std::uint64_t{*bloom_words} * 8;
  std::uint64_t const chains_at = buckets_at + std::uint64_t{*buckets} * 4;
  std::uint32_t last = 0;
  for (std::uint64_t i = 0; i < *buckets; ++i) {
    auto const head = table.value<std::uint32_t>(buckets_at + i * 4);
    if (!head) return std::nullopt;
    last = std::max(last, *head);
  }
  if (last < *first) return *first; // every bucket is empty
  for (std::uint64_t symbol = last; symbol < kMaxSymbols; ++symbol) {
    auto const link = table.value<std::uint32_t>(chains_at + (symbol - *first) * 4);
    if (!link) return std::nullopt;
    if ((*link & 1U) != 0) return symbol + 1;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> countSymbols(Segments const& segments, Dynamic const& dynamic) {
  if (dynamic.gnu_hash != 0) {
    auto const table = segments.from(dynamic.gnu_hash);
    return table ? countByGnuHash(*table) : std::nullopt;
  }
  auto const table = segments.from(dynamic.hash);
  auto const chains = table ? table->value<std::uint32_t>(4) : std::nullopt;
  if (!chains || *chains > kMaxSymbols) return std::nullopt;
  return *chains;
}

bool isExported(Elf64_Sym const& symbol) {
  auto const binding = ELF64_ST_BIND(symbol.st_info);
  auto const visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

// What an object may export.
enum class Exports { entryOnly, anything };

Result<void> checkExport(std::string_view name, std::size_t earlier, Exports allowed) {
  if (allowed == Exports::anything)
    return earlier < kMaxExports ? Result<void>() : Result<void>(bad("exports too many symbols"));
  if (name != kEntry)
    return bad("exports " + std::string(name.substr(0, 80)) +
               ", and a plugin exports nothing but garland_entry_v1; build it with garland_add_connector()");
  if (earlier > 0) return bad("exports garland_entry_v1 more than once");
  return {};
}

// Stops at the first that may not be there: a hostile table can name gigabytes.
Result<std::vector<std::string>> readExports(Segments const& segments, Dynamic const& dynamic,
                                             Exports allowed) {
  auto const symbols = segments.from(dynamic.symbols);
  auto const strings = segments.from(dynamic.strings);
  if (!symbols || !strings) return cutShort("the dynamic symbol table");
  auto const count = countSymbols(segments, dynamic);
  if (!count) return bad("has a damaged symbol hash table");
  std::vector<std::string> out;
  std::size_t bytes = 0;
  for (std::uint64_t i = 1; i < *count; ++i) {
    auto const symbol = symbols->value<Elf64_Sym>(i * sizeof(Elf64_Sym));
    if (!symbol) return cutShort("dynamic symbol " + std::to_string(i));
    if (!isExported(*symbol)) continue;
    auto const name = strings->cString(symbol->st_name, kMaxName);
    if (!name)
      return bad("is damaged: the name of dynamic symbol " + std::to_string(i) +
                 " lies outside the file or is longer than " + std::to_string(kMaxName) + " bytes");
    TRY_VOID(checkExport(*name, out.size(), allowed));
    bytes += name->size();
    if (bytes > kMaxNames) return bad("exports too many symbols");
    out.emplace_back(*name);
  }
  std::ranges::sort(out);
  return out;
}

Result<std::vector<std::string>> readNeeded(Segments const& segments, Dynamic const& dynamic) {
  std::vector<std::string> out;
  auto const strings = segments.from(dynamic.strings);
  for (auto const at : dynamic.needed) {
    auto const name = strings ? strings->cString(at, kMaxName) : std::nullopt;
    if (!name) return cutShort("the name of a library");
    out.emplace_back(*name);
  }
  return out;
}

// The descriptor of such a note in one note segment; nothing if it is not in there.
Result<std::optional<std::string>> noteIn(std::string_view segment, std::uint64_t alignment,
                                          NoteKind const& kind) {
  Reader const notes(segment);
  auto const padded = [alignment](std::uint64_t size) {
    return (size + alignment - 1) / alignment * alignment;
  };
  std::optional<std::string> found;
  for (std::uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= segment.size();) {
    auto const header = *notes.value<Elf64_Nhdr>(at);
    auto const name_at = at + sizeof(Elf64_Nhdr);
    auto const text_at = name_at + padded(header.n_namesz);
    auto const name = notes.part(name_at, header.n_namesz);
    auto const text = notes.part(text_at, header.n_descsz);
    if (!name || !text) return cutShort("a note");
    if (*name == kind.name && header.n_type == kind.type) {
      if (found) return bad("holds two " + std::string(kind.plural));
      found = std::string(*text);
    }
    at = text_at + padded(header.n_descsz);
  }
  return found;
}

Result<std::string> readNote(Reader const& file, Segments const& segments, NoteKind const& kind) {
  std::optional<std::string> found;
  for (auto const& header : segments.headers()) {
    if (header.p_type != PT_NOTE) continue;
    auto const bytes = file.part(header.p_offset, header.p_filesz);
    if (!bytes) return cutShort("a note segment");
    TRY(note, noteIn(*bytes, header.p_align == 8 ? 8 : 4, kind));
    if (note && found) return bad("holds two " + std::string(kind.plural));
    if (note) found = std::move(note);
  }
  return std::move(found).value_or("");
}

Result<ElfImage> readImage(std::string_view bytes, Exports allowed, Machines machines = Machines::thisOne) {
  Reader const file(bytes);
  TRY(header, readHeader(file, machines));
  TRY(segments, readSegments(file, header));
  TRY(dynamic, readDynamic(file, segments));
  if (dynamic.program || segments.first(PT_INTERP))
    return bad("is a program, not a shared object; link it with -shared");
  ElfImage image;
  TRY(exports, readExports(segments, dynamic, allowed));
  TRY(manifest, readNote(file, segments, kManifestNote));
  TRY(needed, readNeeded(segments, dynamic));
  image.architecture = architectureOf(header.e_machine);
  image.exports = std::move(exports);
  image.manifest = std::move(manifest);
  image.needed = std::move(needed);
  return image;
}

Result<ElfImage> withManifest(Result<ElfImage> image) {
  if (image && image->manifest.empty())
    return bad("carries no manifest (note .note.garland); build it with garland_add_connector()");
  return image;
}

} // namespace

Result<ElfImage> readBareElf(std::string_view bytes) { return readImage(bytes, Exports::anything); }

Result<ElfImage> readElf(std::string_view bytes) { return withManifest(readBareElf(bytes)); }

std::string gnuBuildId(std::string_view bytes) {
  Reader const file(bytes);
  auto const header = readHeader(file, Machines::known);
  if (!header) return {};
  auto const segments = readSegments(file, *header);
  if (!segments) return {};
  auto const id = readNote(file, *segments, kBuildIdNote);
  if (!id || id->size() > kMaxBuildId) return {};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (char const each : *id) {
    auto const byte = static_cast<unsigned char>(each);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

namespace {

Result<void> checkPlugin(ElfImage const& image, std::string_view manifest_text) {
  if (image.exports.empty())
    return bad("does not export garland_entry_v1; build it with garland_add_connector()");
  if (image.manifest != manifest_text)
    return bad("was built with another connector.json than the one beside it; install both from one build");
  return {};
}

} // namespace

Result<void> checkPluginElf(std::string_view bytes, std::string_view manifest_text) {
  TRY(image, withManifest(readImage(bytes, Exports::entryOnly)));
  return checkPlugin(image, manifest_text);
}

Result<PluginObject> readPluginObject(std::string_view bytes, std::string_view manifest_text) {
  TRY(image, withManifest(readImage(bytes, Exports::entryOnly, Machines::known)));
  TRY_VOID(checkPlugin(image, manifest_text));
  return PluginObject{std::move(image.architecture), std::move(image.needed)};
}

std::string_view hostArchitecture() { return architectureOf(kMachine); }

} // namespace garland::runtime
