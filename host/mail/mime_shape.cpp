#include "host/mail/mime_shape.h"

#include <algorithm>
#include <string>

namespace garland::mail {

namespace {

// Many times what mail programs write. The library makes an object of each header and each part, and descends
// once for each colon of an address list (a list can be a group, a group a list).
constexpr std::size_t max_header_lines = 2'000; // in one header, of the mail or of a part
constexpr std::size_t max_part_header = 1U << 20U;
constexpr std::size_t max_colons = 1'000; // in one field
constexpr std::size_t boundaries_per_part = 20;

bool startsField(std::string_view line) {
  auto const colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  auto const name = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
  return !name.empty() && name.find_first_of(" \t") == std::string_view::npos;
}

// The header that the line before belonged to, as far as lines alone can tell.
struct Header {
  std::size_t lines = 0;
  std::size_t bytes = 0;
  std::size_t colons = 0; // of the field
};

Error tooMuch(std::string what, std::size_t line) {
  return {ErrorKind::hostLimit, what + " (line " + std::to_string(line) + " of the mail)"};
}

Result<void> take(Header& header, std::string_view line, std::size_t number) {
  bool const continues = !line.empty() && (line.front() == ' ' || line.front() == '\t');
  if (!(continues && header.lines > 0) && !startsField(line)) {
    header = Header();
    return {};
  }
  if (!continues) header.colons = 0;
  ++header.lines;
  header.bytes += line.size();
  header.colons += static_cast<std::size_t>(std::count(line.begin(), line.end(), ':'));
  if (header.lines > max_header_lines || header.bytes > max_part_header)
    return tooMuch("a header has more than " + std::to_string(max_header_lines) + " lines or 1 MiB", number);
  if (header.colons > max_colons)
    return tooMuch("a header field has more than " + std::to_string(max_colons) + " colons", number);
  return {};
}

} // namespace

Result<void> checkShape(std::string_view bytes, Limits const& limits) {
  if (bytes.size() > limits.max_bytes)
    return Error(ErrorKind::hostLimit, "the mail has " + std::to_string(bytes.size()) +
                                           " bytes; allowed are " + std::to_string(limits.max_bytes));
  Header header;
  std::size_t boundaries = 0;
  bool in_own_header = true;
  std::size_t number = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    ++number;
    auto const end = std::min(bytes.find('\n', at), bytes.size());
    auto line = bytes.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) in_own_header = false;
    if (in_own_header && end > limits.max_header)
      return tooMuch("the mail's header is longer than " + std::to_string(limits.max_header) + " bytes",
                     number);
    if (line.starts_with("--") && ++boundaries > limits.max_parts * boundaries_per_part)
      return tooMuch("the mail has too many lines that could begin a part", number);
    TRY_VOID(take(header, line, number));
    at = end + 1;
  }
  return {};
}

} // namespace garland::mail
