// The SQLite driver: one writer thread that commits many units at once, a few reader threads, and a
// checkpointer. The Store object itself lives on the loop and only queues work.
#include "host/store/drivers.h"
#include "host/store/pending.h"
#include "host/store/sqlite_batch.h"
#include "host/store/sqlite_checkpointer.h"
#include "host/store/sqlite_copy.h"
#include "host/store/sqlite_file.h"
#include "host/store/thread_name.h"
#include "host/store/work_queue.h"

#include <optional>
#include <thread>
#include <utility>
#include <variant>

namespace garland::store {
namespace {

// What is open while the store is; members close in reverse order, the lock last.
struct OpenFile {
  FileLock lock;
  std::unique_ptr<SqliteConnection> writer;
  std::unique_ptr<SqliteCheckpointer> checkpointer;
  std::vector<SqliteConnection> readers;
};

Result<OpenFile> openFile(Options const& options, std::vector<Migration> migrations) {
  TRY(path, sqlitePath(options.url));
  TRY(lock, FileLock::take(path));
  TRY_VOID(createPrivately(path));
  TRY(connection, SqliteConnection::open(path, SqliteConnection::Use::write));
  auto writer = std::make_unique<SqliteConnection>(std::move(connection));
  TRY_VOID(writer->offerSha256(options.sha256));
  TRY_VOID(migrate(*writer, std::move(migrations)));
  TRY(checkpointer, SqliteCheckpointer::start(path, *writer));
  std::vector<SqliteConnection> readers;
  for (int i = 0; i < std::max(options.read_connections, 1); ++i) {
    TRY(reader, SqliteConnection::open(path, SqliteConnection::Use::read));
    readers.push_back(std::move(reader));
  }
  return OpenFile{std::move(lock), std::move(writer), std::move(checkpointer), std::move(readers)};
}

std::vector<UnitResult> rewriteFile(SqliteConnection& writer) {
  auto const done = writer.rewrite();
  return std::vector<UnitResult>(1, done ? UnitResult(std::vector<Rows>()) : UnitResult(done.error()));
}

class SqliteStore final : public Store {
public:
  SqliteStore(asio::any_io_executor executor, Options options)
      : executor_(std::move(executor)), options_(std::move(options)) {}
  ~SqliteStore() override;

  Task<void> start(std::vector<Migration> migrations) {
    return initiate<void>(this, &SqliteStore::submitStart, std::move(migrations));
  }
  Task<Rows> read(Statement statement) override {
    return initiate<Rows>(this, &SqliteStore::submitRead, std::move(statement));
  }
  Task<std::vector<Rows>> commit(Unit unit) override {
    return initiate<std::vector<Rows>>(this, &SqliteStore::submitUnit, std::move(unit));
  }
  Task<bool> scrub() override {
    CO_TRY_VOID(co_await initiate<std::vector<Rows>>(this, &SqliteStore::submitScrub, std::monostate()));
    co_return true;
  }
  Task<void> close() override { return initiate<void>(this, &SqliteStore::submitClose, std::monostate()); }
  std::string_view driver() const override { return "sqlite"; }
  Task<void> copyTo(std::string file) override {
    return initiate<void>(this, &SqliteStore::submitCopy, std::move(file));
  }

private:
  void submitStart(std::vector<Migration> migrations, Handler<void> handler);
  void submitRead(Statement statement, Handler<Rows> handler);
  void submitUnit(Unit unit, Handler<std::vector<Rows>> handler);
  void submitScrub(std::monostate, Handler<std::vector<Rows>> handler);
  void submitClose(std::monostate, Handler<void> handler);
  void submitCopy(std::string path, Handler<void> handler);

  void runWriter(std::vector<Migration> migrations, Answer<void> opened);
  void writeUntilClosed(OpenFile& file);
  void write(OpenFile& file, std::vector<PendingUnit> batch);
  void makeCopy(OpenFile& file, PendingCopy copy);
  Result<void> copyAll(OpenFile& file, std::string const& path);
  std::optional<PendingCopy> nextCopy();
  void readUntilClosed(SqliteConnection& connection);
  void finish();

  asio::any_io_executor executor_;
  Options options_;
  WorkQueue<PendingUnit> units_;
  WorkQueue<PendingRead> reads_;
  WorkQueue<PendingCopy> copies_;
  std::vector<std::vector<PendingUnit>> scrubs_; // that wait for the end of a copy [writer thread]
  std::mutex mutex_;
  bool finished_ = false;
  std::vector<Answer<void>> closing_;
  std::thread writer_; // owns everything that is open, the reader threads too
};

SqliteStore::~SqliteStore() {
  for (auto& unit : units_.abandon()) unit.answer.give(closedError());
  for (auto& read : reads_.abandon()) read.answer.give(closedError());
  for (auto& copy : copies_.abandon()) copy.answer.give(closedError());
  if (writer_.joinable()) writer_.join();
}

void SqliteStore::submitStart(std::vector<Migration> migrations, Handler<void> handler) {
  writer_ = std::thread(
      [this, known = std::move(migrations), opened = Answer<void>(executor_, std::move(handler))]() mutable {
        runWriter(std::move(known), std::move(opened));
      });
}

void SqliteStore::submitRead(Statement statement, Handler<Rows> handler) {
  PendingRead pending{std::move(statement), Answer<Rows>(executor_, std::move(handler))};
  if (!reads_.push(pending)) pending.answer.give(closedError());
}

void SqliteStore::submitUnit(Unit unit, Handler<std::vector<Rows>> handler) {
  PendingUnit pending{std::move(unit), Answer<std::vector<Rows>>(executor_, std::move(handler))};
  if (!units_.push(pending)) pending.answer.give(closedError());
}

void SqliteStore::submitScrub(std::monostate, Handler<std::vector<Rows>> handler) {
  PendingUnit pending{Unit(), Answer<std::vector<Rows>>(executor_, std::move(handler)), true};
  if (!units_.push(pending)) pending.answer.give(closedError());
}

// A unit without statements wakes the writer.
void SqliteStore::submitCopy(std::string path, Handler<void> handler) {
  PendingCopy copy{std::move(path), Answer<void>(executor_, std::move(handler))};
  if (!copies_.push(copy)) return copy.answer.give(closedError());
  PendingUnit wake{Unit(), Answer<std::vector<Rows>>(executor_, [](UnitResult const&) {})};
  if (!units_.push(wake)) wake.answer.give(closedError());
}

void SqliteStore::submitClose(std::monostate, Handler<void> handler) {
  Answer<void> answer(executor_, std::move(handler));
  {
    std::lock_guard const lock(mutex_);
    if (finished_) return answer.give(Result<void>());
    closing_.push_back(std::move(answer));
  }
  copies_.close();
  units_.close();
  reads_.close();
}

void SqliteStore::runWriter(std::vector<Migration> migrations, Answer<void> opened) {
  nameThread("store writer");
  {
    auto file = openFile(options_, std::move(migrations));
    if (!file) return opened.give(std::move(file).error());
    std::vector<std::thread> readers;
    for (auto& connection : file->readers)
      readers.emplace_back([this, &connection] { readUntilClosed(connection); });
    opened.give(Result<void>());
    writeUntilClosed(*file);
    for (auto& reader : readers) reader.join();
  }
  finish();
}

void SqliteStore::writeUntilClosed(OpenFile& file) {
  while (true) {
    auto batch = units_.take([this](auto& queue) { return takeBatch(queue, options_.max_batch_units); },
                             std::vector<PendingUnit>());
    if (batch.empty()) break;
    write(file, std::move(batch));
    while (auto copy = nextCopy()) makeCopy(file, std::move(*copy));
  }
  while (auto copy = nextCopy()) copy->answer.give(closedError());
}

void SqliteStore::write(OpenFile& file, std::vector<PendingUnit> batch) {
  // If it cannot be looked after, the disk itself is the floor.
  (void)file.writer->keepFree(options_.min_free_bytes);
  auto results = batch.front().scrubs ? rewriteFile(*file.writer) : applyBatch(*file.writer, batch);
  answerAll(executor_, std::move(batch), std::move(results));
  file.checkpointer->committed();
}

std::optional<PendingCopy> SqliteStore::nextCopy() {
  return copies_.takeNow(
      [](auto& queue) {
        std::optional<PendingCopy> taken(std::move(queue.front()));
        queue.pop_front();
        return taken;
      },
      std::optional<PendingCopy>());
}

void SqliteStore::makeCopy(OpenFile& file, PendingCopy copy) {
  auto copied = copyAll(file, copy.file);
  copy.answer.give(std::move(copied));
  for (auto& scrub : std::exchange(scrubs_, {})) write(file, std::move(scrub));
}

// Some pages, then the units that have come meanwhile, and so on. The file is not written anew under a copy:
// that waits for its end.
Result<void> SqliteStore::copyAll(OpenFile& file, std::string const& path) {
  TRY(copy, SqliteCopy::begin(*file.writer, path));
  while (true) {
    TRY(done, copy.step());
    if (done) return {};
    auto batch = units_.takeNow([this](auto& queue) { return takeBatch(queue, options_.max_batch_units); },
                                std::vector<PendingUnit>());
    if (!batch.empty() && batch.front().scrubs)
      scrubs_.push_back(std::move(batch));
    else if (!batch.empty())
      write(file, std::move(batch));
    else if (units_.isClosed())
      return closedError();
  }
}

void SqliteStore::readUntilClosed(SqliteConnection& connection) {
  nameThread("store reader");
  while (true) {
    auto next = reads_.take(
        [](auto& queue) {
          std::optional<PendingRead> taken(std::move(queue.front()));
          queue.pop_front();
          return taken;
        },
        std::optional<PendingRead>());
    if (!next) return;
    auto rows = connection.run(next->statement);
    next->answer.give(std::move(rows));
  }
}

void SqliteStore::finish() {
  std::vector<Answer<void>> waiting;
  {
    std::lock_guard const lock(mutex_);
    finished_ = true;
    waiting.swap(closing_);
  }
  for (auto& answer : waiting) answer.give(Result<void>());
}

} // namespace

Task<std::unique_ptr<Store>> openSqlite(asio::any_io_executor executor, Options options,
                                        std::vector<Migration> migrations) {
  auto store = std::make_unique<SqliteStore>(std::move(executor), std::move(options));
  CO_TRY_VOID(co_await store->start(std::move(migrations)));
  co_return std::unique_ptr<Store>(std::move(store));
}

Task<std::size_t> pendingInSqlite(Options options, std::vector<Migration> migrations) {
  CO_TRY(path, sqlitePath(options.url));
  std::error_code unreadable; // then opening it says why
  if (!std::filesystem::exists(path, unreadable) && !unreadable) co_return migrations.size();
  CO_TRY(connection, SqliteConnection::open(path, SqliteConnection::Use::read));
  CO_TRY(missing, missingMigrations(connection, std::move(migrations)));
  co_return missing.size();
}

} // namespace garland::store
