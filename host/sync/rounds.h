// Work that comes in by names, such as connections: for each name one round at a time, for some names at
// once, each when it is due, and who has waited longest first. Nothing here waits for the clock while nothing
// is due, and who begins next is found without a look at all the others. What is due is so after a span of
// time that passes, whatever becomes of the time of day meanwhile. [loop thread]
#pragma once

#include "host/sync/context.h"
#include "host/sync/repeats.h"
#include "host/sync/waiting.h"

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace garland::sync {

class Rounds {
public:
  // Does some of what is due and says when to come again; nothing: when due() says so. After an error it is
  // called again a moment later.
  using Round = std::function<Task<std::optional<TimePoint>>(std::string name)>;
  Rounds(Context& context, std::size_t at_once, Round round);

  // Not later than `when`. May be called before start(), and while a round of the name is under way: then
  // another one follows.
  void due(std::string const& name, TimePoint when);
  void start();
  // After Context::stopping is set: answers when every round has ended.
  Task<void> stop();

  // While it lives no round of this name begins.
  class Hold {
  public:
    Hold(Rounds& rounds, std::string name);
    Hold(Hold const&) = delete;
    Hold& operator=(Hold const&) = delete;
    ~Hold();

  private:
    Rounds& rounds_;
    std::multiset<std::string>::iterator place_;
  };
  // Answers when no round of the name is under way. Under a Hold.
  Task<void> quiet(std::string name);
  void forget(std::string const& name);
  // A round of it is due some time, or under way.
  bool expects(std::string const& name) const { return due_.contains(name) || running_.contains(name); }
  bool holds(std::string const& name) const { return held_.contains(name); }

private:
  struct Turn {
    Monotonic when;
    std::uint64_t number = 0; // of those of one moment the first comes first
    auto operator<=>(Turn const&) const = default;
  };
  struct Running {
    Running(Rounds& rounds_in, std::string name_in) : rounds(rounds_in), name(std::move(name_in)) {}
    Running(Running const&) = delete;
    Running& operator=(Running const&) = delete;
    ~Running();
    Rounds& rounds;
    std::string name;
    std::optional<TimePoint> again;
  };
  Task<void> loop();
  std::optional<Monotonic> beginDue();
  void lineUp(std::string const& name);
  void stepAside(std::string const& name);
  Task<void> carryOut(std::string name);
  void tellFailure(std::string const& name, std::string const& why);
  void wake();

  Context& context_;
  std::size_t at_once_;
  Round round_;
  Nursery nursery_;
  std::map<std::string, Turn> due_;
  std::map<Turn, std::string> line_; // of those, who is neither under way nor held
  std::uint64_t turns_ = 0;
  std::set<std::string> running_;
  std::multiset<std::string> held_;
  Repeats failures_;
  std::shared_ptr<Event> woken_;
  std::shared_ptr<Event> loop_ended_;  // null: never started
  std::shared_ptr<Event> round_ended_; // set and replaced whenever one has ended
};

} // namespace garland::sync
