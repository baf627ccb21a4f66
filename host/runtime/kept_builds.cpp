#include "host/runtime/kept_builds.h"

#include "host/runtime/image.h"
#include "host/vault/vault.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNotes = 4U << 20U;
constexpr std::size_t kDigestLength = 64;
constexpr char const* kFresh = ".new"; // the ending of what is not complete yet

bool isDigest(std::string_view text) {
  return text.size() == kDigestLength && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error cannot(std::string const& act, fs::path const& path) {
  return Error(ErrorKind::hostLimit, "cannot " + act + " " + path.string() + ": " + std::strerror(errno));
}

Result<void> writeWhole(fs::path const& path, std::string_view bytes) {
  OwnedFd const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) return cannot("write", path);
  while (!bytes.empty()) {
    auto const written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return cannot("write", path);
  return {};
}

// The names in the folder are on the disk.
Result<void> syncFolder(fs::path const& path) {
  OwnedFd const folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return cannot("write", path);
  return {};
}

Result<void> makeFolder(fs::path const& path) {
  std::error_code failed;
  bool const made = fs::create_directories(path, failed);
  if (failed) return Error(ErrorKind::hostLimit, "cannot make " + path.string() + ": " + failed.message());
  return made ? syncFolder(path.parent_path()) : Result<void>();
}

// What is in `fresh` is on the disk already.
Result<void> moveTo(fs::path const& fresh, fs::path const& path) {
  std::error_code failed;
  fs::rename(fresh, path, failed);
  if (!failed) return syncFolder(path.parent_path());
  return Error(ErrorKind::hostLimit, "cannot make " + path.string() + ": " + failed.message());
}

Result<std::string> bytesOf(PluginInfo const& plugin) {
  auto bytes = readPluginFile(plugin.path, kMaxPluginBytes);
  if (!bytes) return Error(ErrorKind::invalidInput, plugin.path + " " + bytes.error().message);
  if (vault::sha256Hex(*bytes) != plugin.digest)
    return Error(ErrorKind::invalidInput,
                 plugin.path + " changed since it was catalogued; scan the plugins again");
  return std::move(*bytes);
}

} // namespace

Result<PluginInfo> KeptBuilds::keep(PluginInfo plugin) const {
  if (dir_.empty()) return plugin;
  auto const folder = fs::path(dir_) / plugin.digest;
  if (auto kept = load(plugin.digest); kept) {
    plugin.path = std::move(kept->path);
    return plugin;
  }
  TRY(bytes, bytesOf(plugin));
  auto const fresh = fs::path(folder.string() + kFresh);
  std::error_code ignored;
  fs::remove_all(fresh, ignored);
  TRY_VOID(makeFolder(dir_));
  TRY_VOID(makeFolder(fresh));
  TRY_VOID(writeWhole(fresh / "connector.so", bytes));
  TRY_VOID(writeWhole(fresh / "connector.json", json::serialize(plugin.manifest.document)));
  TRY_VOID(syncFolder(fresh));
  fs::remove_all(folder, ignored); // it could not be loaded
  TRY_VOID(moveTo(fresh, folder));
  plugin.path = (folder / "connector.so").string();
  return plugin;
}

Result<PluginInfo> KeptBuilds::load(std::string const& digest) const {
  if (dir_.empty() || !isDigest(digest)) return Error(ErrorKind::notFound, "no build is kept as " + digest);
  auto const folder = fs::path(dir_) / digest;
  PluginInfo info;
  info.path = (folder / "connector.so").string();
  info.digest = digest;
  TRY_VOID(bytesOf(info));
  TRY(text, readPluginFile((folder / "connector.json").string(), kMaxNotes));
  TRY(manifest, parseManifest(text));
  info.manifest = std::move(manifest);
  return info;
}

void KeptBuilds::prune(std::set<std::string> const& digests) const {
  if (dir_.empty()) return;
  std::error_code failed;
  std::vector<fs::path> unwanted;
  for (fs::directory_iterator entry(dir_, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const name = entry->path().filename().string();
    auto const digest = name.substr(0, name.find('.'));
    bool const unknown = isDigest(digest) && (name != digest || !digests.contains(digest));
    bool const half_a_page = name.ends_with(std::string(".json") + kFresh);
    if (unknown || half_a_page) unwanted.push_back(entry->path());
  }
  for (auto const& path : unwanted) fs::remove_all(path, failed);
}

json::value KeptBuilds::page(char const* name) const {
  if (dir_.empty()) return {};
  auto const text = readPluginFile((fs::path(dir_) / name).string(), kMaxNotes);
  if (!text) return {};
  auto notes = parseJson(*text);
  return notes ? std::move(*notes) : json::value();
}

Result<void> KeptBuilds::write(char const* name, json::value const& page) const {
  if (dir_.empty()) return {};
  TRY_VOID(makeFolder(dir_));
  auto const path = fs::path(dir_) / name;
  auto const fresh = fs::path(path.string() + kFresh);
  TRY_VOID(writeWhole(fresh, json::serialize(page) + "\n"));
  return moveTo(fresh, path);
}

} // namespace garland::runtime
