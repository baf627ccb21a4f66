// Pulls by a log of events: everything once, from then on what the log says.
#include "rest_state.h"

#include <ranges>

namespace garland::sdk::rest {
namespace {

// Our clock and the provider's may differ by so much.
constexpr auto clock_skew = std::chrono::minutes(5);

class EventPuller : public ListPuller {
public:
  EventPuller(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : ListPuller(account, resource, state, receiver), log_(std::get<EventLog>(resource.changes)) {}

  void pull() {
    if (!state_.walk && begun() && reachesBack() && follow()) return;
    if (!state_.walk) {
      // The newest event first: what happens while the list is read is in the log.
      auto const now = rfc3339(account_.call().now());
      auto const newest = events({}, 1);
      auto const& items = itemsOf(newest);
      state_.walk =
          Walk{.target = items.empty() ? "" : textOr(items.front(), log_.id), .full = true, .until = now};
    }
    read({});
    if (!state_.walk->nameless) {
      state_.mark = state_.walk->target;
      state_.listed = state_.walk->until;
    }
    state_.walk.reset();
    checkpoint();
  }

private:
  // `state_.listed` is when the log was read last. If it was empty then, there is no other mark.
  bool begun() const { return !state_.mark.empty() || (!log_.since.empty() && !state_.listed.empty()); }

  bool reachesBack() const {
    auto const last = parseRfc3339(state_.listed);
    if (log_.keeps == Milliseconds(0) || !last || account_.call().now() - *last < log_.keeps) return true;
    account_.call().log(LogLevel::info, "the log of events was not read for too long; everything is read");
    return false;
  }

  Query position() const {
    if (!state_.mark.empty()) return {{std::string(log_.newer_than), state_.mark}};
    auto const last = parseRfc3339(state_.listed).value_or(TimePoint()) - clock_skew;
    return {{std::string(log_.since), std::to_string(last.time_since_epoch().count() / 1000)}};
  }

  json::value events(Query const& position, int limit) {
    Query query;
    for (auto const& parameter : log_.query) query.emplace_back(parameter.name, parameter.value);
    query.insert(query.end(), position.begin(), position.end());
    query.emplace_back(log_.limit, std::to_string(limit));
    Request request;
    request.url = withQuery(log_.path, query);
    return fetch(account_, resource_.errors, std::move(request), &answer_);
  }

  json::array const& itemsOf(json::value const& answer) const {
    auto const* items = find(answer, log_.records);
    if (items == nullptr || !items->is_array())
      throw Failure(Kind::providerBug, "the log " + std::string(log_.path) + ": " +
                                           std::string(log_.records) + ": must be an array");
    return items->get_array();
  }

  // False if the log does not reach back to where we were.
  bool follow() {
    std::uint64_t received = 0;
    auto const now = rfc3339(account_.call().now());
    bool more = true;
    while (more) {
      account_.call().stopIfCancelled();
      json::value answer;
      auto const refused = attempt([&] { answer = events(position(), log_.per_page); });
      bool const gone = refused && (refused->http_status == log_.expired || refused->kind == Kind::notFound);
      if (refused && !gone) throw Failure(*refused);
      more = !gone && isTrue(find(answer, log_.more));
      // Behind a moment the pages go back in time: then more than one is as much as everything.
      if (gone || (more && state_.mark.empty())) {
        account_.call().log(LogLevel::info,
                            "the log of events does not reach back far enough; everything is read");
        state_ = State();
        return false;
      }
      received += answer_.body.size();
      auto const& items = itemsOf(answer);
      more = more && !items.empty();
      received += take(items);
      if (!more) close(now);
      checkpoint();
      if (more) pauseIfFull(received);
    }
    return true;
  }

  void close(std::string const& now) {
    if (state_.back)
      state_.mark = *std::exchange(state_.back, std::nullopt);
    else
      state_.listed = now;
  }

  // One page, the oldest event first; how many bytes were read besides.
  std::uint64_t take(json::array const& items) {
    if (items.empty()) return 0;
    std::uint64_t received = 0;
    std::set<std::string> taken;
    for (auto const& event : items | std::views::reverse) {
      auto const* record = find(event, log_.object);
      auto const id = record != nullptr ? textOr(*record, resource_.id) : std::string();
      if (id.empty())
        tellNameless(record);
      else if (!log_.read_again)
        receiver_.take(*record);
      else if (taken.insert(id).second)
        received += takeAgain(id, *record);
    }
    auto newest = textOr(items.front(), log_.id);
    if (newest.empty() || newest == state_.mark)
      throw Failure(Kind::providerBug, "the log " + std::string(log_.path) + " leads in a circle");
    state_.mark = std::move(newest);
    return received;
  }

  // The next pull reads this page again.
  void tellNameless(json::value const* record) {
    if (!state_.back) state_.back = state_.mark;
    if (record != nullptr) return receiver_.take(*record);
    receiver_.problem({}, Failure(Kind::providerBug, "an event of the log " + std::string(log_.path) +
                                                         " has no " + std::string(log_.object)));
  }

  static bool isTrue(json::value const* value) { return value != nullptr && *value == json::value(true); }

  EventLog const& log_;
  Response answer_;
};

} // namespace

void pullEvents(Account& account, Resource const& resource, State& state, Receiver& receiver) {
  EventPuller(account, resource, state, receiver).pull();
}

} // namespace garland::sdk::rest
