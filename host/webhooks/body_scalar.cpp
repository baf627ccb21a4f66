#include "host/webhooks/body_scalar.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace garland::webhooks {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostDepth = 64;

// Of boost::json::basic_parser: follows one path and passes everything else by.
class Follower {
public:
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  using Code = boost::system::error_code;

  explicit Follower(std::vector<std::string> path) : path_(std::move(path)) {}

  std::optional<std::string> found() && {
    if (times_ != 1 || !scalar_) return std::nullopt;
    return std::move(value_);
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) { return open(false, code); }
  bool on_array_begin(Code& code) { return open(true, code); }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(json::string_view part, std::size_t, Code&) {
    if (levels_[depth_ - 1].on_path) key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, Code&) {
    auto& level = levels_[depth_ - 1];
    if (level.on_path) {
      key_.append(part.data(), part.size());
      level.next_is_ours = key_ == path_[depth_ - 1];
      key_.clear();
    }
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code&) {
    if (isOurs()) text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, Code&) {
    if (isOurs()) {
      text_.append(part.data(), part.size());
      take(std::move(text_), true);
      text_.clear();
    }
    return passed();
  }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, Code&) { return number(value); }
  bool on_uint64(std::uint64_t value, json::string_view, Code&) { return number(value); }
  bool on_double(double, json::string_view, Code&) { return other(); }
  bool on_bool(bool, Code&) { return other(); }
  bool on_null(Code&) { return other(); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

private:
  struct Level {
    bool array = false;
    bool on_path = false; // the container is what the first names of the path lead to
    bool next_is_ours = false;
    std::size_t index = 0; // of the next item, in an array
  };

  // Whether the value that begins now is what the path leads to as far as it goes at this depth.
  bool follows() const {
    if (depth_ == 0) return true;
    auto const& level = levels_[depth_ - 1];
    if (!level.on_path) return false;
    return level.array ? isIndex(path_[depth_ - 1], level.index) : level.next_is_ours;
  }
  bool isOurs() const { return depth_ == path_.size() && follows(); }
  static bool isIndex(std::string const& name, std::size_t index) {
    std::array<char, 24> digits{};
    auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), index).ptr;
    return name == std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }

  bool open(bool array, Code& code) {
    if (depth_ == kMostDepth) {
      code = json::error::too_deep;
      return false;
    }
    if (isOurs()) take({}, false);
    bool const on_path = depth_ < path_.size() && follows();
    levels_[depth_++] = Level{array, on_path, false, 0};
    return true;
  }
  bool close() {
    --depth_;
    return passed();
  }
  bool passed() {
    if (depth_ == 0) return true;
    auto& level = levels_[depth_ - 1];
    level.next_is_ours = false;
    ++level.index;
    return true;
  }
  template <class Number> bool number(Number value) {
    if (isOurs()) take(std::to_string(value), true);
    return passed();
  }
  bool other() {
    if (isOurs()) take({}, false);
    return passed();
  }
  void take(std::string value, bool scalar) {
    ++times_;
    value_ = std::move(value);
    scalar_ = scalar;
  }

  std::vector<std::string> path_;
  std::array<Level, kMostDepth> levels_{};
  std::size_t depth_ = 0;
  std::string key_, text_, value_;
  int times_ = 0;
  bool scalar_ = false;
};

// The names of a JSON Pointer, "~1" and "~0" undone; nothing if it is none.
std::optional<std::vector<std::string>> namesOf(std::string_view pointer) {
  std::vector<std::string> names;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    pointer.remove_prefix(1);
    auto const end = std::min(pointer.find('/'), pointer.size());
    std::string name;
    for (std::size_t i = 0; i < end; ++i) {
      if (pointer[i] != '~') {
        name += pointer[i];
        continue;
      }
      ++i;
      if (i == end || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      name += pointer[i] == '0' ? '~' : '/';
    }
    names.push_back(std::move(name));
    pointer.remove_prefix(end);
  }
  if (names.empty() || names.size() > kMostDepth) return std::nullopt;
  return names;
}

} // namespace

std::optional<std::string> bodyScalar(std::string_view text, std::string_view pointer) {
  auto names = namesOf(pointer);
  if (!names) return std::nullopt;
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::basic_parser<Follower> parser(options, std::move(*names));
  boost::system::error_code code;
  auto const used = parser.write_some(false, text.data(), text.size(), code);
  if (code || used != text.size()) return std::nullopt;
  return std::move(parser.handler()).found();
}

} // namespace garland::webhooks
