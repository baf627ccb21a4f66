// Bytes to Request, Response to bytes. Boost.Beast lives in http_codec.cpp alone.
#pragma once

#include "host/api/http.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace garland::api {

struct CodecLimits {
  CodecLimits() = default;
  CodecLimits(std::size_t header, std::size_t body) : max_header(header), max_body(body) {}
  std::size_t max_header = 16U << 10U;
  std::size_t max_body = 1U << 20U;
  // Targets are not taken apart: any printable ASCII that begins with "/" will do, brackets too.
  bool raw_targets = false;
};

// Why a request cannot be answered as asked; the connection is closed after the answer.
struct HttpFault {
  HttpFault(int status_in, std::string message_in) : status(status_in), message(std::move(message_in)) {}
  int status;
  std::string message;
};

// Reads one request. Feed it what came in; bytes after the request are the next one's.
class RequestReader {
public:
  explicit RequestReader(CodecLimits limits);
  ~RequestReader();
  RequestReader(RequestReader const&) = delete;
  RequestReader& operator=(RequestReader const&) = delete;

  // Takes from the front of `bytes` what belongs to this request.
  std::optional<HttpFault> feed(std::string& bytes);
  bool headerDone() const;
  bool done() const;
  // The client waits for "100 Continue" before it sends the body.
  bool expectsContinue() const;
  bool keepAlive() const;
  std::string method() const; // once headerDone()
  // The finished request; a target that is no path gives a fault.
  std::optional<HttpFault> take(Request& out);

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// `head`: the headers of the answer without its body.
std::string encode(Response const& response, bool keep_alive, bool head);
// The headers of an answer whose end nobody knows, or (101) after which another language is spoken.
std::string encodeStreamHead(Response const& response);
std::string_view continueLine();

} // namespace garland::api
