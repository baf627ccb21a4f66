// A studio with ten thousand jobs at the twin of VSCO Workspace, and a real garlandd that keeps them: all
// comes in, both sides edit, and at the end both hold the same.
#include "tests/twins/served_twin.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <set>

namespace garland::testing {
namespace {

constexpr int kJobs = 10'000;
constexpr int kEdits = 1000; // on each side,
constexpr int kBoth = 100;   // so many of them of jobs that the other side edits too

struct Ask {
  std::string method;
  std::string url;
  std::string header;
  std::string body;
};

std::string quoted(std::string const& text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// All of them over one connection, by one curl; each answer is one line of JSON.
std::vector<json::value> answersTo(std::vector<Ask> const& asks) {
  std::string config;
  for (auto const& ask : asks) {
    if (!config.empty()) config += "next\n";
    config += "silent\nshow-error\nurl = " + quoted(ask.url) + "\nrequest = " + ask.method +
              "\nwrite-out = \" %{http_code}\\n\"\n";
    if (!ask.header.empty()) config += "header = " + quoted(ask.header) + "\n";
    if (!ask.body.empty())
      config += "header = \"content-type: application/json\"\ndata = " + quoted(ask.body) + "\n";
  }
  auto const done = runProgram({"curl", "-K", "-"}, {}, config);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  std::vector<json::value> answers;
  for (std::size_t at = 0; at < done.out.size();) {
    auto const end = done.out.find('\n', at);
    auto const line = done.out.substr(at, end - at);
    auto const status = line.rfind(' ');
    EXPECT_EQ(line.substr(status + 1, 1), "2") << line;
    answers.push_back(parseJson(line.substr(0, status)).value());
    at = end + 1;
  }
  EXPECT_EQ(answers.size(), asks.size());
  return answers;
}

std::string nameOf(int i) { return "Wedding no. " + std::to_string(i); }
std::string dayOf(int i) { // later than any that the twin makes up
  char day[16];
  std::snprintf(day, sizeof day, "2031-%02d-%02d", 1 + i % 12, 1 + i % 28);
  return day;
}

// The same words for a job as the twin tells it and for the record of it.
std::string wordsOf(json::value const& job, char const* day, char const* guests) {
  return textOr(job, "/name", "") + " | " + textOr(job, "/stage", "") + " | " + textOr(job, day, "") + " | " +
         std::to_string(integerOr(job, guests, -1));
}

class TwinSync : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "tave", "--vendor", vendor_}).exit_code, 0);
    connection_ = textOr(host_.ask({"connections", "connect", "tave", "--vendor", vendor_, "--set",
                                    "url=" + twin_.url() + "/api/v2", "--set", "amounts=minor",
                                    "--password-stdin", "--allow-private-network"},
                                   0, "twin-key\n"),
                         "/id", "");
  }

  // The studio's clock runs much faster than ours: its limit of requests is not the matter here.
  json::value sync(char const* what) {
    auto const began = std::chrono::steady_clock::now();
    std::string const answer = host_.folder() + "/" + what + ".json";
    Child program({binFolder() + "/garland", "--json", "sync", "run", connection_},
                  {{"GARLAND_URL", host_.url()}, {"GARLAND_KEY_FILE", host_.dataFolder() + "/api.key"}},
                  answer);
    int looks = 0;
    auto const ended = [&] {
      if (++looks % 40 == 1)
        answersTo({{"POST", twin_.url() + "/_twin/clock", "", R"({"advance_ms":20000})"}});
      return !program.running();
    };
    EXPECT_TRUE(eventually(ended, 140));
    auto const run = parseJson(readFile(answer));
    if (!run) {
      ADD_FAILURE() << readFile(answer) << readFile(twin_.log());
      return {};
    }
    EXPECT_EQ(textOr(*run, "/state", ""), "done") << canonicalJson(*run) << readFile(twin_.log());
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
    std::printf("%s: %ld came in, %ld changed here, %ld written there, in %.1f s\n", what,
                number(*run, "/pulled/created"), number(*run, "/pulled/updated"),
                number(*run, "/pushed/updated"), took.count());
    std::fflush(stdout);
    return *run;
  }

  std::vector<json::value> jobs(int pages) {
    std::vector<Ask> asks;
    for (int page = 1; page <= pages; ++page)
      asks.push_back({"GET", twin_.url() + "/api/v2/job?pageSize=100&page=" + std::to_string(page),
                      "x-api-key: twin-key", ""});
    std::vector<json::value> all;
    for (auto const& page : answersTo(asks))
      for (auto const& job : page.at("items").as_array()) all.push_back(job);
    return all;
  }
  void editThere(std::vector<std::pair<std::string, json::object>> const& edits) {
    std::vector<Ask> asks;
    for (auto const& [id, members] : edits)
      asks.push_back({"POST", twin_.url() + "/_twin/edit", "",
                      json::serialize(json::object{{"list", "job"}, {"id", id}, {"set", members}})});
    answersTo(asks);
  }
  // Of the records so named, the day: edited here.
  void editHere(std::map<std::string, std::string> const& days) {
    auto const key = "x-api-key: " + readFile(host_.dataFolder() + "/api.key");
    std::vector<Ask> asks;
    for (auto const& record : host_.records(vendor_, "crm.project")) {
      auto const day = days.find(textOr(record, "/data/name", ""));
      if (day == days.end()) continue;
      auto data = record.at("data");
      data.as_object()["event_date"] = day->second;
      asks.push_back({"PUT", host_.url() + "/api/integrations/records/" + textOr(record, "/id", ""),
                      key.substr(0, key.find('\n')),
                      json::serialize(json::object{{"vendor_id", vendor_}, {"data", data}})});
    }
    ASSERT_EQ(asks.size(), days.size());
    answersTo(asks);
  }
  std::int64_t changesInTheLedger() {
    std::int64_t count = 0;
    for (std::int64_t after = 0, last = 1; after < last;) {
      auto const page =
          answersTo({{"GET", twin_.url() + "/_twin/ledger?after=" + std::to_string(after), "", ""}})[0];
      last = number(page, "/last");
      for (auto const& entry : page.at("entries").as_array()) {
        after = number(entry, "/seq");
        count += textOr(entry, "/what", "") == "job.changed" ? 1 : 0;
      }
      if (page.at("entries").as_array().empty()) break;
    }
    return count;
  }

  std::multiset<std::string> here() {
    std::multiset<std::string> words;
    for (auto const& record : host_.records(vendor_, "crm.project"))
      words.insert(wordsOf(record.at("data"), "/event_date", "/guest_count"));
    return words;
  }
  std::multiset<std::string> there() {
    std::multiset<std::string> words;
    for (auto const& job : jobs(kJobs / 100)) words.insert(wordsOf(job, "/eventDate", "/guestCount"));
    return words;
  }

  ServedTwin twin_{
      {"garland.tave", "--seed", "7", "--volume", std::to_string(kJobs), "--now", "2026-06-01T00:00:00Z"}};
  Host host_;
  std::string vendor_;
  std::string connection_;
};

TEST_F(TwinSync, TenThousandJobsComeInAndAThousandEditsOnEachSideEndEqual) {
  constexpr int named = 2 * kEdits - kBoth; // those that will be edited, so that both sides know them
  auto const some = jobs((named + 99) / 100);
  std::vector<std::pair<std::string, json::object>> names;
  std::vector<std::pair<std::string, json::object>> guests;
  std::map<std::string, std::string> days;
  for (int i = 0; i < named; ++i) {
    auto const id = textOr(some[static_cast<std::size_t>(i)], "/id", "");
    names.emplace_back(id, json::object{{"name", nameOf(i)}});
    if (i < kEdits) guests.emplace_back(id, json::object{{"guestCount", 1000 + i}});
    if (i >= kEdits - kBoth) days[nameOf(i)] = dayOf(i);
  }
  editThere(names);

  auto const first = sync("first sync, all kinds of records");
  EXPECT_GE(number(first, "/pulled/created"), kJobs);
  EXPECT_EQ(number(first, "/pulled/failed"), 0);
  ASSERT_EQ(here().size(), static_cast<std::size_t>(kJobs));

  editThere(guests);
  editHere(days);
  auto const second = sync("edits of both sides");
  EXPECT_EQ(number(second, "/pulled/updated"), kEdits);
  EXPECT_EQ(number(second, "/pushed/updated"), kEdits);
  EXPECT_EQ(number(second, "/conflicts"), 0);
  auto const third = sync("nothing more");
  EXPECT_EQ(number(third, "/pulled/updated") + number(third, "/pushed/updated"), 0);

  auto const ours = here();
  EXPECT_TRUE(ours == there()); // too long to be shown
  EXPECT_EQ(ours.size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(changesInTheLedger(), named + 2 * kEdits) << "every edit arrives once";
  for (int const i : {0, kEdits - kBoth, kEdits - 1, named - 1}) {
    auto const of = nameOf(i) + " | ";
    auto const found = ours.lower_bound(of);
    ASSERT_TRUE(found != ours.end() && found->starts_with(of)) << of;
    EXPECT_EQ(found->ends_with("| " + std::to_string(1000 + i)), i < kEdits) << *found;
    EXPECT_EQ(found->find(dayOf(i)) != std::string::npos, i >= kEdits - kBoth) << *found;
  }
}

} // namespace
} // namespace garland::testing
