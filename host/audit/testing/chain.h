// A book on a real database, for tests: a virtual clock, and the database within reach.
#pragma once

#include "host/audit/audit.h"
#include "host/base/test_folder.h"
#include "host/store/postgres_fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::audit::testing {

enum class Database { sqlite, postgresql };

// One server for the whole program; started when the first test needs it.
store::PostgresFixture& server();

class Chain {
public:
  explicit Chain(Database database);
  ~Chain();
  Chain(Chain const&) = delete;
  Chain& operator=(Chain const&) = delete;

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    while (!out) loop.run_one();
    return std::move(*out);
  }

  // A book on a store of its own, as another daemon has it.
  std::unique_ptr<store::Store> openStore();
  std::unique_ptr<Book> openBook(store::Store& on, Options options = {});
  // The book is gone without a word, and another one begins.
  void crash(Options options = {});

  void tell(std::string act); // in a unit of its own
  std::vector<store::Row> rows(std::string sql);
  void write(std::string sql, std::vector<store::Value> args = {});
  // Everything that the book hands out, read by a verifier.
  Verdict verdict(Mark remembered = {});
  std::vector<json::value> lines();

  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  VirtualClock clock{parseRfc3339("2026-01-01T00:00:00Z").value()};
  SeededRandom random{7};
  Redactor redactor;
  std::string log_text;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) { log_text += line; }};
  TestFolder folder;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Book> book;

private:
  std::string url_;
};

} // namespace garland::audit::testing
