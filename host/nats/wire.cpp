// The carrier: a thread that writes what is told, one that reads what is to be heard, and sessions one after
// the other for as long as it lives.
#include "host/nats/lines.h"
#include "host/nats/nats.h"
#include "host/nats/session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace garland::nats {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenTries = 1s;
constexpr auto kCheckEvery = 10s;

// What comes in, on its way to the loop.
class Ear : public std::enable_shared_from_this<Ear> {
public:
  explicit Ear(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // [any thread]
  void hear(std::vector<std::string> lines) {
    std::lock_guard const lock(mutex_);
    bool const idle = heard_.empty(); // else somebody is on his way
    for (auto& line : lines) heard_.add(std::move(line));
    if (idle) asio::post(executor_, [self = shared_from_this()] { self->pass(); });
  }
  void somethingWasMissed() { hear({std::string()}); }

  Carrier::Listener listener; // [loop thread]

private:
  void pass() {
    std::unique_lock lock(mutex_);
    auto const lines = heard_.take();
    lock.unlock();
    auto const to = listener;
    for (auto const& line : lines)
      if (to) to(line);
  }

  asio::any_io_executor executor_;
  std::mutex mutex_;
  Lines heard_;
};

class Wire final : public Carrier {
public:
  Wire(asio::any_io_executor executor, Log const& log, Options options)
      : log_(log), options_(std::move(options)), ear_(std::make_shared<Ear>(std::move(executor))) {
    asio::post(thread_, [this] { serve(); });
  }
  ~Wire() override {
    ear_->listener = nullptr;
    askToEnd();
    thread_.join();
  }

  void listen(Listener listener) override {
    ear_->listener = std::move(listener);
    if (ear_->listener) ear_->somethingWasMissed();
  }
  void tell(std::string line) override {
    std::unique_lock lock(mutex_);
    told_.add(std::move(line));
    lock.unlock();
    woken_.notify_one();
  }
  Task<void> close() override { return end(this); }
  std::string_view name() const override { return "nats"; }
  bool connected() const override { return connected_; }

private:
  static Task<void> nothing() { co_return Result<void>(); }
  // What its thread is given runs when it serves no more.
  static Task<void> end(Wire* self) {
    self->ear_->listener = nullptr;
    self->askToEnd();
    auto after = nothing();
    co_return co_await asio::co_spawn(self->thread_, std::move(after), asio::use_awaitable);
  }
  void askToEnd() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    lock.unlock();
    woken_.notify_one();
  }

  // [its thread, down to read()]
  void serve() {
    while (!endsWithin(0s)) {
      auto const served = serveOnce();
      if (served) return;
      tellGone(served.error());
      if (endsWithin(kBetweenTries)) return;
    }
  }
  bool endsWithin(std::chrono::seconds span) {
    std::unique_lock lock(mutex_);
    return woken_.wait_for(lock, span, [this] { return ending_; });
  }
  // Until it is asked to end, or fails.
  Result<void> serveOnce() {
    TRY(session, Session::open(options_));
    lost_.reset();
    std::thread reader([this, &session] { read(*session); });
    connected_ = true;
    ear_->somethingWasMissed();
    tellBack();
    auto ended = write(*session);
    connected_ = false;
    session->close();
    reader.join();
    return ended;
  }
  // While one message is on its way, what is told gathers for the next.
  Result<void> write(Session& session) {
    auto next_check = std::chrono::steady_clock::now() + kCheckEvery;
    for (;;) {
      std::unique_lock lock(mutex_);
      woken_.wait_until(lock, next_check, [this] { return ending_ || lost_ || !told_.empty(); });
      if (lost_) return *lost_;
      auto const lines = told_.take();
      bool const last = ending_;
      lock.unlock();
      TRY_VOID(publish(session, messagesOf(lines)));
      if (last) return {};
      if (std::chrono::steady_clock::now() < next_check) continue;
      TRY_VOID(session.check());
      next_check = std::chrono::steady_clock::now() + kCheckEvery;
    }
  }
  Result<void> publish(Session& session, std::vector<std::string> const& messages) {
    for (auto const& message : messages) {
      auto const sent = session.publish(message);
      if (sent) continue;
      tell(std::string()); // to everybody in the next session, as nobody knows what of these has arrived
      return sent;
    }
    return {};
  }
  // [a thread of its own]
  void read(Session& session) {
    for (;;) {
      auto const message = session.next();
      if (!message) return lose(message.error());
      ear_->hear(linesOf(message->value_or(std::string())));
    }
  }
  void lose(Error const& error) {
    std::unique_lock lock(mutex_);
    lost_ = error;
    lock.unlock();
    woken_.notify_one();
  }

  // Once, unless every try is to be seen.
  void tellGone(Error const& error) {
    bool const told = std::exchange(gone_, true);
    log_.write(told ? LogLevel::debug : LogLevel::warn,
               "NATS cannot be used: " + error.message +
                   "; until it is back, daemons find what others have done within seconds, not at once",
               json::object{{"servers", options_.servers}});
  }
  void tellBack() {
    gone_ = false;
    log_.info("daemons tell each other over NATS what they have done",
              json::object{{"servers", options_.servers}, {"stream", options_.stream}});
  }

  Log const& log_;
  Options const options_;
  std::shared_ptr<Ear> const ear_;
  std::atomic<bool> connected_ = false;
  bool gone_ = false; // and the log has said so
  std::mutex mutex_;
  std::condition_variable woken_; // only its thread waits
  Lines told_;
  std::optional<Error> lost_; // the reader's session is over
  bool ending_ = false;
  asio::thread_pool thread_{1}; // first to go
};

} // namespace

bool isServers(std::string const& servers) {
  return std::ranges::all_of(split(servers, ','), [](std::string const& server) {
    bool const known = server.starts_with("nats://") || server.starts_with("tls://");
    auto const host = server.substr(std::min(server.size(), server.find("://") + 3));
    return known && !host.empty() && host.find_first_of("/?#@* \t\r\n") == std::string::npos;
  });
}

bool isStream(std::string const& name) {
  auto const plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, plain);
}

std::shared_ptr<Carrier> connect(asio::any_io_executor executor, Log const& log, Options options) {
  return std::make_shared<Wire>(std::move(executor), log, std::move(options));
}

} // namespace garland::nats
