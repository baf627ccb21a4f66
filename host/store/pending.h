// Work that was accepted and waits for its answer, shared by both drivers.
// An Answer is made on the loop, may be carried through another thread and is always given on the loop.
#pragma once

#include "host/store/store.h"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <deque>

namespace garland::store {

template <class T> using Handler = asio::any_completion_handler<void(Result<T>)>;

// The loop stays busy (io_context::run does not return) while an Answer is outstanding.
template <class T> class Answer {
public:
  Answer(asio::any_io_executor const& executor, Handler<T> handler)
      : work_(executor), handler_(std::move(handler)) {}

  Answer(Answer&&) = default;
  // Boost 1.81's move assignment of any_completion_handler calls itself without end.
  Answer& operator=(Answer&&) = delete;

  // Resumes the waiting coroutine. [loop thread]
  void giveHere(Result<T> result) {
    auto const executor = asio::get_associated_executor(handler_, work_.get_executor());
    asio::dispatch(executor, [handler = std::move(handler_), value = std::move(result)]() mutable {
      std::move(handler)(std::move(value));
    });
  }

  // [any thread]
  void give(Result<T> result) {
    auto const executor = work_.get_executor();
    asio::post(executor, [answer = std::move(*this), value = std::move(result)]() mutable {
      answer.giveHere(std::move(value));
    });
  }

private:
  asio::executor_work_guard<asio::any_io_executor> work_;
  Handler<T> handler_;
};

struct PendingRead {
  Statement statement;
  Answer<Rows> answer;
};

struct PendingUnit {
  Unit unit;
  Answer<std::vector<Rows>> answer;
  bool scrubs = false; // instead of a unit: Store::scrub
};

struct PendingCopy {
  std::string file;
  Answer<void> answer;
};

using UnitResult = Result<std::vector<Rows>>;

// Takes the next units to commit together: at most `max_units`, and no more than about a thousand
// statements, so that one large unit does not keep many small ones waiting.
inline std::vector<PendingUnit> takeBatch(std::deque<PendingUnit>& queue, int max_units) {
  constexpr std::size_t kEnoughStatements = 1024;
  auto const limit = static_cast<std::size_t>(std::max(max_units, 1));
  std::vector<PendingUnit> batch;
  std::size_t statements = 0;
  while (!queue.empty() && batch.size() < limit && statements < kEnoughStatements) {
    bool const alone = queue.front().scrubs;
    if (alone && !batch.empty()) break;
    statements += queue.front().unit.size();
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
    if (alone) break;
  }
  return batch;
}

// Gives each unit its result with one hop to the loop. [any thread]
inline void answerAll(asio::any_io_executor const& executor, std::vector<PendingUnit> batch,
                      std::vector<UnitResult> results) {
  asio::post(executor, [units = std::move(batch), values = std::move(results)]() mutable {
    for (std::size_t i = 0; i < units.size(); ++i) units[i].answer.giveHere(std::move(values[i]));
  });
}

inline Error closedError() {
  return Error(ErrorKind::cancelled, "the store is closed, so nothing more is read or written");
}

// Starts an operation of the store from a coroutine: `submit` is a member of `Owner` that takes the
// argument and the Answer. A named object, because a lambda beside co_await is not allowed here.
template <class Owner, class T, class Argument> struct Initiation {
  Owner* owner;
  void (Owner::*submit)(Argument, Handler<T>);

  template <class CompletionHandler> void operator()(CompletionHandler&& handler, Argument argument) const {
    (owner->*submit)(std::move(argument), Handler<T>(std::forward<CompletionHandler>(handler)));
  }
};

template <class T, class Owner, class Argument>
Task<T> initiate(Owner* owner, void (Owner::*submit)(Argument, Handler<T>), Argument argument) {
  return asio::async_initiate<asio::use_awaitable_t<> const, void(Result<T>)>(
      Initiation<Owner, T, Argument>{owner, submit}, asio::use_awaitable, std::move(argument));
}

} // namespace garland::store
