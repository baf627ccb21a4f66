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
  TRY(made, vault::createKeyFile(to, bytes, random));
  std::error_code ignored;
  fs::remove(from, ignored);
  if (made) return {};
  return Error(ErrorKind::conflict, to + " is there already, and is not overwritten");
}

} // namespace garland::cli
