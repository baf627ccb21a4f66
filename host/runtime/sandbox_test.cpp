// What a hostile plugin gets from a real worker: a refusal, before its first instruction and after. More acts
// are in tests/hostile, with proof from outside; these run with sanitized workers, too.
#include "host/runtime/sandbox.h"
#include "host/runtime/test_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::runtime {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kActs = 36; // of test_plugins/hostile.c

// A sanitizer's runtime installs handlers and reads directories, so its filter lets both through.
bool sanitizerMay([[maybe_unused]] std::string_view name) {
#ifdef GARLAND_SANITIZER_BUILD
  return name == "catch_signal" || name == "list_root";
#else
  return false;
#endif
}

// The acts that got through; the answer itself must be whole.
std::vector<std::string> succeeded(std::optional<wire::Done> const& done) {
  if (!done || done->error) return {"no answer"};
  auto const outcomes = parseJson(done->result);
  if (!outcomes || outcomes->as_object().size() != kActs) return {"not every act was tried"};
  std::vector<std::string> names;
  for (auto const& [name, outcome] : outcomes->as_object())
    if (outcome == 0 && !sanitizerMay(name)) names.emplace_back(name);
  return names;
}

// A private root hides paths; without it stat() of any path works, which tier B says of itself.
std::vector<std::string> toleratedIn(std::optional<wire::Closed> const& sandbox) {
  auto const tier = static_cast<SandboxTier>(sandbox->tier);
  if (tier == SandboxTier::b || tier == SandboxTier::d) return {"stat_passwd"};
  return {};
}

TEST(Sandbox, AnOperationIsRefusedEverythingAndTheWorkerGoesOn) {
  TestWorker worker("hostile");
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(succeeded(worker.run("test.acts/1")), toleratedIn(worker.sandbox));
  auto const done = worker.run("test.echo/1", "[1]");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->result, "[1]");
}

TEST(Sandbox, AStaticInitialiserIsRefusedEverythingAndTheWorkerGoesOn) {
  TestWorker worker("hostile_at_start");
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(succeeded(worker.run("test.at_start/1")), toleratedIn(worker.sandbox));
  EXPECT_EQ(succeeded(worker.run("test.acts/1")), toleratedIn(worker.sandbox));
}

TEST(Sandbox, NothingWasLeftOnTheDisk) {
  TestWorker worker("hostile");
  ASSERT_TRUE(worker.start());
  ASSERT_TRUE(worker.run("test.acts/1"));
  EXPECT_NE(::access("/tmp/garland-hostile", F_OK), 0);
}

TEST(Sandbox, TheTierIsWhatTheProbeOfThisMachineFound) {
  TestWorker worker("hostile");
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(static_cast<SandboxTier>(worker.sandbox->tier), probeSandbox().tier);
  if (worker.sandbox->tier == 0) EXPECT_THAT(worker.sandbox->notes, IsEmpty());
}

// In a child that becomes this user: what probeSandbox() finds there, as one number.
int probedAs(uid_t user, int dumpable) {
  pid_t const child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
        ::setresuid(user, user, user) != 0)
      ::_exit(255);
    ::prctl(PR_SET_DUMPABLE, dumpable);
    auto const found = probeSandbox();
    ::_exit(static_cast<int>(found.tier) * 2 + (found.private_root ? 1 : 0));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Sandbox, AHardenedDaemonOfAnOrdinaryUserFindsTheSameTier) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  constexpr uid_t kNobody = 65534;
  auto const plain = probedAs(kNobody, 1);
  ASSERT_GE(plain, 0);
  ASSERT_NE(plain, 255);
  EXPECT_EQ(probedAs(kNobody, 0), plain) << "garlandd is not dumpable";
}

TEST(Sandbox, TiersAreNamedByTheirLayers) {
  EXPECT_EQ(sandbox::tierOf(true, true), SandboxTier::a);
  EXPECT_EQ(sandbox::tierOf(true, false), SandboxTier::b);
  EXPECT_EQ(sandbox::tierOf(false, true), SandboxTier::c);
  EXPECT_EQ(sandbox::tierOf(false, false), SandboxTier::d);
}

TEST(Sandbox, TheWorkerIsNotRoot) {
  TestWorker worker("hostile");
  ASSERT_TRUE(worker.start());
  std::string const path = "/proc/" + std::to_string(worker.pid()) + "/status";
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  std::string text(8192, '\0');
  auto const got = ::read(file, text.data(), text.size());
  ::close(file);
  ASSERT_GT(got, 0);
  EXPECT_THAT(text, testing::Not(HasSubstr("\nUid:\t0")));
  EXPECT_THAT(text, HasSubstr("\nNoNewPrivs:\t1"));
  EXPECT_THAT(text, HasSubstr("\nSeccomp:\t2"));
  EXPECT_THAT(text, HasSubstr("\nThreads:\t1"));
}

// ---------------------------------------------------------------- kernels that offer less

TEST(SandboxTiers, WithoutNamespacesAPluginLearnsOnlyThatPathsExist) {
  TestWorker worker("hostile_at_start", {}, {"unshare"});
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(static_cast<SandboxTier>(worker.sandbox->tier), SandboxTier::b);
  ASSERT_EQ(worker.sandbox->notes.size(), 1U);
  EXPECT_THAT(worker.sandbox->notes[0], HasSubstr("no private root"));
  EXPECT_EQ(succeeded(worker.run("test.at_start/1")), std::vector<std::string>{"stat_passwd"});
  EXPECT_EQ(succeeded(worker.run("test.acts/1")), std::vector<std::string>{"stat_passwd"});
}

TEST(SandboxTiers, WithoutMountPropertiesThereIsNoPrivateRoot) {
  TestWorker worker("hostile", {}, {"mount_setattr"});
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(static_cast<SandboxTier>(worker.sandbox->tier), SandboxTier::b);
}

TEST(SandboxTiers, WithoutLandlockThePrivateRootHidesFiles) {
  TestWorker worker("hostile", {}, {"landlock_create_ruleset"});
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(static_cast<SandboxTier>(worker.sandbox->tier), SandboxTier::c);
  auto const names = succeeded(worker.run("test.acts/1"));
  // The root holds nothing but system libraries, and the process sees itself.
  for (auto const& name : names) EXPECT_TRUE(name == "open_environ") << name;
}

TEST(SandboxTiers, WithNeitherNoPluginIsLoadedUnlessTheOperatorAllowsIt) {
  std::vector<std::string> const without = {"unshare", "landlock_create_ruleset"};
  TestWorker refused("hostile", {}, without);
  auto const failed = refused.receiveAs<wire::LoadFailed>(wire::Kind::loadFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->stage, "tier");
  EXPECT_THAT(failed->reason, HasSubstr("tier D"));
  auto const status = refused.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitSandbox);

  TestWorker allowed("hostile", {"--allow-degraded-sandbox"}, without);
  auto const hello = allowed.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(static_cast<SandboxTier>(allowed.sandbox->tier), SandboxTier::d);
  EXPECT_EQ(succeeded(allowed.run("test.acts/1")), std::vector<std::string>{"stat_passwd"});
}

TEST(SandboxTiers, WithoutSeccompNoPluginIsEverLoaded) {
  TestWorker worker("hostile", {"--allow-degraded-sandbox"}, {"seccomp"});
  auto const failed = worker.receiveAs<wire::LoadFailed>(wire::Kind::loadFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->stage, "sandbox");
  EXPECT_THAT(failed->reason, HasSubstr("seccomp"));
}

TEST(Sandbox, TheProbeTellsWhatItFoundAsJson) {
  auto const status = probeSandbox();
  auto const document = toJson(status);
  EXPECT_EQ(textOr(document, "/tier", ""), name(status.tier));
  EXPECT_EQ(boolOr(document, "/seccomp", false), status.seccomp);
  EXPECT_FALSE(coverage(status.tier).empty());
}

} // namespace
} // namespace garland::runtime
