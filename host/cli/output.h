// What a person or a program reads: tables, JSON, errors, progress.
#pragma once

#include "host/base/json.h"

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace garland::cli {

enum class Exit { ok = 0, findings = 1, usage = 2, environment = 3 };

struct Column {
  std::string title;
  std::string pointer;    // into each row
  bool gives_way = false; // shortened where the table is wider than a terminal
};

class Output {
public:
  Output(std::ostream& out, std::ostream& err, bool json, bool terminal, bool colours)
      : out_(out), err_(err), json_(json), terminal_(terminal), colours_(colours) {}

  bool json() const { return json_; }
  void line(std::string const& text);
  void lineNow(std::string const& text); // for whoever reads along
  bool bytes(std::string const& text);   // just these; false: they could not be written
  void note(std::string const& text);    // beside what is asked for
  // The value as it is with --json; else the table of its items, of which on a terminal at most one column
  // gives way.
  void table(json::value const& items, std::vector<Column> const& columns, std::string const& when_empty);
  void value(json::value const& value); // indented JSON
  // One sentence, with the exit code that fits the error.
  Exit error(Error const& error);

  // For whoever waits at it: to standard error, nothing with --json.
  void remark(std::string const& text);

  // To standard error: a bar on a terminal, a line every tenth in a log, nothing with --json.
  void progress(std::uint64_t done, std::uint64_t total, std::string const& what);
  void progressDone();

  std::string good(std::string const& text) const { return paint("32", text); }
  std::string warning(std::string const& text) const { return paint("33", text); }
  std::string bad(std::string const& text) const { return paint("31", text); }

private:
  std::string paint(char const* code, std::string const& text) const;

  std::ostream& out_;
  std::ostream& err_;
  bool json_;
  bool terminal_;
  bool colours_;
  bool bar_shown_ = false;
  std::uint64_t last_tenth_ = 0;
};

// Any scalar as text; objects and arrays as JSON.
std::string plain(json::value const* value);
// "1 row", "2 rows".
std::string counted(std::int64_t count, std::string const& what);
// Columns that one character takes on a terminal: wide ones take two. Good enough for alignment.
std::size_t displayWidth(std::string_view utf8);
// A word as a shell reads it back.
std::string shellQuoted(std::string const& word);
// At most so many columns, the rest as "...".
std::string shortened(std::string const& text, std::size_t columns);
void printIndented(std::ostream& out, json::value const& value, std::string const& indent = "");

} // namespace garland::cli
