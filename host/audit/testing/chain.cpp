#include "host/audit/testing/chain.h"

namespace garland::audit::testing {
namespace {

std::unique_ptr<store::PostgresFixture> running;

class Ending final : public ::testing::Environment {
  void TearDown() override { running.reset(); }
};

auto* const kEnding = ::testing::AddGlobalTestEnvironment(new Ending);

} // namespace

store::PostgresFixture& server() {
  if (!running) running = store::PostgresFixture::start(store::Commits::stayWithTheKernel).value();
  return *running;
}

Chain::Chain(Database database) {
  url_ =
      database == Database::sqlite ? "sqlite:" + (folder / "garland.db") : server().freshDatabase().value();
  vault = vault::Vault::open(folder / "master.key", true, random).value();
  store = openStore();
  book = openBook(*store);
}

Chain::~Chain() {
  book.reset();
  EXPECT_TRUE(run(store->close()));
}

std::unique_ptr<store::Store> Chain::openStore() {
  store::Options options;
  options.url = url_;
  options.sha256 = vault::sha256;
  return run(store::Store::open(loop.get_executor(), options, migrations())).value();
}

std::unique_ptr<Book> Chain::openBook(store::Store& on, Options options) {
  Dependencies const with{loop.get_executor(), clock, random, log, on, *vault};
  return run(Book::open(with, std::move(options))).value();
}

void Chain::crash(Options options) {
  book.reset();
  clock.advance(Milliseconds(1000));
  book = openBook(*store, std::move(options));
}

void Chain::tell(std::string act) {
  Event event;
  event.kind = Kind::change;
  event.act = std::move(act);
  run(book->write(std::move(event))).value();
}

std::vector<store::Row> Chain::rows(std::string sql) {
  return run(store->read(store::Statement(std::move(sql)))).value().rows;
}

void Chain::write(std::string sql, std::vector<store::Value> args) {
  store::Unit unit;
  unit.emplace_back(std::move(sql), std::move(args));
  run(store->commit(std::move(unit))).value();
}

std::vector<json::value> Chain::lines() {
  std::vector<json::value> out;
  for (auto const& one : run(book->checkpoints(0, 100'000)).value()) out.emplace_back(lineOf(one));
  for (auto const& one : run(book->rows("", -1, 100'000)).value()) out.emplace_back(lineOf(one));
  return out;
}

Verdict Chain::verdict(Mark remembered) {
  Verifier verifier({book->state().key}, std::move(remembered));
  for (auto const& line : lines()) EXPECT_TRUE(verifier.take(line)) << json::serialize(line);
  return verifier.finish();
}

} // namespace garland::audit::testing
