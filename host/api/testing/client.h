// A client that sends exactly the bytes it is told to, for tests of what servers get in real life.
#pragma once

#include "host/base/json.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace garland::api::testing {

struct Answer {
  int status = 0;                             // 0: the connection ended without an answer
  std::map<std::string, std::string> headers; // names in lower case
  std::string body;
  json::value json() const { return parseJson(body).value(); }
};

// Blocking; each call waits for the server, which is what makes these tests free of sleeps.
class Client {
public:
  explicit Client(unsigned short port) : socket_(context_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port});
  }
  virtual ~Client() = default;

  virtual void send(std::string_view bytes) {
    boost::system::error_code ignored; // a server that has closed already is seen when reading
    asio::write(socket_, asio::buffer(bytes), ignored);
  }
  void finishSending() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  // One answer; `head`: it has no body whatever Content-Length says.
  Answer read(bool head = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = bytes_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return answer;
    std::string const headers = bytes_.substr(0, end + 2);
    bytes_.erase(0, end + 4);
    answer.status = std::stoi(headers.substr(9, 3));
    for (auto at = headers.find("\r\n") + 2; at < headers.size();) {
      auto const stop = headers.find("\r\n", at);
      auto const colon = headers.find(':', at);
      std::string name = headers.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      answer.headers[name] = headers.substr(colon + 2, stop - colon - 2);
      at = stop + 2;
    }
    auto const length = answer.headers.find("content-length");
    std::size_t const size = head || length == answer.headers.end() ? 0 : std::stoul(length->second);
    while (bytes_.size() < size)
      if (!more()) break;
    answer.body = bytes_.substr(0, size);
    bytes_.erase(0, size);
    return answer;
  }

  // Up to and with the mark; "" if the server closes before.
  std::string until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = bytes_.find(mark)) == std::string::npos)
      if (!more()) return {};
    auto out = bytes_.substr(0, at + mark.size());
    bytes_.erase(0, out.size());
    return out;
  }

  // True if the server closes without another byte.
  bool closed() { return bytes_.empty() && !more(); }

protected:
  virtual std::size_t readSome(asio::mutable_buffer into, boost::system::error_code& failed) {
    return socket_.read_some(into, failed);
  }

  asio::io_context context_;
  asio::ip::tcp::socket socket_;

private:
  bool more() {
    std::array<char, 65536> chunk{};
    boost::system::error_code code;
    bytes_.append(chunk.data(), readSome(asio::buffer(chunk), code));
    return !code;
  }

  std::string bytes_;
};

} // namespace garland::api::testing
