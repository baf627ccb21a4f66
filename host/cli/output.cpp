#include "host/cli/output.h"

#include "host/base/utf8.h"
#include "host/cli/typed_place.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <numeric>
#include <ostream>

namespace garland::cli {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::size_t kTerminalWidth = 120; // that a table keeps within, where one of its columns gives way
constexpr std::size_t kLeastWidth = 12;     // of that column

// The code point that starts at `at`, which moves behind it.
char32_t nextCharacter(std::string_view text, std::size_t& at) {
  auto const first = static_cast<unsigned char>(text[at++]);
  std::size_t const more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  char32_t character = more == 0 ? first : first & (0x3FU >> more);
  for (std::size_t i = 0; i < more && at < text.size(); ++i)
    character = character << 6U | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return character;
}

bool isWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

// What the daemon answered is told in the words of the command line; a place in a file is the file's.
std::string inWords(Error const& error) {
  if (error.http_status != 0) return inTypedWords(error);
  bool const told = error.field.empty() || error.message.find(error.field) != std::string::npos;
  return told ? error.message : error.message + " (at " + error.field + ")";
}

void makeRoom(std::vector<Column> const& columns, std::vector<std::size_t>& widths) {
  auto const whole = std::accumulate(widths.begin(), widths.end(), 2 * (widths.size() - 1));
  if (whole <= kTerminalWidth) return;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].gives_way && widths[i] > kLeastWidth)
      widths[i] = std::max(kLeastWidth, widths[i] - std::min(widths[i], whole - kTerminalWidth));
}

} // namespace

std::string counted(std::int64_t count, std::string const& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::size_t displayWidth(std::string_view utf8) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < utf8.size();) width += isWide(nextCharacter(utf8, at)) ? 2 : 1;
  return width;
}

std::string plain(json::value const* value) {
  if (value == nullptr || value->is_null()) return "";
  if (auto const* text = value->if_string()) return printable(std::string(text->data(), text->size()));
  return json::serialize(*value);
}

void printIndented(std::ostream& out, json::value const& value, std::string const& indent) {
  auto const deeper = indent + "  ";
  if (auto const* object = value.if_object(); object != nullptr && !object->empty()) {
    out << "{\n";
    for (auto it = object->begin(); it != object->end(); ++it) {
      out << (it == object->begin() ? "" : ",\n") << deeper << json::serialize(it->key()) << ": ";
      printIndented(out, it->value(), deeper);
    }
    out << "\n" << indent << "}";
  } else if (auto const* array = value.if_array(); array != nullptr && !array->empty()) {
    out << "[\n";
    for (std::size_t i = 0; i < array->size(); ++i) {
      out << (i == 0 ? "" : ",\n") << deeper;
      printIndented(out, (*array)[i], deeper);
    }
    out << "\n" << indent << "]";
  } else {
    out << json::serialize(value);
  }
}

std::string shellQuoted(std::string const& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (char const c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shortened(std::string const& text, std::size_t columns) {
  if (displayWidth(text) <= columns) return text;
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    nextCharacter(text, at);
    if (displayWidth(std::string_view(text).substr(0, at)) + 3 > columns) break;
    end = at;
  }
  return text.substr(0, end) + "...";
}

void Output::line(std::string const& text) { out_ << text << "\n"; }

void Output::remark(std::string const& text) {
  if (!json_) err_ << text << "\n" << std::flush;
}
void Output::lineNow(std::string const& text) { out_ << text << "\n" << std::flush; }

bool Output::bytes(std::string const& text) { return static_cast<bool>(out_ << text << std::flush); }

void Output::note(std::string const& text) { err_ << "garland: " << printable(text) << "\n"; }

void Output::value(json::value const& value) {
  printIndented(out_, value);
  out_ << "\n";
}

void Output::table(json::value const& items, std::vector<Column> const& columns,
                   std::string const& when_empty) {
  if (json_) return value(items);
  auto const* found = find(items, "/items");
  auto const* rows = found != nullptr ? found->if_array() : items.if_array();
  if (rows == nullptr || rows->empty()) return line(when_empty);
  std::vector<std::size_t> widths;
  for (auto const& column : columns) {
    auto width = column.title.size();
    for (auto const& row : *rows) width = std::max(width, displayWidth(plain(find(row, column.pointer))));
    widths.push_back(width);
  }
  if (terminal_) makeRoom(columns, widths);
  auto const print = [&](auto const& cell) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      auto const shown = shortened(cell(columns[i]), widths[i]);
      text += shown;
      if (i + 1 < columns.size()) text += std::string(widths[i] + 2 - displayWidth(shown), ' ');
    }
    line(text.substr(0, text.find_last_not_of(' ') + 1));
  };
  print([](Column const& column) { return column.title; });
  for (auto const& row : *rows) print([&](Column const& column) { return plain(find(row, column.pointer)); });
}

Exit Output::error(Error const& error) {
  if (bar_shown_) progressDone();
  if (json_) value(json::object{{"error", toJson(error)}});
  bool const no_daemon = error.provider_code == "no_daemon";
  err_ << "garland: " << bad(printable(inWords(error)))
       << (no_daemon ? "; start garlandd, or name another with --url (garland doctor tells more)" : "")
       << "\n";
  auto const& code = error.provider_code;
  bool const other = code == "not_garlandd" || code == "daemon_not_trusted" || code == "wants_certificate" ||
                     code == "wants_tls";
  if (no_daemon || other || error.http_status == 401) return Exit::environment;
  // Nobody can tell it from a file that was changed, which is a finding.
  if (error.provider_code == vault::kWrongPassphrase) return Exit::findings;
  bool const usage = error.kind == ErrorKind::invalidInput || error.kind == ErrorKind::notFound;
  return usage ? Exit::usage : Exit::findings;
}

std::string Output::paint(char const* code, std::string const& text) const {
  return colours_ ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}

void Output::progress(std::uint64_t done, std::uint64_t total, std::string const& what) {
  if (json_ || total == 0) return;
  done = std::min(done, total);
  auto const counted = std::to_string(done) + " of " + std::to_string(total) + " " + what;
  if (terminal_) {
    auto const filled = static_cast<std::size_t>(kBarWidth * done / total);
    err_ << "\r\033[K[" << std::string(filled, '#') << std::string(kBarWidth - filled, '-') << "] " << counted
         << std::flush;
    bar_shown_ = true;
    return;
  }
  auto const tenth = 10 * done / total;
  if (tenth > last_tenth_) err_ << counted << "\n" << std::flush;
  last_tenth_ = tenth;
}

void Output::progressDone() {
  if (bar_shown_) err_ << "\n" << std::flush;
  bar_shown_ = false;
}

} // namespace garland::cli
