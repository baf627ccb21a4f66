#include "host/api/stream_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace garland::api {
namespace {

constexpr int kWritesInARow = 4;            // then others have their turn
constexpr int kSendBuffer = 64 << 10;       // the kernel's, so that a slow client does not grow it
constexpr std::size_t kMostAnswers = 8192;  // bytes of answers that wait for a client that asks on and on
constexpr std::size_t kMostIgnored = 65536; // an event stream's client has nothing to say
constexpr Milliseconds kParting{2'000};     // for the client to read the last words
constexpr std::string_view kEventEnd = "\n\n";

} // namespace

StreamSession::StreamSession(Wire wire, Start start, Clock& clock, StreamOptions const& options,
                             StreamKeeper& keeper)
    : wire_(std::move(wire)), subscription_(std::move(start.subscription)), clock_(clock), keeper_(&keeper),
      options_(options), kind_(start.kind), key_id_(std::move(start.key_id)), text_(std::move(start.head)) {
  if (kind_ == StreamKind::webSocket) frames_ = std::make_unique<FrameReader>();
}

void StreamSession::begin(std::string_view early) {
  auto const self = shared_from_this();
  wire_.neverWait(kSendBuffer);
  heard_ = pinged_ = clock_.monotonic();
  if (subscription_) {
    subscription_->wakes(this);
    next_ = positionNote(kind_, subscription_->position());
    flush();
  } else {
    part(CloseCode::gone, "gone", "gone");
  }
  if (!early.empty() && !finished_) hear(early);
  waitToRead();
}

void StreamSession::ready() { flush(); }

bool StreamSession::passed(Monotonic since, Milliseconds span) const {
  return clock_.monotonic() - since >= std::chrono::duration_cast<Monotonic>(span);
}

void StreamSession::look() {
  if (finished_) return;
  if (parting_ && passed(parted_, kParting)) return finish(outcome_);
  if (blocked_ && passed(blocked_since_, options_.stall)) return finish(parting_ ? outcome_ : "slow");
  if (parting_) return;
  if (kind_ == StreamKind::webSocket && passed(heard_, options_.silence)) return finish("silent");
  // Also of one that is told of changes all the time: what comes back shows that somebody is there.
  if (!passed(pinged_, options_.ping) || !next_.empty()) return;
  pinged_ = clock_.monotonic();
  next_ = positionNote(kind_, subscription_->position());
  if (kind_ == StreamKind::webSocket) next_ += pingFrame();
  flush();
}

void StreamSession::endForKey(std::string_view why) {
  if (!finished_ && !parting_) part(CloseCode::keyEnded, why, "key");
}

void StreamSession::stop() {
  auto const self = shared_from_this();
  if (!parting_) part(CloseCode::goingAway, "stopping", "stopped");
  finish("stopped");
}

// Sends until there is nothing to send or the kernel takes no more.
void StreamSession::flush() {
  if (std::exchange(flushing_, true)) return;
  auto const self = shared_from_this();
  int writes = 0;
  while (!finished_ && !blocked_ && writes < kWritesInARow && fill() && writeSome()) ++writes;
  flushing_ = false;
  if (writes == kWritesInARow && !finished_ && !blocked_)
    asio::post(wire_.executor(), [self] { self->flush(); });
}

// Whether there is something to send.
bool StreamSession::fill() {
  if (!text_.empty() || !batch_.empty()) return true;
  sent_ = 0;
  if (next_.empty() && !parting_) {
    batch_ = subscription_->take();
    if (!batch_.empty()) return true;
    if (subscription_->ended() == realtime::End::slow) part(CloseCode::tryLater, "slow", "slow");
    if (subscription_->ended() == realtime::End::gone) part(CloseCode::gone, "gone", "gone");
  }
  text_ = std::exchange(next_, std::string());
  if (!text_.empty()) return true;
  if (parting_ && !std::exchange(parted_words_, true)) wire_.endSending();
  return false;
}

std::vector<asio::const_buffer> StreamSession::buffers() const {
  std::vector<asio::const_buffer> out;
  std::size_t skip = sent_;
  auto const add = [&](std::string_view bytes) {
    auto const skipped = std::min(skip, bytes.size());
    skip -= skipped;
    if (skipped < bytes.size()) out.emplace_back(bytes.data() + skipped, bytes.size() - skipped);
  };
  if (!text_.empty()) add(text_);
  out.reserve(3 * batch_.size());
  for (auto const& event : batch_) {
    add(kind_ == StreamKind::webSocket ? event->frame_head : event->event_head);
    add(event->body);
    if (kind_ == StreamKind::eventStream) add(kEventEnd);
  }
  return out;
}

// False: the kernel takes no more now, or the client is away.
bool StreamSession::writeSome() {
  auto const out = buffers();
  boost::system::error_code failed;
  auto const count = wire_.writeNow(out, failed);
  if (failed == asio::error::would_block || failed == asio::error::try_again) {
    waitToWrite();
    return false;
  }
  if (failed) {
    finish(parting_ ? outcome_ : "lost");
    return false;
  }
  sent_ += count;
  if (count < asio::buffer_size(out)) return true;
  text_.clear();
  batch_.clear();
  sent_ = 0;
  return true;
}

void StreamSession::waitToWrite() {
  blocked_ = true;
  blocked_since_ = clock_.monotonic();
  wire_.whenWritable([self = shared_from_this()](boost::system::error_code failed) {
    if (self->finished_) return;
    self->blocked_ = false;
    if (failed) return self->finish("lost");
    self->flush();
  });
}

void StreamSession::waitToRead() {
  while (!finished_ && wire_.hasMore()) readSome();
  if (finished_) return;
  wire_.whenReadable([self = shared_from_this()](boost::system::error_code failed) {
    if (self->finished_) return;
    if (failed) return self->finish("lost");
    self->readSome();
    self->waitToRead();
  });
}

void StreamSession::readSome() {
  boost::system::error_code failed;
  auto const count = wire_.readNow(asio::buffer(keeper_->read), failed);
  if (failed == asio::error::would_block || failed == asio::error::try_again) return;
  if (failed) return finish(parting_ ? outcome_ : "left");
  hear(std::string_view(keeper_->read.data(), count));
}

void StreamSession::hear(std::string_view bytes) {
  heard_ = clock_.monotonic();
  if (parting_) return;
  if (!frames_) {
    ignored_ += bytes.size();
    if (ignored_ > kMostIgnored) part(CloseCode::refused, "nothing is taken here", "refused");
    return;
  }
  for (auto const& frame : frames_->feed(bytes))
    if (!parting_ && !finished_) answer(frame);
  if (auto const code = frames_->failed(); code && !parting_ && !finished_)
    part(*code, "not understood", "refused");
}

void StreamSession::answer(ClientFrame const& frame) {
  switch (frame.type) {
  case ClientFrame::Type::pong: return;
  case ClientFrame::Type::close: return part(CloseCode::done, "", "left");
  case ClientFrame::Type::ping: next_ += pongFrame(frame.payload); break;
  case ClientFrame::Type::text:
    // Browsers cannot send pings, so they may ask in words.
    auto const said = parseJson(frame.payload);
    if (!said || !said->is_object() || textOr(*said, "/type", "") != "ping")
      return part(CloseCode::refused, R"(only {"type":"ping"} is taken here)", "refused");
    next_ += textFrame(R"({"type":"pong"})");
  }
  if (next_.size() > kMostAnswers) return part(CloseCode::refused, "too many questions", "refused");
  flush();
}

void StreamSession::part(CloseCode code, std::string_view reason, std::string_view outcome) {
  parting_ = true;
  outcome_ = outcome;
  parted_ = clock_.monotonic();
  auto const position = subscription_ ? subscription_->position() : 0;
  next_ += code == CloseCode::done ? closeFrame(code, reason) : farewell(kind_, code, reason, position);
  flush();
}

void StreamSession::finish(std::string_view outcome) {
  if (std::exchange(finished_, true)) return;
  auto const self = shared_from_this();
  wire_.close();
  if (subscription_) subscription_->wakes(nullptr);
  subscription_.reset();
  batch_.clear();
  keeper_->ended(self, outcome);
}

} // namespace garland::api
