#include "host/cli/build_mark.h"

#include "host/cli/watched_folder.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <tuple>
#include <utility>

#include <sys/stat.h>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

using Changed = std::tuple<std::int64_t, std::int64_t>; // seconds and nanoseconds

// Not when it was written: a file that is moved here, as many editors save, brings an older time with it.
std::optional<Changed> changed(fs::path const& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return std::nullopt;
  return Changed(facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec);
}

} // namespace

BuildMark::BuildMark(fs::path folder, fs::path build)
    : folder_(std::move(folder)), build_(std::move(build)), mark_(build_ / "garland-dev-began") {}

bool BuildMark::isUnsure() const {
  std::error_code ignored;
  return fs::exists(mark_, ignored);
}

void BuildMark::begin() {
  std::error_code ignored;
  fs::create_directories(build_, ignored);
  fs::remove(mark_, ignored);
  std::ofstream(mark_) << "`garland dev` builds, or was ended while it did\n";
}

void BuildMark::end() {
  std::error_code ignored;
  if (!wasSavedSince()) fs::remove(mark_, ignored);
}

bool BuildMark::wasSavedSince() const {
  auto const began = changed(mark_);
  return !began || std::ranges::any_of(sourcesIn(folder_, build_), [&](auto const& source) {
    auto const when = changed(source);
    return when && *when >= *began;
  });
}

} // namespace garland::cli
