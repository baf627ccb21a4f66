#include "host/runtime/kept_builds.h"

#include "host/runtime/image.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNotes = 4U << 20U;
constexpr std::size_t kDigestLength = 64;
constexpr char const* kFresh = ".new"; // the ending of what is not complete yet

bool isDigest(std::string_view text) {
  return text.size() == kDigestLength && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<void> writeWhole(fs::path const& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (out) return {};
  return Error(ErrorKind::hostLimit, "cannot write " + path.string() + ": is the disk full or read-only?");
}

// Whole or not at all for whoever reads it. No fsync: after a power cut the digest tells.
Result<void> moveTo(fs::path const& fresh, fs::path const& path) {
  std::error_code failed;
  fs::rename(fresh, path, failed);
  if (!failed) return {};
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
  fs::remove_all(folder, ignored); // it could not be loaded
  fs::remove_all(fresh, ignored);
  fs::create_directories(fresh, ignored);
  TRY_VOID(writeWhole(fresh / "connector.so", bytes));
  TRY_VOID(writeWhole(fresh / "connector.json", json::serialize(plugin.manifest.document)));
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
    if (isDigest(digest) && (name != digest || !digests.contains(digest))) unwanted.push_back(entry->path());
  }
  for (auto const& path : unwanted) fs::remove_all(path, failed);
}

json::value KeptBuilds::notes() const {
  if (dir_.empty()) return {};
  auto const text = readPluginFile((fs::path(dir_) / "builds.json").string(), kMaxNotes);
  if (!text) return {};
  auto notes = parseJson(*text);
  return notes ? std::move(*notes) : json::value();
}

Result<void> KeptBuilds::write(json::value const& notes) const {
  if (dir_.empty()) return {};
  std::error_code ignored;
  fs::create_directories(dir_, ignored);
  auto const path = fs::path(dir_) / "builds.json";
  auto const fresh = fs::path(path.string() + kFresh);
  TRY_VOID(writeWhole(fresh, json::serialize(notes) + "\n"));
  return moveTo(fresh, path);
}

} // namespace garland::runtime
