// A comparison that ends at the first byte which differs tells by its time how much of a guess was right.
// Where strangers' words meet secrets, vault::equalInConstantTime compares; this test reads the sources.
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path const kRoot = garland::inSources("");

// Rooms in which what comes from outside is held against something secret.
std::vector<std::string> const kRooms = {"host/access", "host/api",   "host/audit",   "host/custody",
                                         "host/oauth",  "host/vault", "host/webhooks"};

// Whoever may read the audit chain is told its hashes.
std::set<std::string> const kOfPublicHashes = {"host/audit/book.cpp", "host/audit/verifier.cpp"};

std::string textOf(fs::path const& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Lines that compare a secret as any text is compared.
std::vector<std::string> offences(std::string const& text) {
  static std::string const name =
      R"(\b\w*(secret|signature|passphrase|mac|api_key|token|ticket|cookie|state|hash)_?\b)";
  static std::regex const bad(R"(\b(memcmp|strcmp|strncmp)\()"
                              R"(|reveal\(\)\s*[!=]=|[!=]=\s*[\w.>-]+reveal\(\))"
                              R"(|[!=]=\s*(\w+::)*(hashOf|sha256|sha256Hex|hmacSha256)\()"
                              "|" +
                              name + R"(\s*[!=]=\s*\*?[a-z]\w*\b(?!\s*(::|\()))" +
                              R"(|\b[a-z]\w*\s*[!=]=\s*\*?([a-z]\w*(\.|->))*)" + name +
                              R"((?!\s*(::|\(|\.|->)))");
  // How something stands is a state, too.
  static std::regex const harmless(R"([!=]=\s*(nullptr|true|false|0)\b|\bstatus\.state\b)");
  std::vector<std::string> found;
  std::string line;
  for (char const c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (std::regex_search(line, bad) && !std::regex_search(line, harmless)) found.push_back(line);
    line.clear();
  }
  return found;
}

bool isTest(std::string const& file) {
  return std::regex_search(file, std::regex(R"((_test|_fuzz)\.cpp$|/testing/|/test_)"));
}

TEST(SecretsAreCompared, NowhereByTheTimeThatItTakes) {
  int files = 0;
  for (auto const& room : kRooms)
    for (auto const& entry : fs::recursive_directory_iterator(kRoot / room)) {
      auto const file = fs::relative(entry.path(), kRoot).generic_string();
      auto const kind = entry.path().extension();
      if (isTest(file) || kOfPublicHashes.contains(file) || (kind != ".cpp" && kind != ".h")) continue;
      ++files;
      for (auto const& line : offences(textOf(entry.path()))) ADD_FAILURE() << file << ": " << line;
    }
  EXPECT_GT(files, 50) << "the scan found too little to mean anything";
}

TEST(SecretsAreCompared, InConstantTimeWhereStrangersGuess) {
  for (auto const* room : {"host/access", "host/api", "host/oauth", "host/webhooks"}) {
    bool found = false;
    for (auto const& entry : fs::recursive_directory_iterator(kRoot / room))
      found |= entry.path().extension() == ".cpp" && !isTest(entry.path().string()) &&
               textOf(entry.path()).find("equalInConstantTime(") != std::string::npos;
    EXPECT_TRUE(found) << room;
  }
}

TEST(SecretsAreCompared, AndTheScanFindsWhatItMust) {
  for (auto const* bad : {"if (secret == given) return true;\n", "return hmac_signature != expected;\n",
                          "  return other.reveal() == text;\n", "  return text == other.reveal();\n",
                          "return memcmp(a, b, n) == 1;\n", "if (guard.api_key_hash == hash)\n",
                          "if (token != shown) return refused();\n", "if (given == kept->ticket)\n",
                          "  return row.text(atBrowser) != hashOf(browser);\n",
                          "return cookie_ == from_browser;\n", "bool const fits = state == expected;\n"})
    EXPECT_EQ(offences(bad).size(), 1U) << bad;
  for (auto const* good :
       {"if (signature == nullptr) return;\n", "if (algorithm == Algorithm::hmacSha1)\n",
        "bool const fits = equalInConstantTime(signature, given);\n", "if (secrets == 1)\n",
        "if (run.state == \"done\")\n", "if (state != State::open)\n",
        "if (now.state == grant.status.state)\n", "auto const found = tickets.find(hashOf(ticket));\n"})
    EXPECT_TRUE(offences(good).empty()) << good;
}

} // namespace
