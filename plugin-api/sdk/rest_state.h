// How far a pull is, as the host keeps it between calls. One form for all strategies.
#pragma once

#include <garland/sdk/rest.hpp>

#include <map>
#include <optional>
#include <utility>

namespace garland::sdk::rest {

// A list that is being read.
struct Walk {
  std::string at = {};     // position of the next page; empty: none was read
  std::string target = {}; // what `mark` becomes at its end
  bool full = false;       // reads everything
  bool whole = true;       // false: an earlier call read a part of it, so that its ids are not all known here
  std::string until = {};  // Descending: modification time of the last record taken
  std::int64_t total = 0;  // Descending: how many records there were at its beginning
  std::int64_t fresh = 0;  // Descending: how many records were created since `mark`
  std::map<std::string, std::string> ties = {}; // Descending: what has the target's very time
  // The oldest record without an id, by its time, or by that of the next older one if it tells none; "": none
  // told any.
  std::optional<std::string> nameless = {};
  std::optional<std::string> back = {}; // Descending: this walk reads back to here, not to `mark`
};
GARLAND_RECORD(Walk, at, target, full, whole, until, total, fresh, ties, nameless, back)

struct State {
  std::string mark;   // everything up to here is done; empty: nothing yet
  std::string listed; // Descending: when all ids were listed
  std::int64_t total = 0;
  std::map<std::string, std::string> ties = {}; // Descending: hashes of what has the mark's very time, by id
  std::optional<Walk> walk = {};
  // Descending, EventLog: the next pull goes back to here, since what came after it had no id.
  std::optional<std::string> back = {};
};
GARLAND_RECORD(State, mark, listed, total, ties, walk, back)

// The host keeps every answer of a call until it ends (64 MiB): more comes in several calls.
inline constexpr std::uint64_t max_received = 40U << 20U;

// A longer wait is left to the host, who can do something else meanwhile.
inline constexpr Milliseconds longest_wait = std::chrono::seconds(10);

// What every strategy does with a page.
class Puller {
public:
  Puller(Account& account, Resource const& resource, State& state, Receiver& receiver)
      : account_(account), resource_(resource), state_(state), receiver_(receiver) {}

protected:
  void checkpoint() { receiver_.checkpoint(encode(state_)); }
  void listIds(json::array const& records, bool last);
  // A record without an id was told and not taken, so the mark does not go past it: it is read again by each
  // pull until it has one. `time` is what the list is sorted by, the newest first.
  void noteNameless(json::value const& record, std::optional<TimePoint> time = std::nullopt);
  // Takes a listed record as it is now: read by its id, or, if it is gone by now, as it was. One that alone
  // cannot be read is told; two in a row that get no answer are an outage, which ends the call. Gives the
  // bytes that came.
  std::uint64_t takeAgain(std::string const& id, json::value const& as_it_was);
  // Before a request: waits for as long as the answer before asked for, if that is not long. After it: looks
  // whether the provider takes more.
  void pace();
  void heed(Response const& answer);
  // After a checkpoint: stops if another page might find no room at the host.
  void pauseIfFull(std::uint64_t received) const;

  Account& account_;
  Resource const& resource_;
  State& state_;
  Receiver& receiver_;

  bool unanswered_ = false; // the record before was not read by its id, for what may be an outage

private:
  Milliseconds pause_{0};
};

// One list to its end, from state.walk on; takes everything and lists ids if walk.full. `query` is added.
class ListPuller : public Puller {
public:
  using Puller::Puller;
  // The last page's answer.
  json::value read(Query const& query, std::string_view start = {});
  Response const& firstAnswer() const { return first_; }

private:
  Response first_;
};

void pullDescending(Account& account, Resource const& resource, State& state, Receiver& receiver);
void pullRecent(Account& account, Resource const& resource, State& state, Receiver& receiver);
void pullEvents(Account& account, Resource const& resource, State& state, Receiver& receiver);

} // namespace garland::sdk::rest
