#include "host/runtime/wire.h"

#include "host/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace garland::runtime::wire {
namespace {

using testing::HasSubstr;

Error fullError() {
  Error error(ErrorKind::conflict, "lost the race", "/data/title");
  error.effect = Effect::applied;
  error.user_message = "Bitte noch einmal";
  error.provider_code = "412";
  error.http_status = 412;
  error.retry_after = std::chrono::milliseconds(1500);
  error.detail = json::value{{"current", "\"7\""}};
  return error;
}

// One value of every payload, each member different from its default.
template <class Visit> void everyPayload(Visit visit) {
  visit(Config{2, 3, 4, 5, 6, 7, 8});
  visit(Call{"calendar.pull/1", "con_1", "{}", "{\"cursor\":null}", 60'000, "{\"seen\":3}"});
  visit(ExportState{"con_1", 2'000});
  visit(HttpAnswer{1, fullError(), 200, {{"etag", "\"1\""}, {"", ""}}, std::string("\0x", 2), 30, 2, 40});
  visit(KvAnswer{1, fullError(), "value", 9});
  visit(Ack{1, fullError()});
  visit(Ack{1, std::nullopt});
  visit(EmitCredit{3, fullError()});
  visit(Closed{2, {"one", "two"}});
  visit(Hello{1, 1, 2, "garland.caldav", "1.0.0", "abcd", 1});
  visit(LoadFailed{"load", "no such symbol"});
  visit(HttpAsk{5, "PUT", "https://example.com/", {{"a", "b"}}, "body", "login", "key", 9, 10});
  visit(KvGet{5, "k"});
  visit(KvPut{5, "k", "v", 6, 7});
  visit(Emit{"calendar.event", "{}"});
  visit(Checkpoint{5, "1"});
  visit(Log{3, "message", "{}"});
  visit(Progress{1, std::numeric_limits<std::uint64_t>::max(), "events"});
  visit(Done{"{}", fullError()});
  visit(Dying{"SIGSEGV", "calendar.pull/1"});
  visit(Stack{"plugin 1a2b\nworker 10\n"});
  visit(Refused{41, {2, 1, 0, 0, 0, 0}, 1, "/etc/passwd", "plugin 1a2b\n"});
}

TEST(Wire, EveryPayloadComesBackAsItWas) {
  everyPayload([](auto const& payload) {
    using Payload = std::decay_t<decltype(payload)>;
    auto const bytes = encode(payload);
    auto const decoded = decode<Payload>(bytes);
    ASSERT_TRUE(decoded) << typeid(Payload).name() << ": " << decoded.error().message;
    EXPECT_EQ(encode(*decoded), bytes) << typeid(Payload).name();
  });
}

TEST(Wire, AnErrorKeepsAllItsMembers) {
  auto const decoded = decode<Ack>(encode(Ack{1, fullError()}));
  ASSERT_TRUE(decoded && decoded->error);
  EXPECT_EQ(toJson(*decoded->error), toJson(fullError()));
}

TEST(Wire, EveryTruncationAndEveryExtraByteIsRefused) {
  everyPayload([](auto const& payload) {
    using Payload = std::decay_t<decltype(payload)>;
    auto const bytes = encode(payload);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode<Payload>(std::string_view(bytes).substr(0, size)))
          << typeid(Payload).name() << " " << size;
    EXPECT_FALSE(decode<Payload>(bytes + "x")) << typeid(Payload).name();
  });
}

TEST(Wire, ALengthThatLiesAllocatesNothing) {
  std::string bytes(4, '\xff');    // request
  bytes += std::string(4, '\xff'); // a method of 4 GiB
  EXPECT_FALSE(decode<HttpAsk>(bytes));
  auto list = encode(Closed{});
  std::memset(list.data() + list.size() - 4, 0xff, 4); // 4 billion notes
  EXPECT_FALSE(decode<Closed>(list));
}

TEST(Wire, UnknownKindsOfErrorsReadAsTheAbiSays) {
  auto bytes = encode(Ack{1, fullError()});
  std::int32_t const strange = 999;
  std::memcpy(bytes.data() + 5, &strange, sizeof strange);
  std::memcpy(bytes.data() + 9, &strange, sizeof strange);
  auto const decoded = decode<Ack>(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->error->kind, ErrorKind::providerBug);
  EXPECT_EQ(decoded->error->effect, Effect::unknown);
}

TEST(Wire, MessagesArriveWholeHoweverTheStreamIsCut) {
  std::string stream;
  std::vector<std::string> const payloads = {
      "", "a", std::string(kMaxFrame, 'b'), std::string(kMaxFrame + 1, 'c'), std::string(3 * kMaxFrame, 'd')};
  for (std::size_t i = 0; i < payloads.size(); ++i) appendMessage(stream, Kind::emit, i + 1, payloads[i]);
  for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    Decoder decoder(Direction::workerToHost);
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(std::string_view(stream).substr(at, piece));
      while (true) {
        auto message = decoder.next();
        ASSERT_TRUE(message) << message.error().message;
        if (!*message) break;
        EXPECT_EQ((*message)->id, seen.size() + 1);
        seen.emplace_back((*message)->payload);
      }
    }
    EXPECT_EQ(seen, payloads) << piece;
    EXPECT_EQ(decoder.buffered(), 0U);
  }
}

TEST(Wire, BytesMayBeReadStraightIntoTheDecoder) {
  std::string stream;
  std::vector<std::string> payloads;
  for (std::size_t i = 0; i < 200; ++i)
    payloads.emplace_back(i * 97 % (2 * kMaxFrame), static_cast<char>('a' + i % 26));
  for (auto const& payload : payloads) appendMessage(stream, Kind::emit, 1, payload);
  Decoder decoder(Direction::workerToHost);
  std::size_t seen = 0;
  for (std::string_view left = stream; !left.empty();) {
    auto const room = decoder.room();
    ASSERT_GE(room.size(), Decoder::kRoom);
    // Sometimes little comes, sometimes as much as there is room for.
    auto const size =
        std::min({left.size(), room.size(), left.size() % 3 == 0 ? std::size_t{1000} : room.size()});
    std::ranges::copy(left.substr(0, size), room.begin());
    decoder.filled(size);
    left.remove_prefix(size);
    for (auto message = decoder.next(); message && *message; message = decoder.next())
      EXPECT_EQ((*message)->payload, payloads.at(seen++));
    EXPECT_LE(decoder.buffered(), kHeaderBytes + 3 * kMaxFrame) << "only what is not whole is kept";
  }
  EXPECT_EQ(seen, payloads.size());
}

std::string frame(std::uint32_t length, std::uint16_t kind, std::uint16_t flags, std::uint64_t id) {
  std::string bytes(kHeaderBytes, '\0');
  std::memcpy(bytes.data(), &length, 4);
  std::memcpy(bytes.data() + 4, &kind, 2);
  std::memcpy(bytes.data() + 6, &flags, 2);
  std::memcpy(bytes.data() + 8, &id, 8);
  return bytes;
}

TEST(Wire, StatesGoOutWithAnExportAndInWithACall) {
  std::string to_worker;
  append(to_worker, Kind::exportState, 4, ExportState{"con_1", 2'000});
  auto const large = "\"" + std::string(kMaxFrame, 'x') + "\""; // more than one frame
  append(to_worker, Kind::call, 5, Call{"calendar.pull/1", "con_1", "{}", "null", 60'000, large});
  append(to_worker, Kind::call, 6, Call{"calendar.pull/1", "con_1", "{}", "null", 60'000, ""});
  Decoder decoder(Direction::hostToWorker);
  decoder.feed(to_worker);
  auto const asked = decoder.next();
  ASSERT_TRUE(asked && *asked);
  EXPECT_EQ((*asked)->kind, Kind::exportState);
  EXPECT_EQ((*asked)->id, 4U);
  auto const question = decode<ExportState>((*asked)->payload);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->account_id, "con_1");
  EXPECT_EQ(question->deadline_ms, 2'000);
  for (auto const& expected : {large, std::string()}) {
    auto const message = decoder.next();
    ASSERT_TRUE(message && *message);
    auto const call = decode<Call>((*message)->payload);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->state, expected);
  }
}

std::string problemWith(std::string const& stream, Direction direction = Direction::workerToHost) {
  Decoder decoder(direction);
  decoder.feed(stream);
  while (true) {
    auto const message = decoder.next();
    if (!message) {
      EXPECT_FALSE(decoder.next()) << "an error must stay";
      return message.error().message;
    }
    if (!*message) return "";
  }
}

TEST(Wire, AStructIsAppendedAsItsEncodingWouldBe) {
  auto const check = [](auto const& payload) {
    std::string direct = "before";
    append(direct, Kind::emit, 7, payload);
    std::string by_text = "before";
    appendMessage(by_text, Kind::emit, 7, encode(payload));
    EXPECT_EQ(direct, by_text);
  };
  everyPayload(check);
  // A payload of exactly one full frame, of one byte more, and of many frames.
  auto const rest = encode(Emit{"k", ""}).size();
  for (auto const size : {kMaxFrame, kMaxFrame + 1, 5 * kMaxFrame})
    check(Emit{"k", std::string(size - rest, 'x')});
}

TEST(Wire, AFrameThatClaimsTooMuchIsRefusedBeforeItsBytesCome) {
  EXPECT_THAT(problemWith(frame(kMaxFrame + 1, 70, 0, 1)), HasSubstr("65537 bytes"));
  EXPECT_THAT(problemWith(frame(0x7fffffff, 70, 0, 1)), HasSubstr("2147483647 bytes"));
}

TEST(Wire, KindsOfTheOtherDirectionAndUnknownOnesAreRefused) {
  EXPECT_THAT(problemWith(frame(0, 2, 0, 1)), HasSubstr("kind 2"));
  EXPECT_THAT(problemWith(frame(0, 9, 0, 1)), HasSubstr("kind 9")) << "only the host asks for a state";
  EXPECT_THAT(problemWith(frame(0, 200, 0, 1)), HasSubstr("kind 200"));
  EXPECT_THAT(problemWith(frame(0, 70, 0, 1), Direction::hostToWorker), HasSubstr("kind 70"));
}

TEST(Wire, UnknownFlagsAreRefused) { EXPECT_THAT(problemWith(frame(0, 70, 2, 1)), HasSubstr("flags")); }

TEST(Wire, AMessageMayNotBeInterruptedOrDripFed) {
  auto const part = frame(kMaxFrame, 70, kMore, 1) + std::string(kMaxFrame, 'x');
  EXPECT_THAT(problemWith(part + frame(0, 70, 0, 2)), HasSubstr("in the middle"));
  EXPECT_THAT(problemWith(part + frame(0, 71, 0, 1)), HasSubstr("in the middle"));
  EXPECT_THAT(problemWith(frame(1, 70, kMore, 1) + "x"), HasSubstr("not full"));
}

TEST(Wire, AMessageWithoutEndIsCutOff) {
  std::string stream;
  for (std::size_t i = 0; i <= kMaxMessage / kMaxFrame; ++i)
    stream += frame(kMaxFrame, 70, kMore, 1) + std::string(kMaxFrame, 'x');
  EXPECT_THAT(problemWith(stream), HasSubstr("larger than"));
}

// How many full frames of a kind are taken, as parts of one message that does not end.
std::size_t framesTaken(Kind kind) {
  Decoder decoder(Direction::workerToHost);
  auto const part =
      frame(kMaxFrame, static_cast<std::uint16_t>(kind), kMore, 1) + std::string(kMaxFrame, 'x');
  std::size_t taken = 0;
  for (decoder.feed(part); decoder.next(); decoder.feed(part)) ++taken;
  return taken;
}

TEST(Wire, AKindThatIsSmallByNatureMayNotFillMemory) {
  for (auto const kind : {Kind::hello, Kind::loadFailed, Kind::closed, Kind::kvGet, Kind::progress,
                          Kind::dying, Kind::stack, Kind::refused})
    EXPECT_EQ(framesTaken(kind), 1U) << name(kind);
  EXPECT_EQ(framesTaken(Kind::log), 2U);
  for (auto const kind : {Kind::emit, Kind::checkpoint, Kind::kvPut, Kind::done})
    EXPECT_EQ(framesTaken(kind), 2 * Config().max_record / kMaxFrame) << name(kind);
  EXPECT_EQ(framesTaken(Kind::httpAsk), kMaxMessage / kMaxFrame);
}

} // namespace
} // namespace garland::runtime::wire
