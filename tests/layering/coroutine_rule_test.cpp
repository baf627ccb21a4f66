// g++ 12 miscompiles a co_await beside a braced temporary, a lambda or a "?:" in one statement
// (double free, no warning). This test reads the sources and refuses such statements.
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Comments and the contents of literals become blanks; line breaks stay.
std::string withoutCommentsAndLiterals(std::string text) {
  enum class In { code, line, block, string, character } in = In::code;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    char const next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (in == In::code) {
      if (c == '/' && next == '/')
        in = In::line;
      else if (c == '/' && next == '*')
        in = In::block;
      else if (c == '"')
        in = In::string;
      else if (c == '\'' && (i == 0 || std::isalnum(static_cast<unsigned char>(text[i - 1])) == 0))
        in = In::character;
      if (in == In::line || in == In::block) text[i] = ' ';
      continue;
    }
    bool const ends = (in == In::line && c == '\n') || (in == In::string && c == '"') ||
                      (in == In::character && c == '\'') || (in == In::block && c == '*' && next == '/');
    if (in == In::block && ends) text[i + 1] = ' ';
    if ((in == In::string || in == In::character) && c == '\\') text[i + 1] = ' ';
    if (c != '\n' && !(ends && (in == In::string || in == In::character))) text[i] = ' ';
    if (ends) in = In::code;
  }
  return text;
}

// The statements (text between ';', '{' and '}' that opens or closes a block) that hold a co_await.
std::vector<std::string> offences(std::string const& source) {
  std::vector<std::string> found;
  auto const code = withoutCommentsAndLiterals(source);
  for (auto at = code.find("co_await"); at != std::string::npos; at = code.find("co_await", at + 1)) {
    auto const begin = code.find_last_of(";{}", at) + 1;
    auto const end = code.find(';', at);
    if (end == std::string::npos) break;
    auto statement = code.substr(begin, end - begin);
    // "if (co_await x) {" and "while (...) {" end at their own parenthesis, not at the next ';'.
    static std::regex const kHead(R"(^\s*(else\s+)?(if|while|for|switch)\b)");
    if (std::regex_search(statement, kHead)) {
      int depth = 0;
      for (std::size_t i = statement.find('('); i < statement.size(); ++i) {
        depth += statement[i] == '(' ? 1 : statement[i] == ')' ? -1 : 0;
        if (depth == 0) {
          statement.resize(i + 1);
          break;
        }
      }
      if (statement.find("co_await") == std::string::npos) statement = code.substr(at, end - at);
    }
    static std::regex const kLambda(R"(\[[^\[\]]*\]\s*(\(|mutable|\{))");
    bool const braces = statement.find('{') != std::string::npos;
    bool const choice = std::regex_search(statement, std::regex(R"(\?[^:;]*:)"));
    if (braces || choice || std::regex_search(statement, kLambda)) {
      auto const line = 1 + std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      found.push_back("line " + std::to_string(line) + ": " + statement.substr(0, 120));
    }
  }
  return found;
}

TEST(CoroutineRule, NoStatementMixesCoAwaitWithBracesLambdasOrAChoice) {
  int scanned = 0;
  for (auto const& entry : fs::recursive_directory_iterator(garland::inSources("/host"))) {
    auto const extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".h") continue;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    ++scanned;
    for (auto const& offence : offences(text.str())) ADD_FAILURE() << entry.path().string() << " " << offence;
  }
  EXPECT_GT(scanned, 20);
}

TEST(CoroutineRule, TheKnownBadShapesAreFound) {
  EXPECT_EQ(offences("co_await f({.a = x});").size(), 1U);
  EXPECT_EQ(offences("auto t = c ? co_await a() : b;").size(), 1U);
  EXPECT_EQ(offences("co_await spawn(e, [x]() -> T { return x; });").size(), 1U);
  EXPECT_EQ(offences("{ Q q{text}; co_await f(std::move(q)); }").size(), 0U);
  EXPECT_EQ(offences("if (co_await f(x)) { return {}; }").size(), 0U);
  EXPECT_EQ(offences("// co_await f({})\nco_await g(\"{\");").size(), 0U);
}

} // namespace
