#include "host/cli/client.h"

#include "host/base/bytes.h"
#include "host/cli/commands.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

namespace garland::cli {
namespace {

constexpr Milliseconds kLongestAnswer{620'000}; // a sync that is waited for may take ten minutes
constexpr Milliseconds kLongestSilence{60'000}; // of a stream: the daemon says something three times as often
constexpr std::chrono::seconds kLookEvery{1};

} // namespace

Error errorFrom(int status, json::value const& problem) {
  auto const kind = errorKindNamed(textOr(problem, "/kind", ""));
  auto detail = textOr(problem, "/detail", "the daemon answered with status " + std::to_string(status));
  // Of a key that has expired or was revoked the daemon tells more than that it is wrong.
  bool const was_good = detail.starts_with("the API key key_");
  if (status == 401 && !was_good) detail = std::string("garlandd does not accept this API key; ") + kNameAKey;
  if (status == 412) detail = "it was changed meanwhile; look at it and try again";
  Error error(kind.value_or(ErrorKind::transient), std::move(detail));
  error.field = textOr(problem, "/field", "");
  error.provider_code = textOr(problem, "/provider_code", "");
  error.http_status = status;
  return error;
}

namespace {

// Every answer of garlandd is JSON or empty, and a refusal says its kind.
bool isGarlandd(egress::Response const& response, Result<json::value> const& body) {
  if (!body || (response.status >= 300 && response.status < 400)) return false;
  return response.status < 400 || errorKindNamed(textOr(*body, "/kind", ""));
}

bool isOfType(egress::Response const& response, std::string_view type) {
  return std::ranges::any_of(response.headers, [type](egress::Header const& header) {
    return header.name == "content-type" && header.value.starts_with(type);
  });
}

Error coded(std::string code, std::string message) {
  Error error(ErrorKind::transient, std::move(message));
  error.provider_code = std::move(code);
  return error;
}

Error notGarlandd(std::string const& url) {
  return coded("not_garlandd",
               "what answers at " + url + " is not garlandd; name its address with --url or GARLAND_URL");
}

Error noDaemon(std::string const& url, Error const& why) {
  return coded("no_daemon", "no daemon answers at " + url + " (" + why.message + ")");
}

constexpr std::string_view kTrust =
    "name garlandd's authority with --ca-file or GARLAND_CA_FILE, and a name of its certificate with --url";

// Something listens, and closes what it hears: a daemon that is being ended, or one that is called in the
// wrong way.
Error hungUp(Error const& why, bool by_tls) {
  if (by_tls)
    return coded("wants_certificate",
                 why.message +
                     ". If it was not ended just then, it wants a certificate of its clients ([tls] "
                     "client_ca), which the command line has none of; go through a proxy that has "
                     "one. If client_ca is not set, see the daemon's log");
  return coded("wants_tls", why.message + ". If it was not ended just then, it has a certificate; call it by "
                                          "https:// with --url");
}

Error noAnswer(std::string const& url, Error const& why) {
  bool const by_tls = url.starts_with("https://");
  // It may well be garlandd: its certificate is of an authority that nobody here knows, or for another name.
  if (why.provider_code == "tls_untrusted") return coded("daemon_not_trusted", why.message);
  if (why.provider_code == "connection_lost" || (by_tls && why.provider_code == "tls_failed"))
    return hungUp(why, by_tls);
  return noDaemon(url, why);
}

Error lost(std::string const& why) {
  return coded("connection_lost", "the connection to the daemon broke: " + why);
}

} // namespace

Client::Client(std::string url, Secret api_key, std::string ca_file)
    : url_(std::move(url)), api_key_(std::move(api_key)), ca_file_(std::move(ca_file)),
      log_(clock_, redactor_, LogLevel::error, stderrSink()),
      egress_(egress::Client::create(loop_.get_executor(), clock_, random_, log_)) {
  while (url_.ends_with('/')) url_.pop_back();
}

Client::~Client() {
  egress_->shutdown();
  loop_.restart();
  loop_.run();
}

// Asks `given_up` about every second.
Result<egress::Response> Client::send(egress::Request request, std::function<bool()> const& given_up) {
  egress::Policy policy;
  auto const host = url_.find("://");
  policy.allowed_hosts = {host == std::string::npos ? url_ : url_.substr(host + 3)};
  policy.allow_private_network = true;
  policy.max_redirects = 0;
  policy.extra_ca_file = ca_file_;
  policy.advice.authority = kTrust;
  egress::Credential credential;
  if (!api_key_.empty()) {
    credential.scheme = egress::Credential::Scheme::bearer;
    credential.secret = api_key_.clone();
  }
  std::optional<Result<egress::Response>> answer;
  asio::cancellation_signal stop;
  auto const ended = [&answer](std::exception_ptr, Result<egress::Response> result) {
    answer = std::move(result);
  };
  asio::co_spawn(loop_, egress_->fetch(std::move(request), std::move(policy), std::move(credential)),
                 asio::bind_cancellation_slot(stop.slot(), ended));
  loop_.restart();
  while (!answer && !loop_.stopped()) {
    loop_.run_one_for(kLookEvery);
    if (!answer && given_up && given_up()) stop.emit(asio::cancellation_type::terminal);
  }
  if (!answer) return Error(ErrorKind::cancelled, "the request was cut off");
  return std::move(*answer);
}

// What was answered, if it was garlandd that did.
Result<json::value> Client::settle(egress::Response const& response) const {
  auto body = response.body.empty() ? Result<json::value>(json::value()) : parseJson(response.body);
  if (!isGarlandd(response, body)) return notGarlandd(url_);
  if (response.status >= 400) return errorFrom(response.status, *body);
  return body;
}

Result<json::value> Client::ask(egress::Request request) {
  request.timeout = kLongestAnswer;
  auto const answer = send(std::move(request));
  if (!answer) return noAnswer(url_, answer.error());
  return settle(*answer);
}

Result<void> Client::read(std::string const& path, std::string const& type,
                          std::function<bool(std::string_view)> const& take) {
  egress::Request request;
  request.url = url_ + path;
  request.headers.push_back({"accept", type});
  bool began = false;
  auto heard = clock_.monotonic();
  request.on_body = [&](std::string_view bytes) {
    began = true;
    bool const more = take(bytes);
    heard = clock_.monotonic(); // while it is taken nobody listens
    return more;
  };
  auto const silent = [&] { return clock_.monotonic() - heard > kLongestSilence; };
  auto const answer = send(std::move(request), silent);
  if (!answer && !began) return noAnswer(url_, answer.error());
  if (!answer) return lost(silent() ? "it has said nothing for a minute" : answer.error().message);
  TRY_VOID(settle(*answer));
  if (!isOfType(*answer, type)) return notGarlandd(url_);
  return {};
}

Result<json::value> Client::get(std::string path) {
  egress::Request request;
  request.url = url_ + path;
  return ask(std::move(request));
}

Result<json::value> Client::getUntil(std::string const& path,
                                     std::function<bool(json::value const&)> const& enough,
                                     std::function<void(json::value const&)> const& meanwhile) {
  constexpr std::chrono::milliseconds kBetweenLooks{100};
  for (;;) {
    auto seen = get(path);
    if (!seen || enough(*seen)) return seen;
    if (meanwhile) meanwhile(*seen);
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Result<json::value> Client::post(std::string path, json::value body) {
  egress::Request request;
  request.method = "POST";
  request.url = url_ + path;
  if (!body.is_null()) {
    request.headers.push_back({"content-type", "application/json"});
    request.body = json::serialize(body);
  }
  return ask(std::move(request));
}

Result<json::value> Client::postText(std::string path, std::string content_type, std::string body) {
  egress::Request request;
  request.method = "POST";
  request.url = url_ + path;
  request.headers.push_back({"content-type", std::move(content_type)});
  request.body = std::move(body);
  return ask(std::move(request));
}

Result<json::value> Client::patch(std::string path, json::value body) {
  egress::Request request;
  request.method = "PATCH";
  request.url = url_ + path;
  request.headers.push_back({"content-type", "application/json"});
  request.body = json::serialize(body);
  return ask(std::move(request));
}

Result<json::value> Client::put(std::string path, json::value body, std::int64_t if_version) {
  egress::Request request;
  request.method = "PUT";
  request.url = url_ + path;
  if (!body.is_null()) {
    request.headers.push_back({"content-type", "application/json"});
    request.body = json::serialize(body);
  }
  if (if_version > 0) request.headers.push_back({"if-match", "\"" + std::to_string(if_version) + "\""});
  return ask(std::move(request));
}

Result<json::value> Client::remove(std::string path) {
  egress::Request request;
  request.method = "DELETE";
  request.url = url_ + path;
  return ask(std::move(request));
}

std::string parameter(std::string_view name, std::string_view value) {
  return std::string(name) + "=" + percentEncode(value);
}

} // namespace garland::cli
