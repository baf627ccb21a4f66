// The engine is thrown away at every commit in turn, once before and once after it became durable.
// Whatever the moment, the same things are true in the end as without the accident.
#include "host/sync/testing/house.h"

namespace garland::sync {
namespace {

using testing::event;
using testing::House;

// Everything that counts, in words that do not depend on ids.
struct Picture {
  std::map<std::string, std::string> records; // uid -> version, deleted, data
  std::map<std::string, std::string> remote;  // id -> data
  std::int64_t changes = 0;
  std::size_t links = 0;
  std::size_t waiting = 0;
  int writes = 0;
  bool operator==(Picture const&) const = default;
};

std::ostream& operator<<(std::ostream& out, Picture const& picture) {
  for (auto const& [uid, text] : picture.records) out << uid << ": " << text << "\n";
  for (auto const& [id, text] : picture.remote) out << id << ": " << text << "\n";
  return out << picture.changes << " changes, " << picture.links << " links, " << picture.waiting
             << " waiting, " << picture.writes << " writes";
}

Picture pictureOf(House& house, std::string const& vendor) {
  Picture picture;
  for (auto const& record : house.records(vendor, true))
    picture.records[textOr(record.data, "/uid", "")] = "v" + std::to_string(record.version) +
                                                       (record.deleted ? " deleted " : " ") +
                                                       canonicalJson(record.data);
  for (auto const& [id, remote] : house.provider("p").events())
    picture.remote[id] = canonicalJson(remote.data);
  picture.changes =
      static_cast<std::int64_t>(house.run(house.engine->changes(vendor, 0, 1000)).value().size());
  picture.links = house.rows("SELECT 1 FROM links WHERE state='live'").size();
  picture.waiting = house.rows("SELECT 1 FROM pushes").size();
  picture.writes = house.provider("p").writes;
  return picture;
}

void retitle(House& house, std::string const& vendor, std::string const& uid, std::string const& title) {
  house.run(testing::putMember(house.engine.get(), vendor, uid, "title", title)).value();
}

// Both sides change; then a sync with the store cut at its k-th commit (0: never). Returns whether
// the cut was reached.
bool play(House& house, std::string& vendor, int k, bool applied_first) {
  auto& remote = house.provider("p");
  remote.page = 4;
  for (int i = 0; i < 10; ++i) {
    auto const uid = "e" + std::to_string(i);
    remote.put("/cal/" + uid, event(uid, "Shoot " + uid));
  }
  vendor = house.vendor();
  auto const connection = house.connect(vendor, "p");
  if (k < 0) { // the first sync is the one that is cut
    house.cut->cut_at = house.cut->commits - k;
  } else {
    house.sync(connection);
    retitle(house, vendor, "e0", "Edited here");
    retitle(house, vendor, "e1", "Edited on both sides, here");
    house.run(house.engine->deleteRecord(vendor, house.recordOf(vendor, "e2").id, 0)).value();
    house.run(house.engine->addRecord(vendor, "calendar.event", event("new", "Made here"), connection))
        .value();
    auto both = event("e1", "Shoot e1");
    both["location"] = "Barn";
    remote.put("/cal/e1", both);
    remote.remove("/cal/e3");
    remote.put("/cal/there", event("there", "Made there"));
    if (k > 0) house.cut->cut_at = house.cut->commits + k;
  }
  house.cut->applied_first = applied_first;
  house.clock.advance(Milliseconds(1000));
  auto const started = house.run(house.engine->startSync(connection));
  if (started) (void)house.run(house.engine->waitForRun(started->id));
  bool const reached = house.cut->dead;
  house.restart();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(house.sync(connection).state, "done");
  return reached;
}

// What is durable is told in the audit chain, and nothing else is.
void expectAllToldOf(House& house, std::string const& moment) {
  std::int64_t told = 0;
  for (auto const& entry : house.told("change"))
    if (textOr(entry, "/act", "") == "records.change")
      for (auto const* action : {"/facts/created", "/facts/updated", "/facts/deleted"})
        told += integerOr(entry, action, 0);
  EXPECT_EQ(told, house.rows("SELECT COUNT(*) FROM changes")[0].integer(0)) << moment;
  EXPECT_EQ(house.verdict().faults_in_all, 0) << moment;
}

void crashEverywhere(int sign) {
  Picture expected;
  {
    House house;
    std::string vendor;
    play(house, vendor, sign > 0 ? 0 : -1'000'000, false);
    expected = pictureOf(house, vendor);
    EXPECT_EQ(expected.waiting, 0U);
  }
  int points = 0;
  for (int k = 1;; ++k) {
    bool reached = false;
    for (bool const applied_first : {false, true}) {
      House house;
      std::string vendor;
      reached = play(house, vendor, sign * k, applied_first);
      auto const moment = "cut at commit " + std::to_string(k) + (applied_first ? ", after" : ", before") +
                          " it became durable";
      EXPECT_EQ(pictureOf(house, vendor), expected) << moment;
      expectAllToldOf(house, moment);
    }
    if (!reached) break;
    ++points;
  }
  EXPECT_GE(points, 5);
}

TEST(Crash, DuringTheFirstSyncNothingIsLostAndNothingDouble) { crashEverywhere(-1); }

TEST(Crash, DuringATwoWaySyncEveryEditArrivesOnceAtBothSides) { crashEverywhere(1); }

TEST(Crash, ARunThatWasCutIsMarkedAndItsConnectionIsDueAtOnce) {
  House house;
  auto const vendor = house.vendor();
  house.provider("p").put("/cal/a", event("a", "A"));
  auto const connection = house.connect(vendor, "p");
  house.cut->cut_at = house.cut->commits + 2;
  auto const started = house.run(house.engine->startSync(connection)).value();
  (void)house.run(house.engine->waitForRun(started.id));
  house.restart();
  auto const marked = house.run(house.engine->run(started.id)).value();
  EXPECT_EQ(marked.state, "failed");
  EXPECT_EQ(marked.error->kind, ErrorKind::cancelled);
  // start() syncs it without being asked: the schedule sleeps once it has looked.
  while (house.clock.sleepers() == 0) house.loop.run_one();
  auto const next = house.run(house.engine->lastRun(connection)).value();
  ASSERT_TRUE(next);
  auto const ended = house.run(house.engine->waitForRun(next->id)).value();
  EXPECT_NE(ended.id, started.id);
  EXPECT_EQ(ended.state, "done");
  EXPECT_EQ(house.records(vendor).size(), 1U);
}

} // namespace
} // namespace garland::sync
