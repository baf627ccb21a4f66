// Pulls by a log of events: everything once, from then on what the log says.
#include "rest_state.h"

#include <ranges>

namespace garland::sdk::rest {
namespace {

class EventPuller : public ListPuller {
public:
  EventPuller(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : ListPuller(account, resource, state, receiver), log_(std::get<EventLog>(resource.changes)) {}

  void pull() {
    if (!state_.mark.empty() && !state_.walk && follow()) return;
    if (!state_.walk) {
      // The newest event first: what happens while the list is read is in the log.
      auto const newest = events("", 1);
      auto const& items = itemsOf(newest);
      state_.walk = Walk{.target = items.empty() ? "" : textOr(items.front(), log_.id), .full = true};
    }
    read({});
    state_.mark = state_.walk->target;
    state_.walk.reset();
    checkpoint();
  }

private:
  json::value events(std::string const& after, int limit) {
    Query query;
    for (auto const& parameter : log_.query) query.emplace_back(parameter.name, parameter.value);
    if (!after.empty()) query.emplace_back(log_.newer_than, after);
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
    while (true) {
      account_.call().stopIfCancelled();
      json::value answer;
      auto const refused = attempt([&] { answer = events(state_.mark, log_.per_page); });
      if (refused && refused->http_status == log_.expired) {
        account_.call().log(LogLevel::info,
                            "the log of events does not reach back far enough; everything is read");
        state_ = State();
        return false;
      }
      if (refused) throw Failure(*refused);
      received += answer_.body.size();
      auto const& items = itemsOf(answer);
      if (items.empty()) break;
      for (auto const& event : items | std::views::reverse) {
        auto const* record = find(event, log_.object);
        if (record != nullptr && record->is_object()) receiver_.take(*record);
      }
      auto newest = textOr(items.front(), log_.id);
      if (newest.empty() || newest == state_.mark)
        throw Failure(Kind::providerBug, "the log " + std::string(log_.path) + " leads in a circle");
      state_.mark = std::move(newest);
      checkpoint();
      auto const* more = find(answer, log_.more);
      if (more == nullptr || *more != json::value(true)) return true;
      pauseIfFull(received);
    }
    checkpoint();
    return true;
  }

  EventLog const& log_;
  Response answer_;
};

} // namespace

void pullEvents(Account& account, Resource const& resource, State& state, Receiver& receiver) {
  EventPuller(account, resource, state, receiver).pull();
}

} // namespace garland::sdk::rest
