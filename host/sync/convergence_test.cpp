// Two sides edited at random, with duplicates, reordering, delay and a provider that writes things its
// own way: they end up equal, nothing is written more than once per real edit, and then it is quiet.
#include "host/sync/testing/house.h"

namespace garland::sync {
namespace {

using testing::event;
using testing::House;

json::value normalised(json::value data) {
  std::string title(data.at("title").as_string());
  title.erase(0, title.find_first_not_of(' '));
  for (auto& c : title) c = static_cast<char>(std::toupper(c));
  data.as_object()["title"] = title;
  if (auto const* location = data.as_object().if_contains("location"))
    data.as_object()["location"] = std::string(location->as_string()).substr(0, 6);
  return data;
}

class Story {
public:
  explicit Story(std::uint64_t seed) : chaos_(seed) {
    remote_.normalise = normalised;
    remote_.page = 3;
    for (int i = 0; i < 8; ++i) remoteAdd();
    vendor_ = house_.vendor();
    connection_ = house_.connect(vendor_, "p");
    house_.sync(connection_);
    remote_.chaos = &chaos_;
  }

  void play(int steps) {
    for (int i = 0; i < steps; ++i) {
      switch (chaos_() % 9) {
      case 0:
      case 1: localEdit(); break;
      case 2:
      case 3: remoteEdit(); break;
      case 4: localAdd(); break;
      case 5: remoteAdd(); break;
      case 6: localDelete(); break;
      case 7: remoteDelete(); break;
      default: EXPECT_EQ(house_.sync(connection_).state, "done"); break;
      }
    }
  }

  void settle() {
    remote_.chaos = nullptr;
    for (int i = 0; i < 4; ++i) house_.sync(connection_);
    auto const writes = remote_.writes;
    auto const quiet = house_.sync(connection_);
    EXPECT_EQ(remote_.writes, writes);
    EXPECT_EQ(quiet.pulled.created + quiet.pulled.updated + quiet.pulled.deleted + quiet.pulled.unchanged, 0);
    EXPECT_LE(remote_.writes, local_edits_);
    EXPECT_EQ(house_.rows("SELECT 1 FROM pushes").size(), 0U);

    std::map<std::string, std::string> here;
    std::map<std::string, std::string> there;
    for (auto const& record : house_.records(vendor_))
      here[textOr(record.data, "/uid", "")] = canonicalJson(record.data);
    for (auto const& [id, remote] : remote_.events())
      there[textOr(remote.data, "/uid", "")] = canonicalJson(remote.data);
    EXPECT_EQ(here, there);
    EXPECT_EQ(house_.records(vendor_).size(), remote_.events().size()) << "a record is double";
  }

private:
  std::string text() { return " text " + std::to_string(chaos_() % 1000); }
  std::string member() { return chaos_() % 2 == 0 ? "title" : "location"; }

  std::optional<Record> anyRecord() {
    auto records = house_.records(vendor_);
    if (records.empty()) return std::nullopt;
    return records[chaos_() % records.size()];
  }
  std::string anyRemote() {
    if (remote_.events().empty()) return "";
    auto at = remote_.events().begin();
    std::advance(at, static_cast<std::ptrdiff_t>(chaos_() % remote_.events().size()));
    return at->first;
  }

  void localEdit() {
    auto const record = anyRecord();
    if (!record) return;
    auto data = record->data;
    data.as_object()[member()] = text();
    house_.run(house_.engine->putRecord(vendor_, record->id, data, record->version)).value();
    ++local_edits_;
  }
  void localAdd() {
    auto const uid = "here" + std::to_string(++made_);
    house_.run(house_.engine->addRecord(vendor_, "calendar.event", event(uid, text()), connection_)).value();
    ++local_edits_;
  }
  void localDelete() {
    auto const record = anyRecord();
    if (!record) return;
    house_.run(house_.engine->deleteRecord(vendor_, record->id, 0)).value();
    ++local_edits_;
  }
  void remoteEdit() {
    auto const id = anyRemote();
    if (id.empty()) return;
    auto data = remote_.events().at(id).data;
    data.as_object()[member()] = text();
    remote_.put(id, data);
  }
  void remoteAdd() {
    auto const uid = "there" + std::to_string(++made_);
    remote_.put("/cal/" + uid, event(uid, text()));
  }
  void remoteDelete() {
    if (auto const id = anyRemote(); !id.empty()) remote_.remove(id);
  }

  House house_;
  testing::FakeProvider& remote_ = house_.provider("p");
  std::mt19937_64 chaos_;
  std::string vendor_;
  std::string connection_;
  int local_edits_ = 0;
  int made_ = 0;
};

TEST(Convergence, BothSidesEndUpEqualWithAtMostOneWritePerEdit) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story(seed);
    story.play(60);
    story.settle();
    if (::testing::Test::HasFailure()) break;
  }
}

} // namespace
} // namespace garland::sync
