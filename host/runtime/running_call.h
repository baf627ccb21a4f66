// One call while it runs: what the plugin asks is checked, served on the CallHost and answered.
//
// Records and checkpoints go to the CallHost strictly one after the other, in the order they came;
// everything else is served as it comes. The call is over when the plugin is done (or dead) and
// nothing runs on the CallHost any more: only then may its owner let go of the CallHost.
//
// What the journal of an earlier run knows is answered from there; the CallHost does not hear of it.
#pragma once

#include "host/runtime/call_journal.h"
#include "host/runtime/call_recorder.h"
#include "host/runtime/connection.h"
#include "host/runtime/latch.h"
#include "host/runtime/runtime.h"
#include "host/runtime/talk_meter.h"
#include "host/runtime/worker_end.h"

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <list>
#include <optional>

namespace garland::runtime {

// What the host grants to one call, and holds the worker to.
struct CallLimits {
  wire::Config window;
  std::size_t asks = 2;         // unanswered questions; a real worker has one for each call
  std::size_t log_lines = 2000; // then the rest is dropped
};

// [loop thread]
class RunningCall : public std::enable_shared_from_this<RunningCall> {
public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  RunningCall(asio::any_io_executor const& executor, std::shared_ptr<Connection> connection, std::uint64_t id,
              std::shared_ptr<WorkerCall> call, CallHost& host, CallLimits const& limits);

  // One message of the worker for this call. An error is a violation: the worker has to go.
  Result<void> onMessage(wire::Kind kind, std::string_view payload);
  // The caller does not want it any more, or its time is up: the plugin is told once to stop.
  void cancel(SteadyTime now);
  // It cannot end any more; whatever runs on the CallHost is cancelled. The first reason counts.
  void fail(Error error);
  // Its worker has gone. If it may be run again, what runs on the CallHost comes to its end first, so
  // that the next run knows what became of it.
  void workerDied(Error error);
  // Looks at the clock. True if the plugin was told to stop a second ago and still runs; the call has
  // failed then, and the worker has to go. The second is the worker's own (own_time.h): `own` is how much of
  // that it has had so far. What is left for the host to do has a second by the clock.
  bool overdue(SteadyTime now, std::chrono::nanoseconds own);

  Latch& over() { return over_; }
  Result<std::string> result();               // once over: JSON, or empty if the plugin gave none
  bool endedByDeath() const { return died_; } // the worker's, before the plugin was done
  CallRecorder const& recorder() const { return recorder_; }
  WorkerCall const& call() const { return *call_; }
  std::string title() const { return call_->title(); }

private:
  struct StreamItem {
    bool is_checkpoint = false;
    std::uint32_t request = 0; // of a checkpoint
    std::string kind;          // of a record
    std::string text;
    std::size_t place = 0; // in the journal
  };

  Result<void> onEmit(std::string_view payload);
  Result<void> onCheckpoint(std::string_view payload);
  Result<void> onHttpAsk(std::string_view payload);
  Result<void> onKvGet(std::string_view payload);
  Result<void> onKvPut(std::string_view payload);
  Result<void> onLog(std::string_view payload);
  Result<void> onProgress(std::string_view payload);
  Result<void> onDone(std::string_view payload);
  Result<void> hearTalk(std::size_t bytes);
  Result<void> countAsk();
  // The recorded answer, if an earlier run has it; else `place` is where this one's belongs.
  template <class Answer>
  std::optional<Answer> recorded(CallJournal::Ask kind, std::string_view content, std::size_t& place);
  template <class Answer> Result<void> answerAsk(wire::Kind kind, std::uint32_t request, Answer answer);
  void refuseDoubt();
  Error missedWriteError() const;

  using Self = std::shared_ptr<RunningCall>;
  static asio::awaitable<void> serveStream(Self self);
  static asio::awaitable<void> serveRecord(Self self, StreamItem item);
  static asio::awaitable<void> serveCheckpoint(Self self, StreamItem item);
  static asio::awaitable<void> serveHttp(Self self, wire::HttpAsk ask, std::size_t place);
  static asio::awaitable<void> serveKvGet(Self self, wire::KvGet ask, std::size_t place);
  static asio::awaitable<void> serveKvPut(Self self, wire::KvPut ask, std::size_t place);

  Milliseconds newlyWaited();
  void serve(asio::awaitable<void> task);
  void stream(StreamItem item);
  void stopServing();
  void cutSettling();
  void maybeOver();
  Error deadlineError(Effect effect) const;
  Error stoppedError() const;

  asio::any_io_executor executor_;
  std::shared_ptr<Connection> connection_;
  std::uint64_t id_;
  std::shared_ptr<WorkerCall> call_;
  CallHost& host_; // not touched once over_ is set
  CallLimits limits_;
  CallRecorder recorder_;
  std::optional<SteadyTime> cancelled_at_;
  std::optional<std::chrono::nanoseconds> stops_since_; // the worker's own time when that was first seen
  bool timed_out_ = false;
  Milliseconds told_waited_; // the worker's deadline goes by it

  std::optional<wire::Done> done_;
  std::optional<Error> failure_;
  std::optional<Error> doubt_; // it went another way than its first run, which had written something
  bool died_ = false;
  bool settling_ = false;             // the worker is gone, the host is not done yet
  std::optional<Error> stream_error_; // a record or checkpoint that the host refused
  std::list<StreamItem> stream_;      // not yet given to the host
  bool streaming_ = false;
  std::size_t open_records_ = 0;
  std::size_t open_record_bytes_ = 0;
  std::size_t open_asks_ = 0;
  std::size_t log_lines_ = 0;
  TalkMeter talk_;
  std::list<std::shared_ptr<asio::cancellation_signal>> serving_; // one for each task on the host
  Latch over_;
};

} // namespace garland::runtime
