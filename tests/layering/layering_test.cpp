// Who may include whom: DESIGN's table, checked from the #include lines of every source file.
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path const kRoot = garland::inSources("");

// Floor of each room; an include may only go down. Rooms of one floor do not see each other.
std::map<std::string, int> const kFloors = {
    {"host/base", 0},       {"host/store", 1},       {"host/egress", 1},   {"host/vault", 1},
    {"host/csv", 1},        {"host/nats", 1},        {"host/runtime", 2},  {"host/access", 2},
    {"host/sync", 3},       {"host/crm", 4},         {"host/calendar", 4}, {"host/payments", 4},
    {"host/messaging", 4},  {"host/social", 4},      {"host/listings", 4}, {"host/portfolio", 4},
    {"host/webhooks", 4},   {"host/mail", 4},        {"host/realtime", 4}, {"host/health", 4},
    {"host/weddingday", 4}, {"host/marketplace", 4}, {"host/api", 5},      {"host/console", 5},
    {"certification", 5},   {"host/daemon", 6},      {"host/cli", 6},      {"host/notify", 4},
    {"host/custody", 2},    {"host/backup", 2},      {"host/audit", 2},    {"host/privacy", 4},
    {"host/oauth", 2},
};

// The worker is its own house: base and runtime's worker side only.
std::set<std::string> const kWorkerMayUse = {"host/base", "host/runtime", "host/worker"};

struct Door {
  std::string pattern;         // an include that starts so ...
  std::set<std::string> rooms; // ... may stand in these rooms only
};

std::vector<Door> const kDoors = {
    {"boost/beast", {"host/api"}},
    {"curl/", {"host/egress"}},
    {"sqlite3.h", {"host/store"}},
    {"libpq", {"host/store"}},
    {"nats/", {"host/nats"}},
    {"openssl/", {"host/vault", "host/access", "host/marketplace", "host/egress", "host/webhooks"}},
    {"archive.h", {"host/marketplace", "host/backup"}},
    {"archive_entry.h", {"host/marketplace", "host/backup"}},
    {"boost/asio/ssl", {"host/egress", "host/api", "host/mail"}},
    {"valijson/", {"host/base"}},
    {"gmime/", {"host/mail"}},
    {"libical/", {"host/calendar", "plugin-api"}},
    {"csv.h", {"host/csv"}},
    {"iconv.h", {"host/csv"}},
    {"seccomp.h", {"host/runtime"}},
    {"toml++/", {"host/daemon"}},
    {"CLI/", {"host/cli", "host/daemon"}},
    {"prometheus/", {"host/api"}},
    {"zlib.h", {"host/api"}},
};

struct Include {
  std::string file; // relative to the root
  int line = 0;
  std::string target; // as written
};

std::string roomOf(std::string const& path) {
  auto const first = path.find('/');
  if (first == std::string::npos) return "";
  auto const top = path.substr(0, first);
  if (top != "host") return top;
  auto const second = path.find('/', first + 1);
  return path.substr(0, second);
}

bool isTest(std::string const& file) {
  static std::regex const kTest(
      "(_test|_fuzz|_bench|_fixture|_fixtures)\\.(cpp|h|c)$|/(testing|test_plugins)/|/test_[^/]*$");
  return std::regex_search(file, kTest);
}

std::vector<std::string> sources(std::vector<std::string> const& folders) {
  std::vector<std::string> files;
  std::set<std::string> const kinds = {".h", ".hpp", ".cpp", ".c", ".cc"};
  for (auto const& folder : folders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (auto const& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (entry.is_regular_file() && kinds.contains(entry.path().extension()))
        files.push_back(fs::relative(entry.path(), kRoot).generic_string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Include> includesOf(std::string const& file) {
  static std::regex const kInclude(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> found;
  std::ifstream in(kRoot / file);
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    std::smatch match;
    if (std::regex_search(text, match, kInclude)) found.push_back({file, line, match[1]});
  }
  return found;
}

std::string at(Include const& include) {
  return include.file + ":" + std::to_string(include.line) + ": includes " + include.target;
}

// Empty if the include keeps to the table, else the reason why not.
std::string objection(Include const& include) {
  auto const from = roomOf(include.file);
  auto const to = roomOf(include.target);
  if (from == to || (to.rfind("host/", 0) != 0 && to != "certification" && to != "plugins")) return "";
  if (to == "plugins") return "only a plugin's own files include it";
  if (from == "host/worker") return kWorkerMayUse.contains(to) ? "" : "the worker uses base and runtime only";
  // The probe is a worker, too.
  if (include.file.starts_with("certification/probe/") && kWorkerMayUse.contains(to)) return "";
  auto const mine = kFloors.find(from);
  auto const theirs = kFloors.find(to);
  if (theirs == kFloors.end()) return to + " is not a room that others may use";
  if (mine == kFloors.end()) return from + " may not use the host";
  if (theirs->second >= mine->second) return "an arrow must point down: " + from + " -> " + to;
  auto const door = to + "/" + to.substr(to.rfind('/') + 1) + ".h";
  if (to != "host/base" && include.target != door) return "only the public header " + door + " is for others";
  return "";
}

TEST(Layering, NoIncludeOfTheHostPointsUpOrSideways) {
  auto const files = sources({"host", "certification"});
  ASSERT_GT(files.size(), 20U) << "the scan found too little to mean anything";
  for (auto const& file : files) {
    if (isTest(file)) continue;
    for (auto const& include : includesOf(file)) EXPECT_EQ(objection(include), "") << at(include);
  }
}

TEST(Layering, ThePluginApiNeverIncludesTheHost) {
  for (auto const& file : sources({"plugin-api"})) {
    if (isTest(file)) continue;
    for (auto const& include : includesOf(file))
      EXPECT_NE(include.target.rfind("host/", 0), 0U) << at(include);
  }
}

TEST(Layering, PluginsAndSamplesUseTheSdkOnly) {
  std::vector<std::string> const forbidden = {"host/",        "boost/asio", "boost/beast", "openssl/",
                                              "curl/",        "thread",     "mutex",       "future",
                                              "sys/socket.h", "fstream",    "pthread.h"};
  for (auto const& file : sources({"plugins", "samples"})) {
    if (isTest(file)) continue;
    for (auto const& include : includesOf(file))
      for (auto const& bad : forbidden) EXPECT_NE(include.target.rfind(bad, 0), 0U) << at(include);
  }
}

TEST(Layering, HeavyHeadersStayBehindTheirDoor) {
  for (auto const& file : sources({"host", "certification", "plugin-api", "plugins"})) {
    if (isTest(file)) continue;
    for (auto const& include : includesOf(file))
      for (auto const& door : kDoors)
        if (include.target.rfind(door.pattern, 0) == 0)
          EXPECT_TRUE(door.rooms.contains(roomOf(file))) << at(include);
  }
}

TEST(Layering, AtMostFourTranslationUnitsSeeBeast) {
  std::set<std::string> units;
  for (auto const& file : sources({"host"}))
    for (auto const& include : includesOf(file))
      if (include.target.rfind("boost/beast", 0) == 0 && !isTest(file)) units.insert(file);
  EXPECT_LE(units.size(), 4U);
  for (auto const& file : units)
    EXPECT_TRUE(file.ends_with(".cpp")) << file << " spreads Beast to its includers";
}

TEST(Layering, TheCheckRefusesWhatItMust) {
  EXPECT_NE(objection({"host/store/x.cpp", 1, "host/sync/sync.h"}), "");
  EXPECT_NE(objection({"host/store/x.cpp", 1, "host/egress/egress.h"}), "");
  EXPECT_NE(objection({"host/sync/x.cpp", 1, "host/store/sqlite.h"}), "");
  EXPECT_NE(objection({"host/worker/main.cpp", 1, "host/store/store.h"}), "");
  EXPECT_EQ(objection({"host/sync/x.cpp", 1, "host/store/store.h"}), "");
  EXPECT_EQ(objection({"host/sync/x.cpp", 1, "host/base/json.h"}), "");
}

} // namespace
