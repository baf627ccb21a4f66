#include "host/nats/lines.h"

#include <algorithm>

namespace garland::nats {
namespace {

constexpr std::size_t kMostBytes = 64'000; // a server takes 1 MiB unless it is told otherwise

} // namespace

std::vector<std::string> messagesOf(std::set<std::string> const& lines) {
  std::vector<std::string> messages;
  for (auto const& line : lines) {
    if (messages.empty() || messages.back().size() + 1 + line.size() > kMostBytes)
      messages.push_back(line);
    else
      messages.back().append(1, '\n').append(line);
  }
  return messages;
}

std::vector<std::string> linesOf(std::string_view message) { return split(message, '\n'); }

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> pieces;
  for (;;) {
    auto const end = std::min(text.find(at), text.size());
    pieces.emplace_back(text.substr(0, end));
    if (end == text.size()) return pieces;
    text.remove_prefix(end + 1);
  }
}

} // namespace garland::nats
