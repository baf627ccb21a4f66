#include "host/runtime/worker_fiber.h"

#include "host/runtime/worker_json.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::runtime::worker {
namespace {

TEST(Fiber, RunsInTurnsUntilItEnds) {
  StackPool pool;
  std::string trace;
  Fiber* self = nullptr;
  Fiber fiber(pool, [&] {
    trace += "a";
    self->suspend();
    trace += "b";
  });
  self = &fiber;
  EXPECT_EQ(trace, "");
  fiber.resume();
  EXPECT_EQ(trace, "a");
  EXPECT_FALSE(fiber.finished());
  fiber.resume();
  EXPECT_EQ(trace, "ab");
  EXPECT_TRUE(fiber.finished());
}

TEST(Fiber, EachOneKeepsItsExceptionsAndItsErrno) {
  StackPool pool;
  std::vector<std::string> caught(3);
  std::vector<int> errors(3);
  std::vector<std::unique_ptr<Fiber>> fibers;
  for (std::size_t i = 0; i < 3; ++i) {
    fibers.push_back(std::make_unique<Fiber>(pool, [&, i] {
      try {
        try {
          throw std::runtime_error(std::to_string(i));
        } catch (...) {
          errno = static_cast<int>(i) + 1;
          fibers[i]->suspend();
          errors[i] = errno;
          throw;
        }
      } catch (std::exception const& error) {
        caught[i] = error.what();
      }
    }));
  }
  for (auto const& fiber : fibers) fiber->resume();
  EXPECT_EQ(std::current_exception(), nullptr);
  // Not in the order in which they were thrown.
  for (std::size_t const i : {0U, 2U, 1U}) fibers[i]->resume();
  EXPECT_EQ(caught, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(errors, (std::vector<int>{1, 2, 3}));
}

TEST(Fiber, AFiberDoesNotSeeThatAnotherIsUnwinding) {
  StackPool pool;
  Fiber* first = nullptr;
  struct SuspendWhileUnwinding {
    Fiber*& fiber;
    ~SuspendWhileUnwinding() { fiber->suspend(); }
  };
  Fiber unwinding(pool, [&] {
    try {
      SuspendWhileUnwinding const guard{first};
      throw 1;
    } catch (int) {
    }
  });
  first = &unwinding;
  int seen = -1;
  Fiber other(pool, [&] { seen = std::uncaught_exceptions(); });
  unwinding.resume();
  other.resume();
  unwinding.resume();
  EXPECT_EQ(seen, 0);
  EXPECT_TRUE(unwinding.finished());
}

TEST(Fiber, StacksAreUsedAgain) {
  StackPool pool;
  char const* first = nullptr;
  for (int i = 0; i < 100; ++i) {
    Fiber fiber(pool, [] {});
    fiber.resume();
    if (first == nullptr) first = fiber.stackLimit();
    EXPECT_EQ(fiber.stackLimit(), first);
  }
}

TEST(FiberDeathTest, BelowAStackLiesAGuard) {
  StackPool pool;
  Fiber fiber(pool, [] {});
  auto* const guard = const_cast<char volatile*>(fiber.stackLimit());
  EXPECT_DEATH(guard[-1] = 1, "");
  EXPECT_DEATH(guard[-static_cast<long>(StackPool::kGuardBytes)] = 1, "");
  fiber.resume();
}

TEST(Json, ADocumentIsWholeOrItIsNone) {
  for (char const* good : {"1", " {\"a\":[null,true,1.5e3,\"\\u00fc\"]} ", "\"\xc3\xbc\"", "[]"})
    EXPECT_TRUE(isJson(good)) << good;
  for (char const* bad : {"", " ", "{", "[1,]", "1 2", "nul", "\"\xff\"", "// c\n1", "NaN", "01"})
    EXPECT_FALSE(isJson(bad)) << bad;
  EXPECT_FALSE(isJson(std::string(65, '[') + std::string(65, ']')));
  EXPECT_TRUE(isJson(std::string(64, '[') + std::string(64, ']')));
  EXPECT_TRUE(isJsonObject(" {}"));
  EXPECT_FALSE(isJsonObject("[]"));
}

} // namespace
} // namespace garland::runtime::worker
