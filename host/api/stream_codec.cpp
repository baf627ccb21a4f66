#include "host/api/stream_codec.h"

#include "host/api/shapes.h"
#include "host/base/bytes.h"
#include "host/base/utf8.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::api {
namespace {

constexpr unsigned char kLast = 0x80;
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kContinuation = 0x0, kText = 0x1, kBinary = 0x2, kClose = 0x8, kPing = 0x9,
                        kPong = 0xA;
constexpr std::size_t kMostControl = 125;

// The bytes before a payload of that size, as a server sends them: whole and unmasked.
std::string frameHead(unsigned char opcode, std::size_t size) {
  std::string head(1, static_cast<char>(kLast | opcode));
  if (size <= kMostControl) {
    head += static_cast<char>(size);
    return head;
  }
  int const bytes = size <= 0xFFFF ? 2 : 8;
  head += static_cast<char>(bytes == 2 ? 126 : 127);
  for (int i = bytes - 1; i >= 0; --i) head += static_cast<char>((size >> (8 * i)) & 0xFF);
  return head;
}

std::string frame(unsigned char opcode, std::string_view payload) {
  return frameHead(opcode, payload.size()).append(payload);
}

unsigned char byteAt(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint64_t numberAt(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8U | byteAt(bytes, at + i);
  return number;
}

// Those that may stand in a frame; the others are for libraries to tell their callers.
bool mayBeSent(std::uint64_t code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

} // namespace

std::string webSocketAccept(std::string_view key) {
  auto const bytes = fromBase64(key);
  if (!bytes || bytes->size() != 16) return "";
  return base64(vault::sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

std::string textFrame(std::string_view payload) { return frame(kText, payload); }
std::string pingFrame() { return frame(kPing, ""); }
std::string pongFrame(std::string_view payload) { return frame(kPong, payload.substr(0, kMostControl)); }

std::string closeFrame(CloseCode code, std::string_view reason) {
  auto const number = static_cast<std::uint16_t>(code);
  std::string payload{static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
  payload.append(reason.substr(0, kMostControl - 2));
  return frame(kClose, payload);
}

void renderChange(sync::Change const& change, realtime::Event& event) {
  auto body = shape(change);
  body["type"] = "change";
  event.body = json::serialize(body);
  event.frame_head = frameHead(kText, event.body.size());
  event.event_head = "id: " + std::to_string(change.sequence) + "\nevent: change\ndata: ";
}

std::string positionNote(StreamKind kind, std::int64_t sequence) {
  if (kind == StreamKind::eventStream) return "id: " + std::to_string(sequence) + "\n\n";
  return textFrame(json::serialize(json::object{{"type", "position"}, {"sequence", sequence}}));
}

std::string farewell(StreamKind kind, CloseCode code, std::string_view reason, std::int64_t sequence) {
  json::object body{{"type", "end"}, {"reason", reason}, {"code", static_cast<int>(code)}};
  body["resume_after"] = nullptr;
  if (code != CloseCode::gone) body["resume_after"] = sequence;
  auto const text = json::serialize(body);
  if (kind == StreamKind::webSocket) return textFrame(text) + closeFrame(code, reason);
  return "event: end\ndata: " + text + "\n\n";
}

std::vector<ClientFrame> FrameReader::feed(std::string_view bytes) {
  std::vector<ClientFrame> out;
  if (failed_) return out;
  bytes_.append(bytes);
  while (!failed_ && readFrame(out)) {
  }
  return out;
}

// False: the rest of the frame is still to come.
bool FrameReader::readFrame(std::vector<ClientFrame>& out) {
  if (bytes_.size() < 2) return false;
  auto const first = byteAt(bytes_, 0);
  auto const opcode = static_cast<unsigned char>(first & 0x0FU);
  bool const control = opcode >= kClose;
  bool const last = (first & kLast) != 0;
  bool const known = opcode <= kBinary || (control && opcode <= kPong);
  bool const masked = (byteAt(bytes_, 1) & kMasked) != 0;
  std::uint64_t size = byteAt(bytes_, 1) & 0x7FU;
  if ((first & 0x70U) != 0 || !known || !masked || (control && (!last || size > kMostControl))) {
    failed_ = CloseCode::protocol;
    return false;
  }
  std::size_t const long_size = size == 126 ? 2 : size == 127 ? 8 : 0;
  std::size_t const head = 2 + long_size + 4;
  if (bytes_.size() < 2 + long_size) return false;
  if (long_size > 0) size = numberAt(bytes_, 2, long_size);
  if (!control && size > most_payload - message_.size()) {
    failed_ = CloseCode::tooBig;
    return false;
  }
  if (bytes_.size() < head + size) return false;
  std::string payload = bytes_.substr(head, size);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(byteAt(payload, i) ^ byteAt(bytes_, head - 4 + i % 4));
  bytes_.erase(0, head + size);
  takeFrame(opcode, last, std::move(payload), out);
  return true;
}

void FrameReader::takeFrame(unsigned char opcode, bool last, std::string payload,
                            std::vector<ClientFrame>& out) {
  if (opcode == kClose) return takeClose(std::move(payload), out);
  if (opcode == kPing) return void(out.emplace_back(ClientFrame::Type::ping, std::move(payload)));
  if (opcode == kPong) return void(out.emplace_back(ClientFrame::Type::pong, std::move(payload)));
  if ((opcode == kContinuation) != in_message_) {
    failed_ = CloseCode::protocol;
    return;
  }
  if (opcode == kBinary) {
    failed_ = CloseCode::unsupported;
    return;
  }
  message_ += payload;
  in_message_ = !last;
  if (!last) return;
  if (!isUtf8(message_))
    failed_ = CloseCode::invalidText;
  else
    out.emplace_back(ClientFrame::Type::text, std::move(message_));
  message_.clear();
}

void FrameReader::takeClose(std::string payload, std::vector<ClientFrame>& out) {
  bool const fits = payload.empty() || (payload.size() >= 2 && mayBeSent(numberAt(payload, 0, 2)) &&
                                        isUtf8(std::string_view(payload).substr(2)));
  if (!fits) {
    failed_ = CloseCode::protocol;
    return;
  }
  out.emplace_back(ClientFrame::Type::close, payload.empty() ? payload : payload.substr(2));
}

} // namespace garland::api
