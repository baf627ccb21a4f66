#include "ical_document.h"

#include <garland/sdk/recurrence.hpp>

#include <algorithm>
#include <utility>

namespace garland::sdk::ical {
namespace {

constexpr std::size_t max_bytes = 4U << 20U;
constexpr std::size_t max_lines = 100'000;
constexpr std::size_t max_depth = 8;
// libical drops values past the 500th of a line in silence.
constexpr std::size_t values_a_line = 400;

[[noreturn]] void fail(std::size_t line, std::string const& what) {
  throw Failure(Kind::providerBug, "line " + std::to_string(line) + ": " + what);
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

// Length of the UTF-8 sequence that begins at `at`, 0 if none does.
std::size_t sequenceLength(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned const lead = byte(at);
  if (lead < 0x80) return 1;
  std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  unsigned const second = byte(at + 1);
  bool const overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  bool const beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto const length = sequenceLength(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

// Position of the ':' before the value; npos if there is none. Quoted parameter values may hold one.
std::size_t valueColon(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == ':' && !quoted) return i;
  }
  return line.find(':');
}

// "item1.SUMMARY:x" -> "SUMMARY:x". Groups are vCard's; some exporters write them into calendars.
void dropGroup(std::string& line) {
  auto const end = line.find_first_of(":;");
  auto const dot = line.find('.');
  if (end == std::string::npos || dot == 0 || dot >= end) return;
  auto const plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(dot), plain))
    line.erase(0, dot + 1);
}

// "Anna \\& Paul" -> "Anna & Paul": libical makes a blank of an escape that the standard does not have.
void dropNeedlessEscapes(std::string& line) {
  std::string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    bool const escape = line[i] == '\\' && i + 1 < line.size();
    if (escape && std::string_view("\\;,nN\"").find(line[i + 1]) == std::string_view::npos) continue;
    result += line[i];
    if (escape) result += line[++i];
  }
  line = std::move(result);
}

void finish(Line& line) {
  std::erase_if(line.text, [](char c) { return c == '\0' || c == '\r'; });
  if (!isUtf8(line.text)) line.text = validUtf8(line.text);
  dropGroup(line.text);
  line.name = upper(std::string_view(line.text).substr(0, line.text.find_first_of(":;")));
  for (auto const* name : {"SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES"})
    if (line.name == name) dropNeedlessEscapes(line.text);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A line with very many dates, as several lines of the same meaning.
std::vector<std::string> inParts(Line const& line) {
  auto const value = valueOf(line);
  bool const list = line.name == "EXDATE" || line.name == "RDATE";
  if (!list || static_cast<std::size_t>(std::count(value.begin(), value.end(), ',')) < values_a_line)
    return {line.text};
  std::string const head = line.text.substr(0, line.text.size() - value.size());
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0, commas = 0; i <= value.size(); ++i) {
    bool const last = i == value.size();
    if (!last && (value[i] != ',' || ++commas % values_a_line != 0)) continue;
    parts.push_back(head + std::string(value.substr(begin, i - begin)));
    begin = i + 1;
  }
  return parts;
}

class Parser {
public:
  Parser() : parser_(icalparser_new()) {}
  ~Parser() {
    if (parser_ != nullptr) icalparser_free(parser_); // with the components that were not ended
  }
  Parser(Parser const&) = delete;
  Parser& operator=(Parser const&) = delete;

  // The component that the line completes; `good` is false if libical could not read the line.
  ComponentPtr add(std::string line, bool& good) {
    auto* const parser = std::exchange(parser_, nullptr);
    ComponentPtr done(icalparser_add_line(parser, line.data()));
    good = icalparser_get_state(parser) != ICALPARSER_ERROR;
    parser_ = parser;
    return done;
  }

private:
  // Null once libical ran out of memory within (ical_memory.cpp): it left things half done, which nobody may
  // touch any more; they are lost.
  icalparser* parser_;
};

} // namespace

std::string_view valueOf(Line const& line) {
  auto const colon = valueColon(line.text);
  return colon == std::string::npos ? std::string_view() : std::string_view(line.text).substr(colon + 1);
}

std::string validUtf8(std::string_view text) {
  if (isUtf8(text)) return std::string(text);
  std::string result;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0U | (byte >> 6U));
      result += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return result;
}

Document Document::read(std::string_view text) {
  if (text.size() > max_bytes) throw Failure(Kind::unsupported, "the calendar text is larger than 4 MiB");
  Document document;
  document.split(text);
  document.nest();
  document.parse();
  return document;
}

void Document::split(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // Some servers end lines with CR alone.
  char const line_break = text.find('\n') == std::string_view::npos ? '\r' : '\n';
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const end = std::min(text.find(line_break, at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    if (++number > max_lines)
      throw Failure(Kind::unsupported, "the calendar text has more than 100,000 lines");
    if (line.ends_with('\r')) line.remove_suffix(1);
    bool const fold = line.starts_with(' ') || line.starts_with('\t');
    if (fold && !lines.empty()) {
      auto& open = lines.back();
      open.raw = std::string_view(open.raw.data(),
                                  static_cast<std::size_t>(line.data() + line.size() - open.raw.data()));
      open.text += line.substr(1);
    } else if (!trim(line).empty()) {
      lines.push_back({number, line, std::string(line), {}});
    }
  }
  std::for_each(lines.begin(), lines.end(), finish);
}

void Document::nest() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto const& line = lines[i];
    if (line.name == "BEGIN") {
      if (open.size() == max_depth)
        throw Failure(Kind::unsupported,
                      "line " + std::to_string(line.number) + ": components are nested too deep");
      components.push_back({upper(trim(valueOf(line))), i, 0, {}});
      if (!open.empty())
        components.back().parent = open.back();
      else if (components.back().name != "VCALENDAR")
        fail(line.number, "this is not iCalendar: it begins with " + components.back().name);
      open.push_back(components.size() - 1);
    } else if (line.name == "END") {
      auto const name = upper(trim(valueOf(line)));
      if (open.empty()) fail(line.number, "END:" + name + " without a BEGIN");
      auto& component = components[open.back()];
      if (component.name != name) fail(line.number, "END:" + name + " inside of " + component.name);
      component.end = i;
      open.pop_back();
    } else if (open.empty()) {
      fail(line.number, "this is not iCalendar: a line outside of BEGIN:VCALENDAR and END:VCALENDAR");
    }
  }
  if (!open.empty())
    fail(lines.back().number, "the text is cut off: END:" + components[open.back()].name + " is missing");
  if (components.empty()) fail(1, "this is not iCalendar: BEGIN:VCALENDAR is missing");
}

std::vector<std::size_t> Document::owners() const {
  std::vector<std::size_t> result(lines.size());
  // A component comes after the one around it, so the innermost one writes last.
  for (std::size_t c = 0; c < components.size(); ++c)
    std::fill(result.begin() + static_cast<std::ptrdiff_t>(components[c].begin),
              result.begin() + static_cast<std::ptrdiff_t>(components[c].end) + 1, c);
  return result;
}

void Document::parse() {
  icalerror_set_errors_are_fatal(0);
  ical_set_unknown_token_handling_setting(ICAL_ASSUME_IANA_TOKEN);
  Parser parser;
  auto const owner = owners();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto const& line = lines[i];
    // An empty value says nothing, and libical takes it for an error.
    if (trim(valueOf(line)).empty() && line.text.find(':') != std::string::npos) continue;
    bool const rule = line.name == "RRULE" || line.name == "EXRULE";
    if (rule && !recurrenceRuleProblem(valueOf(line)).empty()) {
      errors.push_back({i, owner[i]});
      continue;
    }
    for (auto& part : inParts(line)) {
      bool good = true;
      if (auto done = parser.add(std::move(part), good)) calendars.push_back(std::move(done));
      if (!good) errors.push_back({i, owner[i]});
    }
  }
}

std::vector<EventPart> Document::events() const {
  std::vector<EventPart> result;
  std::size_t component = 0;
  for (auto const& calendar : calendars) {
    for (auto* event = icalcomponent_get_first_component(calendar.get(), ICAL_VEVENT_COMPONENT);
         event != nullptr; event = icalcomponent_get_next_component(calendar.get(), ICAL_VEVENT_COMPONENT)) {
      auto const isEvent = [this](Component const& one) {
        return one.name == "VEVENT" && one.parent && !components[*one.parent].parent &&
               components[*one.parent].name == "VCALENDAR";
      };
      while (component < components.size() && !isEvent(components[component])) ++component;
      if (component == components.size()) return result;
      result.push_back({component++, event, calendar.get()});
    }
  }
  return result;
}

} // namespace garland::sdk::ical
