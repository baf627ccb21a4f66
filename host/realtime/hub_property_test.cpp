// Whatever the order of commits, late answers of the database, resumptions and pauses: every subscriber gets
// every change that it asked for, in order, once.
#include "host/realtime/feed_fixture.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace garland::realtime {
namespace {

constexpr std::array<char const*, 3> kKinds{"crm.client", "crm.event", "calendar.event"};

// Follows one vendor through many connections, each of which begins where the last one ended.
struct Follower {
  Filter filter;
  std::int64_t began = 0;    // the number that it asked for first
  std::int64_t position = 0; // of a connection that has ended
  std::unique_ptr<Reader> reader;
  std::vector<std::int64_t> seen;

  void hangUp() {
    if (!reader) return;
    seen.insert(seen.end(), reader->seen.begin(), reader->seen.end());
    position = reader->subscription().position();
    reader.reset();
  }
};

class Story {
public:
  explicit Story(std::uint64_t seed) : random_(seed), house_(tight()) {
    for (int i = 0; i < 3; ++i) house_.feed->commit("a");
    house_.feed->lateness = [this] { return below(4); };
  }

  void run() {
    for (int step = 0; step < 300; ++step) act();
    house_.feed->lateness = [] { return 0; };
    for (auto& follower : followers_) {
      if (!follower.reader) connect(follower);
      follower.reader->still = false;
      follower.reader->ready();
    }
    for (int i = 0; i < 3; ++i) house_.look();
    for (auto& follower : followers_) check(follower);
  }

private:
  static Limits tight() {
    Limits limits;
    limits.tail_events = 8;
    limits.page = 5;
    limits.batch = 3;
    limits.readers = 2;
    return limits;
  }
  int below(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most)); }

  void act() {
    switch (below(8)) {
    case 0: return commit(1 + below(3));
    case 1: return commit(1 + below(20));
    case 2: return begin();
    case 3: return pause();
    case 4: return resume();
    case 5:
      if (below(4) == 0) house_.clock.advance(Milliseconds(1'000));
      return;
    default:
      house_.loop.restart();
      for (int turns = below(12); turns > 0; --turns) house_.loop.poll_one();
    }
  }
  void commit(int count) {
    for (int i = 0; i < count; ++i) house_.feed->commit("a", kKinds.at(static_cast<std::size_t>(below(3))));
    if (below(3) > 0) house_.hub->changed("a"); // else another daemon's
  }
  void begin() {
    if (followers_.size() >= 12) return;
    Follower follower;
    follower.filter = filterOf("a");
    if (below(2) == 0) follower.filter.kinds.emplace_back(kKinds.at(static_cast<std::size_t>(below(3))));
    follower.began = follower.position = below(static_cast<int>(house_.feed->of["a"].size()) + 1);
    connect(follower);
    followers_.push_back(std::move(follower));
  }
  void connect(Follower& follower) {
    auto const subscribed = house_.subscribe(follower.filter, follower.position).value();
    ASSERT_NE(subscribed.subscription, nullptr);
    follower.reader = std::make_unique<Reader>(subscribed.subscription);
  }
  void pause() {
    if (followers_.empty()) return;
    auto& follower = followers_[static_cast<std::size_t>(below(static_cast<int>(followers_.size())))];
    if (!follower.reader) return;
    if (below(2) == 0)
      follower.hangUp();
    else
      follower.reader->still = true;
  }
  void resume() {
    if (followers_.empty()) return;
    auto& follower = followers_[static_cast<std::size_t>(below(static_cast<int>(followers_.size())))];
    if (!follower.reader) return connect(follower);
    if (below(2) == 0) return void(follower.reader->takeOnce());
    follower.reader->still = false;
    follower.reader->ready();
  }
  void check(Follower& follower) {
    follower.hangUp();
    std::vector<std::int64_t> wanted;
    for (auto const& change : house_.feed->of["a"]) {
      bool const kind = follower.filter.kinds.empty() || follower.filter.kinds.front() == change.kind;
      if (kind && change.sequence > follower.began) wanted.push_back(change.sequence);
    }
    EXPECT_EQ(follower.seen, wanted);
  }

  std::mt19937_64 random_;
  HubHouse house_;
  std::vector<Follower> followers_;
};

TEST(HubProperty, NobodyMissesAChangeOrGetsOneTwice) {
  auto const* const asked = std::getenv("GARLAND_HUB_SEEDS"); // the long profile asks for more
  auto const seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed).run();
    if (HasFailure()) return;
  }
}

} // namespace
} // namespace garland::realtime
