#include "host/runtime/process.h"

#include "host/runtime/wire.h"

#include <gtest/gtest.h>

#include <csignal>

namespace garland::runtime {
namespace {

TEST(ExitStatus, SaysEachThingOnce) {
  EXPECT_EQ((ExitStatus{0, SIGSEGV}.describe()), "was killed by SIGSEGV");
  EXPECT_EQ((ExitStatus{0, SIGSEGV}.describe("SIGSEGV")), "was killed by SIGSEGV");
  EXPECT_EQ((ExitStatus{0, SIGSEGV}.describe("SIGSEGV: the stack was used up")),
            "was killed by SIGSEGV: the stack was used up");
  EXPECT_EQ((ExitStatus{0, SIGKILL}.describe("it was told to")), "was killed by SIGKILL (it was told to)");
  EXPECT_EQ((ExitStatus{wire::kExitWatchdog, 0}.describe("watchdog: it held the processor")),
            "ended with exit code 68 (watchdog: it held the processor)");
  EXPECT_EQ((ExitStatus{wire::kExitWatchdog, 0}.describe()),
            "ended with exit code 68 (a call kept the processor for too long)");
  EXPECT_EQ((ExitStatus{3, 0}.describe()), "ended with exit code 3");
}

} // namespace
} // namespace garland::runtime
