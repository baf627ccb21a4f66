// One operation that serves two kinds: each keeps its own records, links, cursor and faults, although both
// have the same ids and scopes at the provider.
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using testing::FakeProvider;
using ::testing::HasSubstr;
using testing::House;

constexpr char const* kClient = "crm.client";
constexpr char const* kProject = "crm.project";
constexpr int kClients = 10;
constexpr int kProjects = 14;

// A studio's CRM with ids "1000", "1001", ... in both of its lists.
struct Studio {
  explicit Studio(House& house_in) : house(house_in) {
    for (auto const* kind : {kClient, kProject}) of(kind).emitted_kind = kind;
    for (auto const* kind : {kClient, kProject}) of(kind).page = 4;
    for (int i = 0; i < kClients; ++i) putClient(i, "Client " + std::to_string(i));
    for (int i = 0; i < kProjects; ++i) putProject(i, "Project " + std::to_string(i));
    vendor = house.vendor();
    connection = house.connect(vendor, "p", "test.crm.studio");
  }

  FakeProvider& of(std::string const& kind) { return house.provider("p/" + kind); }
  FakeProvider& clients() { return of(kClient); }
  FakeProvider& projects() { return of(kProject); }
  static std::string id(int i) { return std::to_string(1000 + i); }
  void putClient(int i, std::string const& name) {
    clients().put(id(i), json::object{{"kind", "person"}, {"name", name}});
  }
  void putProject(int i, std::string const& name) {
    projects().put(id(i), json::object{{"name", name}, {"stage", "lead"}});
  }

  // remote id -> name, of what this side has of one kind.
  std::map<std::string, std::string> here(std::string const& kind) {
    std::map<std::string, std::string> names;
    for (auto const& row : house.rows("SELECT l.remote_id, r.data FROM links l JOIN records r ON "
                                      "r.vendor_id=l.vendor_id AND r.record_id=l.record_id AND r.kind=l.kind "
                                      "WHERE r.deleted=0 AND l.state='live' AND l.kind='" +
                                      kind + "'"))
      names[row.text(0)] = textOr(parseJson(row.text(1)).value(), "/name", "");
    return names;
  }
  std::map<std::string, std::string> there(std::string const& kind) {
    std::map<std::string, std::string> names;
    for (auto const& [id, event] : of(kind).events()) names[id] = textOr(event.data, "/name", "");
    return names;
  }
  json::value cursor(std::string const& kind) {
    auto const rows = house.rows("SELECT cursor_json FROM cursors WHERE kind='" + kind + "'");
    return rows.empty() ? json::value() : parseJson(rows.at(0).text(0)).value();
  }
  // Both kinds are equal on both sides, and every record came into being once.
  void expectEqual(std::string const& when) {
    for (auto const* kind : {kClient, kProject}) EXPECT_EQ(here(kind), there(kind)) << kind << " " << when;
    auto const created =
        house.rows("SELECT 1 FROM changes WHERE action='created' AND origin='" + connection + "'").size();
    EXPECT_EQ(created, static_cast<std::size_t>(kClients + kProjects)) << when;
    EXPECT_EQ(house.records(vendor).size(), there(kClient).size() + there(kProject).size()) << when;
  }

  House& house;
  std::string vendor;
  std::string connection;
};

TEST(SharedOperation, EachKindGetsExactlyItsOwnRecords) {
  House house;
  Studio studio(house);
  auto const run = house.sync(studio.connection);
  EXPECT_EQ(run.state, "done");
  EXPECT_TRUE(run.problems.empty());
  EXPECT_EQ(run.pulled.created, kClients + kProjects);
  studio.expectEqual("after the first sync");
  EXPECT_EQ(textOr(studio.clients().inputs.at(0), "/entity", ""), kClient);
  EXPECT_EQ(textOr(studio.projects().inputs.at(0), "/entity", ""), kProject);
}

TEST(SharedOperation, AChangeOrDeletionTouchesOnlyTheKindThatItWasMadeIn) {
  House house;
  Studio studio(house);
  house.sync(studio.connection);
  studio.putClient(1, "Renamed");
  studio.clients().remove(studio.id(2));
  studio.projects().remove(studio.id(3));
  auto const run = house.sync(studio.connection);
  EXPECT_EQ(run.pulled.updated, 1);
  EXPECT_EQ(run.pulled.deleted, 2);
  EXPECT_EQ(run.pulled.created, 0);
  studio.expectEqual("after changes");
  EXPECT_EQ(studio.here(kClient).size(), static_cast<std::size_t>(kClients - 1));
  EXPECT_EQ(studio.here(kProject).size(), static_cast<std::size_t>(kProjects - 1));
}

TEST(SharedOperation, AnEditIsWrittenToItsOwnKind) {
  House house;
  Studio studio(house);
  house.sync(studio.connection);
  for (auto const& record : house.records(studio.vendor)) {
    if (record.kind != kProject || textOr(record.data, "/name", "") != "Project 5") continue;
    auto data = record.data;
    data.as_object()["name"] = "Edited here";
    house.run(house.engine->putRecord(studio.vendor, record.id, data, 0)).value();
  }
  auto const run = house.sync(studio.connection);
  EXPECT_EQ(run.pushed.updated, 1) << (run.problems.empty() ? "" : run.problems.at(0).message);
  EXPECT_EQ(studio.there(kProject).at(studio.id(5)), "Edited here");
  EXPECT_EQ(studio.there(kClient).at(studio.id(5)), "Client 5");
  EXPECT_EQ(studio.clients().upserts, 0);
  studio.expectEqual("after an edit");
}

TEST(SharedOperation, ARecordOfTheOtherKindIsRefused) {
  House house;
  Studio studio(house);
  studio.clients().extra_emits.emplace_back(
      kProject,
      R"({"id":"9","version":"1","scope":"home","deleted":false,"data":{"name":"Stray","stage":"lead"}})");
  auto const run = house.sync(studio.connection);
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->kind, ErrorKind::unsupported);
  EXPECT_THAT(run.error->message, HasSubstr(kProject));
  EXPECT_TRUE(studio.here(kClient).empty());
  EXPECT_EQ(studio.here(kProject), studio.there(kProject)) << "without the stray";
}

// The daemon ends at its k-th commit, before or after that became durable; then it starts again.
// Returns whether there was such a commit.
bool endsAtCommit(int k, bool applied_first) {
  House house;
  Studio studio(house);
  house.cut->cut_at = house.cut->commits + k;
  house.cut->applied_first = applied_first;
  auto const started = house.run(house.engine->startSync(studio.connection));
  if (started) (void)house.run(house.engine->waitForRun(started->id));
  bool const reached = house.cut->dead;
  std::map<std::string, std::pair<json::value, std::size_t>> kept; // kind -> cursor, pulls before
  for (auto const* kind : {kClient, kProject})
    kept[kind] = {studio.cursor(kind), studio.of(kind).inputs.size()};
  house.restart();
  EXPECT_EQ(house.sync(studio.connection).state, "done");
  auto const when = "when it ended at commit " + std::to_string(k) + (applied_first ? ", after" : ", before");
  for (auto const* kind : {kClient, kProject}) {
    auto const& [cursor, pulls] = kept.at(kind);
    EXPECT_EQ(studio.of(kind).inputs.at(pulls).at("cursor"), cursor) << kind << " goes on elsewhere " << when;
  }
  studio.expectEqual(when);
  EXPECT_EQ(studio.cursor(kClient), (json::value{{"seq", kClients}})) << when;
  EXPECT_EQ(studio.cursor(kProject), (json::value{{"seq", kProjects}})) << when;
  return reached;
}

TEST(SharedOperation, ARestartBetweenPagesGoesOnInEachKindAtItsOwnPage) {
  int points = 0;
  while (endsAtCommit(points + 1, false) && endsAtCommit(points + 1, true)) ++points;
  EXPECT_GE(points, 9); // three pages of clients, four of projects, and the run itself
}

TEST(SharedOperation, TheSecondKindFailsAndTheFirstKeepsItsCursorAndIsNotReadAgain) {
  House house;
  Studio studio(house);
  studio.projects().die_after_records = 4;
  studio.projects().deaths = 2;
  studio.projects().extra_emits_after.emplace_back("no.kind", "{}");
  auto const failed = house.sync(studio.connection);
  EXPECT_EQ(failed.state, "partly failed");
  EXPECT_EQ(failed.worker_restarts, 2);
  EXPECT_EQ(studio.cursor(kClient), (json::value{{"seq", kClients}}));
  EXPECT_EQ(house.sync(studio.connection).state, "done");
  EXPECT_EQ(studio.clients().inputs.back().at("cursor"), (json::value{{"seq", kClients}}));
  studio.expectEqual("after the second kind failed");
}

TEST(SharedOperation, TheSecondKindFailsBetweenPagesAndGoesOnThere) {
  House house;
  Studio studio(house);
  studio.projects().die_after_records = 1;
  studio.projects().deaths = 6;
  studio.projects().page = 1;
  EXPECT_EQ(house.sync(studio.connection).state, "failed");
  auto const page = json::value{{"seq", kProjects}, {"after", studio.id(5)}};
  EXPECT_EQ(studio.cursor(kProject), page);
  EXPECT_EQ(studio.cursor(kClient), (json::value{{"seq", kClients}}));
  studio.putClient(0, "Renamed meanwhile");
  EXPECT_EQ(house.sync(studio.connection).state, "done");
  EXPECT_EQ(studio.clients().inputs.back().at("cursor"), (json::value{{"seq", kClients}}));
  EXPECT_EQ(studio.projects().inputs.back().at("cursor"), page);
  studio.expectEqual("after going on");
}

TEST(SharedOperation, AKindThatNeedsASettingWhichWasLeftOutIsToldAndIsNoFailure) {
  House house;
  Studio studio(house);
  studio.projects().refuse_pulls =
      Error(ErrorKind::invalidInput, "say what amounts are counted in", "/settings/amounts");
  auto const run = house.sync(studio.connection);
  EXPECT_EQ(run.state, "done");
  ASSERT_EQ(run.problems.size(), 1U);
  EXPECT_EQ(run.problems[0].place, kProject);
  EXPECT_EQ(run.problems[0].kind, "left_out");
  EXPECT_EQ(run.problems[0].message,
            "say what amounts are counted in; give it with: garland connections set " + studio.connection +
                " --set amounts=VALUE");
  EXPECT_EQ(house.run(house.engine->connection(studio.connection)).value().state, "connected");
  // For both kinds it is said once, but then nothing is synced.
  studio.clients().refuse_pulls = studio.projects().refuse_pulls;
  auto const both = house.sync(studio.connection);
  EXPECT_EQ(both.state, "failed");
  ASSERT_EQ(both.problems.size(), 1U);
  EXPECT_EQ(both.problems[0].place, "crm.client, crm.project");
  // One that was given is wrong, and that is a failure.
  studio.clients().refuse_pulls.reset();
  studio.projects().refuse_pulls->field = "/settings/provider";
  EXPECT_EQ(house.sync(studio.connection).state, "partly failed");
}

TEST(SharedOperation, AnEditOfAMemberThatIsOnlyBroughtInIsRefusedWithItsPlace) {
  House house;
  Studio studio(house);
  auto const amount = [](int of) { return json::object{{"amount", of}, {"currency", "EUR"}}; };
  studio.projects().put(studio.id(0),
                        json::object{{"name", "A"}, {"stage", "lead"}, {"revenue", amount(100)}});
  house.sync(studio.connection);
  auto const row = house.rows("SELECT record_id FROM links WHERE kind='crm.project' AND remote_id='1000'");
  auto const id = row.at(0).text(0);
  auto data = house.run(house.engine->record(studio.vendor, id)).value().data.as_object();
  data["name"] = "B";
  EXPECT_TRUE(house.run(house.engine->putRecord(studio.vendor, id, data, 0)));
  for (auto const& revenue : {json::value(amount(200)), json::value(nullptr)}) {
    auto edited = data;
    if (revenue.is_null())
      edited.erase("revenue");
    else
      edited["revenue"] = revenue;
    auto const refused = house.run(house.engine->putRecord(studio.vendor, id, edited, 0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().field, "/data/revenue");
    EXPECT_EQ(refused.error().message,
              "/revenue cannot be written: Fake CRM only brings it in; change it there");
  }
  auto const added = house.run(house.engine->addRecord(studio.vendor, kProject, data, studio.connection));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().field, "/data/revenue");
  house.sync(studio.connection);
  EXPECT_EQ(studio.there(kProject).at("1000"), "B");
  EXPECT_TRUE(house.run(house.engine->conflicts(studio.vendor, 10)).value().empty());
}

TEST(SharedOperation, TheFirstKindFailsAndTheSecondGoesOnAtItsOwnCursor) {
  House house;
  Studio studio(house);
  house.sync(studio.connection);
  studio.putProject(0, "Renamed");
  studio.clients().refuse_pulls = Error(ErrorKind::forbidden, "this key may not read clients");
  EXPECT_EQ(house.sync(studio.connection).state, "partly failed");
  EXPECT_EQ(studio.projects().inputs.back().at("cursor"), (json::value{{"seq", kProjects}}));
  EXPECT_EQ(studio.here(kProject).at(studio.id(0)), "Renamed");
  studio.clients().refuse_pulls.reset();
  EXPECT_EQ(house.sync(studio.connection).state, "done");
  EXPECT_EQ(studio.clients().inputs.back().at("cursor"), (json::value{{"seq", kClients}}));
  EXPECT_EQ(studio.projects().inputs.back().at("cursor"), (json::value{{"seq", kProjects + 1}}));
  studio.expectEqual("after the first kind failed");
}

} // namespace
} // namespace garland::sync
