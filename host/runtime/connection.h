// The host's end of the message stream to one worker: whole messages in, batched writes out.
// It knows sockets and frames, not calls.
#pragma once

#include "host/runtime/owned_fd.h"
#include "host/runtime/wire.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <string>

namespace garland::runtime {

namespace asio = boost::asio;

// [loop thread] Its own pending operations keep it alive; close() ends them.
class Connection : public std::enable_shared_from_this<Connection> {
public:
  class Owner {
  public:
    virtual void onMessage(wire::Message message) = 0;
    // The worker closed its end, most likely because it is ending. One of these two is told, once.
    virtual void onClosed() = 0;
    // The stream cannot be used any more; `reason` goes on from "it ...".
    virtual void onBroken(std::string reason) = 0;

  protected:
    ~Owner() = default;
  };

  // Bytes that may wait for a worker which does not read.
  static constexpr std::size_t kMaxQueued = 128U << 20U;

  Connection(asio::any_io_executor const& executor, OwnedFd socket, Owner& owner);

  void start();
  // Queued; written together with whatever else this turn of the loop sends.
  template <class Payload> void send(wire::Kind kind, std::uint64_t id, Payload const& payload) {
    if (!owner_) return;
    wire::append(output_, kind, id, payload);
    queued();
  }
  void sendRaw(wire::Kind kind, std::uint64_t id, std::string_view payload);
  // Hands over what has come and was not read yet: the last words of a dead worker, or what one said before
  // it is judged. Not from within onMessage.
  void drain();
  void close(); // no call to the owner comes after it
  // Bytes that were sent and that the worker has not taken yet, as the kernel counts them.
  std::size_t unread() const;

private:
  void read();
  void onRead(std::size_t size);
  void queued(); // something was added to output_
  void flushSoon();
  void flush();
  void closed();
  void breakOff(std::string reason);

  asio::local::stream_protocol::socket socket_;
  Owner* owner_; // null once closed
  wire::Decoder decoder_{wire::Direction::workerToHost};
  std::string output_;
  std::size_t written_ = 0; // bytes at the front of output_ that are gone
  bool in_turn_ = false;    // messages are being handed over: flush after them
  bool flush_posted_ = false;
  bool waits_to_write_ = false;
};

} // namespace garland::runtime
