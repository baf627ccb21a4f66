#include "tests/hostile/driver/briefed.h"

#include "tests/hostile/driver/company.h"
#include "tests/places/places.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace garland::hostile {
namespace {

namespace fs = std::filesystem;

// acts/act.h: the words that the space for it begins with, and its size.
constexpr std::string_view kMark = "GARLAND-HOSTILE-BRIEFING";
constexpr std::size_t kSpace = 512;

void writeInto(fs::path const& object, std::string_view words) {
  std::ifstream in(object, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  auto const at = bytes.find(kMark);
  if (at == std::string::npos || words.size() >= kSpace)
    throw std::runtime_error(object.string() + " has no room for what it has to know");
  bytes.replace(at, words.size(), words);
  std::ofstream(object, std::ios::binary | std::ios::trunc) << bytes;
}

} // namespace

bool isBriefed(std::string_view act) { return act.ends_with("_at_start"); }

runtime::PluginInfo briefed(std::string_view id, std::string const& folder, json::value const& scene) {
  auto const from = fs::path(inBuild("/tests/hostile/plugins")) / id / id;
  auto const to = fs::path(folder) / id;
  fs::remove_all(folder);
  fs::create_directories(to);
  fs::copy(from, to);
  writeInto(to / "connector.so", json::serialize(scene));
  return installedIn(folder, id);
}

} // namespace garland::hostile
