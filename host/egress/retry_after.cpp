#include "host/egress/retry_after.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace garland::egress {

std::optional<Milliseconds> retryAfter(std::string const& value, std::string const& date, TimePoint now) {
  using std::chrono::seconds;
  constexpr seconds kLongest = std::chrono::days(30);
  if (value.empty()) return std::nullopt;
  if (value.find_first_not_of("0123456789") == std::string::npos) {
    std::int64_t count = 0;
    auto const [end, problem] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (problem == std::errc::result_out_of_range) return kLongest;
    return std::min(seconds(count), kLongest);
  }
  auto const until = curl_getdate(value.c_str(), nullptr);
  if (until == -1) return std::nullopt;
  auto const server = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
  auto const base = server == -1 ? std::chrono::floor<seconds>(now).time_since_epoch() : seconds(server);
  return std::clamp(seconds(until) - base, seconds(0), kLongest);
}

} // namespace garland::egress
