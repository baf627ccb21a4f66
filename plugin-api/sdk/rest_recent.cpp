// Pulls of a list with the newest first, of records that change only while they are young.
#include "rest_state.h"

#include <algorithm>

namespace garland::sdk::rest {
namespace {

class RecentPuller : public Puller {
public:
  RecentPuller(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : Puller(account, resource, state, receiver), recent_(std::get<Recent>(resource.changes)) {}

  void pull() {
    auto const now = account_.call().now();
    if (!state_.walk) state_.walk = Walk{.full = lateIsDue(now)};
    auto const window = state_.walk->full ? std::max(recent_.late, recent_.window) : recent_.window;
    if (auto const mark = parseRfc3339(state_.mark)) until_ = *mark - window;
    Pages pages(account_, resource_, {}, state_.walk->at);
    while (next(pages) && take(pages.records())) {
      state_.walk->at = pages.position();
      if (state_.walk->at.empty()) break;
      checkpoint();
      pauseIfFull(pages.received() + received_);
    }
    if (auto const& nameless = state_.walk->nameless) state_.walk->target = *nameless;
    if (!state_.walk->target.empty()) state_.mark = state_.walk->target;
    if (state_.walk->full) state_.listed = rfc3339(now);
    state_.walk.reset();
    checkpoint();
  }

private:
  bool lateIsDue(TimePoint now) const {
    auto const last = parseRfc3339(state_.listed);
    return recent_.late > Milliseconds(0) && (!last || now - *last >= std::chrono::hours(24));
  }

  bool next(Pages& pages) {
    bool more = false;
    pace();
    auto const refused = attempt([&] { patiently(account_.call(), [&] { more = pages.next(); }); });
    if (!refused) {
      heed(pages.response());
      return more;
    }
    // The record behind which the page begins may be gone: the next pull starts with the first page.
    if (refused->kind == Kind::notFound || refused->kind == Kind::invalidInput) {
      state_.walk.reset();
      checkpoint();
    }
    throw Failure(*refused);
  }

  // False if the rest is too old to have changed.
  bool take(json::array const& records) {
    for (auto const& record : records) {
      auto const created = parseRfc3339(textOr(record, recent_.created));
      if (created && until_ && *created < *until_) return false;
      if (created && state_.walk->target.empty()) state_.walk->target = rfc3339(*created);
      noteNameless(record, created);
      auto const id = textOr(record, resource_.id);
      if (recent_.read_again && !id.empty())
        readAgain(id, record);
      else
        receiver_.take(record);
    }
    return true;
  }

  // If it ends here, the next call goes on behind the last that was read: each costs a request.
  void readAgain(std::string const& id, json::value const& record) {
    auto const refused = attempt([&] { received_ += takeAgain(id, record); });
    if (!refused) {
      if (!unanswered_) read_up_to_ = id;
      return;
    }
    bool const by_id = std::holds_alternative<StartingAfter>(resource_.paging);
    if (by_id && !read_up_to_.empty() && refused->kind != Kind::cancelled) {
      state_.walk->at = read_up_to_;
      checkpoint();
    }
    throw Failure(*refused);
  }

  Recent const& recent_;
  std::optional<TimePoint> until_;
  std::string read_up_to_; // id
  std::uint64_t received_ = 0;
};

} // namespace

void patiently(Call& call, std::function<void()> const& work) {
  constexpr Milliseconds shortest{100};
  for (;;) {
    auto const refused = attempt(work);
    if (!refused) return;
    auto const wait = std::max(shortest, refused->retry_after.value_or(longest_wait));
    if (refused->kind != Kind::rateLimited || wait > longest_wait || call.remaining() < 2 * wait)
      throw Failure(*refused);
    call.sleep(wait);
  }
}

void pullRecent(Account& account, Resource const& resource, State& state, Receiver& receiver) {
  RecentPuller(account, resource, state, receiver).pull();
}

} // namespace garland::sdk::rest
