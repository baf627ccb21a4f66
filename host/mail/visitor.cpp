// Visits mailboxes when they are due and takes in what came since. A mail is durable before the place moves
// past it.
#include "host/mail/mail.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>

namespace garland::mail {

namespace {

using sync::MailboxAccount;

// A mailbox that is new, or was numbered anew, is read from the day before: INTERNALDATE is a day in the
// server's zone.
constexpr std::chrono::hours kLookBack{48};
constexpr Milliseconds kFirstRetry{60'000};
constexpr Milliseconds kLastRetry{3'600'000};
constexpr std::int64_t kAttempts = 3; // visits that may end at the same mail

// One visit and the account as it changes. Lives in the coroutine.
struct Visit {
  MailboxAccount account;
  std::unique_ptr<egress::Mailbox> mailbox;
  std::uint32_t end = 0; // the last UID there may be
  int taken = 0;
  bool more = false; // there are mails left for another visit, soon
};

Milliseconds retryAfter(std::int64_t failures) {
  auto wait = kFirstRetry;
  for (std::int64_t i = 1; i < failures && wait < kLastRetry; ++i) wait *= 2;
  return std::min(wait, kLastRetry);
}

// The visits that ended at this mail, this one too.
std::int64_t countAttempt(MailboxAccount& account, std::uint32_t uid) {
  if (account.stuck_at != uid) account.attempts = 0;
  account.stuck_at = uid;
  return ++account.attempts;
}

class MailboxVisitor final : public Visitor, public std::enable_shared_from_this<MailboxVisitor> {
public:
  MailboxVisitor(Surroundings with, sync::Mailboxes& mailboxes, VisitOptions options)
      : with_(std::move(with)), mailboxes_(mailboxes), options_(options),
        drained_(with_.executor, asio::steady_timer::time_point::max()) {}

  void run() {
    auto const self = shared_from_this();
    running_ = true;
    asio::co_spawn(
        with_.executor, [self] { return self->loop(); },
        asio::bind_cancellation_slot(stop_loop_.slot(), [self](std::exception_ptr) {
          self->running_ = false;
          self->drained_.cancel();
        }));
  }

  asio::awaitable<void> stop() override {
    auto const self = shared_from_this();
    stopping_ = true;
    stop_loop_.emit(asio::cancellation_type::all);
    auto const visits = visits_; // one that ends takes itself out
    for (auto const& [id, signal] : visits) signal->emit(asio::cancellation_type::all);
    boost::system::error_code ignored;
    while (running_ || !visits_.empty())
      co_await drained_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

private:
  asio::awaitable<void> loop() {
    auto const self = shared_from_this();
    for (;;) {
      auto reading = mailboxes_.due(options_.visits);
      auto const due = co_await std::move(reading);
      if (!due) with_.log.error("the mailboxes that are due could not be read: " + due.error().message);
      if (due)
        for (auto const& account : *due) begin(account);
      auto const slept = co_await with_.clock.sleepFor(options_.look_every);
      if (!slept || stopping_) co_return;
    }
  }

  void begin(MailboxAccount account) {
    if (stopping_ || visits_.size() >= std::size_t(options_.visits) ||
        visits_.contains(account.connection_id))
      return;
    auto const id = account.connection_id;
    auto const signal = std::make_shared<asio::cancellation_signal>();
    visits_[id] = signal;
    auto const self = shared_from_this();
    asio::co_spawn(
        with_.executor, self->visit(self, std::move(account)),
        asio::bind_cancellation_slot(signal->slot(), [self, id](std::exception_ptr thrown, Result<void>) {
          self->tell(thrown);
          self->visits_.erase(id);
          self->drained_.cancel();
        }));
  }

  void tell(std::exception_ptr const& failed) const {
    if (!failed) return;
    try {
      std::rethrow_exception(failed);
    } catch (std::exception const& exception) {
      with_.log.error("a visit to a mailbox ended in an exception", json::object{{"what", exception.what()}});
    }
  }

  Task<void> visit(std::shared_ptr<MailboxVisitor> self, MailboxAccount account) {
    // What is being kept is kept; the next step sees that it is to stop.
    co_await asio::this_coro::throw_if_cancelled(false);
    Visit visit;
    visit.account = std::move(account);
    auto taking = takeIn(&visit);
    auto const outcome = co_await std::move(taking);
    visit.mailbox.reset();
    if (stopping_) co_return Result<void>();
    conclude(visit, outcome);
    auto saving = mailboxes_.save(visit.account);
    auto const saved = co_await std::move(saving);
    if (!saved && saved.error().kind != ErrorKind::conflict)
      with_.log.error("the place in a mailbox could not be stored: " + saved.error().message);
    co_return Result<void>();
  }

  void conclude(Visit& visit, Result<void> const& outcome) const {
    auto& account = visit.account;
    auto const now = with_.clock.now();
    if (outcome) {
      account.failures = 0;
      account.problem.clear();
      account.visited = now;
      account.next_visit = visit.more ? now : now + options_.every;
      return;
    }
    ++account.failures;
    account.problem = outcome.error().message;
    account.next_visit = now + retryAfter(account.failures);
    with_.log.warn("a visit to a mailbox failed: " + account.problem,
                   json::object{{"connection", account.connection_id}});
  }

  Task<void> takeIn(Visit* visit) {
    auto& account = visit->account;
    auto visiting = mailboxes_.visit(account);
    CO_TRY(mailbox, co_await std::move(visiting));
    visit->mailbox = std::move(mailbox);
    visit->end = visit->mailbox->next() - 1;
    if (visit->mailbox->validity() != account.uid_validity) {
      account.uid_validity = visit->mailbox->validity();
      account.taken_to = 0;
      account.stuck_at = 0;
      account.since = account.visited.value_or(account.created) - kLookBack;
    }
    while (account.taken_to < visit->end && !visit->more) {
      auto const last = std::min(visit->end - account.taken_to, egress::kMailWindow) + account.taken_to;
      auto window = takeWindow(visit, last);
      CO_TRY_VOID(co_await std::move(window));
    }
    if (!visit->more) account.since.reset();
    co_return Result<void>();
  }

  Task<void> takeWindow(Visit* visit, std::uint32_t last) {
    auto& account = visit->account;
    auto listing = visit->mailbox->list(account.taken_to + 1, last, account.since);
    CO_TRY(uids, co_await std::move(listing));
    for (auto const uid : uids) {
      if (stopping_) co_return Error(ErrorKind::cancelled, "the daemon is stopping");
      if (visit->taken >= options_.mails_per_visit) visit->more = true;
      if (visit->more) co_return Result<void>();
      auto taking = takeMail(visit, uid);
      CO_TRY(taken, co_await std::move(taking));
      if (!taken) co_return Result<void>();
      account.taken_to = uid;
      ++visit->taken;
      auto saving = mailboxes_.save(account);
      CO_TRY_VOID(co_await std::move(saving));
    }
    account.taken_to = last;
    co_return Result<void>();
  }

  // Whether the place may move past it.
  Task<bool> takeMail(Visit* visit, std::uint32_t uid) {
    auto fetching = visit->mailbox->message(uid, options_.max_bytes);
    auto mail = co_await std::move(fetching);
    if (!mail) {
      auto passing = passOver(visit, uid, mail.error());
      co_return co_await std::move(passing);
    }
    auto keeping = with_.inbox.keepFor(visit->account.connection_id, *std::move(mail));
    CO_TRY_VOID(co_await std::move(keeping));
    co_return true;
  }

  // A mail that could not be fetched is tried again by the next visits; then a person is told of it.
  Task<bool> passOver(Visit* visit, std::uint32_t uid, Error error) {
    visit->more = true; // libcurl has given the connection up
    if (error.kind == ErrorKind::cancelled) co_return error;
    if (error.provider_code != "too_large") {
      auto const attempts = countAttempt(visit->account, uid);
      // Gone, or refused: the next visit's list tells, soon.
      if (attempts == 1 && error.kind == ErrorKind::notFound) co_return false;
      if (attempts < kAttempts) co_return error;
    }
    Unfetched unfetched;
    unfetched.key = "imap:" + std::to_string(visit->account.uid_validity) + ":" + std::to_string(uid);
    unfetched.why = "a mail in the mailbox (number " + std::to_string(uid) +
                    ") could not be fetched; look at it there: " + error.message;
    auto keeping = with_.inbox.keepUnfetched(visit->account.connection_id, std::move(unfetched));
    CO_TRY_VOID(co_await std::move(keeping));
    co_return true;
  }

  Surroundings with_;
  sync::Mailboxes& mailboxes_;
  VisitOptions options_;
  asio::cancellation_signal stop_loop_;
  std::map<std::string, std::shared_ptr<asio::cancellation_signal>> visits_; // by connection
  asio::steady_timer drained_;
  bool running_ = false;
  bool stopping_ = false;
};

} // namespace

std::shared_ptr<Visitor> Visitor::start(Surroundings with, sync::Mailboxes& mailboxes, VisitOptions options) {
  auto const visitor = std::make_shared<MailboxVisitor>(std::move(with), mailboxes, options);
  visitor->run();
  return visitor;
}

} // namespace garland::mail
