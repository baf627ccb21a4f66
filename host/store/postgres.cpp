// The PostgreSQL driver: one session that writes, with all waiting units in one transaction, and a few
// that read. No threads: libpq runs on the loop. Any number of daemons may be on one database; who wants it
// for himself locks the others out.
#include "host/store/drivers.h"
#include "host/store/pg_lane.h"
#include "host/store/pg_listener.h"
#include "host/store/pg_migrate.h"
#include "host/store/pg_tools.h"
#include "host/store/pg_units.h"
#include "host/store/values.h"

#include <thread>
#include <variant>

namespace garland::store {
namespace {

using UnitLane = PgLane<PendingUnit>;
using ReadLane = PgLane<PendingRead>;

class PostgresStore final : public Store {
public:
  PostgresStore(asio::any_io_executor executor, std::string url, PgTarget target,
                std::shared_ptr<UnitLane> units, std::shared_ptr<ReadLane> reads)
      : executor_(std::move(executor)), url_(std::move(url)), target_(std::move(target)),
        units_(std::move(units)), reads_(std::move(reads)) {}
  ~PostgresStore() override {
    endListening();
    units_->stop();
    reads_->stop();
  }

  Task<Rows> read(Statement statement) override {
    return initiate<Rows>(this, &PostgresStore::submitRead, std::move(statement));
  }
  Task<std::vector<Rows>> commit(Unit unit) override {
    return initiate<std::vector<Rows>>(this, &PostgresStore::submitUnit, std::move(unit));
  }
  Task<void> close() override {
    endListening();
    closed_ = true;
    copying_.request_stop();
    return closeLanes(this);
  }
  std::string_view driver() const override { return "postgresql"; }
  Task<void> copyTo(std::string file) override {
    return initiate<void>(this, &PostgresStore::submitCopy, std::move(file));
  }
  void listen(Listener listener) override {
    endListening();
    if (!listener) return;
    listener_ = std::make_shared<PgListener>(executor_, target_, std::move(listener));
    listener_->start();
  }

private:
  void endListening() {
    if (listener_) std::exchange(listener_, nullptr)->stop();
  }
  static Task<void> closeLanes(PostgresStore* self) {
    CO_TRY_VOID(co_await initiate<void>(self, &PostgresStore::submitCloseReads, std::monostate()));
    co_return co_await initiate<void>(self, &PostgresStore::submitCloseUnits, std::monostate());
  }

  void submitRead(Statement statement, Handler<Rows> handler);
  void submitUnit(Unit unit, Handler<std::vector<Rows>> handler);
  void submitCopy(std::string file, Handler<void> handler);
  void submitCloseReads(std::monostate, Handler<void> handler) {
    units_->refuseMore();
    reads_->close(Answer<void>(executor_, std::move(handler)));
  }
  void submitCloseUnits(std::monostate, Handler<void> handler) {
    units_->close(Answer<void>(executor_, std::move(handler)));
  }

  asio::any_io_executor executor_;
  std::string url_;
  PgTarget target_;
  std::shared_ptr<UnitLane> units_;
  std::shared_ptr<ReadLane> reads_;
  std::shared_ptr<PgListener> listener_; // null: nobody listens
  bool closed_ = false;
  std::jthread copying_; // waits for pg_dump
};

// One copy at a time: another one ends the one before.
void PostgresStore::submitCopy(std::string file, Handler<void> handler) {
  Answer<void> answer(executor_, std::move(handler));
  if (closed_) return answer.give(closedError());
  copying_ =
      std::jthread([url = url_, path = std::move(file), done = std::move(answer)](
                       std::stop_token const& stop) mutable { done.give(dumpPostgres(url, path, stop)); });
}

void PostgresStore::submitRead(Statement statement, Handler<Rows> handler) {
  Answer<Rows> answer(executor_, std::move(handler));
  auto checked = checkArguments(statement);
  if (!checked) return answer.give(std::move(checked).error().within(describe(statement.sql, 0)));
  reads_->submit(PendingRead{std::move(statement), std::move(answer)});
}

void PostgresStore::submitUnit(Unit unit, Handler<std::vector<Rows>> handler) {
  Answer<std::vector<Rows>> answer(executor_, std::move(handler));
  for (std::size_t i = 0; i < unit.size(); ++i) {
    auto checked = checkArguments(unit[i]);
    if (!checked) return answer.give(std::move(checked).error().within(describe(unit[i].sql, i)));
  }
  units_->submit(PendingUnit{std::move(unit), std::move(answer)});
}

std::shared_ptr<UnitLane> makeUnitLane(asio::any_io_executor executor, std::unique_ptr<PgSession> session,
                                       int max_units, std::shared_ptr<Random> random) {
  std::vector<std::unique_ptr<PgSession>> sessions;
  sessions.push_back(std::move(session));
  auto serve = [executor, max_units, random](PgSession* on, std::deque<PendingUnit>* queue) {
    return serveUnits(on, executor, takeBatch(*queue, max_units), random);
  };
  return std::make_shared<UnitLane>(executor, std::move(sessions), std::move(serve));
}

std::shared_ptr<ReadLane> makeReadLane(asio::any_io_executor executor, PgTarget const& target, int count) {
  std::vector<std::unique_ptr<PgSession>> sessions;
  for (int i = 0; i < std::max(count, 1); ++i)
    sessions.push_back(std::make_unique<PgSession>(executor, target, PgConnection::Use::read));
  auto serve = [](PgSession* on, std::deque<PendingRead>* queue) {
    auto next = std::move(queue->front());
    queue->pop_front();
    return serveRead(on, std::move(next));
  };
  return std::make_shared<ReadLane>(executor, std::move(sessions), std::move(serve));
}

} // namespace

Task<std::unique_ptr<Store>> openPostgres(asio::any_io_executor executor, Options options,
                                          std::vector<Migration> migrations) {
  CO_TRY(target, parseTarget(options.url));
  auto use = PgConnection::Use::write;
  if (options.other_daemons) use = PgConnection::Use::writeAmongOthers;
  if (options.single_daemon) use = PgConnection::Use::writeAlone;
  CO_TRY(connection, co_await PgConnection::open(executor, target, use));
  CO_TRY_VOID(co_await migrate(connection.get(), migrations));
  auto admission = [known = std::move(migrations)](PgConnection* later) { return admit(later, known); };
  auto session =
      std::make_unique<PgSession>(executor, target, use, std::move(connection), std::move(admission));
  auto random = options.random ? options.random : std::make_shared<SystemRandom>();
  auto units = makeUnitLane(executor, std::move(session), options.max_batch_units, std::move(random));
  auto reads = makeReadLane(executor, target, options.read_connections);
  co_return std::unique_ptr<Store>(std::make_unique<PostgresStore>(executor, options.url, std::move(target),
                                                                   std::move(units), std::move(reads)));
}

Task<std::size_t> pendingInPostgres(asio::any_io_executor executor, Options options,
                                    std::vector<Migration> migrations) {
  CO_TRY(target, parseTarget(options.url));
  CO_TRY(connection, co_await PgConnection::open(executor, target, PgConnection::Use::read));
  CO_TRY(missing, co_await missingMigrations(connection.get(), std::move(migrations)));
  co_return missing.size();
}

} // namespace garland::store
