// Linked into a test program, it makes every House stand on a fresh database of a real PostgreSQL
// server instead of a SQLite file.
#include "host/store/postgres_fixture.h"
#include "host/sync/testing/house.h"

namespace garland::sync::testing {
namespace {

std::unique_ptr<store::PostgresFixture> server;

std::string freshDatabase(std::string const&) { return server->freshDatabase().value(); }

class Tidier final : public ::testing::EmptyTestEventListener {
  void OnTestEnd(::testing::TestInfo const&) override {
    if (server) static_cast<void>(server->dropIdleDatabases()); // what is in use is for the next time
  }
};

class Postgres final : public ::testing::Environment {
public:
  void SetUp() override {
    auto started = store::PostgresFixture::start(store::Commits::stayWithTheKernel);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
    databaseUrl() = freshDatabase;
    ::testing::UnitTest::GetInstance()->listeners().Append(new Tidier);
  }
  void TearDown() override { server.reset(); }
};

auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new Postgres);

} // namespace
} // namespace garland::sync::testing
