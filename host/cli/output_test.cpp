#include "host/cli/output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace garland::cli {
namespace {

struct Screen {
  std::ostringstream out, err;
  Output output(bool json, bool terminal = false) { return Output(out, err, json, terminal, false); }
};

TEST(Output, ATableAlignsWideCharacters) {
  Screen screen;
  auto output = screen.output(false);
  output.table(*parseJson(R"({"items":[{"a":"東京","b":1},{"a":"Köln","b":2}]})"), {{"A", "/a"}, {"B", "/b"}},
               "none");
  EXPECT_EQ(screen.out.str(), "A     B\n東京  1\nKöln  2\n");
}

TEST(Output, OnATerminalOneColumnOfAWideTableGivesWay) {
  json::array rows;
  rows.push_back(json::object{{"a", "short"}, {"b", std::string(200, 'x')}, {"c", std::string(20, 'y')}});
  std::vector<Column> const columns{{"A", "/a"}, {"B", "/b", true}, {"C", "/c"}};
  Screen terminal;
  terminal.output(false, true).table(rows, columns, "none");
  auto const shown = terminal.out.str();
  EXPECT_EQ(shown.substr(shown.find('\n') + 1),
            "short  " + std::string(88, 'x') + "...  " + std::string(20, 'y') + "\n")
      << "120 columns";
  Screen file;
  file.output(false).table(rows, columns, "none");
  EXPECT_NE(file.out.str().find(std::string(200, 'x')), std::string::npos) << "a program reads all of it";
}

TEST(Output, AnEmptyTableSaysWhatToDo) {
  Screen screen;
  auto output = screen.output(false);
  output.table(*parseJson(R"({"items":[]})"), {{"A", "/a"}}, "no vendor yet");
  EXPECT_EQ(screen.out.str(), "no vendor yet\n");
}

TEST(Output, WithJsonTheAnswerIsOneDocument) {
  Screen screen;
  auto output = screen.output(true);
  output.progress(5, 10, "events");
  output.table(*parseJson(R"({"items":[]})"), {{"A", "/a"}}, "none");
  EXPECT_TRUE(parseJson(screen.out.str())) << screen.out.str();
  EXPECT_EQ(screen.err.str(), "");
}

TEST(Output, WhatAProviderSentCannotMoveTheCursor) {
  auto const sent = *parseJson(R"("a\u001b[2Jb\nc")");
  EXPECT_EQ(plain(&sent), "a [2Jb c");
  json::value const c1("a\xC2\x9B"
                       "2Jb \xC2\xA9");
  EXPECT_EQ(plain(&c1), "a 2Jb \xC2\xA9");
}

TEST(Output, TheExitCodeFollowsTheError) {
  Screen screen;
  auto output = screen.output(false);
  EXPECT_EQ(output.error(Error(ErrorKind::invalidInput, "x")), Exit::usage);
  EXPECT_EQ(output.error(Error(ErrorKind::forbidden, "x")), Exit::findings);
  Error none(ErrorKind::transient, "x");
  none.provider_code = "no_daemon";
  EXPECT_EQ(output.error(none), Exit::environment);
  Error passphrase(ErrorKind::invalidInput, "x");
  passphrase.provider_code = "wrong_passphrase"; // as the daemon tells it
  EXPECT_EQ(output.error(passphrase), Exit::findings);
  for (auto const* code : {"wants_certificate", "wants_tls"}) {
    none.provider_code = code;
    EXPECT_EQ(output.error(none), Exit::environment);
  }
}

TEST(Output, AWordIsQuotedAsAShellReadsIt) {
  EXPECT_EQ(shellQuoted("url=https://dav.example.com/"), "url=https://dav.example.com/");
  EXPECT_EQ(shellQuoted("Studio Lindenau"), "'Studio Lindenau'");
  EXPECT_EQ(shellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shellQuoted("$HOME"), "'$HOME'");
  EXPECT_EQ(shellQuoted(""), "''");
}

TEST(Output, ALongTextIsShortenedByCharacters) {
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(shortened("a long text", 8), "a lon...");
  EXPECT_EQ(shortened("東京東京", 7), "東京...");
}

TEST(Output, InALogProgressIsALineEveryTenth) {
  Screen screen;
  auto output = screen.output(false);
  for (std::uint64_t done = 0; done <= 100; ++done) output.progress(done, 100, "events");
  auto const text = screen.err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
  EXPECT_EQ(screen.out.str(), "") << "what was asked for stands there, and nothing between";
}

TEST(Output, OnATerminalProgressIsOneBar) {
  Screen screen;
  auto output = screen.output(false, true);
  output.progress(15, 30, "events");
  EXPECT_NE(screen.err.str().find("[###############---------------] 15 of 30 events"), std::string::npos)
      << screen.err.str();
}

} // namespace
} // namespace garland::cli
