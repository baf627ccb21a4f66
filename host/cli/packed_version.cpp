#include "host/cli/packed_version.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

// "1.0.0", "1.1.0-rc.1": it begins with a digit, has a dot, and is no path.
bool isVersion(std::string const& word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0 &&
         word.find('.') != std::string::npos && word.find('/') == std::string::npos &&
         !word.ends_with(".gpk") && !word.ends_with(".so");
}

std::vector<std::string> packagesOf(std::string const& version, std::string const& folder) {
  std::vector<std::string> out;
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed))
    if (entry->path().filename().string().ends_with("-" + version + ".gpk"))
      out.push_back(entry->path().string());
  std::ranges::sort(out);
  return out;
}

bool namesAVersion(std::string const& word) {
  std::error_code ignored;
  return !fs::exists(word, ignored) && isVersion(word);
}

// What stands before "-VERSION.gpk".
std::string idOf(std::string const& package, std::string const& version) {
  auto const name = fs::path(package).filename().string();
  return name.substr(0, name.size() - version.size() - 5);
}

} // namespace

Result<std::string> packedVersion(std::string const& word, std::string const& folder) {
  if (!namesAVersion(word)) return word;
  auto const found = packagesOf(word, folder);
  if (found.size() == 1) return found.front();
  if (found.empty())
    return Error(ErrorKind::notFound, "there is no package of version " + word + " here (ID-" + word +
                                          ".gpk, as garland pack names it); name the file or folder");
  return Error(ErrorKind::invalidInput, "there are several packages of version " + word + " here, " +
                                            found.front() + " and " + found.at(1) +
                                            " among them; name the file");
}

Result<std::pair<std::string, std::string>>
packedVersions(std::string const& before, std::string const& after, std::string const& folder) {
  std::vector<std::pair<std::string, std::string>> both; // of one connector
  if (namesAVersion(before) && namesAVersion(after))
    for (auto const& old : packagesOf(before, folder))
      for (auto const& now : packagesOf(after, folder))
        if (idOf(old, before) == idOf(now, after)) both.emplace_back(old, now);
  if (both.size() == 1) return std::move(both.front());
  if (both.size() > 1)
    return Error(ErrorKind::invalidInput, "several connectors have packages of versions " + before + " and " +
                                              after + " here, " + idOf(both[0].first, before) + " and " +
                                              idOf(both[1].first, before) + " among them; name the files");
  TRY(old, packedVersion(before, folder));
  TRY(now, packedVersion(after, folder));
  return std::pair(std::move(old), std::move(now));
}

} // namespace garland::cli
