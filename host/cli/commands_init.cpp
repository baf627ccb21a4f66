// `garland init`: a connector to begin with. Copies a template, with the new name in the place of "starter".
#include "host/cli/commands.h"
#include "host/cli/own_folder.h"

#include "host/base/file_text.h"

#include <algorithm>
#include <fstream>

#include <cstdlib>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> templates() {
  std::vector<std::string> out;
  std::error_code failed;
  for (auto const& entry : fs::directory_iterator(sharedFolder("templates"), failed))
    if (entry.is_directory(failed)) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

// {name: what it is for}
json::value templateWords() {
  auto const text = readFileText((sharedFolder("templates") / "templates.json").string());
  auto words = text ? parseJson(*text) : Result<json::value>(text.error());
  return words && words->is_object() ? std::move(*words) : json::value(json::object());
}

std::string listed(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

bool isWord(std::string_view text, bool with_hyphens) {
  if (text.empty() || text.size() > 31 || text.front() < 'a' || text.front() > 'z') return false;
  char before = '-';
  for (char const c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!plain && (c != '-' || !with_hyphens || before == '-')) return false;
    before = c;
  }
  return before != '-';
}

// Ids are in reverse DNS form: two to four words, the last of which people type.
bool isId(std::string_view id) {
  std::size_t words = 0;
  while (true) {
    auto const dot = id.find('.');
    if (!isWord(id.substr(0, dot), words > 0)) return false;
    ++words;
    if (dot == std::string_view::npos) return words >= 2 && words <= 4;
    id.remove_prefix(dot + 1);
  }
}

// build/NAME is made beside these.
bool isTaken(std::string_view name) { return name == "plugins" || name == "twins"; }

// "my-crm" is called "My Crm".
std::string titleOf(std::string name) {
  bool begins = true;
  for (auto& c : name) {
    if (c == '-') c = ' ';
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == ' ';
  }
  return name;
}

void replaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

Result<void> checkWords(InitWords const& words) {
  if (!isWord(words.name, true) || isTaken(words.name))
    return Error(
        ErrorKind::invalidInput,
        "a connector cannot be named \"" + words.name +
            "\": a name has at most 31 small letters and digits, begins with a letter, may have single "
            "hyphens between them, and is neither plugins nor twins");
  if (!isId(words.id) || words.id.substr(words.id.rfind('.') + 1) != words.name)
    return Error(ErrorKind::invalidInput,
                 "the id \"" + words.id +
                     "\" is not in reverse DNS form with the name at its end, such as "
                     "com.example." +
                     words.name);
  auto const known = templates();
  if (known.empty())
    return Error(ErrorKind::transient, "there are no templates in " + sharedFolder("templates").string() +
                                           ": is Garland installed whole?");
  if (std::ranges::find(known, words.kind) == known.end())
    return Error(ErrorKind::invalidInput,
                 "there is no template \"" + words.kind + "\"; there are: " + listed(known));
  std::error_code ignored;
  if (fs::exists(words.folder, ignored) &&
      !(fs::is_directory(words.folder, ignored) && fs::is_empty(words.folder, ignored)))
    return Error(ErrorKind::invalidInput,
                 words.folder +
                     " is there already and is no empty folder; nothing was written. Take another name, or "
                     "another place with --dir");
  return {};
}

Result<void> copyFile(fs::path const& from, fs::path const& to, InitWords const& words) {
  TRY(text, readFileText(from.string()));
  replaceAll(text, "example.starter", words.id);
  replaceAll(text, "Starter", titleOf(words.name));
  replaceAll(text, "starter", words.name);
  std::error_code failed;
  fs::create_directories(to.parent_path(), failed);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return {};
  return Error(ErrorKind::forbidden, to.string() + " cannot be written");
}

Result<std::size_t> copyTemplate(InitWords const& words) {
  auto const from = sharedFolder("templates") / words.kind;
  std::size_t files = 0;
  std::error_code failed;
  for (auto const& entry : fs::recursive_directory_iterator(from, failed)) {
    if (!entry.is_regular_file(failed)) continue;
    TRY_VOID(copyFile(entry.path(), words.folder / fs::relative(entry.path(), from, failed), words));
    ++files;
  }
  if (failed || files == 0)
    return Error(ErrorKind::transient, "the template " + from.string() + " cannot be read");
  return files;
}

// CMake looks in the prefix of every folder of PATH; only if this one is not there it has to be told.
std::string prefixOption() {
  auto const* const path = std::getenv("PATH");
  auto const folders = ":" + std::string(path == nullptr ? "" : path) + ":";
  if (folders.find(":" + programFolder().string() + ":") != std::string::npos) return {};
  return " -DCMAKE_PREFIX_PATH=" + shellQuoted(programFolder().parent_path().string());
}

} // namespace

Exit initConnector(Output& output, InitWords words) {
  if (words.folder.empty()) words.folder = words.name;
  if (words.id.empty()) words.id = "example." + words.name;
  if (auto const usable = checkWords(words); !usable) return output.error(usable.error());
  auto const files = copyTemplate(words);
  if (!files) {
    output.error(files.error());
    return Exit::environment;
  }
  auto const build = "cmake -B build" + prefixOption() + " && cmake --build build";
  if (output.json()) {
    output.value(json::object{{"id", words.id},
                              {"folder", fs::absolute(words.folder).string()},
                              {"files", *files},
                              {"build", build}});
    return Exit::ok;
  }
  output.line(output.good("made " + words.id) + ", " + std::to_string(*files) + " files, in " + words.folder);
  output.line("  cd " + shellQuoted(words.folder));
  output.line("  " + build);
  output.line("  garland dev                                   # builds on each save, shows each call");
  output.line("  garland certify build/" + words.name + " --profile quick");
  return Exit::ok;
}

Exit listTemplates(Output& output) {
  auto const about = templateWords();
  json::array rows;
  for (auto const& name : templates())
    rows.push_back(json::object{{"template", name}, {"about", textOr(about, "/" + name, "")}});
  output.table(rows, {{"TEMPLATE", "/template"}, {"FOR", "/about"}}, "there are no templates");
  return Exit::ok;
}

} // namespace garland::cli
