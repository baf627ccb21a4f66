#include "host/runtime/tainted.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>

namespace garland::runtime {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSentence = 2048;
constexpr std::size_t kMaxField = 512;
constexpr std::size_t kMaxDetail = 64U << 10U;
constexpr std::size_t kMaxDepth = 64;

// Bytes of the well-formed UTF-8 character at the front of `text` (RFC 3629); 0 if there is none.
std::size_t characterLength(std::string_view text) {
  auto const byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  auto const continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  auto const first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return continues(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU) {
    bool const overlong = first == 0xE0U && byte(1) < 0xA0U;
    bool const surrogate = first == 0xEDU && byte(1) >= 0xA0U;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    bool const overlong = first == 0xF0U && byte(1) < 0x90U;
    bool const beyond = first == 0xF4U && byte(1) >= 0x90U;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool isControl(char c) {
  return (static_cast<unsigned char>(c) < 0x20U && c != '\t' && c != '\n') || c == '\x7F';
}

// Accepts everything that is JSON.
struct AnyJson {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t, json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

} // namespace

std::string cleanText(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    auto const length = characterLength(text);
    bool const good = length > 0 && !(length == 1 && isControl(text.front()));
    auto const taken = good ? text.substr(0, length) : std::string_view("?");
    if (out.size() + taken.size() > limit) break;
    out += taken;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

Error cleanError(Error error) {
  error.message = cleanText(error.message, kMaxSentence);
  error.user_message = cleanText(error.user_message, kMaxSentence);
  error.field = cleanText(error.field, kMaxField);
  error.provider_code = cleanText(error.provider_code, kMaxField);
  if (!error.detail.is_null() && json::serialize(error.detail).size() > kMaxDetail) error.detail = nullptr;
  if (error.http_status < 0 || error.http_status > 999) error.http_status = 0;
  return error;
}

bool isJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<AnyJson> parser(options);
  json::error_code failed;
  auto const used = parser.write_some(false, text.data(), text.size(), failed);
  return !failed && used == text.size();
}

} // namespace garland::runtime
