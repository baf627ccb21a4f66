// From a worker's last words to a file that can be replayed, without a worker.
#include "host/base/test_folder.h"
#include "host/runtime/crash_capsule.h"
#include "host/runtime/elf_symbols.h"
#include "host/runtime/host_test_kit.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <elf.h>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string probeBytes() { return testing::readFile(testing::kPlugins + "/test.host_probe/connector.so"); }

// Where a function of the probe begins, by its symbol table as another reader sees it: the first place for
// which `symbols` gives the name.
std::uint64_t placeOf(ElfSymbols const& symbols, std::string const& name) {
  for (std::uint64_t place = 0; place < (1U << 16U); ++place)
    if (symbols.nameAt(place) == name + "+0") return place;
  return 0;
}

// ---------------------------------------------------------------- symbols and stacks

TEST(ElfSymbols, APlaceIsNamedByTheFunctionThatHoldsIt) {
  auto const symbols = ElfSymbols::read(probeBytes());
  auto const entry = placeOf(symbols, "garland_entry_v1");
  ASSERT_NE(entry, 0U);
  EXPECT_EQ(symbols.nameAt(entry + 5), "garland_entry_v1+5");
  EXPECT_EQ(symbols.nameAt(1), "");
}

TEST(ElfSymbols, DamagedFilesHaveNoNamesAndDoNoHarm) {
  auto const whole = probeBytes();
  EXPECT_TRUE(ElfSymbols::read("").empty());
  EXPECT_TRUE(ElfSymbols::read("not an object").empty());
  for (std::size_t size = 0; size < whole.size(); size += 211)
    static_cast<void>(ElfSymbols::read(whole.substr(0, size)).nameAt(4096));
  for (std::size_t at = 0; at < sizeof(Elf64_Ehdr); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x5a);
    static_cast<void>(ElfSymbols::read(damaged).nameAt(4096));
  }
}

TEST(StackTrace, LinesThatAreNoFramesAreLeftOut) {
  auto const stack =
      symbolise("? 8\nnonsense\n\n 1f\nlibc.so.6 abort+1f\nplugin 10\nplugin 20\nworker 1\n", "");
  ASSERT_EQ(stack.size(), 4U);
  EXPECT_EQ(stack[0].describe(), "?+0x8");
  EXPECT_EQ(stack[1].describe(), "abort+1f (libc.so.6)");
  EXPECT_EQ(stack[2].describe(), "plugin+0x10");
  EXPECT_EQ(culprit(stack), &stack[2]);
}

TEST(StackTrace, AStackWithoutThePluginIsKeptWhole) {
  EXPECT_EQ(symbolise("worker 1\nworker 2\n", "").size(), 2U);
  EXPECT_EQ(culprit({}), nullptr);
}

TEST(StackTrace, APluginCannotMakeItLongOrUnreadable) {
  std::string hostile;
  for (int i = 0; i < 5000; ++i) hostile += "plugin 1\n";
  EXPECT_LE(symbolise(hostile, "").size(), 64U);
  auto const stack = symbolise("\x1b[31mred abort\xff\n", "");
  ASSERT_EQ(stack.size(), 1U);
  EXPECT_THAT(stack[0].describe(), Not(HasSubstr("\x1b")));
}

// ---------------------------------------------------------------- capsules

CrashReport someReport() {
  CrashReport report;
  report.plugin_id = "test.host_probe";
  report.plugin_version = "1.2.3";
  report.plugin_path = "/plugins/test.host_probe/connector.so";
  report.digest = std::string(64, 'a');
  report.operation = "test.http/1";
  report.account_id = "con_1";
  report.account =
      json::object{{"account_id", "con_1"}, {"settings", json::object{{"url", "https://u:hunter2@x"}}}};
  report.input = json::object{{"count", 1}};
  report.how = "was killed by SIGSEGV (SIGSEGV) while test.http/1 of test.host_probe ran";
  report.stack = {{"libc.so.6", "memcpy+10", 0}, {"plugin", "unpack+1f", 0x1234}};
  HostCall http;
  http.call = "http";
  http.method = "GET";
  http.url = "https://example.test/?key=hunter2";
  http.status = 200;
  http.headers = {{"x-echo", "hunter2"}};
  http.body = "hunter2 \"quoted\"";
  HostCall bytes;
  bytes.call = "kv_get";
  bytes.key = "page";
  bytes.body = std::string("\xff\x00 hunter2", 10);
  HostCall failed;
  failed.call = "http";
  failed.method = "PUT";
  failed.url = "https://example.test/2";
  failed.error = Error(ErrorKind::rateLimited, "slow down, hunter2").withEffect(Effect::notApplied);
  HostCall open;
  open.call = "checkpoint";
  open.answered = false;
  report.host_calls = {http, bytes, failed, open};
  report.emitted = 3;
  report.checkpoints = 1;
  return report;
}

class Capsules : public ::testing::Test {
protected:
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (auto const& entry : fs::directory_iterator(folder_)) out.push_back(entry.path().filename());
    std::ranges::sort(out);
    return out;
  }
  TestFolder const own_;
  std::string folder_ = own_ / "capsules";
  Redactor redactor_;
  CapsuleFolder capsules_{folder_, redactor_};
};

TEST_F(Capsules, WhatIsWrittenIsReadAgain) {
  auto const report = someReport();
  auto const path = capsules_.keep(report);
  ASSERT_TRUE(path) << path.error().message;
  auto const back = parseCapsule(testing::readFile(*path));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(toJson(*back), toJson(report));
  EXPECT_EQ(back->host_calls[1].body, report.host_calls[1].body);
  EXPECT_FALSE(back->host_calls[3].answered);
  EXPECT_THAT(back->summary(), EndsWith("in unpack+1f (plugin+0x1234)"));
}

TEST_F(Capsules, NoKnownSecretIsWrittenInAnyForm) {
  redactor_.add("hunter2");
  redactor_.add("\"quoted\""); // JSON would hide it behind backslashes
  auto const path = capsules_.keep(someReport());
  ASSERT_TRUE(path);
  auto const text = testing::readFile(*path);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, Not(HasSubstr("quoted")));
  auto const back = parseCapsule(text);
  ASSERT_TRUE(back);
  EXPECT_THAT(back->host_calls[1].body, HasSubstr("[secret]"));
  EXPECT_EQ(back->host_calls[0].url, "https://example.test/?key=[secret]");
}

TEST_F(Capsules, OnlyTheOwnerMayReadThem) {
  auto const path = capsules_.keep(someReport());
  ASSERT_TRUE(path);
  struct stat facts{};
  ASSERT_EQ(::stat(path->c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(folder_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(Capsules, TheOldestGoAndNumbersAreNotUsedTwice) {
  auto report = someReport();
  for (std::size_t i = 0; i < CapsuleFolder::kKept + 3; ++i) ASSERT_TRUE(capsules_.keep(report));
  EXPECT_EQ(files().size(), CapsuleFolder::kKept);
  EXPECT_FALSE(fs::exists(folder_ + "/aaaaaaaaaaaaaaaa-3.json"));
  EXPECT_TRUE(fs::exists(folder_ + "/aaaaaaaaaaaaaaaa-4.json"));
  report.digest = std::string(64, 'b');
  auto const other = capsules_.keep(report);
  ASSERT_TRUE(other);
  EXPECT_THAT(*other, EndsWith("/bbbbbbbbbbbbbbbb-1.json"));
  auto const newest = capsules_.newest(std::string(64, 'a'));
  ASSERT_TRUE(newest);
  EXPECT_THAT(newest->path, EndsWith("-23.json"));
  EXPECT_THAT(newest->summary, StartsWith("was killed by SIGSEGV"));
  EXPECT_FALSE(capsules_.newest(std::string(64, 'c')));
}

TEST_F(Capsules, ALargeOneIsKeptWithoutBodies) {
  auto report = someReport();
  report.host_calls[0].body = std::string(CapsuleFolder::kMaxBytes, 'x');
  auto const path = capsules_.keep(report);
  ASSERT_TRUE(path);
  EXPECT_LT(fs::file_size(*path), CapsuleFolder::kMaxBytes);
  auto const back = parseCapsule(testing::readFile(*path));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->host_calls[0].body_kept);
  EXPECT_EQ(back->host_calls[0].status, 200);
}

TEST_F(Capsules, NothingThatAPluginAskedForMakesOneLarger) {
  auto report = someReport();
  report.input = json::object{{"text", std::string(CapsuleFolder::kMaxBytes, 'x')}};
  report.host_calls.clear();
  for (int i = 0; i < 128; ++i) {
    auto& call = report.host_calls.emplace_back();
    call.call = "http";
    call.url = "https://example.test/" + std::string(16U << 10U, 'u');
    for (int header = 0; header < 64; ++header)
      call.headers.emplace_back("x-" + std::to_string(header), std::string(4096, 'h'));
  }
  auto const path = capsules_.keep(report);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_LE(fs::file_size(*path), CapsuleFolder::kMaxBytes + 1);
  auto const back = parseCapsule(testing::readFile(*path));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->operation, report.operation);
  EXPECT_EQ(back->stack.size(), report.stack.size());
}

TEST_F(Capsules, OfAllBuildsTogetherTheOldestGo) {
  auto report = someReport();
  fs::create_directories(folder_);
  std::ofstream(folder_ + "/notes.json") << "{}";
  auto const old = std::chrono::file_clock::now() - std::chrono::hours(1);
  for (std::size_t i = 0; i < CapsuleFolder::kKeptInAll + 5; ++i) {
    auto digits = std::to_string(i);
    report.digest = std::string(16 - digits.size(), '0') + digits + std::string(48, 'f');
    auto const path = capsules_.keep(report);
    ASSERT_TRUE(path);
    fs::last_write_time(*path, old + std::chrono::seconds(i));
  }
  EXPECT_EQ(files().size(), CapsuleFolder::kKeptInAll + 1);
  EXPECT_FALSE(fs::exists(folder_ + "/0000000000000004-1.json"));
  EXPECT_TRUE(fs::exists(folder_ + "/0000000000000005-1.json"));
  EXPECT_TRUE(fs::exists(folder_ + "/notes.json"));
}

TEST_F(Capsules, WhatIsNoCapsuleIsRefusedInASentence) {
  auto const other = parseCapsule(R"({"capsule":9})");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("/capsule"));
  EXPECT_FALSE(parseCapsule("{"));
  EXPECT_FALSE(parseCapsule(R"({"capsule":1,"host_calls":[{"call":7}]})"));
}

} // namespace
} // namespace garland::runtime
