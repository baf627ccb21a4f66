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
constexpr std::size_t kLongestFile = std::size_t{1} << 30U; // and is not begun to be read

enum class Verdict { stays, goes, notRead, beingMade };

bool isOneOfEverybody(Folder const& folder, fs::path const& path) {
  return !folder.whole.empty() && path.filename().string().starts_with(folder.whole);
}

Verdict verdictOn(fs::path const& path, std::function<bool(std::string const&)> const& goes) {
  std::error_code failed;
  auto const size = fs::file_size(path, failed);
  if (!failed && size > kLongestFile) return Verdict::notRead;
  auto const text = readFileText(path.string(), kLongestFile);
  if (text) return goes(*text) ? Verdict::goes : Verdict::stays;
  bool const is_gone = text.error().kind == ErrorKind::notFound;
  return is_gone ? Verdict::stays : Verdict::notRead;
}

} // namespace

Result<Tally> removeFiles(Folder const& folder, std::function<bool(std::string const&)> const& goes) {
  Tally tally;
  std::error_code failed;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder.path, failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    std::error_code ignored;
    auto const& path = at->path();
    bool const of_everybody = isOneOfEverybody(folder, path);
    auto verdict = Verdict::stays;
    if (of_everybody && path.has_extension())
      verdict = Verdict::beingMade;
    else if (at->is_regular_file(ignored))
      verdict = of_everybody ? Verdict::goes : verdictOn(path, goes);
    if (verdict == Verdict::goes) found.push_back(path);
    if (verdict == Verdict::notRead) ++tally.kept;
    if (verdict == Verdict::beingMade) ++tally.busy;
  }
  if (failed && failed != std::errc::no_such_file_or_directory)
    return Error(ErrorKind::hostLimit, folder.path + " could not be looked through: " + failed.message());
  for (auto const& path : found) {
    std::error_code refused;
    fs::remove(path, refused);
    if (refused)
      return Error(ErrorKind::hostLimit, path.string() + " could not be removed: " + refused.message());
  }
  tally.removed = std::ssize(found);
  return tally;
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
