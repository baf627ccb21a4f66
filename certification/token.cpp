#include "certification/token.h"

#include <algorithm>
#include <charconv>

namespace garland::certification {
namespace {

constexpr std::size_t kDigits = 16;

Error wrong(std::string_view token) {
  return Error(ErrorKind::invalidInput, "\"" + std::string(token.substr(0, 200)) +
                                            "\" is no replay token; take one from a finding, whole");
}

bool isDigest(std::string_view text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

std::string tokenFor(Replay const& replay) {
  return "g2:" + replay.check + ":" + replay.case_name + ":" + std::to_string(replay.seed) + ":" +
         std::string(name(replay.profile)) + ":" + replay.digest.substr(0, kDigits) + ":" +
         replay.suite.substr(0, kDigits);
}

Result<Replay> readToken(std::string_view token) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= token.size();) {
    auto const end = std::min(token.find(':', at), token.size());
    parts.push_back(token.substr(at, end - at));
    at = end + 1;
  }
  // Those that begin with g1 name no profile, and were run again with the longest.
  if (parts[0] == "g1" && parts.size() == 6)
    parts.insert(parts.begin() + 4, name(Profile::full));
  else if (parts[0] != "g2")
    return wrong(token);
  if (parts.size() != 7 || checkInfo(parts[1]) == nullptr) return wrong(token);
  auto const profile = profileNamed(parts[4]);
  if (!profile) return wrong(token);
  Replay out;
  out.profile = *profile;
  out.check = parts[1];
  out.case_name = parts[2];
  auto const* const end = parts[3].data() + parts[3].size();
  auto const seed = std::from_chars(parts[3].data(), end, out.seed);
  if (seed.ec != std::errc() || seed.ptr != end || !isDigest(parts[5]) || !isDigest(parts[6]))
    return wrong(token);
  out.digest = parts[5];
  out.suite = parts[6];
  return out;
}

} // namespace garland::certification
