#include "host/worker/dev_session.h"

#include "host/base/log.h"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace garland::runtime::dev {
namespace {

constexpr std::uint64_t kCall = 1;

std::string outcomeOf(wire::HttpAnswer const& answer) {
  if (answer.error) return std::string(name(answer.error->kind)) + ": " + answer.error->message;
  return std::to_string(answer.status) + ", " + std::to_string(answer.body.size()) + " bytes";
}

} // namespace

Outcome Session::run(wire::Call call, std::optional<std::chrono::seconds> limit) {
  call_ = std::move(call);
  std::optional<std::chrono::steady_clock::time_point> end;
  if (limit) end = std::chrono::steady_clock::now() + *limit;
  std::string bytes;
  wire::append(bytes, wire::Kind::config, 0, wire::Config());
  write(bytes);
  loop(end);
  return std::move(outcome_);
}

void Session::loop(std::optional<std::chrono::steady_clock::time_point> end) {
  bool open = true;
  bool printing = ends_.output >= 0;
  while (open) {
    std::array<pollfd, 2> watched = {pollfd{ends_.socket, POLLIN, 0},
                                     pollfd{printing ? ends_.output : -1, POLLIN, 0}};
    int wait = -1;
    if (end) {
      auto const left = std::chrono::ceil<Milliseconds>(*end - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      wait = static_cast<int>(left.count());
    }
    if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) break;
    if (printing && watched[1].revents != 0) printing = readOutput();
    if (watched[0].revents != 0) open = readSocket();
  }
  outcome_.timed_out = open && outcome_.broken.empty();
  // Its last words, printed before it ended: the pipe is there until all of it is read.
  while (printing && !open && readOutput()) {
  }
  if (!line_.empty()) teller_.printed(line_);
}

bool Session::readSocket() {
  std::array<char, 65536> bytes;
  auto const got = ::recv(ends_.socket, bytes.data(), bytes.size(), 0);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  decoder_.feed({bytes.data(), static_cast<std::size_t>(got)});
  dispatchAll();
  return outcome_.broken.empty();
}

bool Session::readOutput() {
  std::array<char, 4096> bytes;
  auto const got = ::read(ends_.output, bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  for (char const letter : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
    if (letter != '\n') {
      line_ += letter;
      continue;
    }
    teller_.printed(line_);
    line_.clear();
  }
  return true;
}

void Session::dispatchAll() {
  while (outcome_.broken.empty()) {
    auto message = decoder_.next();
    if (message && !*message) return;
    auto const taken = message ? dispatch(**message) : Result<void>(message.error());
    if (!taken) outcome_.broken = taken.error().message;
  }
}

Result<void> Session::dispatch(wire::Message const& message) {
  auto const keep = [&]<class Payload>(std::optional<Payload>& place) -> Result<void> {
    TRY(payload, wire::decode<Payload>(message.payload));
    place = std::move(payload);
    return {};
  };
  switch (message.kind) {
  case wire::Kind::closed: return keep(outcome_.sandbox);
  case wire::Kind::loadFailed: return keep(outcome_.load_failed);
  case wire::Kind::dying: return keep(outcome_.dying);
  case wire::Kind::hello: {
    TRY_VOID(keep(outcome_.hello));
    send(wire::Kind::call, call_);
    return {};
  }
  case wire::Kind::done: {
    TRY_VOID(keep(outcome_.done));
    std::string bytes;
    wire::appendMessage(bytes, wire::Kind::shutdown, 0, {});
    write(bytes);
    return {};
  }
  case wire::Kind::stack: {
    TRY(stack, wire::decode<wire::Stack>(message.payload));
    outcome_.stack = std::move(stack.frames);
    return {};
  }
  case wire::Kind::refused: {
    TRY(refused, wire::decode<wire::Refused>(message.payload));
    outcome_.refused.push_back(std::move(refused));
    return {};
  }
  default: return dispatchAsk(message);
  }
}

Result<void> Session::dispatchAsk(wire::Message const& message) {
  switch (message.kind) {
  case wire::Kind::httpAsk: {
    TRY(ask, wire::decode<wire::HttpAsk>(message.payload));
    auto const answer = answers_.http(ask);
    teller_.story("http " + ask.method + " " + ask.url + " -> " + outcomeOf(answer));
    send(wire::Kind::httpAnswer, answer);
    return {};
  }
  case wire::Kind::kvGet: {
    TRY(ask, wire::decode<wire::KvGet>(message.payload));
    auto const answer = answers_.get(ask);
    teller_.story("kv_get " + ask.key + " -> " + (answer.error ? answer.error->message : answer.value));
    send(wire::Kind::kvAnswer, answer);
    return {};
  }
  case wire::Kind::kvPut: {
    TRY(ask, wire::decode<wire::KvPut>(message.payload));
    teller_.story("kv_put " + ask.key);
    send(wire::Kind::ack, answers_.put(ask));
    return {};
  }
  case wire::Kind::emit: {
    TRY(record, wire::decode<wire::Emit>(message.payload));
    ++outcome_.emitted;
    teller_.story("emit " + record.kind + " " + record.record);
    send(wire::Kind::emitCredit, wire::EmitCredit{1, std::nullopt});
    return {};
  }
  case wire::Kind::checkpoint: {
    TRY(ask, wire::decode<wire::Checkpoint>(message.payload));
    ++outcome_.checkpoints;
    teller_.story("checkpoint " + ask.cursor);
    send(wire::Kind::ack, wire::Ack{ask.request, std::nullopt});
    return {};
  }
  case wire::Kind::log: {
    TRY(line, wire::decode<wire::Log>(message.payload));
    auto const level = static_cast<LogLevel>(std::min(std::max(line.level, 0), 3));
    teller_.story("log " + std::string(name(level)) + " " + line.message + " " + line.fields);
    return {};
  }
  default: return {};
  }
}

template <class Payload> void Session::send(wire::Kind kind, Payload const& payload) {
  std::string bytes;
  wire::append(bytes, kind, kCall, payload);
  write(bytes);
}

// A worker that is gone is found out by reading.
void Session::write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const sent = ::send(ends_.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

} // namespace garland::runtime::dev
