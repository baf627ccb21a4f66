// Lines on their way, each once, and how they travel together in messages.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::nats {

// More than it holds are as good as one: the empty line, which says that something may have been missed.
class Lines {
public:
  static constexpr std::size_t kMost = 10'000;

  void add(std::string line) {
    if (lines_.size() >= kMost) {
      lines_.clear();
      lines_.emplace();
    }
    lines_.insert(std::move(line));
  }
  bool empty() const { return lines_.empty(); }
  std::set<std::string> take() { return std::exchange(lines_, {}); }

private:
  std::set<std::string> lines_;
};

// Lines with line feeds between; a message holds as many as fit, and one at least.
std::vector<std::string> messagesOf(std::set<std::string> const& lines);
// A message of somebody else may be anything.
std::vector<std::string> linesOf(std::string_view message);
std::vector<std::string> split(std::string_view text, char at);

} // namespace garland::nats
