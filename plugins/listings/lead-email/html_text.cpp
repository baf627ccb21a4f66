#include "html_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace lead_email {

namespace {

struct Entity {
  std::string_view name;
  std::uint32_t code;
};

// Latin letters and the signs that mail programs write. Others stay as they were written.
constexpr Entity entities[] = {
    {"amp", '&'},       {"lt", '<'},        {"gt", '>'},       {"quot", '"'},     {"apos", '\''},
    {"nbsp", ' '},      {"ensp", ' '},      {"emsp", ' '},     {"thinsp", ' '},   {"shy", 0},
    {"zwnj", 0},        {"zwj", 0},         {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},
    {"rsquo", 0x2019},  {"sbquo", 0x201A},  {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"bdquo", 0x201E},
    {"bull", 0x2022},   {"hellip", 0x2026}, {"euro", 0x20AC},  {"trade", 0x2122}, {"rarr", 0x2192},
    {"hearts", 0x2665}, {"iexcl", 0xA1},    {"cent", 0xA2},    {"pound", 0xA3},   {"yen", 0xA5},
    {"sect", 0xA7},     {"copy", 0xA9},     {"laquo", 0xAB},   {"reg", 0xAE},     {"deg", 0xB0},
    {"middot", 0xB7},   {"raquo", 0xBB},    {"frac12", 0xBD},  {"iquest", 0xBF},  {"Agrave", 0xC0},
    {"Aacute", 0xC1},   {"Acirc", 0xC2},    {"Atilde", 0xC3},  {"Auml", 0xC4},    {"Aring", 0xC5},
    {"AElig", 0xC6},    {"Ccedil", 0xC7},   {"Egrave", 0xC8},  {"Eacute", 0xC9},  {"Ecirc", 0xCA},
    {"Euml", 0xCB},     {"Igrave", 0xCC},   {"Iacute", 0xCD},  {"Icirc", 0xCE},   {"Iuml", 0xCF},
    {"ETH", 0xD0},      {"Ntilde", 0xD1},   {"Ograve", 0xD2},  {"Oacute", 0xD3},  {"Ocirc", 0xD4},
    {"Otilde", 0xD5},   {"Ouml", 0xD6},     {"times", 0xD7},   {"Oslash", 0xD8},  {"Ugrave", 0xD9},
    {"Uacute", 0xDA},   {"Ucirc", 0xDB},    {"Uuml", 0xDC},    {"Yacute", 0xDD},  {"THORN", 0xDE},
    {"szlig", 0xDF},    {"agrave", 0xE0},   {"aacute", 0xE1},  {"acirc", 0xE2},   {"atilde", 0xE3},
    {"auml", 0xE4},     {"aring", 0xE5},    {"aelig", 0xE6},   {"ccedil", 0xE7},  {"egrave", 0xE8},
    {"eacute", 0xE9},   {"ecirc", 0xEA},    {"euml", 0xEB},    {"igrave", 0xEC},  {"iacute", 0xED},
    {"icirc", 0xEE},    {"iuml", 0xEF},     {"eth", 0xF0},     {"ntilde", 0xF1},  {"ograve", 0xF2},
    {"oacute", 0xF3},   {"ocirc", 0xF4},    {"otilde", 0xF5},  {"ouml", 0xF6},    {"oslash", 0xF8},
    {"ugrave", 0xF9},   {"uacute", 0xFA},   {"ucirc", 0xFB},   {"uuml", 0xFC},    {"yacute", 0xFD},
    {"thorn", 0xFE},    {"yuml", 0xFF},     {"OElig", 0x152},  {"oelig", 0x153},  {"Scaron", 0x160},
    {"scaron", 0x161},
};
constexpr std::size_t longest_entity = 10; // between & and ;

constexpr std::array<std::string_view, 26> line_tags{
    "address", "article", "aside",   "blockquote", "br", "center", "dd", "div",    "dl",
    "dt",      "footer",  "form",    "h1",         "h2", "h3",     "h4", "header", "hr",
    "li",      "p",       "section", "table",      "td", "th",     "tr", "ul"};
// What stands in these is not shown.
constexpr std::array<std::string_view, 5> silent_tags{"head", "script", "style", "template", "title"};

template <std::size_t N> bool among(std::array<std::string_view, N> const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void appendUtf8(std::string& out, std::uint32_t code) {
  auto const byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80U) return byte(code);
  if (code < 0x800U) {
    byte(0xC0U | (code >> 6U));
  } else {
    if (code < 0x10000U) {
      byte(0xE0U | (code >> 12U));
    } else {
      byte(0xF0U | (code >> 18U));
      byte(0x80U | ((code >> 12U) & 0x3FU));
    }
    byte(0x80U | ((code >> 6U) & 0x3FU));
  }
  byte(0x80U | (code & 0x3FU));
}

// The length of the entity at the front of `rest`, 0 if there is none; its text is appended.
std::size_t takeEntity(std::string_view rest, std::string& out) {
  auto const end = rest.substr(0, longest_entity + 2).find(';');
  if (end == std::string_view::npos || end < 2) return 0;
  auto name = rest.substr(1, end - 1);
  std::uint32_t code = 0;
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    int base = 10;
    if (name.starts_with('x') || name.starts_with('X')) {
      name.remove_prefix(1);
      base = 16;
    }
    auto const [stop, failed] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    bool const number = failed == std::errc() && !name.empty() && stop == name.data() + name.size();
    if (!number || code > 0x10FFFFU || (code >= 0xD800U && code < 0xE000U)) return 0;
    if (code == 0xA0U) code = ' ';
    if (code < 0x20U || code == 0x200BU || code == 0x200CU || code == 0x200DU || code == 0xADU)
      return end + 1;
  } else {
    auto const* const found = std::find_if(std::begin(entities), std::end(entities),
                                           [&](Entity const& e) { return e.name == name; });
    if (found == std::end(entities)) return 0;
    code = found->code;
  }
  if (code != 0) appendUtf8(out, code);
  return end + 1;
}

struct Tag {
  std::string name; // lower case, without the slash
  bool closes = false;
  std::string_view attributes;
  std::size_t size = 0; // in bytes; 0: this is no tag
};

Tag tagAt(std::string_view rest) {
  Tag tag;
  std::size_t at = 1;
  if (at < rest.size() && rest[at] == '/') {
    tag.closes = true;
    ++at;
  }
  bool const declaration = at < rest.size() && (rest[at] == '!' || rest[at] == '?');
  if (!declaration && (at >= rest.size() || std::isalpha(static_cast<unsigned char>(rest[at])) == 0))
    return tag;
  auto const name_end = std::min(rest.find_first_of(" \t\r\n/>", at), rest.size());
  char quote = 0;
  auto end = name_end;
  for (; end < rest.size() && (quote != 0 || rest[end] != '>'); ++end) {
    if (quote == 0 && (rest[end] == '"' || rest[end] == '\''))
      quote = rest[end];
    else if (rest[end] == quote)
      quote = 0;
  }
  // A quote that is never closed: the tag ends at its first '>' all the same.
  if (end >= rest.size()) end = std::min(rest.find('>', name_end), rest.size() - 1);
  tag.name = lower(rest.substr(at, std::min<std::size_t>(name_end - at, 20)));
  tag.attributes = rest.substr(name_end, end > name_end ? end - name_end : 0);
  tag.size = end + 1;
  return tag;
}

// The web address of a link; "" if it is none.
std::string addressOf(std::string_view attributes) {
  auto const at = lower(attributes).find("href=");
  if (at == std::string::npos || at + 6 >= attributes.size()) return "";
  char const quote = attributes[at + 5];
  if (quote != '"' && quote != '\'') return "";
  auto const value = attributes.substr(at + 6, attributes.substr(at + 6).find(quote));
  if (!lower(value.substr(0, 8)).starts_with("http")) return "";
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    auto const taken = value[i] == '&' ? takeEntity(value.substr(i), out) : 0;
    if (taken == 0) out += value[i];
    i += std::max<std::size_t>(taken, 1);
  }
  return out.find_first_of(" <>\t\r\n") == std::string::npos ? out : "";
}

class Writer {
public:
  explicit Writer(std::string_view html) : html_(html) {}

  std::string write() {
    while (at_ < html_.size()) step();
    return std::move(out_);
  }

private:
  void step() {
    auto const rest = html_.substr(at_);
    char const c = rest.front();
    if (c == '<' && rest.starts_with("<!--")) {
      skipPast("-->");
    } else if (c == '<') {
      auto const tag = tagAt(rest);
      at_ += std::max<std::size_t>(tag.size, 1);
      if (tag.size == 0)
        out_ += c;
      else
        take(tag);
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      space();
      ++at_;
    } else if (c == '&') {
      auto const taken = takeEntity(rest, out_);
      if (taken == 0) out_ += c;
      at_ += std::max<std::size_t>(taken, 1);
    } else {
      out_ += c;
      ++at_;
    }
  }

  void take(Tag const& tag) {
    if (!tag.closes && among(silent_tags, tag.name)) return skipSilent(tag.name);
    if (among(line_tags, tag.name)) return line();
    if (tag.name != "a") return;
    if (!tag.closes)
      link_ = addressOf(tag.attributes);
    else if (!link_.empty())
      out_ += " <" + link_ + ">";
    if (tag.closes) link_.clear();
  }

  // Up to the tag that closes it, in any case; to the end if there is none.
  void skipSilent(std::string const& name) {
    while (at_ < html_.size()) {
      at_ = std::min(html_.find("</", at_), html_.size());
      if (lower(html_.substr(at_, name.size() + 2)) == "</" + name) return;
      at_ = std::min(at_ + 2, html_.size());
    }
  }
  void skipPast(std::string_view end) {
    auto const found = html_.find(end, at_);
    at_ = found == std::string_view::npos ? html_.size() : found + end.size();
  }
  void space() {
    if (!out_.empty() && out_.back() != ' ' && out_.back() != '\n') out_ += ' ';
  }
  void line() {
    if (!out_.empty() && out_.back() == ' ') out_.pop_back();
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
  }

  std::string_view html_;
  std::size_t at_ = 0;
  std::string out_;
  std::string link_;
};

} // namespace

std::string textOfHtml(std::string_view html) { return Writer(html).write(); }

} // namespace lead_email
