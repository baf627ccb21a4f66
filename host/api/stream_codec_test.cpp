#include "host/api/stream_codec.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

// A frame as a client sends it: masked.
std::string sent(unsigned char first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80U | payload.size());
  } else {
    out += static_cast<char>(0x80U | 126U);
    out += static_cast<char>(payload.size() >> 8U);
    out += static_cast<char>(payload.size() & 0xFFU);
  }
  std::string const mask = "\x01\x7F\x80\xFF";
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::vector<std::string> texts(std::vector<ClientFrame> const& frames) {
  std::vector<std::string> out;
  for (auto const& frame : frames) out.push_back(frame.payload);
  return out;
}

TEST(StreamCodec, AnswersTheKeyOfTheStandardsExample) {
  EXPECT_EQ(webSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(webSocketAccept("c2hvcnQ="), "") << "16 bytes, no fewer";
  EXPECT_EQ(webSocketAccept("?"), "");
}

TEST(StreamCodec, WritesFramesOfEachLengthAsTheStandardDoes) {
  EXPECT_EQ(textFrame("Hello"), "\x81\x05Hello");
  EXPECT_EQ(textFrame(std::string(256, 'x')).substr(0, 4), std::string("\x81\x7E\x01\x00", 4));
  EXPECT_EQ(textFrame(std::string(65'536, 'x')).substr(0, 10),
            std::string("\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  EXPECT_EQ(closeFrame(CloseCode::goingAway, "bye"), std::string("\x88\x05\x03\xE9", 4) + "bye");
  EXPECT_EQ(pingFrame(), std::string("\x89\x00", 2));
}

TEST(FrameReader, ReadsAMessageInHoweverManyPieces) {
  auto const bytes =
      sent(0x81, "{\"type\":\"ping\"}") + sent(0x89, "are you there") + sent(0x81, std::string(300, 'x'));
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    FrameReader reader;
    std::vector<ClientFrame> all;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      for (auto& frame : reader.feed(std::string_view(bytes).substr(at, piece)))
        all.push_back(std::move(frame));
    ASSERT_EQ(texts(all),
              (std::vector<std::string>{"{\"type\":\"ping\"}", "are you there", std::string(300, 'x')}))
        << piece;
    EXPECT_EQ(all[1].type, ClientFrame::Type::ping);
  }
}

TEST(FrameReader, PutsFragmentsTogetherWithAPingInTheMiddle) {
  FrameReader reader;
  auto const frames =
      reader.feed(sent(0x01, "one ") + sent(0x89, "") + sent(0x00, "two ") + sent(0x80, "three"));
  EXPECT_EQ(texts(frames), (std::vector<std::string>{"", "one two three"}));
}

TEST(FrameReader, RefusesWhatTheStandardForbids) {
  auto const fault = [](std::string const& bytes) {
    FrameReader reader;
    reader.feed(bytes);
    return reader.failed().value_or(CloseCode::done);
  };
  EXPECT_EQ(fault(std::string("\x81\x05Hello", 7)), CloseCode::protocol) << "not masked";
  EXPECT_EQ(fault(sent(0xC1, "x")), CloseCode::protocol) << "a reserved bit";
  EXPECT_EQ(fault(sent(0x83, "x")), CloseCode::protocol) << "an unknown type";
  EXPECT_EQ(fault(sent(0x8B, "x")), CloseCode::protocol);
  EXPECT_EQ(fault(sent(0x09, "x")), CloseCode::protocol) << "a ping in pieces";
  EXPECT_EQ(fault(sent(0x89, std::string(126, 'x'))), CloseCode::protocol) << "a long ping";
  EXPECT_EQ(fault(sent(0x80, "x")), CloseCode::protocol) << "the rest of nothing";
  EXPECT_EQ(fault(sent(0x01, "x") + sent(0x81, "y")), CloseCode::protocol) << "a message within another";
  EXPECT_EQ(fault(sent(0x82, "x")), CloseCode::unsupported);
  EXPECT_EQ(fault(sent(0x81, "\xC3(")), CloseCode::invalidText);
  EXPECT_EQ(fault(sent(0x88, "x")), CloseCode::protocol) << "half a code";
  EXPECT_EQ(fault(sent(0x88, std::string("\x03\xED", 2))), CloseCode::protocol) << "1005 is never sent";
  EXPECT_EQ(fault(sent(0x81, std::string(4097, 'x')).substr(0, 8)), CloseCode::tooBig) << "by its head alone";
  EXPECT_EQ(fault(sent(0x01, std::string(4096, 'x')) + sent(0x80, "x")), CloseCode::tooBig) << "in pieces";
  EXPECT_EQ(fault(sent(0x88, std::string("\x03\xE8", 2))), CloseCode::done) << "a good one";
}

TEST(FrameReader, TakesNothingMoreOnceItHasFailed) {
  FrameReader reader;
  EXPECT_TRUE(reader.feed(sent(0x82, "x")).empty());
  EXPECT_TRUE(reader.feed(sent(0x81, "good")).empty());
}

TEST(StreamCodec, AChangeIsTheSameBytesForAllAndBothLanguages) {
  sync::Change change;
  change.sequence = 7;
  change.kind = "crm.client";
  realtime::Event event;
  renderChange(change, event);
  EXPECT_EQ(textFrame(event.body), event.frame_head + event.body);
  EXPECT_EQ(event.event_head, "id: 7\nevent: change\ndata: ");
  EXPECT_EQ(event.body.find('\n'), std::string::npos);
  EXPECT_EQ(parseJson(event.body).value().at("type"), "change");
}

} // namespace
} // namespace garland::api
