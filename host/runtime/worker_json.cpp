#include "host/runtime/worker_json.h"

#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <limits>

namespace garland::runtime::worker {
namespace {

namespace json = boost::json;

// Takes every event and keeps nothing.
struct Ignore {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;
  using Code = json::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_key(json::string_view, std::size_t, Code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double, json::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

} // namespace

bool isJson(std::string_view text) noexcept {
  try {
    json::parse_options options;
    options.max_depth = 64;
    json::basic_parser<Ignore> parser(options);
    json::error_code error;
    auto const used = parser.write_some(false, text.data(), text.size(), error);
    // White space may follow the document; the parser has taken it.
    return !error && parser.done() && used == text.size();
  } catch (...) {
    return false; // out of memory
  }
}

bool isJsonObject(std::string_view text) noexcept {
  auto const start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && text[start] == '{' && isJson(text);
}

} // namespace garland::runtime::worker
