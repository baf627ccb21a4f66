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
#include <string_view>

namespace garland::cli {

class Client {
public:
  // `url`: "http://127.0.0.1:7480". `ca_file`: PEM, trusted besides the system's authorities; "": none.
  Client(std::string url, Secret api_key, std::string ca_file = {});
  ~Client();

  // The answer's body (null if it has none). A problem document comes back as the Error it tells of;
  // no answer at all is `transient` with provider_code "no_daemon"; "wants_certificate" or "wants_tls" if
  // something listens and hangs up.
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
  // The body of an answer that has no end, of this content type, as it comes; until the daemon ends it, or
  // `take` answers false. Errors as above; transient with provider_code "connection_lost" if it broke, or
  // nothing came for a minute.
  Result<void> read(std::string const& path, std::string const& type,
                    std::function<bool(std::string_view)> const& take);
  std::string const& url() const { return url_; }

private:
  Result<json::value> ask(egress::Request request);
  Result<egress::Response> send(egress::Request request, std::function<bool()> const& given_up = nullptr);
  Result<json::value> settle(egress::Response const& response) const;

  std::string url_;
  Secret api_key_;
  std::string ca_file_;
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
