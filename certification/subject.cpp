#include "certification/subject.h"

#include "certification/embedded.h"
#include "certification/escape.h"
#include "host/base/file_text.h"
#include "host/base/utf8.h"
#include "host/vault/vault.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <filesystem>

namespace garland::certification {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostDocument = 5U << 20U;

Result<Schema> manifestSchema() {
  TRY(text, parseJson(schemas::schemaText("manifest.json")));
  return Schema::compile(text);
}

struct Place {
  fs::path folder;
  fs::path object;
  std::shared_ptr<Unpacked const> package; // null: there is none
};

Result<Place> placeOf(std::string const& path) {
  std::error_code ignored;
  auto const whole = fs::weakly_canonical(path, ignored);
  if (fs::is_directory(whole, ignored)) return Place{whole, whole / "connector.so", nullptr};
  if (whole.extension() == ".gpk" && fs::is_regular_file(whole, ignored)) {
    TRY(schema, manifestSchema());
    TRY(package, Unpacked::open(path, schema));
    fs::path const folder = package->connector();
    return Place{folder, folder / "connector.so", std::move(package)};
  }
  if (fs::is_regular_file(whole, ignored)) return Place{whole.parent_path(), whole, nullptr};
  return Error(ErrorKind::invalidInput,
               "there is no connector at " + path +
                   "; name its folder (with connector.so and connector.json), the shared object, or a "
                   "package (.gpk)");
}

// Words for people, and what it is made of: what `garland pack` takes along, and garland_add_connector() puts
// beside the object.
bool isDocument(std::string_view path) {
  return path == "README.md" || path == "CHANGELOG.md" || path == "LICENSE" || path == "icon.svg" ||
         path == "sbom.json" || path.starts_with("docs/");
}

void readDocuments(fs::path const& folder, Subject& subject) {
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    auto const path = entry->path().lexically_relative(folder).generic_string();
    std::error_code ignored;
    if (!isDocument(path) || !entry->is_regular_file(ignored)) continue;
    auto const size = entry->file_size(ignored);
    subject.document_bytes += ignored ? 0 : size;
    if (auto text = readFileText(entry->path().string(), kMostDocument))
      subject.documents[path] = std::move(*text);
  }
}

// The sentence of what is wrong with the manifest; "" if nothing is.
std::string readManifest(std::string const& text, runtime::Manifest& out) {
  auto const schema = manifestSchema();
  if (!schema) return schema.error().message;
  auto const document = parseJson(text);
  if (!document) return "connector.json: " + document.error().message;
  if (auto const fits = schema->require(*document, "connector.json"); !fits) return fits.error().message;
  auto manifest = runtime::parseManifest(text);
  if (!manifest) return "connector.json: " + manifest.error().message;
  out = std::move(*manifest);
  if (out.settings_schema.is_null()) return {};
  auto const settings = Schema::compile(out.settings_schema);
  return settings ? std::string() : "connector.json: /settings: is " + settings.error().message;
}

Result<void> addTwin(Subject& subject, std::vector<std::string> const& dirs) {
  TRY(schema, manifestSchema());
  auto const catalogue = runtime::Catalogue::scanTwins(dirs, schema);
  auto const* found = catalogue.find(subject.plugin.manifest.id + "-twin");
  if (found == nullptr) return {};
  if (!found->refusal.empty()) return Error(ErrorKind::invalidInput, found->refusal);
  subject.twin = *found;
  auto const path = fs::path(found->path).parent_path() / "certification.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  TRY(text, readFileText(path.string()));
  auto document = parseJson(text);
  if (!document || !document->is_object())
    return Error(ErrorKind::invalidInput,
                 path.string() + ": " + (document ? "must be an object" : document.error().message));
  TRY(rules, parseJson(embedded::briefSchemaText()));
  TRY(brief_schema, Schema::compile(rules));
  TRY_VOID(brief_schema.require(*document, path.string()));
  subject.brief.document = std::move(*document);
  subject.brief.digest = vault::sha256Hex(text);
  return {};
}

// " is a text that begins ...", as a sentence goes on.
std::string whatItIs(std::string const& bytes) {
  if (bytes.empty()) return " is empty";
  auto const line = bytes.substr(0, std::min(bytes.find('\n'), std::size_t{4096}));
  bool const text = line.find('\0') == std::string::npos && isUtf8(line);
  return text ? " is a text that begins \"" + oneLine(line, 40) + "\"" : " holds other bytes than an object";
}

} // namespace

json::value Brief::settings() const {
  auto const* found = find(document, "/settings");
  return found != nullptr ? *found : json::value(json::object());
}

std::int64_t Brief::volume() const { return integerOr(document, "/volume", 3); }

json::value const* Brief::credentials(SignIn which) const {
  char const* const pointer = which == SignIn::good      ? "/credentials/good"
                              : which == SignIn::revoked ? "/credentials/revoked"
                                                         : "/credentials/under_scoped";
  return find(document, pointer);
}

json::value const* Brief::entity(std::string_view name) const {
  auto const* all = find(document, "/entities");
  if (all == nullptr || !all->is_object()) return nullptr;
  auto const* one = all->get_object().if_contains(name);
  return one != nullptr && one->is_object() ? one : nullptr;
}

std::vector<std::string> Brief::entities() const {
  std::vector<std::string> out;
  auto const* all = find(document, "/entities");
  if (all == nullptr || !all->is_object()) return out;
  for (auto const& member : all->get_object()) out.emplace_back(member.key());
  return out;
}

bool Subject::offers(std::string_view operation) const {
  auto const& all = plugin.manifest.operations;
  return std::ranges::find(all, operation) != all.end();
}

Result<Subject> openSubject(std::string const& path, std::vector<std::string> const& twin_dirs) {
  TRY(place, placeOf(path));
  Subject subject;
  subject.folder = place.folder.string();
  subject.package = place.package;
  auto dirs = twin_dirs; // the twin that comes with the package counts first
  if (subject.package) dirs.insert(dirs.begin(), subject.package->twins());
  readDocuments(place.folder, subject);
  auto object = readFileText(place.object.string());
  if (!object) return std::move(object).error().within(place.object.string());
  subject.object = std::move(*object);
  subject.elf = readElfFacts(subject.object);
  subject.plugin.path = place.object.string();
  subject.plugin.digest = vault::sha256Hex(subject.object);
  auto text = readFileText((place.folder / "connector.json").string(), std::size_t{1} << 20U);
  if (text)
    subject.manifest_text = std::move(*text);
  else if (subject.elf)
    subject.manifest_text = subject.elf->manifest; // a shared object alone carries its manifest
  subject.manifest_problem = readManifest(subject.manifest_text, subject.plugin.manifest);
  if (!subject.manifest_problem.empty()) return subject;
  if (auto const added = addTwin(subject, dirs); !added) return added.error();
  return subject;
}

Result<void> checkObject(Subject const& subject) {
  auto const& bytes = subject.object;
  if (bytes.starts_with("\x7f"
                        "ELF"))
    return {};
  return Error(
      ErrorKind::invalidInput,
      subject.plugin.path + whatItIs(bytes) +
          ", and no shared object; expected is what garland_add_connector() builds: connector.so (ELF) "
          "with connector.json beside it. Name the folder that they are built into, or a package (.gpk)");
}

} // namespace garland::certification
