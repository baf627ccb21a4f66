// What the tests of this room share: a loop that runs one task to its end, and fresh databases of both
// kinds. Test code only.
#pragma once

#include "host/base/test_folder.h"
#include "host/store/postgres_fixture.h"
#include "host/store/store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace garland::store {

class Loop {
public:
  asio::io_context& context() { return context_; }
  asio::any_io_executor executor() { return context_.get_executor(); }

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> result;
    spawn(std::move(task), [&result](Result<T> value) { result = std::move(value); });
    while (!result) runOne();
    return std::move(*result);
  }

  template <class T, class Done> void spawn(Task<T> task, Done done) {
    asio::co_spawn(context_, std::move(task), [done](std::exception_ptr failure, Result<T> value) mutable {
      if (failure) std::rethrow_exception(failure);
      done(std::move(value));
    });
  }

  void runOne() {
    context_.restart();
    context_.run_one();
  }
  // Until nothing is left to do; an idle store must not prevent that.
  void runAll() {
    context_.restart();
    context_.run();
  }

private:
  asio::io_context context_;
};

// Of a database of SQLite in that folder.
inline std::string sqliteUrl(TestFolder const& folder) { return "sqlite:" + (folder / "test.db"); }

// One server for the whole test program.
inline PostgresFixture& postgresServer() {
  static Result<std::unique_ptr<PostgresFixture>> server = PostgresFixture::start();
  if (!server) {
    ADD_FAILURE() << server.error().message;
    std::exit(1);
  }
  return **server;
}

inline std::vector<Migration> itemTable() {
  return {Migration{1, "items",
                    "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT, data BYTEA, amount BIGINT);\n"
                    "CREATE UNIQUE INDEX items_by_name ON items (name);\n"
                    "CREATE TABLE pairs (id BIGINT PRIMARY KEY, item BIGINT NOT NULL REFERENCES items (id), "
                    "CHECK (id > -1000000))"}};
}

// A version later; daemons of the one before go on beside it.
inline std::vector<Migration> itemTableWithColour() {
  auto all = itemTable();
  all.push_back(
      Migration{2, "colour", "ALTER TABLE items ADD COLUMN colour TEXT NOT NULL DEFAULT 'white'", 1});
  return all;
}

inline Statement insertItem(std::int64_t id, std::string name) {
  return Statement("INSERT INTO items (id, name) VALUES ($1, $2)", std::vector<Value>{id, std::move(name)});
}

inline Unit unitOf(Statement one) {
  Unit unit;
  unit.push_back(std::move(one));
  return unit;
}

inline Unit unitOf(Statement one, Statement two) {
  auto unit = unitOf(std::move(one));
  unit.push_back(std::move(two));
  return unit;
}

} // namespace garland::store
