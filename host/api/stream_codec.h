// The two languages of a stream, as bytes: WebSocket frames (RFC 6455) and an event stream (HTML, server-sent
// events). No sockets. A change is written once, as the same bytes for all who get it, so the frames are made
// here and not by a library's stream, which would make them anew for each.
#pragma once

#include "host/realtime/realtime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::api {

enum class StreamKind { webSocket, eventStream };

// Codes with which a WebSocket is closed.
enum class CloseCode : std::uint16_t {
  done = 1000,
  goingAway = 1001, // this daemon is stopping
  protocol = 1002,
  unsupported = 1003, // binary messages
  invalidText = 1007,
  refused = 1008, // a message that is not known here
  tooBig = 1009,
  tryLater = 1013, // a slow subscriber was shed
  keyEnded = 4401, // that it was opened with counts no more
  gone = 4410,
};

// What a client says to "Sec-WebSocket-Key" is answered by this; "" if it is no key.
std::string webSocketAccept(std::string_view key);

// A frame of the server; the payload of a control frame has at most 125 bytes.
std::string textFrame(std::string_view payload);
std::string closeFrame(CloseCode code, std::string_view reason);
std::string pingFrame();
std::string pongFrame(std::string_view payload);

// Body and heads of a change's event.
void renderChange(sync::Change const& change, realtime::Event& event);
// Where a subscriber stands, without a change: a message, or an id with no event.
std::string positionNote(StreamKind kind, std::int64_t sequence);
// The last words: why, and where to resume.
std::string farewell(StreamKind kind, CloseCode code, std::string_view reason, std::int64_t sequence);

// Something that a client has sent.
struct ClientFrame {
  enum class Type { text, ping, pong, close };
  ClientFrame(Type type_in, std::string payload_in) : type(type_in), payload(std::move(payload_in)) {}
  Type type;
  std::string payload; // of a close: the reason, without its code
};

// Takes a client's bytes as they come. Once it has failed it takes nothing more.
class FrameReader {
public:
  // The frames that are whole now.
  std::vector<ClientFrame> feed(std::string_view bytes);
  std::optional<CloseCode> failed() const { return failed_; }

  static constexpr std::size_t most_payload = 4096; // of one message

private:
  bool readFrame(std::vector<ClientFrame>& out);
  void takeFrame(unsigned char opcode, bool last, std::string payload, std::vector<ClientFrame>& out);
  void takeClose(std::string payload, std::vector<ClientFrame>& out);

  std::string bytes_;
  std::string message_; // the fragments so far
  bool in_message_ = false;
  std::optional<CloseCode> failed_;
};

} // namespace garland::api
