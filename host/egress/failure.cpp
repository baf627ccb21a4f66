#include "host/egress/failure.h"

#include "host/base/userinfo.h"

#include <system_error>

namespace garland::egress {
namespace {

Error coded(ErrorKind kind, std::string code, std::string message) {
  Error error(kind, std::move(message));
  error.provider_code = std::move(code);
  return error;
}

std::string seconds(Milliseconds span) {
  using std::chrono::seconds;
  return span < seconds(1) ? std::to_string(span.count()) + " ms"
                           : std::to_string(std::chrono::round<seconds>(span).count()) + " s";
}

// A request that may have been taken is not to be sent again by whoever reads this.
std::string whatNow(Hop const& hop) {
  return isSafe(hop.method) ? "; try again later" : "; whether it acted on the request is unknown";
}

Error noConnection(Transfer const& transfer, std::string const& host) {
  auto const reason = static_cast<int>(transfer.number(CURLINFO_OS_ERRNO));
  if (reason == ECONNREFUSED)
    return coded(ErrorKind::transient, "refused",
                 host + " refused the connection; check the address and its port, and that the server runs");
  return coded(ErrorKind::transient, "unreachable",
               host + " cannot be reached" +
                   (reason == 0 ? std::string() : " (" + std::generic_category().message(reason) + ")") +
                   "; check the address and the network");
}

Error timedOut(Transfer const& transfer, Hop const& hop, Milliseconds allowed) {
  auto const& host = hop.url.host();
  if (!transfer.begun())
    return coded(ErrorKind::transient, "timed_out",
                 host + " did not accept a connection in time; check the address and that the server runs");
  return coded(ErrorKind::transient, "timed_out",
               host + unfinished(transfer.took(), hop.timeout, allowed) + whatNow(hop));
}

std::optional<Error> stopped(Transfer const& transfer, Hop const& hop) {
  using Stop = Transfer::Stop;
  auto const& host = hop.url.host();
  switch (transfer.stopped()) {
  case Stop::none:
  case Stop::enough: return std::nullopt;
  case Stop::cancelled: return Error(ErrorKind::cancelled, "the request to " + host + " was cancelled");
  case Stop::body_too_large:
    return coded(ErrorKind::hostLimit, "too_large",
                 "the answer of " + host + " is larger than the " + std::to_string(hop.max_body) +
                     " bytes allowed; ask for less at once, or raise limits.max_body in the manifest");
  case Stop::headers_too_large:
    return coded(ErrorKind::hostLimit, "too_large",
                 "the answer of " + host + " has more than 64 KiB of headers");
  case Stop::private_address:
    return coded(ErrorKind::forbidden, "private_address",
                 host + " leads to " + transfer.refusedAddress() + ", which is no public address; " +
                     std::string(hop.advice.private_network));
  case Stop::plain_http: return plainHttpNotAllowed(host, hop.advice);
  case Stop::not_repeated:
    return coded(ErrorKind::transient, "connection_lost",
                 host +
                     " closed the connection without an answer; whether it acted on the request is unknown");
  }
  return std::nullopt;
}

Error byCode(Transfer const& transfer, Hop const& hop, Milliseconds allowed) {
  auto const& host = hop.url.host();
  switch (transfer.code()) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return coded(ErrorKind::transient, "unknown_host",
                 "the name " + host + " does not exist or cannot be looked up; check the server address");
  case CURLE_COULDNT_CONNECT: return noConnection(transfer, host);
  case CURLE_OPERATION_TIMEDOUT: return timedOut(transfer, hop, allowed);
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR: return untrusted(transfer.verdict(), host, hop.advice);
  case CURLE_SSL_CONNECT_ERROR:
    if (transfer.verdict().error != X509_V_OK) return untrusted(transfer.verdict(), host, hop.advice);
    return coded(ErrorKind::transient, "tls_failed",
                 host + " did not complete a TLS handshake; check that the address and port are those of an "
                        "https server with TLS 1.2 or later");
  case CURLE_FILESIZE_EXCEEDED:
    return coded(ErrorKind::hostLimit, "too_large",
                 "the answer of " + host + " is larger than the " + std::to_string(hop.max_body) +
                     " bytes allowed; ask for less at once, or raise limits.max_body in the manifest");
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return coded(ErrorKind::transient, "connection_lost",
                 "the connection to " + host + " broke before its answer was complete" + whatNow(hop));
  case CURLE_OUT_OF_MEMORY:
  case CURLE_FAILED_INIT: return {ErrorKind::hostLimit, "there is no memory left for a request"};
  default:
    return coded(ErrorKind::providerBug, "bad_http",
                 host + " answered what is not proper HTTP (" + curl_easy_strerror(transfer.code()) + ")");
  }
}

} // namespace

std::string unfinished(Milliseconds took, Milliseconds left, Milliseconds allowed) {
  // libcurl has one code for "out of time" and for "too slow to go on".
  constexpr Milliseconds kEarly{1'000};
  if (took + kEarly < left)
    return " sent nothing for a minute, or hardly anything, and was given up after " + seconds(took);
  return " did not finish its answer within " + seconds(allowed);
}

namespace {

// Only the body of an answer is amiss.
bool isOfTheBody(Transfer const& transfer) {
  using Stop = Transfer::Stop;
  bool const cut = transfer.stopped() == Stop::none || transfer.stopped() == Stop::body_too_large;
  return cut && transfer.answered();
}

} // namespace

std::optional<Error> failureOf(Transfer const& transfer, Hop const& hop, Milliseconds allowed) {
  if (hop.body_is_optional && isOfTheBody(transfer)) return std::nullopt;
  auto error = stopped(transfer, hop);
  bool const whole = transfer.code() == CURLE_OK || transfer.stopped() == Transfer::Stop::enough;
  if (!error && whole) return std::nullopt;
  if (!error) error = byCode(transfer, hop, allowed);
  error->effect = transfer.begun() && !isSafe(hop.method) ? Effect::unknown : Effect::notApplied;
  return error;
}

Error untrusted(Verdict const& verdict, std::string const& host, Advice const& advice) {
  std::string const why =
      verdict.error == X509_V_OK
          ? "it was issued for another name"
          : std::string(X509_verify_cert_error_string(verdict.error)) + " (issued by " + verdict.issuer + ")";
  return coded(ErrorKind::providerBug, "tls_untrusted",
               "the TLS certificate of " + host + " is not trusted: " + why + "; " +
                   std::string(advice.authority));
}

Error hostNotAllowed(Url const& url, std::vector<std::string> const& rules) {
  std::string listed;
  for (auto const& rule : rules) listed += (listed.empty() ? "" : ", ") + withoutUserinfo(rule);
  return coded(ErrorKind::forbidden, "host_not_allowed",
               "the host " + url.host() + " at port " + std::to_string(url.port()) +
                   " is not among those allowed (" + (listed.empty() ? "none" : listed) +
                   "); correct the address, or the connector's manifest must list the host");
}

Error plainHttpNotAllowed(std::string const& host, Advice const& advice) {
  return coded(ErrorKind::forbidden, "plain_http",
               "plain http to " + host + " would send everything readable, what it signs in with too; " +
                   std::string(advice.plain_http));
}

} // namespace garland::egress
