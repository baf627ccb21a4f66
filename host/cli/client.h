// Asks the daemon, one request at a time, and waits for the answer.
#pragma once

#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/secret.h"
#include "host/egress/egress.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace garland::cli {

class Client {
public:
  // `url`: "http://127.0.0.1:7480".
  Client(std::string url, Secret api_key);
  ~Client();

  // The answer's body (null if it has none). A problem document comes back as the Error it tells of;
  // no answer at all is `transient` with provider_code "no_daemon".
  Result<json::value> get(std::string path);
  // Looks ten times a second until `enough` says so of what it saw; the last answer, or the first Error.
  // `meanwhile`, if given, is told of each that was not enough.
  Result<json::value> getUntil(std::string const& path, std::function<bool(json::value const&)> const& enough,
                               std::function<void(json::value const&)> const& meanwhile = nullptr);
  Result<json::value> post(std::string path, json::value body);
  Result<json::value> postText(std::string path, std::string content_type, std::string body);
  Result<json::value> patch(std::string path, json::value body);
  Result<json::value> put(std::string path, json::value body, std::int64_t if_version = 0);
  Result<json::value> remove(std::string path);
  std::string const& url() const { return url_; }
  Secret const& key() const { return api_key_; }

private:
  Result<json::value> ask(egress::Request request);

  std::string url_;
  Secret api_key_;
  asio::io_context loop_;
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_;
  std::unique_ptr<egress::Client> egress_;
};

// What the daemon said went wrong, by its status and its problem document.
Error errorFrom(int status, json::value const& problem);

// The text of a query parameter, percent-encoded: "vendor_id=ven_...".
std::string parameter(std::string_view name, std::string_view value);

} // namespace garland::cli
