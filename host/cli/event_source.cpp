#include "host/cli/event_source.h"

#include "host/cli/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>

#include <array>

namespace garland::cli {
namespace {

using tcp = asio::ip::tcp;

constexpr int kSilenceMilliseconds = 60'000; // the daemon says something three times as often
constexpr std::size_t kMostHead = 65'536;
constexpr std::size_t kMostRefusal = 1U << 20U;

struct Place {
  std::string host, port;
};

Result<Place> placeOf(std::string const& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme))
    return Error(ErrorKind::invalidInput,
                 "changes are followed over http only: name the daemon's own address with --url");
  auto const authority = url.substr(scheme.size(), url.find('/', scheme.size()) - scheme.size());
  auto const colon = authority.rfind(':');
  bool const has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  auto host = authority.substr(0, has_port ? colon : authority.size());
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Place{host, has_port ? authority.substr(colon + 1) : "80"};
}

Error lost(std::string why) {
  Error error(ErrorKind::transient, "the connection to the daemon broke: " + why);
  error.provider_code = "connection_lost";
  return error;
}

class Wire {
public:
  Result<void> open(std::string const& url) {
    TRY(place, placeOf(url));
    boost::system::error_code failed;
    tcp::resolver resolver(loop_);
    auto const found = resolver.resolve(place.host, place.port, failed);
    if (!failed) asio::connect(socket_, found, failed);
    if (!failed) return {};
    Error error(ErrorKind::transient, "no daemon answers at " + url + " (" + failed.message() + ")");
    error.provider_code = "no_daemon";
    return error;
  }
  Result<void> send(std::string_view bytes) {
    boost::system::error_code failed;
    asio::write(socket_, asio::buffer(bytes), failed);
    return failed ? Result<void>(lost(failed.message())) : Result<void>();
  }
  // "" at the end.
  Result<std::string_view> read() {
    pollfd waiting{socket_.native_handle(), POLLIN, 0};
    if (::poll(&waiting, 1, kSilenceMilliseconds) == 0) return lost("it has said nothing for a minute");
    boost::system::error_code failed;
    auto const count = socket_.read_some(asio::buffer(chunk_), failed);
    if (failed && failed != asio::error::eof) return lost(failed.message());
    return std::string_view(chunk_.data(), count);
  }

private:
  asio::io_context loop_;
  tcp::socket socket_{loop_};
  std::array<char, 16'384> chunk_{};
};

// Grown once, so that no copy of the key stays behind.
Secret headOf(std::string const& path, std::string const& host, Secret const& key) {
  auto const start = "GET " + path + " HTTP/1.0\r\nHost: " + host +
                     "\r\nAccept: text/event-stream\r\nAuthorization: Bearer ";
  constexpr std::string_view end = "\r\n\r\n";
  std::string head;
  head.reserve(start.size() + key.reveal().size() + end.size());
  head.append(start).append(key.reveal()).append(end);
  return Secret(std::move(head));
}

// What is no stream: the daemon's own words.
Error refusalOf(Wire& wire, int status, std::string body) {
  while (body.size() < kMostRefusal) {
    auto const more = wire.read();
    if (!more || more->empty()) break;
    body.append(*more);
  }
  auto const problem = parseJson(body);
  return errorFrom(status, problem ? *problem : json::value());
}

} // namespace

Result<bool> readEvents(std::string const& url, std::string const& path, Secret const& key,
                        std::function<bool(ServerEvent const&)> const& take) {
  Wire wire;
  TRY_VOID(wire.open(url));
  // By HTTP/1.0 nothing on the way cuts the answer into chunks.
  auto const host = url.substr(std::string_view("http://").size());
  auto const head = headOf(path, host.substr(0, host.find('/')), key);
  auto const sent = wire.send(head.reveal());
  if (!sent) return sent.error();
  std::string bytes;
  std::size_t end = 0;
  while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
    TRY(more, wire.read());
    if (more.empty() || bytes.size() > kMostHead) return lost("there was no answer");
    bytes.append(more);
  }
  auto const status = statusOf(bytes);
  if (!status) return lost("what answers there is not garlandd");
  bytes.erase(0, end + 4);
  if (*status != 200) return refusalOf(wire, *status, std::move(bytes));
  EventReader reader;
  for (;;) {
    for (auto const& event : reader.feed(bytes))
      if (!take(event)) return false;
    if (reader.tooLong()) return lost("an event does not end");
    TRY(more, wire.read());
    if (more.empty()) return true;
    bytes.assign(more);
  }
}

} // namespace garland::cli
