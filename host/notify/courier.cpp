#include "host/notify/courier.h"

#include "host/base/utf8.h"
#include "host/notify/message.h"

namespace garland::notify {
namespace {

constexpr std::size_t kMostAnswer = 4'096; // bytes that are kept, of which some are quoted
constexpr std::size_t kMostQuoted = 200;
constexpr int kGone = 410;

// The begin of what a stranger answered, as one line.
std::string quoted(std::string const& body) {
  auto const text = printable(asUtf8(std::string_view(body).substr(0, kMostQuoted)));
  return text.empty() ? "" : ": " + text;
}

std::string problemOf(egress::Response const& answer) {
  auto const status = std::to_string(answer.status);
  if (answer.status == kGone) return "it answered 410: it is gone and wants no more of this";
  if (answer.status >= 300 && answer.status < 400)
    return "it answered " + status +
           " and redirects, which is not followed: give the endpoint its new address";
  return "it answered " + status + quoted(answer.body);
}

} // namespace

Result<egress::Request> requestFor(Endpoint const& endpoint, Due const& due,
                                   std::vector<Secret> const& secrets, TimePoint at, Milliseconds timeout) {
  auto const id = idOf(endpoint.id, due.sequence);
  std::string signatures;
  for (auto const& secret : secrets) {
    TRY(one, sign(secret, id, at, due.body));
    signatures += (signatures.empty() ? "" : " ") + one;
  }
  egress::Request request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", "Garland-Webhooks"},
                     {"webhook-id", id},
                     {"webhook-timestamp", secondsOf(at)},
                     {"webhook-signature", std::move(signatures)}};
  request.body = due.body;
  request.timeout = timeout;
  request.audit_subject = endpoint.id;
  request.max_body = kMostAnswer;
  request.body_is_optional = true; // whoever says 2xx has taken it, whatever comes then
  return request;
}

egress::Credential addressOf(Endpoint const& endpoint) {
  return egress::Credential{egress::Credential::Scheme::address, {}, {}, Secret(endpoint.url)};
}

egress::Policy policyFor(Endpoint const& endpoint, std::string const& extra_ca_file) {
  egress::Policy policy;
  policy.allow_private_network = endpoint.allow_private_network;
  policy.max_redirects = 0;
  policy.extra_ca_file = extra_ca_file;
  return policy;
}

Outcome outcomeOf(Result<egress::Response> const& answer) {
  Outcome outcome;
  if (!answer) {
    outcome.problem = printable(asUtf8(answer.error().message)); // a certificate may be quoted there
    outcome.retry_after = answer.error().retry_after;
    return outcome;
  }
  outcome.status = answer->status;
  outcome.delivered = answer->status >= 200 && answer->status < 300;
  outcome.gone = answer->status == kGone;
  if (outcome.delivered) return outcome;
  outcome.problem = problemOf(*answer);
  outcome.retry_after = answer->retry_after;
  return outcome;
}

} // namespace garland::notify
