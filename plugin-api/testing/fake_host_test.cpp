// FakeHost must catch what a plugin does wrong; the plugin here does it on demand, by the bare ABI.
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

namespace garland::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

garland_host const* host;
garland_call* kept; // from an operation that has returned
std::string version = "1.0.0";

garland_str text(std::string_view chars) { return {chars.data(), chars.size()}; }
garland_json document(std::string_view chars) { return {chars.data(), chars.size()}; }

garland_status emit(garland_call* call, std::string_view kind, std::string_view record) {
  return host->emit(host->ctx, call, text(kind), document(record));
}

std::uint32_t filled;

// As a plugin does whose header knows more members than the host.
void askWithLargerResponse(garland_call* call) {
  struct {
    garland_http_response known;
    std::array<char, 64> newer;
  } response{};
  garland_http_request request{};
  request.size = sizeof request;
  request.method = text("GET");
  request.url = text("https://example.test/");
  response.known.size = sizeof response;
  host->http(host->ctx, call, &request, &response.known);
  filled = response.known.size;
}

void logFromThreads(garland_call* call) {
  std::vector<std::thread> loggers;
  for (int i = 0; i < 4; ++i)
    loggers.emplace_back([call] {
      for (int line = 0; line < 200; ++line)
        host->log(host->ctx, call, GARLAND_LOG_INFO, text("line"), document("{\"a\":1}"));
    });
  for (auto& logger : loggers) logger.join();
}

// The input names the misdeed.
garland_status misbehave(garland_instance*, garland_call* call, garland_json input) noexcept {
  std::string_view const deed(input.ptr + 1, input.len - 2);
  if (deed == "late")
    return kept != nullptr ? (host->progress(host->ctx, kept, 1, 2, text("x")), GARLAND_OK) : GARLAND_OK;
  if (deed == "keep") kept = call;
  if (deed == "cursor") return host->checkpoint(host->ctx, call, document("{\"a\":"));
  if (deed == "kind") return emit(call, "calendar.evnt", "{}");
  if (deed == "record")
    return emit(
        call, "calendar.event",
        R"({"id":"1","version":"","scope":"","deleted":false,"data":{"uid":"1","title":"","status":"confirmed",
                    "busy":true,"start":{"date":"13.6.2026"}}})");
  if (deed == "deleted")
    return emit(call, "calendar.event", R"({"id":"1","version":"","scope":"","deleted":true,"data":{}})");
  if (deed == "result") return host->result(host->ctx, call, document("{\"acount\":\"x\"}"));
  if (deed == "silent") return GARLAND_E_TRANSIENT;
  if (deed == "progress") host->progress(host->ctx, call, 3, 2, text("events"));
  if (deed == "response") askWithLargerResponse(call);
  if (deed == "loggers") logFromThreads(call);
  if (deed == "thread") std::thread([call] { host->cancelled(host->ctx, call); }).join();
  if (deed == "handler") {
    try {
      throw 1;
    } catch (int) {
      host->sleep_ms(host->ctx, call, 1);
    }
  }
  if (deed == "cancelled" || deed == "limit") {
    garland_error error{};
    error.size = sizeof error;
    error.kind = deed == "limit" ? GARLAND_E_RATE_LIMITED : GARLAND_E_CANCELLED;
    error.retry_after_ms = -1;
    error.message = text("enough");
    return host->fail(host->ctx, call, &error);
  }
  if (deed == "memory") {
    auto* const block = static_cast<char*>(host->alloc(host->ctx, call, 1000, 64));
    std::memset(block, 1, 1000);
    bool const aligned = reinterpret_cast<std::uintptr_t>(block) % 64 == 0;
    bool const refused = host->alloc(host->ctx, call, 1ULL << 40U, 8) == nullptr;
    if (!aligned || !refused) return GARLAND_E_PLUGIN_BUG;
  }
  if (deed == "sleep") {
    if (host->sleep_ms(host->ctx, call, 1000) != GARLAND_OK) return GARLAND_E_PLUGIN_BUG;
    if (host->sleep_ms(host->ctx, call, 600'000) != GARLAND_E_CANCELLED) return GARLAND_E_PLUGIN_BUG;
  }
  return host->result(host->ctx, call, document("{\"account\":\"x\"}"));
}

garland_op findOp(garland_str id) noexcept {
  return std::string_view(id.ptr, id.len) == "health.check/1" ? &misbehave : nullptr;
}
garland_status open(garland_call*, garland_json, garland_instance** out) noexcept {
  *out = reinterpret_cast<garland_instance*>(&host);
  return GARLAND_OK;
}
void close(garland_instance*) noexcept {}
void shutdown() noexcept {}

garland_status enter(garland_host const* from, garland_plugin* plugin) noexcept {
  host = from;
  plugin->size = sizeof *plugin;
  plugin->id = text("test.misuse");
  plugin->version = text(version);
  plugin->find_op = &findOp;
  plugin->open = &open;
  plugin->close = &close;
  plugin->shutdown = &shutdown;
  return GARLAND_OK;
}

constexpr std::string_view manifest = R"({"manifest":1,"id":"test.misuse","name":"M","version":"1.0.0",
  "category":"calendar","summary":"A test.","operations":["health.check/1"],"auth":[],"hosts":[]})";

class FakeHostTest : public ::testing::Test {
protected:
  std::vector<std::string> misuseOf(char const* deed) {
    fake.tolerateMisuse();
    fake.run("health.check/1", deed);
    auto const found = fake.misuse();
    fake.clear();
    return found;
  }
  FakeHost fake{&enter, manifest};
};

TEST_F(FakeHostTest, AGoodPluginIsNotBlamed) {
  for (auto const* deed : {"nothing", "memory", "sleep"}) {
    auto const outcome = fake.run("health.check/1", deed);
    EXPECT_TRUE(outcome.ok()) << deed;
    EXPECT_EQ(outcome.result, json::value({{"account", "x"}}));
  }
  EXPECT_EQ(fake.slept(), std::chrono::minutes(5)) << "up to the deadline";
}

TEST_F(FakeHostTest, MisuseMakesTheTestFail) {
  EXPECT_THROW(fake.run("health.check/1", "cursor"), std::logic_error);
}

TEST_F(FakeHostTest, AHandleUsedAfterItsOperationIsCaught) {
  EXPECT_TRUE(misuseOf("keep").empty());
  EXPECT_THAT(misuseOf("late"),
              ::testing::Contains(HasSubstr("progress was called with the handle of health.check/1")));
}

TEST_F(FakeHostTest, AResponseTellsHowMuchOfItIsFilled) {
  misuseOf("response");
  EXPECT_EQ(filled, sizeof(garland_http_response));
}

TEST_F(FakeHostTest, EveryThreadMayLog) {
  fake.run("health.check/1", "loggers");
  EXPECT_EQ(fake.misuse(), std::vector<std::string>());
  EXPECT_EQ(fake.logs().size(), 800U);
}

TEST_F(FakeHostTest, EveryOtherMisuseIsCaught) {
  EXPECT_THAT(misuseOf("cursor"), ::testing::Contains(HasSubstr("a checkpoint's cursor is not JSON")));
  EXPECT_THAT(misuseOf("kind"), ::testing::Contains(HasSubstr("unknown kind calendar.evnt")));
  EXPECT_THAT(misuseOf("record"), ::testing::Contains(HasSubstr("emitted calendar.event: /data/start/date")));
  EXPECT_THAT(misuseOf("deleted"), ::testing::Contains(HasSubstr("emitted calendar.event: /data")));
  EXPECT_THAT(misuseOf("result"), ::testing::Contains(HasSubstr("result of health.check/1")));
  EXPECT_THAT(misuseOf("silent"), ElementsAre(HasSubstr("without telling host->fail why")));
  EXPECT_THAT(misuseOf("progress"), ElementsAre("progress beyond its total"));
  EXPECT_THAT(misuseOf("thread"), ElementsAre(HasSubstr("on another thread")));
  EXPECT_THAT(misuseOf("handler"), ElementsAre(HasSubstr("sleep_ms was called inside a catch handler")));
  EXPECT_THAT(misuseOf("cancelled"), ElementsAre(HasSubstr("CANCELLED, though the host did not ask")));
  EXPECT_THAT(misuseOf("limit"), ElementsAre("RATE_LIMITED without retry_after_ms"));
}

TEST(FakeHostEntry, APluginThatContradictsItsManifestIsRefused) {
  std::string other(manifest);
  other.replace(other.find("test.misuse"), 11, "test.other_");
  EXPECT_THROW(FakeHost(&enter, other), std::runtime_error);
  other = manifest;
  other.replace(other.find("health.check/1"), 14, "health.other/1");
  EXPECT_THROW(FakeHost(&enter, other), std::runtime_error);
  other = manifest;
  other.replace(other.find("\"M\""), 3, "7");
  EXPECT_THROW(FakeHost(&enter, other), std::runtime_error);
  EXPECT_THROW(FakeHost(&enter, "{"), std::runtime_error);
  EXPECT_NO_THROW(FakeHost(&enter, manifest));
}

} // namespace
} // namespace garland::testing
