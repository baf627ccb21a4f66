#include "host/store/pg_connection.h"

#include "host/store/pg_errors.h"
#include "host/store/pg_values.h"
#include "host/store/values.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <poll.h>

namespace garland::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectLimit = 10s;
constexpr auto kRunLimit = 60s;
// A caller may build texts with a varying number of rows; beyond this all are forgotten at once.
constexpr std::size_t kMaxPrepared = 256;

// Locks are not waited for longer than a caller would; a session whose daemon stands still in mid-transaction
// gives its locks back, much sooner than a daemon that waits for them would be late with its sign of life; a
// server set to lose commits is told not to lose ours.
constexpr std::string_view kSessionSettings =
    "SET lock_timeout = '20s'; SET idle_in_transaction_session_timeout = '5s'; "
    "SET standard_conforming_strings = on; "
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = "
    "'off'";
constexpr std::string_view kReadOnly = "SET default_transaction_read_only = on";

// A daemon that was killed this instant may still have a session for a moment.
constexpr auto kVacateLimit = 2s;
constexpr auto kBetweenTries = 50ms;

// 0: the lock is ours. Else who has it; -1: somebody who is just going. The key is a number of our own
// (pg_locks shows its halves); it lives and dies with the session.
Statement lockStatement(std::string const& lock) {
  return Statement(
      "SELECT CASE WHEN " + lock +
      "(7125961840313) THEN 0 ELSE COALESCE((SELECT MIN(pid) FROM pg_locks "
      "WHERE locktype='advisory' AND granted AND objsubid=1 AND "
      "(classid::bigint<<32)+objid::bigint=7125961840313 "
      "AND database=(SELECT oid FROM pg_database WHERE datname=current_database())),-1)::bigint END");
}
Statement const kLockAll = lockStatement("pg_try_advisory_lock");
Statement const kLockWhoWantsAll = lockStatement("pg_try_advisory_lock_shared");

void ignoreNotice(void*, PGresult const*) {}

bool isReadable(int descriptor) {
  pollfd question{descriptor, POLLIN, 0};
  return ::poll(&question, 1, 0) > 0;
}

bool isGood(PGresult const* result) {
  auto const status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

// Leaves the reply as it is if the server skipped the statement because of an error before it.
void takeReply(PGresult* result, Statement const& statement, std::size_t step,
               std::optional<Result<Rows>>& reply) {
  if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED) return;
  auto const what = describe(statement.sql, step);
  if (!isGood(result)) reply = statementError(result, what);
  // In a transaction that had failed, COMMIT succeeds by rolling back.
  else if (statement.sql == "COMMIT" && std::string_view(PQcmdStatus(result)) != "COMMIT")
    reply = Error(ErrorKind::transient, "PostgreSQL rolled the transaction back; try again");
  else
    reply = rowsOf(result, what);
}

} // namespace

bool PgReplies::allSucceeded() const {
  for (auto const& reply : each)
    if (!reply || reply->has_error()) return false;
  return true;
}

std::optional<Error> PgReplies::firstError() const {
  for (auto const& reply : each)
    if (reply && reply->has_error()) return reply->error();
  return std::nullopt;
}

PgConnection::PgConnection(asio::any_io_executor executor, PgTarget target)
    : target_(std::move(target)), socket_(std::move(executor)), connection_(nullptr, &PQfinish) {}

PgConnection::~PgConnection() { socket_.detach(); }

Task<std::unique_ptr<PgConnection>> PgConnection::open(asio::any_io_executor executor, PgTarget target,
                                                       Use use) {
  CO_TRY(resolved, co_await resolveTarget(executor, target));
  std::unique_ptr<PgConnection> connection(new PgConnection(executor, std::move(target)));
  connection->socket_.begin(kConnectLimit);
  auto connected = co_await connection->connect(std::move(resolved));
  connection->socket_.end();
  if (!connected) co_return std::move(connected).error();
  CO_TRY_VOID(co_await connection->setUp(use));
  co_return connection;
}

Task<void> PgConnection::connect(PgTarget target) {
  std::vector<char const*> names;
  std::vector<char const*> values;
  for (auto const& [name, value] : target.parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
  auto* const handle = connection_.get();
  if (handle == nullptr) co_return Error(ErrorKind::hostLimit, "there is not enough memory to connect");
  PQsetNoticeReceiver(handle, &ignoreNotice, nullptr);
  auto state = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    socket_.attach(PQsocket(handle));
    co_await socket_.wait(state == PGRES_POLLING_WRITING);
    socket_.detach();
    if (socket_.interrupted()) co_return closedConnection(target_.place);
    if (socket_.expired()) co_return unreachable(target_.place, "no answer in time");
    state = PQconnectPoll(handle);
  }
  if (state != PGRES_POLLING_OK) co_return unreachable(target_.place, PQerrorMessage(handle));
  socket_.attach(PQsocket(handle));
  usable_ = PQsetnonblocking(handle, 1) == 0;
  co_return Result<void>();
}

Task<void> PgConnection::setUp(Use use) {
  auto const* encoding = PQparameterStatus(connection_.get(), "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8")
    co_return Error(ErrorKind::unsupported,
                    "the database " + target_.place + " does not keep UTF-8; create it with ENCODING 'UTF8'");
  CO_TRY_VOID(co_await script(std::string(kSessionSettings), kConnectLimit));
  if (use == Use::write) co_return Result<void>();
  if (use == Use::writeAlone) co_return co_await lockOthersOut(&kLockAll);
  if (use == Use::writeAmongOthers) co_return co_await lockOthersOut(&kLockWhoWantsAll);
  co_return co_await script(std::string(kReadOnly), kConnectLimit);
}

Task<void> PgConnection::lockOthersOut(Statement const* lock) {
  auto const give_up = std::chrono::steady_clock::now() + kVacateLimit;
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (true) {
    PgSteps steps(1, lock);
    auto const replies = co_await run(std::move(steps));
    auto const& reply = replies.each.front();
    if (!reply) co_return replies.lost.value_or(unreachable(target_.place, "no answer"));
    if (!*reply) co_return reply->error();
    auto const holder = (*reply)->rows.front().integer(0);
    if (holder == 0) co_return Result<void>();
    if (std::chrono::steady_clock::now() >= give_up)
      co_return Error(ErrorKind::unsupported,
                      "the database " + target_.place + " is in use by another daemon (its session is " +
                          std::to_string(holder) +
                          "); stop that daemon first, or give this one its own database");
    pause.expires_after(kBetweenTries);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

bool PgConnection::usable() {
  // A server that was stopped has left a farewell in the socket: better read now than after sending a
  // unit whose fate would then be unknown. It takes one read for the message and one for the end.
  for (int i = 0; i < 3 && usable_ && isReadable(PQsocket(connection_.get())); ++i)
    if (PQconsumeInput(connection_.get()) == 0) usable_ = false;
  return usable_ && PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

Error PgConnection::lostError() const {
  if (socket_.interrupted()) return closedConnection(target_.place);
  if (socket_.expired()) return unreachable(target_.place, "no answer in time");
  return unreachable(target_.place, PQerrorMessage(connection_.get()));
}

// Sends what waits, reads what is there, and waits once if neither was possible.
asio::awaitable<void> PgConnection::turn() {
  // A failed flush is not the end yet: the server's reason may be waiting to be read.
  bool const more = PQflush(connection_.get()) == 1;
  co_await socket_.wait(more);
  if (socket_.expired() || socket_.interrupted() || PQconsumeInput(connection_.get()) == 0) ended_ = true;
}

asio::awaitable<PgConnection::PgResult> PgConnection::next() {
  while (PQisBusy(connection_.get()) != 0) {
    if (ended_) {
      usable_ = false;
      co_return PgResult();
    }
    co_await turn();
  }
  PgResult result(PQgetResult(connection_.get()));
  if (result && endsSession(result.get())) usable_ = false;
  co_return result;
}

Task<void> PgConnection::script(std::string sql, std::chrono::milliseconds limit) {
  auto* const handle = connection_.get();
  if (PQpipelineStatus(handle) != PQ_PIPELINE_OFF) PQexitPipelineMode(handle);
  if (!usable_ || PQsendQuery(handle, sql.c_str()) == 0) {
    usable_ = false;
    co_return lostError();
  }
  socket_.begin(limit);
  std::optional<Error> failure;
  auto result = co_await next();
  while (result && usable_) {
    if (!isGood(result.get()) && !failure) failure = statementError(result.get(), "running the script");
    result = co_await next();
  }
  socket_.end();
  if (!usable_) co_return lostError();
  if (failure) co_return std::move(*failure);
  co_return Result<void>();
}

asio::awaitable<std::vector<std::string>> PgConnection::notices(std::chrono::milliseconds limit) {
  std::vector<std::string> told;
  socket_.begin(limit);
  while (usable_ && told.empty() && !socket_.expired()) {
    if (PQconsumeInput(connection_.get()) == 0 || socket_.interrupted()) usable_ = false;
    while (auto* const notice = PQnotifies(connection_.get())) {
      told.emplace_back(notice->extra);
      PQfreemem(notice);
    }
    if (usable_ && told.empty()) co_await socket_.wait(false);
  }
  socket_.end();
  co_return told;
}

asio::awaitable<PgReplies> PgConnection::run(PgSteps steps) {
  PgReplies replies;
  replies.each.resize(steps.size());
  std::vector<Sent> sent;
  if (!usable_ || !send(steps, sent)) {
    usable_ = false;
    replies.lost = lostError();
    co_return replies;
  }
  socket_.begin(kRunLimit);
  bool alive = true;
  for (std::size_t i = 0; i < sent.size() && alive; ++i) {
    auto const step = sent[i].step;
    auto const* statement = step ? steps[*step] : nullptr;
    auto* reply = step ? &replies.each[*step] : nullptr;
    alive = co_await receive(sent[i], statement, reply);
  }
  if (alive) {
    auto const synced = co_await next();
    alive = usable_ && synced && PQresultStatus(synced.get()) == PGRES_PIPELINE_SYNC;
  }
  socket_.end();
  if (!alive) {
    usable_ = false;
    replies.lost = lostError();
  }
  co_return replies;
}

// Reads all results of one thing sent. False when the session is lost.
asio::awaitable<bool> PgConnection::receive(Sent sent, Statement const* statement,
                                            std::optional<Result<Rows>>* reply) {
  auto result = co_await next();
  if (!result || !usable_) co_return false;
  if (statement != nullptr) {
    bool const good = isGood(result.get());
    if (!good || !sent.preparing) takeReply(result.get(), *statement, *sent.step, *reply);
    bool const stale = *reply && (*reply)->has_error() && needsPreparing((*reply)->error());
    if ((sent.preparing && !good) || stale) prepared_.erase(statement->sql);
  }
  auto const end = co_await next();
  co_return usable_ && !end;
}

bool PgConnection::send(PgSteps const& steps, std::vector<Sent>& sent) {
  auto* const handle = connection_.get();
  if (PQpipelineStatus(handle) == PQ_PIPELINE_OFF && PQenterPipelineMode(handle) == 0) return false;
  if (!sendForgetAll(sent)) return false;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!sendStep(*steps[i], i, sent)) return false;
  return PQpipelineSync(handle) == 1;
}

// Only between transactions: in one that has failed the server would refuse.
bool PgConnection::sendForgetAll(std::vector<Sent>& sent) {
  if (names_given_ < kMaxPrepared || PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) return true;
  prepared_.clear();
  names_given_ = 0;
  sent.push_back(Sent{std::nullopt, false});
  return PQsendQueryParams(connection_.get(), "DEALLOCATE ALL", 0, nullptr, nullptr, nullptr, nullptr, 0) ==
         1;
}

bool PgConnection::sendStep(Statement const& statement, std::size_t step, std::vector<Sent>& sent) {
  auto& prepared = prepared_[statement.sql];
  if (prepared.name.empty() || !fits(prepared.types, statement.args)) {
    prepared.types = mergeTypes(prepared.types, statement.args);
    prepared.name = "g" + std::to_string(names_given_++);
    sent.push_back(Sent{step, true});
    if (PQsendPrepare(connection_.get(), prepared.name.c_str(), statement.sql.c_str(),
                      static_cast<int>(prepared.types.size()), prepared.types.data()) != 1)
      return false;
  }
  sent.push_back(Sent{step, false});
  PgParameters const parameters(statement.args);
  return PQsendQueryPrepared(connection_.get(), prepared.name.c_str(), parameters.count(),
                             parameters.values(), parameters.lengths(), parameters.formats(), 0) == 1;
}

} // namespace garland::store
