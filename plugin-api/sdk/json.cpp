// Parsing, and the leaves of decoding with their messages.
#include <garland/sdk/json.hpp>

#include <boost/json/stream_parser.hpp>

namespace garland::sdk {

json::value parse(std::string_view text, Kind kind) {
  json::stream_parser parser;
  json::error_code error;
  auto const used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) throw Failure(kind, "not JSON: " + error.message() + " at byte " + std::to_string(used));
  return parser.release();
}

std::string Place::pointer() const {
  if (parent_ == nullptr) return {};
  auto text = parent_->pointer() + "/";
  if (member_.data() == nullptr) return text + std::to_string(index_);
  for (char const c : member_) {
    if (c == '~')
      text += "~0";
    else if (c == '/')
      text += "~1";
    else
      text += c;
  }
  return text;
}

void Place::fail(std::string_view what) const {
  auto const where = pointer();
  auto message = (where.empty() ? "the document" : where + ":") + " " + std::string(what);
  if (kind_ == Kind::invalidInput) throw Failure(kind_, std::move(message)).withField(where);
  throw Failure(kind_, std::move(message));
}

namespace detail {

json::object const& objectAt(json::value const& value, Place const& place) {
  if (!value.is_object()) place.fail("must be an object");
  return value.get_object();
}

json::array const& arrayAt(json::value const& value, Place const& place) {
  if (!value.is_array()) place.fail("must be an array");
  return value.get_array();
}

std::string_view textAt(json::value const& value, Place const& place) {
  if (!value.is_string()) place.fail("must be a string");
  return value.get_string();
}

std::int64_t integerAt(json::value const& value, Place const& place, std::int64_t least, std::int64_t most) {
  json::error_code error;
  // Takes 3.0 as well: JSON does not tell it from 3.
  auto const number = value.to_number<std::int64_t>(error);
  if (!value.is_number() || error == json::error::not_exact) place.fail("must be an integer");
  if (error || number < least || number > most)
    place.fail("must be between " + std::to_string(least) + " and " + std::to_string(most));
  return number;
}

double numberAt(json::value const& value, Place const& place) {
  if (!value.is_number()) place.fail("must be a number");
  return value.to_number<double>();
}

bool boolAt(json::value const& value, Place const& place) {
  if (!value.is_bool()) place.fail("must be true or false");
  return value.get_bool();
}

TimePoint instantAt(json::value const& value, Place const& place) {
  auto const when = parseRfc3339(textAt(value, place));
  if (!when) place.fail("must be a date-time such as 2026-06-13T12:00:00Z");
  return *when;
}

} // namespace detail
} // namespace garland::sdk
