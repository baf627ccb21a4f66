#include "host/base/json.h"

#include "host/base/secret.h"
#include "host/base/utf8.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace garland {
namespace {

// Counts line and column (both from 1) of a byte offset.
std::string placeOf(std::string_view text, std::size_t offset) {
  auto const before = text.substr(0, std::min(offset, text.size()));
  auto const line = 1 + std::count(before.begin(), before.end(), '\n');
  auto const last_break = before.rfind('\n');
  auto const column = last_break == std::string_view::npos ? before.size() + 1 : before.size() - last_break;
  return "at line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::size_t firstThatIsNoText(std::string_view text) {
  auto const readable = asUtf8(text);
  return static_cast<std::size_t>(
      std::mismatch(text.begin(), text.end(), readable.begin(), readable.end()).first - text.begin());
}

bool appendWithin(json::value const& value, std::string& out);

void appendMembers(json::object const& object, std::string& out) {
  std::vector<json::key_value_pair const*> members;
  members.reserve(object.size());
  for (auto const& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto const* a, auto const* b) { return a->key() < b->key(); });
  out += '{';
  for (auto const* member : members) {
    if (out.back() != '{') out += ',';
    out += json::serialize(member->key());
    out += ':';
    appendWithin(member->value(), out);
  }
  out += '}';
}

bool appendWithin(json::value const& value, std::string& out) {
  if (auto const* object = value.if_object()) {
    appendMembers(*object, out);
  } else if (auto const* array = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i != 0) out += ',';
      appendWithin((*array)[i], out);
    }
    out += ']';
  } else if (auto const* unsigned_number = value.if_uint64()) {
    out += std::to_string(*unsigned_number);
  } else {
    out += json::serialize(value);
  }
  return true;
}

// The member names of one object. Most have few, and comparing those costs less than a hash table.
class Names {
public:
  // False if it is there already.
  bool add(std::string const& name) {
    if (std::ranges::find(first_, name) != first_.end()) return false;
    if (first_.size() == kFirst) return others_.insert(name).second;
    first_.push_back(name);
    return true;
  }

private:
  static constexpr std::size_t kFirst = 16;
  std::vector<std::string> first_;
  std::unordered_set<std::string> others_;
};

// Builds the value while refusing duplicate member names, which Boost's own parser lets through
// (the last one wins there).
class StrictHandler {
public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  StrictHandler() { stack_.reset(); }
  json::value release() { return stack_.release(); }
  std::string const& duplicate() const { return duplicate_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, json::error_code&) {
    names_.pop_back();
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t count, json::error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    partial_ += std::string_view(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& failed) {
    partial_ += std::string_view(part.data(), part.size());
    if (!names_.back().add(partial_)) {
      duplicate_ = partial_;
      failed = json::error::syntax;
      return false;
    }
    partial_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view, json::error_code&) {
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, json::error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

private:
  json::value_stack stack_;
  std::vector<Names> names_; // of the objects that are open
  std::string partial_;
  std::string duplicate_;
};

} // namespace

Result<json::value> parseJson(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes)
    return Error(ErrorKind::hostLimit, "the JSON document has " + std::to_string(text.size()) +
                                           " bytes; at most " + std::to_string(limits.max_bytes) +
                                           " are taken");
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<StrictHandler> parser(options);
  json::error_code failed;
  auto const used = parser.write_some(false, text.data(), text.size(), failed);
  if (!parser.handler().duplicate().empty())
    return Error(ErrorKind::invalidInput, "the member \"" + parser.handler().duplicate() +
                                              "\" appears twice, again " + placeOf(text, used));
  if (failed && !isUtf8(text))
    return Error(ErrorKind::invalidInput, "not UTF-8, as JSON must be: the byte " +
                                              placeOf(text, firstThatIsNoText(text)) +
                                              " belongs to no character");
  if (failed)
    return Error(ErrorKind::invalidInput, "not JSON: " + failed.message() + " " + placeOf(text, used));
  if (used != text.size())
    return Error(ErrorKind::invalidInput, "not one JSON document: more text follows " + placeOf(text, used));
  return parser.handler().release();
}

std::string canonicalJson(json::value const& value) {
  std::string out;
  appendWithin(value, out);
  return out;
}

json::value const* find(json::value const& value, std::string_view pointer) {
  json::error_code failed;
  return value.find_pointer(json::string_view(pointer.data(), pointer.size()), failed);
}

Result<std::string> textAt(json::value const& value, std::string_view pointer) {
  auto const* found = find(value, pointer);
  if (found == nullptr)
    return Error(ErrorKind::invalidInput, std::string(pointer) + ": is missing", std::string(pointer));
  auto const* text = found->if_string();
  if (text == nullptr)
    return Error(ErrorKind::invalidInput, std::string(pointer) + ": must be a string", std::string(pointer));
  return std::string(text->data(), text->size());
}

Result<std::int64_t> integerAt(json::value const& value, std::string_view pointer) {
  auto const* found = find(value, pointer);
  if (found == nullptr)
    return Error(ErrorKind::invalidInput, std::string(pointer) + ": is missing", std::string(pointer));
  if (auto const* number = found->if_int64()) return *number;
  return Error(ErrorKind::invalidInput, std::string(pointer) + ": must be an integer", std::string(pointer));
}

std::string textOr(json::value const& value, std::string_view pointer, std::string_view fallback) {
  auto const* found = find(value, pointer);
  auto const* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string(fallback);
}

std::int64_t integerOr(json::value const& value, std::string_view pointer, std::int64_t fallback) {
  auto const* found = find(value, pointer);
  auto const* number = found != nullptr ? found->if_int64() : nullptr;
  return number != nullptr ? *number : fallback;
}

bool boolOr(json::value const& value, std::string_view pointer, bool fallback) {
  auto const* found = find(value, pointer);
  auto const* truth = found != nullptr ? found->if_bool() : nullptr;
  return truth != nullptr ? *truth : fallback;
}

void wipeTexts(json::value& value) {
  if (auto* text = value.if_string()) wipe(text->data(), text->size());
  if (auto* object = value.if_object())
    for (auto& member : *object) wipeTexts(member.value());
  if (auto* list = value.if_array())
    for (auto& one : *list) wipeTexts(one);
}

} // namespace garland
