#include "host/privacy/files.h"

#include "host/base/bytes.h"
#include "host/base/file_text.h"
#include "host/vault/vault.h"

#include <array>
#include <filesystem>
#include <span>

namespace garland::privacy {
namespace {

namespace fs = std::filesystem;

constexpr char const* kPrefix = "privacy-";
constexpr std::size_t kLongestFile = std::size_t{1} << 30U;

} // namespace

Result<std::int64_t> removeFiles(Folder const& folder, std::function<bool(std::string const&)> const& goes) {
  std::error_code failed;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder.path, failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    auto const text = readFileText(at->path().string(), kLongestFile);
    if (text && goes(*text)) found.push_back(at->path());
  }
  for (auto const& path : found) {
    std::error_code refused;
    fs::remove(path, refused);
    if (refused)
      return Error(ErrorKind::hostLimit, path.string() + " could not be removed: " + refused.message());
  }
  return std::ssize(found);
}

Result<LinesFile> LinesFile::make(std::string const& folder, Random& random) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed)
    return Error(ErrorKind::hostLimit, "the folder " + folder + " could not be made: " + failed.message());
  std::array<std::byte, 8> salt{};
  random.fill(salt);
  auto const name = kPrefix + hex(std::string_view(reinterpret_cast<char const*>(salt.data()), salt.size()));
  LinesFile file(folder + "/" + name, name);
  TRY_VOID(vault::createKeyFile(file.path_, "", random));
  file.out_.open(file.path_, std::ios::app);
  return file;
}

LinesFile::~LinesFile() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

Result<void> LinesFile::write(json::value const& line) {
  out_ << json::serialize(line) << '\n';
  if (out_) return {};
  return Error(ErrorKind::hostLimit, "the export cannot be written to " + path_ + ": is the disk full?");
}

Result<std::string> LinesFile::keep() {
  out_.flush();
  if (!out_)
    return Error(ErrorKind::hostLimit, "the export cannot be written to " + path_ + ": is the disk full?");
  path_.clear();
  return name_;
}

} // namespace garland::privacy
