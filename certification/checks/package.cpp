// Checks of a connector's files. Nothing of it is run, but for PKG-06, which loads it.
#include "certification/check.h"
#include "certification/checks/import_list.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>

namespace garland::certification {
namespace {

bool hasWord(std::string_view words, std::string_view word) {
  for (auto const part : words | std::views::split(' '))
    if (!word.empty() && std::string_view(part.begin(), part.end()) == word) return true;
  return false;
}

bool beginsWithWord(std::string_view words, std::string_view text) {
  for (auto const part : words | std::views::split(' ')) {
    std::string_view const word(part.begin(), part.end());
    if (!word.empty() && text.starts_with(word)) return true;
  }
  return false;
}

// "2.36" against 2.36: numbers, not letters.
bool isNewer(std::string_view version, std::array<int, 3> newest) {
  std::array<int, 3> found{};
  std::size_t at = 0;
  for (char const c : version) {
    if (c == '.' && ++at == found.size()) return true;
    if (c != '.' && (c < '0' || c > '9')) return true;
    if (c != '.') found[at] = found[at] * 10 + (c - '0');
  }
  return found > newest;
}

bool object(Trial& trial) {
  auto const& elf = trial.subject().elf;
  return trial.expect(elf.has_value(), elf ? "" : "the shared object " + elf.error().message, "connector.so");
}

// ---- PKG-01
void manifestIsSound(Trial& trial) {
  auto const& subject = trial.subject();
  trial.expect(subject.manifest_problem.empty(), subject.manifest_problem, "connector.json");
  if (!object(trial) || !subject.manifest_problem.empty()) return;
  namespace fs = std::filesystem;
  bool const in_folder = fs::path(subject.plugin.path).filename() == "connector.so";
  auto const folder = fs::path(subject.folder).filename().string();
  if (in_folder)
    trial.expect(folder == subject.plugin.manifest.id,
                 "the folder is named \"" + folder + "\", the manifest's id is \"" +
                     subject.plugin.manifest.id + "\"",
                 "connector.json /id");
  trial.expect(subject.elf->manifest == subject.manifest_text,
               subject.elf->manifest.empty()
                   ? "the shared object carries no manifest (note .note.garland)"
                   : "the manifest inside the shared object is another than connector.json",
               "connector.so .note.garland");
}

// ---- PKG-03
void exportsTheEntryOnly(Trial& trial) {
  if (!object(trial)) return;
  bool found = false;
  for (auto const& symbol : trial.subject().elf->exports) {
    bool const entry = symbol.name == "garland_entry_v1" && !found;
    found = found || entry;
    trial.expect(entry, "exports " + symbol.name.substr(0, 200) + ", which other objects could bind to",
                 "connector.so .dynsym");
    if (entry)
      trial.expect(symbol.binding == STB_GLOBAL && symbol.type == STT_FUNC,
                   "garland_entry_v1 is no ordinary global function", "connector.so .dynsym");
  }
  trial.expect(found, "garland_entry_v1 is not exported", "connector.so .dynsym");
}

// ---- PKG-04
void isHardened(Trial& trial) {
  if (!object(trial)) return;
  auto const& elf = *trial.subject().elf;
  std::string const where = "connector.so, its linking";
  trial.expect(elf.relro && elf.bind_now, "is linked without full RELRO (-Wl,-z,relro -Wl,-z,now)", where);
  trial.expect(!elf.executable_stack, "asks for an executable stack (-Wl,-z,noexecstack)", where);
  trial.expect(!elf.writable_and_executable, "has a segment that is writable and executable", where);
  trial.expect(!elf.text_relocations, "has text relocations; compile everything with -fPIC", where);
  trial.expect(elf.run_path.empty(), "brings a library search path of its own (RPATH, RUNPATH)", where);
  trial.expect(!elf.build_id.empty(), "has no build id (-Wl,--build-id=sha1)", where);
  auto const guards = [](ElfSymbol const& symbol) { return symbol.name == "__stack_chk_fail"; };
  trial.expect(std::ranges::any_of(elf.imports, guards),
               "no function has a stack protector (-fstack-protector-strong)", "connector.so, its compiling");
}

// ---- PKG-05
std::string wrongVersion(std::string_view version) {
  if (version.starts_with("GLIBCXX_") && isNewer(version.substr(8), {3, 4, 30}))
    return "needs " + std::string(version);
  if (version.starts_with("GLIBC_") && isNewer(version.substr(6), {2, 36, 0}))
    return "needs " + std::string(version);
  return {};
}

std::string wrongImport(ElfSymbol const& symbol) {
  if (beginsWithWord(kCxxForbidden, symbol.name))
    return "uses a part of the C++ library that opens files or starts threads: " + symbol.name;
  bool const cxx = symbol.name.starts_with("_Z") || symbol.name.starts_with("__cxa_") ||
                   symbol.name.starts_with("_Unwind_") || symbol.name.starts_with("__gxx_") ||
                   symbol.version.starts_with("GLIBCXX_") || symbol.version.starts_with("CXXABI_") ||
                   symbol.version.starts_with("GCC_");
  if (!cxx && !hasWord(kCFunctions, symbol.name)) return "uses " + symbol.name + ", which is not allowed";
  return wrongVersion(symbol.version);
}

void importsWhatIsAllowed(Trial& trial) {
  if (!object(trial)) return;
  for (auto const& library : trial.subject().elf->needed)
    trial.expect(hasWord(kLibraries, library), "needs the library " + library + ", which is not allowed",
                 "connector.so DT_NEEDED");
  for (auto const& symbol : trial.subject().elf->imports) {
    auto const wrong = wrongImport(symbol);
    trial.expect(wrong.empty(), wrong, "connector.so .dynsym");
  }
}

// ---- PKG-06
void loads(Trial& trial) {
  Ask ask;
  ask.operation = kNoOperation; // answered by the worker: it is loaded, and offers no such thing
  auto const journal = trial.run(ask);
  trial.expect(!journal.result && journal.result.error().kind == ErrorKind::unsupported,
               "loading it ended with: " + journal.ending(), "dlopen with RTLD_NOW, garland_entry_v1");
}

// ---- PKG-10
void isSmall(Trial& trial) {
  constexpr std::size_t mebibyte = 1U << 20U;
  auto const size = trial.subject().object.size();
  trial.expect(size <= 20 * mebibyte, "the shared object has " + std::to_string(size / mebibyte) + " MiB",
               "connector.so");
  auto const assets = trial.subject().document_bytes;
  trial.expect(assets <= 5 * mebibyte,
               "its documents and pictures have " + std::to_string(assets / mebibyte) + " MiB",
               "beside connector.so");
}

// ---- PKG-13
void carriesItsManifest(Trial& trial) {
  if (!object(trial)) return;
  trial.expect(!trial.subject().elf->manifest.empty(), "the shared object carries no manifest",
               "connector.so .note.garland");
  trial.expect(parseJson(trial.subject().elf->manifest).has_value(),
               "the manifest inside the shared object is no JSON", "connector.so .note.garland");
}

constexpr Check kChecks[] = {
    {.id = "PKG-01", .run = manifestIsSound, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-03", .run = exportsTheEntryOnly, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-04", .run = isHardened, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-05", .run = importsWhatIsAllowed, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-06", .run = loads, .needs_twin = false},
    {.id = "PKG-10", .run = isSmall, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-13", .run = carriesItsManifest, .needs_twin = false, .calls_plugin = false},
};

} // namespace

std::span<Check const> packageChecks() { return kChecks; }

} // namespace garland::certification
