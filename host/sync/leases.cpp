#include "host/sync/leases.h"

#include "host/sync/peers.h"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace garland::sync {
namespace {

constexpr Milliseconds kBeat{4'000};
constexpr Milliseconds kLasts{15'000};
constexpr Milliseconds kMargin{2'000}; // so much sooner than others this node counts itself as gone
constexpr Milliseconds kAgain{1'000};  // after trouble with the database
constexpr Milliseconds kLookForStrangeEvery{60'000};
constexpr Milliseconds kClocksApart{5'000};
constexpr Milliseconds kClaim{60'000}; // a call of its owner may be under way
constexpr std::int64_t kTakenAtOnce = 256;

std::set<std::string> pluginsOf(runtime::Catalogue const& catalogue) {
  std::set<std::string> ids;
  for (auto const& plugin : catalogue.plugins()) ids.insert(plugin.manifest.id);
  return ids;
}

} // namespace

Leases::Leases(Context& context, NodeName name, Owning owning)
    : context_(context), table_(context.doors.store, context.newId("nod"), std::move(name),
                                context.doors.vault.keyIds(), kLasts),
      owning_(std::move(owning)), nursery_(context.doors.executor) {}

Task<void> Leases::start() {
  if (loop_ended_) co_return Result<void>();
  table_.serves(pluginsOf(context_.doors.catalogue));
  CO_TRY_VOID(co_await table_.signOn());
  CO_TRY_VOID(co_await pass());
  loop_ended_ = std::make_shared<Event>(context_.doors.executor);
  auto const ended = loop_ended_;
  asio::co_spawn(context_.doors.executor, loop(),
                 [ended](std::exception_ptr, Result<void>) { ended->set(); });
  co_return Result<void>();
}

Task<void> Leases::stop() {
  stopping_ = true;
  look();
  tellWaiting();
  if (!loop_ended_) co_return Result<void>();
  auto const loop_over = loop_ended_;
  CO_TRY_VOID(co_await loop_over->wait());
  CO_TRY_VOID(co_await nursery_.drained());
  leases_.clear();
  auto const off = co_await table_.signOff();
  if (!off)
    context_.doors.log.warn("the connections of this daemon are free in a moment, not at once: " +
                            off.error().message);
  co_return Result<void>();
}

void Leases::look() {
  if (woken_) woken_->set();
}

Task<void> Leases::loop() {
  while (!stopping_) {
    auto const woken = std::make_shared<Event>(context_.doors.executor);
    woken_ = woken;
    auto const passed = co_await pass();
    if (stopping_) break;
    if (!passed) may_lack_leases_ = true;
    if (!passed && !std::exchange(failing_, true))
      context_.doors.log.warn("the other daemons on the database cannot be told that this one lives: " +
                              passed.error().message);
    if (passed && std::exchange(failing_, false))
      context_.doors.log.info("the other daemons on the database know again that this one lives");
    Alarm const alarm(context_.doors.executor, context_.doors.clock, passed ? kBeat : kAgain, woken);
    CO_TRY_VOID(co_await woken->wait());
  }
  co_return Result<void>();
}

Task<void> Leases::pass() {
  table_.serves(pluginsOf(context_.doors.catalogue));
  auto const asked = context_.doors.clock.monotonic();
  CO_TRY(pulse, co_await table_.beat());
  // Who is late may have lost some while it was saying that it lives; now nobody takes any more.
  bool const late = context_.doors.clock.monotonic() >= valid_until_;
  may_lack_leases_ = may_lack_leases_ || late;
  if (late || !agrees(pulse)) {
    CO_TRY_VOID(co_await compare());
  }
  valid_until_ = asked + kLasts - kMargin;
  tellClock(pulse.now);
  if (!context_.stopping) {
    for (auto const& wanted : pulse.wanted) handOver(wanted.owner.connection_id, wanted.node_id);
    shareWith(pulse.nodes);
    CO_TRY_VOID(co_await takeFree());
    CO_TRY_VOID(co_await giveStrange());
  }
  settleTaken();
  co_return Result<void>();
}

// All connections are read only where a daemon that was alone may have made some. That has the database for
// itself, so it was there before this one came, or while this one did not reach the database.
Task<void> Leases::takeFree() {
  if (may_lack_leases_) {
    CO_TRY_VOID(co_await table_.adopt());
    may_lack_leases_ = false;
  }
  for (;;) {
    CO_TRY(taken, co_await table_.takeFree(kTakenAtOnce));
    for (auto const& lease : taken) received(lease);
    if (std::ssize(taken) < kTakenAtOnce) co_return Result<void>();
  }
}

// Some that were handed to this node, or whose connector was taken away from it. As long as there are any,
// each pass looks: what has just come is settled first, and what a person changes here stays for that long.
Task<void> Leases::giveStrange() {
  auto const now = context_.doors.clock.monotonic();
  if (!look_for_strange_ && now < next_look_for_strange_) co_return Result<void>();
  next_look_for_strange_ = now + kLookForStrangeEvery;
  CO_TRY(strange, co_await table_.strange());
  look_for_strange_ = !strange.empty();
  for (auto const& one : strange) handOver(one.owner.connection_id, one.node_id);
  co_return Result<void>();
}

// By the count and the sum of the epochs, so that a hundred thousand leases need not be read with each beat.
bool Leases::agrees(Pulse const& pulse) const {
  std::int64_t count = std::ssize(next_leases_);
  std::int64_t epochs = 0;
  for (auto const& [id, lease] : next_leases_) epochs += lease.epoch;
  for (auto const& [id, entry] : leases_) {
    if (entry.state == State::lost) continue;
    ++count;
    epochs += entry.lease.epoch;
  }
  return count == pulse.count && epochs == pulse.epochs;
}

// What has come and gone without our doing.
Task<void> Leases::compare() {
  look_for_strange_ = true;
  auto const before = leases_; // what is made meanwhile cannot be missing
  CO_TRY(rows, co_await table_.mine());
  std::map<std::string, std::int64_t> there;
  for (auto const& lease : rows) there.emplace(lease.owner.connection_id, lease.epoch);
  auto const isNot = [&](Lease const& lease) {
    auto const found = there.find(lease.owner.connection_id);
    return found == there.end() || found->second != lease.epoch;
  };
  std::erase_if(next_leases_, [&](auto const& next) { return isNot(next.second); });
  std::vector<Lease> lost; // what ends at once is erased at once
  for (auto const& [id, entry] : before)
    if (isNot(entry.lease)) lost.push_back(entry.lease);
  for (auto const& lease : lost) lose(lease);
  for (auto& lease : rows) received(std::move(lease));
  co_return Result<void>();
}

// No lease depends on it, but what one daemon takes in is due for another by its clock.
void Leases::tellClock(TimePoint database_now) {
  auto const ahead = context_.now() - database_now;
  bool const wrong = ahead > kClocksApart || ahead < -kClocksApart;
  if (wrong && !clock_told_)
    context_.doors.log.warn(
        "the clock of this machine is not that of the database, so what comes in here may wait "
        "elsewhere; let both follow NTP",
        json::object{{"seconds_ahead", ahead.count() / 1'000}});
  clock_told_ = wrong;
}

void Leases::received(Lease lease) {
  auto const id = lease.owner.connection_id;
  auto const found = leases_.find(id);
  if (found == leases_.end()) {
    Entry entry;
    entry.lease = std::move(lease);
    leases_.emplace(id, std::move(entry));
    return;
  }
  auto const before = found->second.lease;
  if (before.epoch == lease.epoch) return;
  next_leases_.insert_or_assign(id, std::move(lease));
  lose(before);
}

void Leases::settleTaken() {
  for (auto& [id, entry] : leases_) {
    if (entry.state != State::taken) continue;
    entry.state = State::settling;
    nursery_.spawn(settle(entry.lease));
  }
}

Task<void> Leases::settle(Lease lease) {
  auto const id = lease.owner.connection_id;
  auto const recovered = co_await owning_.recover(lease.owner);
  if (!isIn(lease, State::settling)) {
    ended(lease);
    co_return Result<void>();
  }
  auto& entry = leases_.at(id);
  if (!recovered) {
    entry.state = State::taken; // the next pass tries again
    co_return recovered.error();
  }
  entry.state = State::held;
  if (!stopping_) owning_.begin(lease.owner);
  tellWaiting();
  co_return Result<void>();
}

// Whoever is leaving or settling sees it at its end.
void Leases::lose(Lease const& lease) {
  auto const found = leases_.find(lease.owner.connection_id);
  if (found == leases_.end() || found->second.lease.epoch != lease.epoch) return;
  auto const before = std::exchange(found->second.state, State::lost);
  if (before != State::held && before != State::taken) return;
  context_.doors.log.warn("another daemon has taken a connection over",
                          json::object{{"connection", lease.owner.connection_id}});
  nursery_.spawn(endLost(lease));
}

Task<void> Leases::endLost(Lease lease) {
  CO_TRY_VOID(co_await owning_.end(lease.owner));
  ended(lease);
  co_return Result<void>();
}

void Leases::handOver(std::string const& connection_id, std::string to_node) {
  auto const found = leases_.find(connection_id);
  bool const may_go = found != leases_.end() && found->second.state == State::held;
  if (!may_go || pinned_.contains(connection_id)) return;
  found->second.state = State::leaving;
  nursery_.spawn(endAndGive(found->second.lease, std::move(to_node)));
}

Task<void> Leases::endAndGive(Lease lease, std::string to_node) {
  CO_TRY_VOID(co_await owning_.end(lease.owner));
  auto given = Result<bool>(false);
  if (isIn(lease, State::leaving)) given = co_await table_.give(lease, std::move(to_node));
  if (given || !isIn(lease, State::leaving)) {
    ended(lease);
    co_return Result<void>();
  }
  // Whether it was given is seen by the next pulse.
  leases_.at(lease.owner.connection_id).state = State::held;
  owning_.begin(lease.owner);
  co_return given.error();
}

// Nothing that was begun under it is under way any more.
void Leases::ended(Lease const& lease) {
  auto const id = lease.owner.connection_id;
  auto const found = leases_.find(id);
  if (found == leases_.end() || found->second.lease.epoch != lease.epoch) return;
  leases_.erase(found);
  auto next = next_leases_.extract(id);
  if (!next) return;
  received(std::move(next.mapped()));
  look();
}

// Who has come gets from every other node what would be its share, each as soon as nothing of it is under
// way.
void Leases::shareWith(std::vector<std::string> const& nodes) {
  auto const among = [](std::vector<std::string> const& list, std::string const& node) {
    return std::ranges::find(list, node) != list.end();
  };
  std::erase_if(owed_, [&](auto const& debt) { return !among(nodes, debt.first); });
  bool const we_have_come = nodes_.empty();
  for (auto const& node : nodes)
    if (!we_have_come && !among(nodes_, node) && node != table_.nodeId())
      owed_.emplace(node, leases_.size() / nodes.size());
  nodes_ = nodes;
  for (auto& [node, count] : owed_) {
    std::vector<std::string> idle;
    for (auto const& [id, entry] : leases_)
      if (idle.size() < count && isIdle(id, entry)) idle.push_back(id);
    for (auto const& id : idle) handOver(id, node);
    count -= idle.size();
  }
}

bool Leases::isIdle(std::string const& connection_id, Entry const& entry) const {
  return entry.state == State::held && !pinned_.contains(connection_id) &&
         context_.lanes->holder(connection_id).empty();
}

bool Leases::isIn(Lease const& lease, State state) const {
  auto const found = leases_.find(lease.owner.connection_id);
  return found != leases_.end() && found->second.lease.epoch == lease.epoch && found->second.state == state;
}

void Leases::tellWaiting() {
  for (auto const& event : std::exchange(waiting_, {})) event->set();
}

bool Leases::holds(std::string const& connection_id) const {
  auto const found = leases_.find(connection_id);
  return found != leases_.end() && found->second.state == State::held && mayAsk(connection_id);
}

bool Leases::mayAsk(std::string const& connection_id) const {
  return leaseOf(connection_id) && context_.doors.clock.monotonic() < valid_until_;
}

std::optional<Lease> Leases::leaseOf(std::string const& connection_id) const {
  auto const found = leases_.find(connection_id);
  if (found == leases_.end() || found->second.state == State::lost || found->second.state == State::taken)
    return std::nullopt;
  return found->second.lease;
}

Task<bool> Leases::hasStill(Lease lease) {
  CO_TRY(mine, co_await table_.isMine(lease));
  if (!mine) lose(lease);
  co_return mine;
}

bool Leases::caresFor(std::string_view name) const {
  auto const rank = [&](std::string const& node) {
    return vault::sha256Hex(node + "\n" + std::string(name));
  };
  auto const own = rank(table_.nodeId());
  return std::ranges::none_of(nodes_, [&](std::string const& node) { return rank(node) > own; });
}

void Leases::made(Owner const& owner) {
  Lease lease;
  lease.owner = owner;
  lease.epoch = 1;
  received(std::move(lease));
  auto const found = leases_.find(owner.connection_id);
  if (found != leases_.end() && found->second.state == State::taken) found->second.state = State::held;
}

void Leases::gone(std::string const& connection_id) {
  leases_.erase(connection_id);
  next_leases_.erase(connection_id);
}

Task<Leases::Pin> Leases::claim(Owner owner) {
  auto const id = owner.connection_id;
  auto const give_up = context_.doors.clock.monotonic() + kClaim;
  while (!holds(id)) {
    if (stopping_ || context_.stopping || context_.doors.clock.monotonic() >= give_up)
      co_return Error(ErrorKind::transient,
                      "the daemon that runs connection " + id +
                          " is still busy with it; try again (garland doctor shows the daemons)");
    auto const event = std::make_shared<Event>(context_.doors.executor);
    waiting_.push_back(event);
    Alarm const alarm(context_.doors.executor, context_.doors.clock, kAgain, event);
    // Again each time: whoever took it meanwhile has heard of nothing.
    CO_TRY_VOID(co_await table_.want(owner));
    look();
    CO_TRY_VOID(co_await event->wait());
  }
  co_return Pin(*this, id);
}

} // namespace garland::sync
