// One connection to NATS, with the stream and a consumer of it. Nothing is mended here: as soon as anything
// fails the session is over, and the next one begins anew. libnats lives here alone; what it calls back is
// ignored, so that none of its threads does anything here.
#pragma once

#include "host/base/result.h"
#include "host/nats/nats.h"

#include <nats/nats.h>

#include <memory>
#include <optional>
#include <string>

namespace garland::nats {

template <auto destroy> struct Destroy {
  template <class T> void operator()(T* thing) const { destroy(thing); }
};

// Blocking calls, each of a few seconds at most but for next(). Errors: transient.
class Session {
public:
  static Result<std::unique_ptr<Session>> open(Options const& options);
  ~Session() { close(); }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  // Answers when the stream has it.
  Result<void> publish(std::string const& message);
  // Whether the consumer is still there: it may have gone with its stream.
  Result<void> check();
  // The next message, of this session's own too; nothing: some were dropped because they were not fetched in
  // time. Waits until there is one or the session is over. [a thread of its own]
  Result<std::optional<std::string>> next();
  // Ends next(). [any thread]
  void close() { natsConnection_Close(connection_.get()); }

private:
  explicit Session(Options const& options) : stream_(options.stream), subject_(options.stream + ".lines") {}
  Result<void> connect(Options const& options);
  Result<void> findOrMakeStream();
  Result<void> consume();

  std::string const stream_;
  std::string const subject_;
  std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>> connection_;
  std::unique_ptr<jsCtx, Destroy<jsCtx_Destroy>> stream_context_;
  std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>> consumer_;
};

} // namespace garland::nats
