// `garland dev` as a developer of a connector uses it: the real programs, a connector that misbehaves.
#include "host/base/test_folder.h"
#include "host/runtime/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

#ifdef GARLAND_SANITIZER_BUILD
constexpr bool kSanitized = true; // faults are reported by the sanitizer, which exits
#else
constexpr bool kSanitized = false;
#endif

struct Ran {
  int code = -1; // exit code; 128 + signal
  std::string out;
  std::string err;
  garland::json::value json() const {
    auto value = parseJson(out);
    return value ? *value : garland::json::object{{"not_json", out + err}};
  }
};

class Dev : public ::testing::Test {
protected:
  std::string file(std::string const& name, std::string const& text) const {
    testing::writeFile(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }
  std::string answers(std::string const& body) const {
    json::object const call{{"call", "http"},
                            {"method", "GET"},
                            {"url", "https://example.test/links"},
                            {"status", 200},
                            {"body", body}};
    return file("answers.json", json::serialize(json::object{{"host_calls", json::array{call}}}));
  }
  Ran run(std::string const& words) const {
    auto const command = "exec '" + inBuild("/bin/garland") + "' dev " + words + " 2>'" + folder_ + "/err'";
    Ran ran;
    auto* const pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> bytes;
    while (auto const got = std::fread(bytes.data(), 1, bytes.size(), pipe))
      ran.out.append(bytes.data(), got);
    auto const status = ::pclose(pipe);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ran.err = testing::readFile(folder_ + "/err");
    return ran;
  }
  // A capsule made by a real supervisor whose worker died of this operation.
  std::string capsuleOf(std::string const& operation, std::string const& body) {
    SupervisorOptions options;
    options.capsules_dir = folder_ + "/capsules";
    Redactor redactor;
    redactor.add("hunter2");
    options.redactor = &redactor;
    std::vector<SupervisorEvent> events;
    options.on_event = [&](SupervisorEvent const& event) { events.push_back(event); };
    {
      testing::Runtime runtime(options);
      runtime.info = testing::plugin("dev_probe");
      runtime.host.on_http = [&](HttpAsk) -> garland::Task<HttpAnswer> {
        HttpAnswer answer;
        answer.status = 200;
        answer.headers = {{"x-echo", "hunter2"}};
        answer.body = body;
        co_return answer;
      };
      EXPECT_FALSE(runtime.call(operation, json::object{{"note", "hunter2"}}));
      EXPECT_TRUE(runtime.call("echo")) << "the host and the plugin's next worker go on";
    }
    for (auto const& event : events)
      if (event.kind == SupervisorEvent::Kind::crashed) {
        crash_ = event.reason;
        return event.capsule;
      }
    return {};
  }

  TestFolder const own_;
  std::string const folder_ = own_.path();
  std::string const probe_ = testing::kPlugins + "/test.dev_probe";
  std::string crash_;
};

std::vector<std::string> texts(json::value const& report, std::string_view pointer) {
  std::vector<std::string> out;
  if (auto const* list = find(report, pointer); list != nullptr && list->is_array())
    for (auto const& item : list->as_array())
      out.emplace_back(item.is_string() ? std::string(item.as_string()) : json::serialize(item));
  return out;
}

// ---------------------------------------------------------------- run

TEST_F(Dev, AnOperationThatEndsWellIsTold) {
  auto const ran =
      run("run --json --input " + file("in.json", R"({"a":[1]})") + " " + probe_ + " test.echo/1");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::serialize(*find(ran.json(), "/result")), R"({"a":[1]})");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("running: "), HasSubstr("| about to answer")));
}

TEST_F(Dev, ThePluginIsFedRecordedAnswers) {
  auto const ran = run("run --json --answers " + answers("abc") + " " + probe_ + " test.fetch/1");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::serialize(*find(ran.json(), "/result")), R"({"status":200,"bytes":3})");
}

TEST_F(Dev, AnAnswerThatIsNotRecordedIsNamed) {
  auto const ran = run("run --json " + probe_ + "/connector.so test.fetch/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(textOr(ran.json(), "/error/kind", ""), "transient");
  EXPECT_THAT(texts(ran.json(), "/missing_answers"), Contains("GET https://example.test/links"));
}

TEST_F(Dev, TheSameRunsInThisVeryProcess) {
  auto const ran =
      run("run --json --in-process --answers " + answers("abcd") + " " + probe_ + " test.fetch/1");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::serialize(*find(ran.json(), "/result")), R"({"status":200,"bytes":4})");
}

TEST_F(Dev, InProcessACrashIsTheProgramsOwn) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer reports and exits";
  EXPECT_EQ(run("run --in-process --answers " + answers("x") + " " + probe_ + " test.unpack/1").code,
            128 + SIGSEGV);
}

TEST_F(Dev, ACrashIsToldWithFunctionsAndLines) {
  auto const ran = run("run --json --answers " + answers("x") + " " + probe_ + " test.unpack/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(textOr(ran.json(), "/died", ""), "");
  auto const stack = texts(ran.json(), "/stack");
  EXPECT_THAT(stack, Contains(StartsWith("store_link")));
  EXPECT_THAT(stack, Contains(StartsWith("unpack_links")));
  EXPECT_THAT(stack.back(), StartsWith("unpack"));
}

TEST_F(Dev, ACallThroughABadPointerTellsWhoMadeIt) {
  auto const ran = run("run --json " + probe_ + " test.call_null/1");
  EXPECT_EQ(ran.code, 1);
  if (kSanitized) // its report gives the callers, its callback no place to start from
    EXPECT_THAT(ran.err, HasSubstr("in call_null"));
  else
    EXPECT_THAT(texts(ran.json(), "/stack"), Contains(StartsWith("call_handler"))) << ran.out;
}

TEST_F(Dev, TheWatchdogTellsWhereThePluginSpun) {
  auto const ran = run("run --json " + probe_ + " test.spin/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(textOr(ran.json(), "/died", ""), HasSubstr("watchdog"));
  EXPECT_THAT(texts(ran.json(), "/stack"), Contains(StartsWith("count_forever"))) << ran.out;
}

TEST_F(Dev, AHeapOverflowIsFoundByASanitizedWorkerAndPlugin) {
  if (!kSanitized) GTEST_SKIP() << "needs the preset asan";
  auto const ran =
      run("run --json --input " + file("in.json", R"({"far":true})") + " " + probe_ + " test.overflow/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("heap-buffer-overflow"));
  EXPECT_THAT(ran.err, Not(HasSubstr("symbolizer")))
      << "the report warns of what the sandbox is right to refuse";
  EXPECT_THAT(texts(ran.json(), "/stack"), Contains(StartsWith("read_behind"))) << ran.out << ran.err;
}

TEST_F(Dev, WrongWordsAreToldApartFromWhatIsNotThere) {
  EXPECT_EQ(run("run").code, 2);
  EXPECT_EQ(run("run --sandbox=maybe " + probe_ + " test.echo/1").code, 2);
  EXPECT_EQ(run("run --wait-debugger " + probe_ + " test.echo/1").code, 2);
  EXPECT_EQ(run("run /nowhere test.echo/1").code, 3);
  EXPECT_EQ(run("run --help").code, 0);
}

// ---------------------------------------------------------------- audit

TEST_F(Dev, AnAuditListsWhatTheSandboxRefusesAndWhere) {
  auto const ran = run("run --json --sandbox=audit " + probe_ + " test.pry/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(integerOr(ran.json(), "/result/open", -1), 0) << "what is told is refused all the same";
  auto const refused = texts(ran.json(), "/refused");
  EXPECT_THAT(refused, Contains(AllOf(HasSubstr("socket(AF_INET, SOCK_STREAM, 0)"), HasSubstr("EPERM"),
                                      HasSubstr("call_home"), HasSubstr("\"times\":3"))))
      << ran.out;
  EXPECT_THAT(refused, Contains(AllOf(HasSubstr("/etc/passwd"), HasSubstr("read_accounts"))));
}

TEST_F(Dev, AnAuditGoesOnWhereThePluginTriesToStartThreadsAndProcesses) {
  auto const ran = run("run --json --sandbox=audit " + probe_ + " test.start/1");
  EXPECT_EQ(ran.code, 1) << "there is something to tell";
  EXPECT_EQ(textOr(ran.json(), "/died", ""), "") << "the plugin gets the answers of a closed sandbox";
  auto const refused = texts(ran.json(), "/refused");
  EXPECT_THAT(refused, Contains(AllOf(HasSubstr("clone3("), HasSubstr("ENOSYS")))) << ran.out;
  EXPECT_THAT(refused, Contains(AllOf(HasSubstr("clone("), HasSubstr("EPERM"), HasSubstr("start_process"))));
  if (!kSanitized) { // whose interceptors go other ways
    EXPECT_THAT(refused, Contains(AllOf(HasSubstr("rt_sigaction("), HasSubstr("start_thread"))));
    EXPECT_THAT(refused, Contains(AllOf(HasSubstr("rt_sigaction("), HasSubstr("start_shell"))));
  }
  EXPECT_EQ(integerOr(ran.json(), "/result/thread", -1), EPERM);
  EXPECT_EQ(integerOr(ran.json(), "/result/process", -1), EPERM);
  EXPECT_EQ(integerOr(ran.json(), "/result/shell", -1), 127) << "no shell could be started";
  EXPECT_EQ(integerOr(ran.json(), "/result/mask_kept", -1), 1)
      << "other signals are blocked as the plugin says";
}

TEST_F(Dev, AnAuditOfAHarmlessOperationFindsNothing) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's runtime asks for more than a plugin does";
  auto const ran =
      run("run --json --sandbox=audit --answers " + answers("abc") + " " + probe_ + " test.fetch/1");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(texts(ran.json(), "/refused"), ::testing::IsEmpty());
}

// ---------------------------------------------------------------- capsules

TEST_F(Dev, ACrashUnderTheSupervisorLeavesACapsuleWithoutSecrets) {
  auto const path = capsuleOf("unpack", "x hunter2");
  ASSERT_NE(path, "");
  auto const text = testing::readFile(path);
  auto const capsule = parseJson(text).value();
  EXPECT_THAT(crash_, HasSubstr("store_link"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_EQ(textOr(capsule, "/operation", ""), "test.unpack/1");
  EXPECT_EQ(textOr(capsule, "/account_id", ""), "con_1");
  EXPECT_EQ(textOr(capsule, "/input/note", ""), "[secret]");
  EXPECT_EQ(textOr(capsule, "/plugin/version", ""), "1.0.0");
  EXPECT_EQ(textOr(capsule, "/host_calls/0/url", ""), "https://example.test/links");
  EXPECT_EQ(textOr(capsule, "/host_calls/0/body", ""), "x [secret]");
  EXPECT_THAT(texts(capsule, "/stack"), Contains(HasSubstr("store_link")));
}

TEST_F(Dev, AFrameWithoutDebugInformationHasNoLine) {
  auto const stripped = folder_ + "/stripped.so";
  ASSERT_EQ(std::system(("strip -g -o '" + stripped + "' '" + probe_ + "/connector.so'").c_str()), 0);
  auto const ran = run("run --json " + stripped + " test.stop/1");
  auto const stack = texts(ran.json(), "/stack");
  EXPECT_THAT(stack, Contains(HasSubstr("give_up"))) << ran.out;
  EXPECT_THAT(stack, Not(Contains(HasSubstr(":0")))) << "a line that is not known is not told";
}

TEST_F(Dev, ASanitizedPluginInAPlainWorkerIsToldWhichWorkerItNeeds) {
  if (kSanitized) GTEST_SKIP() << "here the worker is sanitized as well";
  auto const source =
      file("sanitized.c", "void __asan_report_load1(char const*);\n"
                          "int garland_entry_v1(char const* at) { __asan_report_load1(at); return 0; }\n");
  auto const plugin = folder_ + "/sanitized.so";
  ASSERT_EQ(std::system(("cc -shared -fPIC -o '" + plugin + "' '" + source + "'").c_str()), 0);
  auto const ran = run("run --json " + plugin + " test.echo/1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(textOr(ran.json(), "/load_failed", ""), HasSubstr("built with a sanitizer"))
      << ran.out << ran.err;
}

TEST_F(Dev, ACapsuleDiesAgainInTheSamePlaceUntilItIsMended) {
  auto const path = capsuleOf("unpack", "x");
  ASSERT_NE(path, "");
  auto const again = run("replay --json " + path);
  EXPECT_EQ(again.code, 1) << again.err;
  EXPECT_TRUE(boolOr(again.json(), "/dies_again", false)) << again.out;
  EXPECT_TRUE(boolOr(again.json(), "/same_place", false)) << again.out;
  // Another answer, as a stand-in for a mended plugin: the capsule says what the plugin is fed.
  auto capsule = parseJson(testing::readFile(path)).value();
  capsule.at("host_calls").as_array().at(0).as_object()["body"] = "abc";
  auto const mended = run("replay --json " + file("mended.json", json::serialize(capsule)));
  EXPECT_EQ(mended.code, 0) << mended.out << mended.err;
  EXPECT_FALSE(boolOr(mended.json(), "/dies_again", true));
}

TEST_F(Dev, ASpinningCallLeavesACapsuleToo) {
  auto const path = capsuleOf("spin", "");
  ASSERT_NE(path, "");
  auto const capsule = parseJson(testing::readFile(path)).value();
  EXPECT_THAT(textOr(capsule, "/how", ""), HasSubstr("watchdog"));
  EXPECT_THAT(texts(capsule, "/stack"), Contains(HasSubstr("count_forever")));
}

TEST_F(Dev, AHeapOverflowUnderASanitizerLeavesACapsule) {
  if (!kSanitized) GTEST_SKIP() << "needs the preset asan";
  auto const path = capsuleOf("overflow", "");
  ASSERT_NE(path, "");
  EXPECT_THAT(crash_, HasSubstr("read_behind"));
}

TEST_F(Dev, WhatIsNoCapsuleIsRefused) {
  auto const ran = run("replay " + file("no.json", "{}"));
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("capsule"));
  EXPECT_EQ(run("replay /nowhere.json").code, 3);
}

} // namespace
} // namespace garland::runtime
