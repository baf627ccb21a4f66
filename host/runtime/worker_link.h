// One worker process as the host sees it: its messages, its running calls, its clock and its end.
// It decides when a worker has to die; whether another one starts is PluginSlot's business.
#pragma once

#include "host/base/log.h"
#include "host/runtime/connection.h"
#include "host/runtime/flight_view.h"
#include "host/runtime/latch.h"
#include "host/runtime/plugin_output.h"
#include "host/runtime/running_call.h"
#include "host/runtime/spawn.h"
#include "host/runtime/turn_queue.h"
#include "host/runtime/work_watch.h"
#include "host/runtime/worker_end.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace garland::runtime {

// [loop thread]
class WorkerLink final : public std::enable_shared_from_this<WorkerLink>, private Connection::Owner {
public:
  using SteadyTime = RunningCall::SteadyTime;
  using Ended = std::function<void(WorkerEnd const&)>;
  using UsedUp = std::function<void(MemoryUse const&)>;

  WorkerLink(asio::any_io_executor const& executor, Log const& log, std::string plugin_id, Spawned spawned);
  ~WorkerLink();
  WorkerLink(WorkerLink const&) = delete;
  WorkerLink& operator=(WorkerLink const&) = delete;

  // `slice`: the processor time that a call may hold without giving way.
  void start(Milliseconds handshake, Milliseconds slice, Ended ended);
  // Set when the worker has said hello, has refused to, or is gone.
  Latch& greeted() { return greeted_; }
  Result<wire::Hello> const& hello() const { return hello_; }
  // What it said of its sandbox before plugin code existed; set once it has greeted with a hello.
  std::optional<wire::Closed> const& sandbox() const { return sandbox_; }

  // Runs one call, from the start or, with a journal that knows a part of it, again. The CallHost is
  // not used any more when it returns.
  Task<RunEnd> run(std::uint64_t id, std::shared_ptr<WorkerCall> call, CallHost& host);
  // What the account's instance wants to hand to a newer version, JSON; empty if nothing.
  Task<std::string> exportState(std::uint64_t id, std::string account_id, CallHost& host,
                                SteadyTime deadline);

  // `used_up` is told once, when it has no call left or one has failed; see drain(). 0: there is no limit.
  void watchMemory(std::size_t limit, UsedUp used_up);
  MemoryUse memory() const;

  void cancelCalls();
  void drain();                      // takes no call any more, and ends after the last
  void endSoon();                    // as stop(), but is killed if it takes its time
  void stop();                       // asks it to end by itself
  void kill(std::string reason);     // "it ...": why
  void killLate(std::string reason); // because it did not end although it was asked to
  void abandon();                    // kills and reaps at once, blocking; for the end of the supervisor

  bool isGone() const { return gone_.isSet(); }
  // It takes no call any more.
  bool isEnding() const { return ending_ || draining_ || !kill_reason_.empty() || isGone(); }
  Latch& gone() { return gone_; } // reaped, every call over
  pid_t pid() const { return pid_; }
  std::size_t inFlight() const { return calls_.size(); }

private:
  void onMessage(wire::Message message) override;
  void onClosed() override;
  void onBroken(std::string reason) override;
  Result<void> handle(wire::Message const& message);
  Result<void> onClosedSandbox(wire::Message const& message);
  Result<void> onGreeting(wire::Message const& message);
  Result<void> onOwnMessage(wire::Message const& message);
  Result<void> onDying(wire::Message const& message);
  Result<void> onStack(wire::Message const& message);

  // It has `handshake`; if it is ready and gets no processor, up to `more` times as long again.
  void awaitGreeting(Milliseconds handshake, int more);
  void watchExit();
  void onExit(ExitStatus status);
  std::string describeEnd(ExitStatus status) const;
  std::string whoRan() const;
  void nameCulprit();
  std::shared_ptr<CrashReport> makeReport() const;
  void failCalls();

  // A call begins and ends with these two; in between whoever has begun it waits until it is over.
  template <class Payload>
  std::shared_ptr<RunningCall> begin(std::uint64_t id, wire::Kind kind, Payload const& message,
                                     std::shared_ptr<WorkerCall> call, CallHost& host);
  RunEnd end(std::uint64_t id, RunningCall& running);
  std::optional<RunEnd> refusalOf(WorkerCall const& call, bool entered) const;
  Death deathOf(std::uint64_t id) const;
  void watch();
  void onTick();
  std::optional<std::string> lookAtWork(SteadyTime now);
  void blame(std::uint64_t id);
  std::optional<MemoryUse> lookAtMemory();

  asio::any_io_executor executor_;
  Log const& log_;
  std::string plugin_id_;
  Process process_;
  pid_t pid_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<PluginOutput> output_;
  FlightView flight_;
  asio::posix::stream_descriptor exit_watch_; // a second descriptor of the process
  asio::steady_timer end_timer_;              // when it is killed unless it greets, or ends
  asio::steady_timer tick_;
  bool ticking_ = false;
  Milliseconds tick_span_{0};
  std::uint64_t heard_ = 0; // messages
  std::uint64_t begun_ = 0; // calls

  CallLimits limits_;
  std::optional<wire::Closed> sandbox_;
  Result<wire::Hello> hello_;
  std::size_t log_lines_ = 0; // outside of calls
  TalkMeter talk_;            // the same, beyond what is kept
  Latch greeted_;
  Latch gone_;
  Ended ended_;
  std::size_t memory_limit_ = 0;
  UsedUp used_up_;
  bool ending_ = false;     // it closed its connection, or was asked to end
  bool stopped_ = false;    // it was asked to end
  bool overstayed_ = false; // and did not within its time
  bool draining_ = false;   // it ends after its last call
  bool abandoned_ = false;  // nobody waits for its calls
  std::string kill_reason_; // why the host killed it, if it did
  std::string dying_words_;
  std::uint64_t dying_call_ = 0;
  std::string dying_stack_; // raw: symbolise() (stack_trace.h) cleans it

  std::unordered_map<std::uint64_t, std::shared_ptr<RunningCall>> calls_;
  TurnQueue turns_;

  std::shared_ptr<RecentCalls> recent_ = std::make_shared<RecentCalls>();
  // Who ended it, if that is known. The id may be of a call that is over already.
  std::optional<std::uint64_t> culprit_;
  std::string how_; // it ended
  bool from_outside_ = false;

  WorkWatch work_;
};

} // namespace garland::runtime
