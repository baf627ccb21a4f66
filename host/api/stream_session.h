// One subscriber's socket: what goes out, what comes in, and for how long. Callbacks and no coroutine, no
// timer and no buffer of its own, so that ten thousand of them are cheap and any of them can be ended at once
// by closing its socket.
#pragma once

#include "host/api/api.h"
#include "host/api/stream_codec.h"
#include "host/api/wire.h"
#include "host/base/clock.h"
#include "host/realtime/realtime.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace garland::api {

class StreamSession;

// What all sessions of a server share.
class StreamKeeper {
public:
  virtual ~StreamKeeper() = default;
  // `outcome`: left, slow, gone, silent, refused, key, stopped or lost. The session is not used any more.
  virtual void ended(std::shared_ptr<StreamSession> session, std::string_view outcome) = 0;

  std::array<char, 4096> read{}; // what has just come in, of whichever session
};

// [loop thread]
class StreamSession final : public realtime::Outlet, public std::enable_shared_from_this<StreamSession> {
public:
  struct Start {
    StreamKind kind = StreamKind::eventStream;
    std::shared_ptr<realtime::Subscription> subscription; // null: what was asked for is gone
    std::string head;                                     // of the HTTP answer
    std::string key_id;                                   // that it was asked for with
  };
  StreamSession(Wire wire, Start start, Clock& clock, StreamOptions const& options, StreamKeeper& keeper);

  // `early`: what the client sent right behind its request.
  StreamKind kind() const { return kind_; }
  std::string const& keyId() const { return key_id_; }
  void begin(std::string_view early);
  void ready() override;
  // From time to time: pings, and whoever is late is ended.
  void look();
  // Its key counts no more: `why` is the reason that it is told.
  void endForKey(std::string_view why);
  // The last words, as far as they go out without waiting; then the socket is closed.
  void stop();

private:
  void flush();
  bool fill();
  bool writeSome();
  std::vector<asio::const_buffer> buffers() const;
  void waitToWrite();
  void waitToRead();
  void readSome();
  void hear(std::string_view bytes);
  void answer(ClientFrame const& frame);
  void part(CloseCode code, std::string_view reason, std::string_view outcome);
  void finish(std::string_view outcome);
  bool passed(Monotonic since, Milliseconds span) const;

  Wire wire_;
  std::shared_ptr<realtime::Subscription> subscription_;
  Clock& clock_;
  StreamKeeper* keeper_;
  StreamOptions const& options_; // the keeper's
  StreamKind kind_;
  std::string key_id_;
  std::string text_;                         // is going out: this, or else
  std::vector<realtime::SharedEvent> batch_; // these
  std::size_t sent_ = 0;                     // bytes of it
  std::string next_;                         // goes out after it, before any change
  std::unique_ptr<FrameReader> frames_;      // of WebSockets
  std::size_t ignored_ = 0;                  // bytes that an event stream's client has sent
  Monotonic heard_{}, pinged_{}, blocked_since_{}, parted_{};
  std::string_view outcome_; // of a session that parts
  bool flushing_ = false, blocked_ = false, parting_ = false, parted_words_ = false, finished_ = false;
};

} // namespace garland::api
