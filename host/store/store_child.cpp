// A process that a test kills: `store_child URL hold` opens the store, says "open" and waits;
// `store_child URL write` commits units until it dies and prints the number of each one that was
// acknowledged. Unit N inserts the rows N and -N.
#include "host/store/store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>

#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace garland::store {
namespace {

void say(std::string const& line) {
  auto const text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(3);
}

[[noreturn]] void fail(Error const& error) {
  say("error " + error.message);
  std::_Exit(2);
}

std::vector<Migration> numbers() {
  return {Migration{1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"}};
}

asio::awaitable<void> writeForEver(Store* store, std::int64_t first, std::int64_t step) {
  std::string const text(300, 'x');
  for (std::int64_t number = first;; number += step) {
    Unit unit;
    for (auto const id : {number, -number})
      unit.emplace_back("INSERT INTO numbers (id, text) VALUES ($1, $2)", std::vector<Value>{id, text});
    auto const done = co_await store->commit(std::move(unit));
    if (!done) fail(done.error());
    say(std::to_string(number));
  }
}

asio::awaitable<void> work(asio::any_io_executor executor, std::string url, bool writing) {
  Options options;
  options.url = std::move(url);
  auto opened = co_await Store::open(executor, std::move(options), numbers());
  if (!opened) fail(opened.error());
  auto const store = std::move(*opened);
  say("open");
  if (!writing) ::pause();
  constexpr std::int64_t kWriters = 12;
  for (std::int64_t i = 2; i <= kWriters; ++i)
    asio::co_spawn(executor, writeForEver(store.get(), i, kWriters), asio::detached);
  co_await writeForEver(store.get(), 1, kWriters);
}

} // namespace
} // namespace garland::store

int main(int count, char** arguments) {
  if (count != 3) return 2;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  boost::asio::io_context loop;
  boost::asio::co_spawn(
      loop, garland::store::work(loop.get_executor(), arguments[1], std::string(arguments[2]) == "write"),
      boost::asio::detached);
  loop.run();
}
