#include "tests/hostile/driver/adoption.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace garland::hostile {
namespace {

constexpr std::string_view kOwner{"Garland\0", 8};
constexpr std::size_t kMostOperations = 32;
constexpr std::size_t kLongestOperation = 64;

template <class Value> std::string bytesOf(Value const& value) {
  return {reinterpret_cast<char const*>(&value), sizeof value};
}

std::string noteOf(std::string_view manifest) {
  Elf64_Nhdr header{};
  header.n_namesz = static_cast<Elf64_Word>(kOwner.size());
  header.n_descsz = static_cast<Elf64_Word>(manifest.size());
  header.n_type = 1;
  auto note = bytesOf(header).append(kOwner).append(manifest);
  note.resize((note.size() + 3) / 4 * 4);
  return note;
}

bool isWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

} // namespace

// A table of program headers may stand anywhere in the file: the new one, with the note in it, comes last.
std::string withManifest(std::string_view object, std::string_view manifest) {
  Elf64_Ehdr header{};
  if (object.size() < sizeof header) return std::string(object);
  std::memcpy(&header, object.data(), sizeof header);
  auto const table = std::size_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phoff > object.size() || object.size() - header.e_phoff < table) return std::string(object);

  std::string out(object);
  out.resize((out.size() + 7) / 8 * 8);
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_flags = PF_R;
  note.p_offset = out.size();
  note.p_align = 4;
  auto const text = noteOf(manifest);
  note.p_filesz = note.p_memsz = text.size();
  out += text;
  out.resize((out.size() + 7) / 8 * 8);
  Elf64_Ehdr changed = header;
  changed.e_phoff = out.size();
  changed.e_phnum = 0;
  auto const add = [&](Elf64_Phdr const& one) {
    out += bytesOf(one);
    ++changed.e_phnum;
  };
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr one{};
    std::memcpy(&one, object.data() + header.e_phoff + i * sizeof one, sizeof one);
    if (one.p_type != PT_NOTE && one.p_type != PT_PHDR) add(one);
  }
  add(note);
  std::memcpy(out.data(), &changed, sizeof changed);
  return out;
}

std::vector<std::string> operationsNamedIn(std::string_view object) {
  std::set<std::string> found;
  for (auto at = object.find('/'); at != std::string_view::npos; at = object.find('/', at + 1)) {
    auto end = at + 1;
    while (end < object.size() && object[end] >= '0' && object[end] <= '9') ++end;
    if (end == at + 1 || end - at > 4 || end == object.size() || object[end] != '\0') continue;
    auto from = at;
    while (from > 0 && at - from < kLongestOperation && isWord(object[from - 1])) --from;
    auto const id = object.substr(from, end - from);
    bool const begins = id[0] >= 'a' && id[0] <= 'z' && (from == 0 || object[from - 1] == '\0');
    if (begins && id.find('.') < at - from) found.emplace(id);
    if (found.size() == kMostOperations) break;
  }
  return {found.begin(), found.end()};
}

} // namespace garland::hostile
