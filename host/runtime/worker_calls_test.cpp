// Calls into a real worker: what an operation may ask of the host, and how calls share one process.
#include "host/runtime/test_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sys/wait.h>

namespace garland::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;
using wire::Kind;

TEST(Worker, SaysWhichPluginItHolds) {
  TestWorker worker("calls");
  auto const hello = worker.start();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version, wire::kVersion);
  EXPECT_EQ(hello->abi_major, 1);
  EXPECT_EQ(hello->plugin_id, "test.calls");
  EXPECT_EQ(hello->plugin_version, "1.2.3");
}

TEST(Worker, AnswersACallWithItsResult) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.echo/1", R"({"a":[1,2]})");
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->error);
  EXPECT_EQ(done->result, R"({"a":[1,2]})");
}

TEST(Worker, AnOperationThatThePluginLacksIsUnsupported) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.missing/1");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::unsupported);
  EXPECT_EQ(done->error->effect, Effect::notApplied);
  EXPECT_THAT(done->error->message, HasSubstr("test.missing/1"));
}

TEST(Worker, AFailureKeepsWhatThePluginToldOfIt) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.refuse/1");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::invalidInput);
  EXPECT_EQ(done->error->effect, Effect::notApplied);
  EXPECT_EQ(done->error->http_status, 422);
  EXPECT_EQ(done->error->message, "the title is too long");
  EXPECT_EQ(done->error->provider_code, "title_too_long");
  EXPECT_EQ(done->error->field, "/data/title");
  EXPECT_FALSE(done->error->retry_after);
}

TEST(Worker, AFailureWhoseTextHasNoEndIsABugOfThePlugin) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.refuse_without_end/1");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::pluginBug);
  EXPECT_EQ(done->error->effect, Effect::unknown);
  EXPECT_THAT(done->error->message, HasSubstr("fail: a text of the error"));
  EXPECT_THAT(done->error->message, Not(HasSubstr("the title"))) << "nor what lies behind it";
}

TEST(Worker, AnUnknownStatusReadsAsABugOfTheProvider) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.odd_status/1");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::providerBug);
  EXPECT_EQ(done->error->effect, Effect::unknown);
  EXPECT_THAT(done->error->message, HasSubstr("77"));
}

TEST(Worker, TenThousandRecordsArriveInOrderAndNeverMoreThanTheWindow) {
  TestWorker worker("calls");
  wire::Config config;
  config.emit_window_records = 16;
  ASSERT_TRUE(worker.start(config));
  worker.call(1, "test.emit_many/1", "10000");
  std::uint64_t expected = 0;
  std::size_t waiting = 0;
  while (auto const message = worker.receive()) {
    if (message->kind == Kind::checkpoint) {
      auto const ask = wire::decode<wire::Checkpoint>(message->payload);
      ASSERT_TRUE(ask);
      EXPECT_EQ(ask->cursor, R"({"page":1})");
      worker.send(Kind::ack, 1, wire::Ack{ask->request, {}});
      continue;
    }
    if (message->kind == Kind::done) break;
    ASSERT_EQ(message->kind, Kind::emit);
    auto const record = wire::decode<wire::Emit>(message->payload);
    ASSERT_TRUE(record);
    ASSERT_EQ(record->record, "{\"id\":" + std::to_string(expected++) + "}");
    ASSERT_LE(++waiting, config.emit_window_records);
    // The host takes them in lumps, as it commits them.
    if (waiting < config.emit_window_records && expected != 10000) continue;
    worker.send(Kind::emitCredit, 1, wire::EmitCredit{static_cast<std::uint32_t>(waiting), {}});
    waiting = 0;
  }
  EXPECT_EQ(expected, 10000U);
}

TEST(Worker, ARefusedRecordEndsTheOperationThatGoesOnEmitting) {
  TestWorker worker("calls");
  wire::Config config;
  config.emit_window_records = 1;
  ASSERT_TRUE(worker.start(config));
  worker.call(1, "test.emit_many/1", "10");
  ASSERT_TRUE(worker.receive(Kind::emit));
  Error const refusal(ErrorKind::invalidInput, "/start: is missing", "/start");
  worker.send(Kind::emitCredit, 1, wire::EmitCredit{1, refusal});
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::invalidInput);
  EXPECT_EQ(done->error->message, "/start: is missing");
}

TEST(Worker, OnlyWholeJsonDocumentsLeaveIt) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  for (std::string const bad : {"{\"a\":1", "{}{}", "nul", "", "\"\xff\"", "{'a':1}"}) {
    for (char const* operation : {"test.emit_bad/1", "test.echo/1"}) {
      auto const done = worker.run(operation, bad);
      ASSERT_TRUE(done && done->error) << bad;
      EXPECT_EQ(done->error->kind, ErrorKind::invalidInput) << bad;
    }
  }
  EXPECT_TRUE(worker.passed.empty());
}

TEST(Worker, AnHttpRequestAndItsAnswerPassWhole) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.get/1");
  auto const ask = worker.receiveAs<wire::HttpAsk>(Kind::httpAsk);
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->method, "GET");
  EXPECT_EQ(ask->url, "https://example.com/");
  EXPECT_EQ(ask->credential_slot, "login");
  ASSERT_EQ(ask->headers.size(), 1U);
  EXPECT_EQ(ask->headers[0].first, "Accept");
  wire::HttpAnswer answer;
  answer.request = ask->request;
  answer.status = 200;
  answer.headers = {{"content-type", "text/plain"}, {"etag", "\"1\""}};
  answer.body = std::string(3U << 20U, 'x'); // many frames
  answer.effect = static_cast<std::int32_t>(Effect::applied);
  worker.send(Kind::httpAnswer, 1, answer);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && !done->error);
  EXPECT_EQ(
      done->result,
      R"({"status":0,"effect":2,"body":3145728,"headers":2,"answer":200,"size":56,"later":"untouched"})");
}

TEST(Worker, AFailedHttpRequestTellsItsEffectAndItsReason) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.get/1");
  auto const ask = worker.receiveAs<wire::HttpAsk>(Kind::httpAsk);
  ASSERT_TRUE(ask);
  wire::HttpAnswer answer;
  answer.request = ask->request;
  answer.error = Error(ErrorKind::forbidden, "the host example.com is not in the manifest")
                     .withEffect(Effect::notApplied);
  worker.send(Kind::httpAnswer, 1, answer);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::forbidden);
  EXPECT_EQ(done->error->message, "the host example.com is not in the manifest");
}

TEST(Worker, WhatARequestWaitedForTheProvidersLimitIsAddedToTheDeadline) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.deadline/1");
  auto const ask = worker.receiveAs<wire::HttpAsk>(Kind::httpAsk);
  ASSERT_TRUE(ask);
  wire::HttpAnswer answer;
  answer.request = ask->request;
  answer.status = 200;
  answer.waited_ms = 40'000;
  worker.send(Kind::httpAnswer, 1, answer);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && !done->error);
  EXPECT_EQ(done->result, "40000000000");
}

TEST(Worker, StateIsStoredAndReadThroughTheHost) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.state/1", "[42]");
  auto const put = worker.receiveAs<wire::KvPut>(Kind::kvPut);
  ASSERT_TRUE(put);
  EXPECT_EQ(put->key, "k");
  worker.send(Kind::ack, 1, wire::Ack{put->request, {}});
  auto const get = worker.receiveAs<wire::KvGet>(Kind::kvGet);
  ASSERT_TRUE(get);
  EXPECT_NE(get->request, put->request);
  wire::KvAnswer answer;
  answer.request = get->request;
  answer.value = put->value;
  answer.version = 7;
  worker.send(Kind::kvAnswer, 1, answer);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && !done->error);
  EXPECT_EQ(done->result, "[42]");
}

TEST(Worker, AnAnswerToNothingIsIgnored) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.send(Kind::ack, 99, wire::Ack{1, {}});
  worker.call(1, "test.get/1");
  auto const ask = worker.receiveAs<wire::HttpAsk>(Kind::httpAsk);
  ASSERT_TRUE(ask);
  wire::HttpAnswer late;
  late.request = ask->request + 1;
  worker.send(Kind::httpAnswer, 1, late);
  worker.send(Kind::cancel, 1);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::cancelled);
}

TEST(Worker, CancelWakesASleeperAndStopsAComputation) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  for (char const* operation : {"test.wait/1", "test.compute/1"}) {
    worker.call(1, operation);
    worker.send(Kind::cancel, 1);
    auto const done = worker.receiveAs<wire::Done>(Kind::done);
    ASSERT_TRUE(done && done->error) << operation;
    EXPECT_EQ(done->error->kind, ErrorKind::cancelled) << operation;
  }
}

TEST(Worker, TheCallsOfOneAccountRunOneAfterAnotherOnOneInstance) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  for (std::uint64_t id = 1; id <= 20; ++id) worker.call(id, "test.who/1", "{}", "\"a\"");
  for (int count = 1; count <= 20; ++count) {
    auto const done = worker.receiveAs<wire::Done>(Kind::done);
    ASSERT_TRUE(done && !done->error);
    EXPECT_EQ(done->result, "{\"account\":\"a\",\"calls\":" + std::to_string(count) + ",\"inside\":0}");
  }
}

TEST(Worker, ACallThatIsCancelledInTheQueueNeverReachesThePlugin) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.wait/1");
  worker.call(2, "test.who/1");
  worker.send(Kind::cancel, 2);
  auto const first = worker.receive(Kind::done);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, 2U);
  worker.send(Kind::cancel, 1);
  ASSERT_TRUE(worker.receive(Kind::done));
  auto const done = worker.run("test.who/1");
  ASSERT_TRUE(done && !done->error);
  EXPECT_THAT(done->result, HasSubstr("\"calls\":1"));
}

TEST(Worker, InterleavedCallsShareAnInstance) {
  TestWorker worker("calls_interleaved");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.wait/1");
  auto const done = worker.run("test.echo/1", "1"); // while the first one sleeps
  ASSERT_TRUE(done);
  EXPECT_EQ(done->result, "1");
}

TEST(Worker, AccountsHaveInstancesOfTheirOwn) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.wait/1", "{}", "\"a\"");
  auto const done = worker.run("test.who/1", "{}", "\"b\""); // not held up by a
  ASSERT_TRUE(done && !done->error);
  EXPECT_EQ(done->result, R"({"account":"b","calls":1,"inside":0})");
}

TEST(Worker, NewSettingsOpenANewInstance) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  wire::Call call;
  call.operation = "test.who/1";
  call.account_id = "con_1";
  for (char const* settings : {"1", "1", "2"}) {
    call.account = settings;
    worker.send(Kind::call, 5, call);
    auto const done = worker.receiveAs<wire::Done>(Kind::done);
    ASSERT_TRUE(done && !done->error);
    EXPECT_THAT(done->result, HasSubstr(std::string("\"account\":") + settings));
  }
  ASSERT_EQ(worker.passed.size(), 1U);
  EXPECT_EQ(wire::decode<wire::Log>(worker.passed[0].payload)->message, "closed after 2 calls");
}

TEST(Worker, AnAccountThatDoesNotOpenFailsTheCallAndIsTriedAgain) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  for (int i = 0; i < 2; ++i) {
    auto const done = worker.run("test.echo/1", "1", "[] ");
    ASSERT_TRUE(done && done->error);
    EXPECT_EQ(done->error->kind, ErrorKind::authRevoked);
  }
}

TEST(Worker, ExceptionsInFlightDoNotWanderBetweenCalls) {
  TestWorker worker("exceptions");
  ASSERT_TRUE(worker.start());
  for (std::uint64_t id = 1; id <= 50; ++id)
    worker.call(id, "test.throw/1", "\"" + std::string(id, 'x') + "\"");
  std::set<std::uint64_t> answered;
  for (int i = 0; i < 50; ++i) {
    auto const message = worker.receive(Kind::done);
    ASSERT_TRUE(message);
    auto const done = wire::decode<wire::Done>(message->payload);
    ASSERT_TRUE(done && !done->error);
    EXPECT_EQ(done->result, "\"" + std::string(message->id, 'x') + "\"");
    answered.insert(message->id);
  }
  EXPECT_EQ(answered.size(), 50U);
}

TEST(Worker, CallsThatComeInOnePieceAreAnsweredInTheirOrder) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  std::string calls;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    wire::Call call;
    call.operation = "test.echo/1";
    call.input = std::to_string(id);
    wire::append(calls, Kind::call, id, call);
  }
  worker.sendBytes(calls);
  for (std::uint64_t id = 1; id <= 100; ++id) {
    auto const answer = worker.receive(Kind::done);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->id, id);
    auto const done = wire::decode<wire::Done>(answer->payload);
    EXPECT_EQ(done->result, std::to_string(id));
  }
}

TEST(Worker, CallsAboveTheLimitAreRefusedUnapplied) {
  TestWorker worker("calls");
  wire::Config config;
  config.max_calls = 2;
  ASSERT_TRUE(worker.start(config));
  worker.call(1, "test.wait/1", "{}", "1");
  worker.call(2, "test.wait/1", "{}", "2");
  auto const done = worker.run("test.echo/1", "1", "3");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::hostLimit);
  EXPECT_EQ(done->error->effect, Effect::notApplied);
}

TEST(Worker, AllOf256CallsFitIntoItsMemory) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  for (std::uint64_t id = 1; id <= 256; ++id) worker.call(id, "test.wait/1", "{}", std::to_string(id));
  for (std::uint64_t id = 1; id <= 256; ++id) worker.send(Kind::cancel, id);
  for (int i = 0; i < 256; ++i) {
    auto const done = worker.receiveAs<wire::Done>(Kind::done);
    ASSERT_TRUE(done && done->error);
    EXPECT_EQ(done->error->kind, ErrorKind::cancelled) << done->error->message;
  }
}

TEST(Worker, LogLinesProgressAndPrintedTextArrive) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  ASSERT_TRUE(worker.run("test.speak/1", R"({"n":1})"));
  ASSERT_EQ(worker.passed.size(), 1U);
  auto const line = wire::decode<wire::Log>(worker.passed[0].payload);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->level, 2);
  EXPECT_EQ(line->message, "careful");
  EXPECT_EQ(line->fields, R"({"n":1})");
  EXPECT_EQ(worker.output(), "printed\n");
}

TEST(Worker, TheArenaEndsAtItsLimit) {
  TestWorker worker("calls");
  wire::Config config;
  config.arena_limit = 1U << 20U;
  ASSERT_TRUE(worker.start(config));
  auto const done = worker.run("test.arena/1");
  ASSERT_TRUE(done && !done->error);
  auto const bytes = std::stoul(done->result);
  EXPECT_GT(bytes, 900'000U);
  EXPECT_LE(bytes, 1U << 20U);
}

#ifndef GARLAND_SANITIZER_BUILD // it does without the limit of address space
TEST(Worker, APluginThatEatsMemoryHitsItsLimitAndTheWorkerLives) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  auto const done = worker.run("test.memory/1");
  ASSERT_TRUE(done && !done->error);
  EXPECT_EQ(done->result, "\"stopped\"");
  EXPECT_TRUE(worker.run("test.echo/1", "1"));
}
#endif

TEST(Worker, ACallThatHasEndedCannotBeUsed) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  ASSERT_TRUE(worker.run("test.misuse/1"));
  auto const done = worker.run("test.misuse/1");
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->kind, ErrorKind::pluginBug);
}

TEST(Worker, ShutdownLetsCallsEndClosesInstancesAndExitsCleanly) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.who/1");
  worker.send(Kind::shutdown, 0);
  auto const done = worker.receiveAs<wire::Done>(Kind::done);
  ASSERT_TRUE(done && !done->error);
  auto const closed = worker.receiveAs<wire::Log>(Kind::log);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->message, "closed after 1 calls");
  auto const last = worker.receiveAs<wire::Log>(Kind::log);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->message, "shut down");
  EXPECT_FALSE(worker.receive());
  auto const status = worker.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitOk);
}

TEST(Worker, ItEndsWhenTheHostIsGone) {
  TestWorker worker("calls");
  ASSERT_TRUE(worker.start());
  worker.call(1, "test.wait/1");
  worker.closeSocket();
  auto const status = worker.waitExit();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), wire::kExitOk);
}

TEST(Worker, WhatDoesNotDecodeEndsIt) {
  for (std::string const& bad : {std::string(64, '\xff'), std::string(16, '\0')}) {
    TestWorker worker("calls");
    ASSERT_TRUE(worker.start());
    worker.sendBytes(bad);
    auto const status = worker.waitExit();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), wire::kExitProtocol);
    EXPECT_THAT(worker.output(), HasSubstr("garland-worker: "));
  }
}

} // namespace
} // namespace garland::runtime
