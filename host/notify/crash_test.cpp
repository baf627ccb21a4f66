// The daemon ends at each of its commits, before or after it was applied: nothing is lost, and what is told
// twice has one id.
#include "host/notify/testing/studio.h"

#include <map>
#include <set>

namespace garland::notify {
namespace {

using testing::Studio;
using namespace std::chrono_literals;

// How many commits the story took; 0: it was not cut.
int story(int cut_at, bool applied_first) {
  SCOPED_TRACE("cut at commit " + std::to_string(cut_at) + (applied_first ? ", applied" : ", lost"));
  Studio studio;
  int asked = 0;
  studio.answer = [&](egress::Request const&) { return Studio::status(++asked % 3 == 0 ? 500 : 200); };
  auto const made = studio.addEndpoint();
  studio.store->commits = 0;
  studio.store->cut_at = cut_at;
  studio.store->applied_first = applied_first;
  constexpr int kEvents = 4;
  for (int i = 0; i < kEvents; ++i) studio.addEvent(std::to_string(i));
  studio.wait(1min);
  auto const commits = studio.store->commits;
  bool const was_cut = studio.store->dead;
  studio.restart();
  studio.wait(10min);
  auto const all = studio.deliveries(made.endpoint.id);
  EXPECT_EQ(all.size(), std::size_t{kEvents});
  std::map<std::int64_t, std::set<std::string>> ids;
  for (auto const& request : studio.sent())
    ids[Studio::sequenceOf(request)].insert(Studio::header(request, "webhook-id"));
  EXPECT_EQ(ids.size(), std::size_t{kEvents}) << "something was never sent";
  for (auto const& [sequence, of_it] : ids) EXPECT_EQ(of_it.size(), 1U) << sequence;
  for (auto const& delivery : all) EXPECT_EQ(delivery.state, DeliveryState::delivered) << delivery.sequence;
  return was_cut ? commits : 0;
}

TEST(NotifyCrash, NothingIsLostWhicheverCommitIsTheLast) {
  int cut_at = 1;
  while (story(cut_at, false) != 0 && !::testing::Test::HasFailure()) {
    story(cut_at, true);
    ASSERT_LT(++cut_at, 100) << "it never ends";
  }
  EXPECT_GT(cut_at, 10) << "there were commits to be cut";
}

} // namespace
} // namespace garland::notify
