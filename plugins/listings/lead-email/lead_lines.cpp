#include "lead_lines.h"

#include <garland/sdk/loose.hpp>

#include <algorithm>
#include <cctype>
#include <map>

namespace lead_email {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Without the marks that quoting, lists and bold print put around a line.
std::string_view bare(std::string_view line) {
  line = trimmed(line);
  while (line.starts_with('>') || line.starts_with('*')) line = trimmed(line.substr(1));
  for (std::string_view const bullet : {"\xE2\x80\xA2", "- "})
    if (line.starts_with(bullet)) line = trimmed(line.substr(bullet.size()));
  while (line.ends_with('*')) line = trimmed(line.substr(0, line.size() - 1));
  return line;
}

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    auto const end = std::min(text.find('\n'), text.size());
    lines.push_back(bare(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// "text <https://...>" in two.
struct Linked {
  std::string_view text;
  std::string_view address;
};
Linked linkedIn(std::string_view line) {
  auto const open = line.rfind("<http");
  if (open == std::string_view::npos || !line.ends_with('>')) return {line, {}};
  return {trimmed(line.substr(0, open)), line.substr(open + 1, line.size() - open - 2)};
}

enum class Shape { value, text, link, end };

class Reader {
public:
  explicit Reader(Labels const& labels) {
    for (auto const& label : labels.values) shapes_.emplace(nameOf(label), Shape::value);
    for (auto const& label : labels.texts) shapes_.emplace(nameOf(label), Shape::text);
    for (auto const& label : labels.links) shapes_.emplace(nameOf(label), Shape::link);
    for (auto const& label : labels.ends) shapes_.emplace(nameOf(label), Shape::end);
  }

  json::object read(std::vector<std::string_view> const& lines) {
    for (std::size_t at = 0; at < lines.size();) {
      auto const label = labelAt(lines[at]);
      ++at;
      if (!label) continue;
      if (label->shape == Shape::text) put(label->name, textFrom(*label, lines, at));
      if (label->shape == Shape::link) put(label->name, std::string(label->rest));
      if (label->shape == Shape::value) put(label->name, valueFrom(label->rest, lines, at));
    }
    return std::move(found_);
  }

private:
  struct Label {
    std::string name;
    Shape shape;
    std::string_view rest; // of the line
  };

  std::optional<Label> known(std::string_view label, std::string_view rest) const {
    if (label.empty() || label.size() > 100) return std::nullopt;
    auto name = nameOf(label);
    auto const shape = shapes_.find(name);
    if (name.empty() || shape == shapes_.end()) return std::nullopt;
    return Label{std::move(name), shape->second, rest};
  }

  std::optional<Label> labelAt(std::string_view line) const {
    auto const [text, address] = linkedIn(line);
    if (auto label = known(text, ""); label && (label->shape != Shape::link || !address.empty())) {
      if (label->shape == Shape::link) label->rest = address;
      return label;
    }
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto label = known(line.substr(0, colon), bare(line.substr(colon + 1)));
    if (label && label->shape == Shape::link && !label->rest.starts_with("http")) return std::nullopt;
    if (label && label->shape == Shape::end) return std::nullopt;
    return label;
  }

  // Of the label's own line, or else the next one that says something.
  std::string valueFrom(std::string_view rest, std::vector<std::string_view> const& lines,
                        std::size_t& at) const {
    while (rest.empty() && at < lines.size() && !labelAt(lines[at])) rest = lines[at++];
    return std::string(linkedIn(rest).text);
  }

  // People write lines that look like labels. One that stands further up has its value already, so a text
  // goes on over it; but a link or an end may come as often as the sender likes.
  bool ends(Label const& text, std::string_view line) const {
    auto const label = labelAt(line);
    if (!label) return false;
    bool const may_repeat = label->shape == Shape::link || label->shape == Shape::end;
    return may_repeat || (label->name != text.name && !found_.contains(label->name));
  }

  std::string textFrom(Label const& label, std::vector<std::string_view> const& lines,
                       std::size_t& at) const {
    std::string text(label.rest);
    for (; at < lines.size() && !ends(label, lines[at]); ++at) {
      if (!text.empty()) text += '\n';
      text += lines[at];
    }
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  void put(std::string const& name, std::string value) {
    if (!value.empty()) found_.emplace(name, std::move(value));
  }

  std::map<std::string, Shape, std::less<>> shapes_;
  json::object found_;
};

// "Name <a@b>", "a@b [mailto:a@b]" and the like, in lower case.
std::string addressIn(std::string_view text) {
  auto const at = text.find('@');
  if (at == std::string_view::npos) return "";
  constexpr std::string_view ends = " <>[]()\"':;,\t";
  auto const first = text.find_last_of(ends, at);
  auto const last = std::min(text.find_first_of(ends, at), text.size());
  auto const begin = first == std::string_view::npos ? 0 : first + 1;
  return lowerCase(text.substr(begin, last - begin));
}

std::optional<std::string_view> after(std::string_view line, std::string_view name) {
  // Bold names: "*From:* Anna"
  if (line.size() < name.size() || nameOf(line.substr(0, name.size())) != nameOf(name)) return std::nullopt;
  auto const rest = bare(line.substr(name.size()));
  if (!rest.starts_with(':')) return std::nullopt;
  return bare(rest.substr(1));
}

constexpr std::size_t header_lines = 10; // of a forwarded mail, blank ones included

} // namespace

std::string lowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string nameOf(std::string_view label) { return garland::sdk::loose::memberName(label); }

json::object labelled(std::string_view text, Labels const& labels) {
  return Reader(labels).read(linesOf(text));
}

std::optional<Forwarded> forwardedIn(std::string_view text) {
  auto const lines = linesOf(text);
  for (std::size_t first = 0; first < lines.size(); ++first) {
    auto const from = after(lines[first], "From");
    if (!from || addressIn(*from).empty()) continue;
    Forwarded found{addressIn(*from), "", ""};
    bool dated = false;
    auto end = first + 1; // of the header
    for (auto at = end; at < std::min(lines.size(), first + header_lines); ++at) {
      auto const subject = after(lines[at], "Subject");
      bool const date = after(lines[at], "Date") || after(lines[at], "Sent");
      bool const other = after(lines[at], "To") || after(lines[at], "Cc") || after(lines[at], "Reply-To");
      if (!subject && !date && !other && !lines[at].empty()) break;
      if (subject) found.subject = *subject;
      dated = dated || date;
      if (!lines[at].empty()) end = at + 1;
    }
    if (!dated || found.subject.empty()) continue;
    for (auto at = end; at < lines.size(); ++at) found.text += std::string(lines[at]) + "\n";
    return found;
  }
  return std::nullopt;
}

} // namespace lead_email
