// Pulls of everything, by a filter, by a token, by a link.
#include "rest_state.h"

namespace garland::sdk::rest {
namespace {

// The provider's clock, as far as it tells; else the host's.
TimePoint providersNow(Call const& call, Response const& response) {
  auto const ago = errors::delayOf(response.header("Date"), errors::DelayHeader::Form::date, TimePoint());
  return ago ? TimePoint(*ago) : call.now();
}

class Strategy {
public:
  Strategy(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : account_(account), resource_(resource), state_(state), receiver_(receiver) {}

  void operator()(Everything const&) {
    begin(true, "");
    read({});
    end("");
  }

  void operator()(Since const& since) {
    bool const first = state_.mark.empty();
    Query query;
    if (!first) query.emplace_back(since.parameter, state_.mark);
    if (!state_.walk) begin(first, "");
    ListPuller puller(account_, resource_, state_, receiver_);
    // The first answer's clock, less some, whatever the records say: they change while they are read.
    if (state_.walk->target.empty())
      state_.walk->target = shown(since, account_.call().now() - since.overlap);
    puller.read(query);
    auto target = state_.walk->target;
    if (state_.walk->whole)
      target = shown(since, providersNow(account_.call(), puller.firstAnswer()) - since.overlap);
    end(std::move(target));
  }

  void operator()(SyncToken const& token) {
    auto const start = [&](std::string const& mark) { return Query{{std::string(token.parameter), mark}}; };
    byToken(token.expired, token.next,
            [&] { return read(state_.mark.empty() ? Query() : start(state_.mark)); });
  }

  void operator()(DeltaLink const& link) {
    byToken(link.expired, link.next, [&] { return read({}, state_.mark); });
  }

  void operator()(Descending const&) { pullDescending(account_, resource_, state_, receiver_); }
  void operator()(Recent const&) { pullRecent(account_, resource_, state_, receiver_); }
  void operator()(EventLog const&) { pullEvents(account_, resource_, state_, receiver_); }

private:
  void begin(bool full, std::string target) {
    if (!state_.walk) state_.walk = Walk{.target = std::move(target), .full = full};
  }
  json::value read(Query const& query, std::string_view start = {}) {
    return ListPuller(account_, resource_, state_, receiver_).read(query, start);
  }
  void end(std::string mark) {
    if (!state_.walk->nameless) state_.mark = std::move(mark);
    state_.walk.reset();
    receiver_.checkpoint(encode(state_));
  }

  template <class Read> void byToken(int expired, std::string_view next, Read&& read_all) {
    begin(state_.mark.empty(), "");
    json::value last;
    auto refused = attempt([&] { last = read_all(); });
    if (refused) {
      if (refused->http_status != expired || state_.mark.empty()) throw std::move(*refused);
      state_ = State();
      begin(true, "");
      last = read_all();
    }
    auto mark = textOr(last, next);
    if (mark.empty())
      throw Failure(Kind::providerBug, "the last page of " + std::string(resource_.path) + ": " +
                                           std::string(next) + ": is missing");
    end(std::move(mark));
  }

  static std::string shown(Since const& since, TimePoint moment) {
    if (since.form == Since::Form::rfc3339) return rfc3339(moment);
    return std::to_string(std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count());
  }

  Account& account_;
  Resource const& resource_;
  State& state_;
  Receiver& receiver_;
};

// Whether it may be the fault of that record only.
bool ofOneRecord(Kind kind) {
  return kind == Kind::providerBug || kind == Kind::forbidden || kind == Kind::invalidInput ||
         kind == Kind::transient;
}

} // namespace

void Puller::listIds(json::array const& records, bool last) {
  std::vector<std::string> ids;
  for (auto const& record : records) {
    auto id = textOr(record, resource_.id);
    // One whose id cannot be read is there all the same: a list without it would tell of a deletion.
    if (id.empty()) {
      state_.walk->whole = false;
      return;
    }
    ids.push_back(std::move(id));
  }
  receiver_.listing(ids, last);
}

void Puller::noteNameless(json::value const& record, std::optional<TimePoint> time) {
  auto& oldest = state_.walk->nameless;
  bool const timeless = oldest && oldest->empty();
  if (!timeless && !textOr(record, resource_.id).empty()) return;
  oldest = time ? rfc3339(*time) : std::string();
}

std::uint64_t Puller::takeAgain(std::string const& id, json::value const& as_it_was) {
  account_.call().stopIfCancelled();
  pace();
  json::value record;
  Response answer;
  auto const refused = attempt([&] {
    patiently(account_.call(), [&] {
      Request request;
      request.url = std::string(resource_.path) + "/" + percentEncode(id);
      record = fetch(account_, resource_.errors, std::move(request), &answer);
    });
  });
  heed(answer);
  bool const gone = refused && refused->kind == Kind::notFound;
  bool const unanswered = refused && refused->kind == Kind::transient;
  bool const outage = std::exchange(unanswered_, unanswered) && unanswered;
  if (refused && !gone && (outage || !ofOneRecord(refused->kind))) throw Failure(*refused);
  if (refused && !gone)
    receiver_.problem(id, *refused);
  else
    receiver_.take(gone ? as_it_was : record);
  return answer.body.size();
}

void Puller::pace() {
  auto const wait = std::exchange(pause_, Milliseconds(0));
  if (wait > Milliseconds(0) && wait <= longest_wait && account_.call().remaining() >= 2 * wait)
    account_.call().sleep(wait);
}

void Puller::heed(Response const& answer) {
  pause_ = errors::pauseAfter(resource_.errors, answer, account_.call().now()).value_or(Milliseconds(0));
}

void Puller::pauseIfFull(std::uint64_t received) const {
  if (received < max_received) return;
  throw Failure(Kind::transient, "a part of a long list is stored; the next sync goes on from there");
}

json::value ListPuller::read(Query const& query, std::string_view start) {
  auto& walk = *state_.walk;
  walk.whole = walk.at.empty();
  Pages pages(account_, resource_, query, walk.at.empty() ? std::string(start) : walk.at);
  while (pages.next()) {
    if (first_.headers.empty()) first_ = pages.response();
    for (auto const& record : pages.records()) noteNameless(record);
    for (auto const& record : pages.records()) receiver_.take(record);
    if (walk.full && walk.whole) listIds(pages.records(), false);
    walk.at = pages.position();
    if (walk.at.empty()) break;
    checkpoint();
    pauseIfFull(pages.received());
  }
  if (walk.full && walk.whole) listIds({}, true);
  return pages.document();
}

void pull(Account& account, Resource const& resource, json::value const& cursor, Receiver& receiver) {
  State state;
  // A cursor that cannot be read is as good as none: everything is read once more.
  if (!cursor.is_null()) static_cast<void>(attempt([&] { state = decode<State>(cursor); }));
  std::visit(Strategy(account, resource, state, receiver), resource.changes);
}

} // namespace garland::sdk::rest
