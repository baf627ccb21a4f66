#include "host/cli/exports.h"

#include "host/base/file_text.h"
#include "host/base/random.h"
#include "host/vault/vault.h"

#include <filesystem>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

} // namespace

Result<std::string> exportsFolder(Place const& place) {
  std::error_code ignored;
  auto folder = place.data_dir + "/exports";
  if (fs::is_directory(place.data_dir, ignored)) return folder;
  return Error(ErrorKind::invalidInput, place.data_dir +
                                            " is not the data folder of a running garlandd, where exports "
                                            "come and go; name it with --data-dir");
}

Result<void> moveOut(std::string const& from, std::string const& to) {
  TRY(bytes, readFileText(from, kLongestExport));
  SystemRandom random;
  auto const made = vault::createKeyFile(to, bytes, random);
  std::error_code failed;
  if (!made) {
    auto const folder = fs::absolute(to, failed).parent_path();
    auto const why = fs::is_directory(folder, failed) ? "" : ": there is no folder " + folder.string();
    return Error(made.error().kind, "the export stays in " + from + ", because " + to + " cannot be written" +
                                        why + "; take it from there, or export again");
  }
  fs::remove(from, failed);
  if (*made) return {};
  return Error(ErrorKind::conflict, to + " is there already, and is not overwritten");
}

} // namespace garland::cli
