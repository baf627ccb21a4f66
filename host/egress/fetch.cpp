#include "host/egress/fetch.h"

#include "host/egress/failure.h"
#include "host/egress/oauth1.h"
#include "host/egress/retry_after.h"
#include "host/egress/sigv4.h"

#include "host/base/bytes.h"

#include <algorithm>
#include <array>

namespace garland::egress {
namespace {

Milliseconds since(Monotonic start, Clock const& clock) {
  return std::chrono::duration_cast<Milliseconds>(clock.monotonic() - start);
}

bool isAddress(Credential const& credential) { return credential.scheme == Credential::Scheme::address; }

bool isWord(std::string_view text, std::string_view lower_word) {
  return std::equal(text.begin(), text.end(), lower_word.begin(), lower_word.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// Calendar programs write webcal for "subscribe to this", and servers answer it by https.
Secret overHttps(Secret const& address) {
  auto const text = address.reveal();
  auto const scheme = text.find(':');
  bool const webcal = scheme != std::string_view::npos &&
                      (isWord(text.substr(0, scheme), "webcal") || isWord(text.substr(0, scheme), "webcals"));
  return Secret(webcal ? "https" + std::string(text.substr(scheme)) : std::string(text));
}

std::optional<Url> withCredential(Url const& url, Credential const& credential) {
  if (credential.scheme != Credential::Scheme::query) return std::nullopt;
  return url.withParameter(credential.name, credential.secret.reveal());
}

// Enough never to come twice, whatever number of requests is signed in the same second.
std::string makeNonce(Random& random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  return hex({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

} // namespace

void FetchHost::audit(AuditEntry const& entry) const {
  if (sink_) sink_(entry);
  auto const level = entry.outcome == "ok" ? LogLevel::debug : LogLevel::info;
  log.write(level, "request to a provider",
            {{"method", entry.method},
             {"server", entry.scheme_host_port},
             {"status", entry.status},
             {"outcome", entry.outcome},
             {"took_ms", entry.took.count()}});
}

Fetch::Fetch(FetchHost& host, Request request, Policy policy, Credential credential)
    : host_(host), request_(std::move(request)), policy_(std::move(policy)),
      credential_(std::move(credential)), echo_(credential_), started_(host.clock.monotonic()) {}

Error Fetch::refuse(Error error, Url const* url) {
  error.effect = may_have_applied_ ? Effect::unknown : Effect::notApplied;
  AuditEntry entry;
  entry.at = host_.clock.now();
  entry.subject = request_.audit_subject;
  // A method that is no token may be anything; it is not written down.
  if (error.field != "/method") entry.method = request_.method;
  if (url != nullptr) {
    entry.scheme_host_port = url->origin();
    entry.path = shownPath(*url);
  }
  entry.outcome = name(error.kind);
  host_.audit(entry);
  return error;
}

std::string Fetch::shownPath(Url const& url) const {
  // Where an address leads on to by a redirect may be as secret.
  if (isAddress(credential_)) return "/[secret]";
  auto path = url.path();
  echo_.clean(path);
  return path;
}

Result<Url> Fetch::firstUrl() const {
  return Url::parse(isAddress(credential_) ? overHttps(credential_.secret).reveal() : request_.url);
}

Result<Url> Fetch::begin() {
  auto url = firstUrl();
  if (url && isAddress(credential_))
    policy_.allowed_hosts.push_back(url->host() + ":" + std::to_string(url->port()));
  if (auto const good = checkRequest(request_); !good) return refuse(good.error(), url ? &*url : nullptr);
  if (auto const good = checkCredential(credential_); !good)
    return refuse(good.error(), url ? &*url : nullptr);
  if (!url) return refuse(std::move(url).error(), nullptr);
  return admit(*std::move(url));
}

Result<Url> Fetch::admit(Url url) {
  if (!isAllowed(url, policy_.allowed_hosts)) return refuse(hostNotAllowed(url, policy_.allowed_hosts), &url);
  if (url.scheme() == "http" && !policy_.allow_private_network)
    return refuse(plainHttpNotAllowed(url.host(), policy_.advice), &url);
  return url;
}

Result<std::shared_ptr<Transport>> Fetch::transport(Url const& url) {
  auto transport = host_.transportFor(policy_);
  if (!transport) return refuse(std::move(transport).error(), &url);
  return transport;
}

Milliseconds Fetch::timeLeft() const {
  return std::max(request_.timeout - since(started_, host_.clock), Milliseconds(1));
}

void Fetch::becomeGet() {
  if (!isSafe(request_.method)) may_have_applied_ = true;
  request_.method = "GET";
  request_.body.clear();
  request_.idempotency_key.clear();
  std::erase_if(request_.headers, [](Header const& header) {
    constexpr std::string_view kContent = "content-";
    return header.name.size() > kContent.size() &&
           std::equal(kContent.begin(), kContent.end(), header.name.begin(),
                      [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
  });
}

Result<Url> Fetch::follow(Attempt const& answered) {
  auto const& from = answered.url();
  // Every client in the world turns a redirected POST into GET at 301 and 302; other methods keep
  // their meaning there, which is what CalDAV discovery needs. 303 means GET by its definition.
  bool const see_other = answered.status() == 303 && request_.method != "HEAD";
  bool const old_post = answered.status() <= 302 && request_.method == "POST";
  if (see_other || old_post) becomeGet();
  if (++redirects_ > policy_.max_redirects) {
    Error error(ErrorKind::providerBug,
                from.host() + " redirects more than " + std::to_string(policy_.max_redirects) + " times");
    error.provider_code = "too_many_redirects";
    return refuse(std::move(error), &from);
  }
  auto to = from.resolve(answered.header("location"));
  if (!to) {
    Error error(ErrorKind::providerBug, std::move(to).error().message);
    return refuse(std::move(error).within(from.host() + " redirects to a bad place"), &from);
  }
  if (from.scheme() == "https" && to->scheme() == "http")
    return refuse(
        plainHttpNotAllowed(to->host(), policy_.advice).within(from.host() + " redirects from https to http"),
        &*to);
  auto admitted = admit(*std::move(to));
  if (!admitted) return std::move(admitted).error().within(from.host() + " redirects to another place");
  return admitted;
}

HeaderList& Attempt::filled() {
  auto const& request = fetch_.request_;
  auto const& credential = fetch_.credential_;
  fillHeaders(lines_, request, credential);
  // A body that is given with HEAD is not sent.
  auto const body = request.method == "HEAD" ? std::string_view() : std::string_view(request.body);
  Signable const hop{request.method, url_, request.headers, body};
  if (credential.scheme == Credential::Scheme::sigv4) addSigV4(lines_, hop, credential, at_);
  if (credential.scheme == Credential::Scheme::oauth1) {
    Secret const value(oauth1Authorization(hop, credential, at_, makeNonce(fetch_.host_.random)));
    lines_.add("Authorization", value.reveal());
  }
  return lines_;
}

Attempt::Attempt(Fetch& fetch, std::shared_ptr<Transport> transport, Url url)
    : fetch_(fetch), url_(std::move(url)), with_credential_(withCredential(url_, fetch.credential_)),
      at_(fetch.host_.clock.now()), started_(fetch.host_.clock.monotonic()),
      hop_{fetch.request_.method,
           sent(),
           filled(),
           fetch.request_.body,
           fetch.timeLeft(),
           fetch.request_.max_body,
           fetch.request_.on_body,
           fetch.request_.body_is_optional,
           fetch.policy_.allow_private_network,
           fetch.host_.kind_of,
           fetch.policy_.advice},
      transfer_(std::move(transport), hop_) {}

Result<void> Attempt::conclude() {
  auto failure = failureOf(transfer_, hop_, fetch_.request_.timeout);
  AuditEntry entry;
  entry.at = at_;
  entry.subject = fetch_.request_.audit_subject;
  entry.method = hop_.method;
  entry.scheme_host_port = url_.origin();
  entry.path = fetch_.shownPath(url_);
  entry.took = since(started_, fetch_.host_.clock);
  entry.status = failure ? 0 : static_cast<int>(transfer_.number(CURLINFO_RESPONSE_CODE));
  entry.outcome = failure ? name(failure->kind) : "ok";
  if (transfer_.begun()) {
    entry.bytes_out = transfer_.bytesOut();
    entry.bytes_in = transfer_.bytesIn();
    entry.credential_used = fetch_.credential_.scheme != Credential::Scheme::none;
  }
  fetch_.host_.audit(entry);
  if (failure) {
    if (fetch_.may_have_applied_) failure->effect = Effect::unknown;
    return *std::move(failure);
  }
  status_ = entry.status;
  headers_ = transfer_.headers();
  return {};
}

std::string Attempt::header(std::string_view name) const {
  auto const found = std::find_if(headers_.begin(), headers_.end(),
                                  [&](Header const& header) { return header.name == name; });
  return found == headers_.end() ? std::string() : found->value;
}

bool Attempt::isRedirect() const {
  bool const redirect =
      status_ == 301 || status_ == 302 || status_ == 303 || status_ == 307 || status_ == 308;
  return redirect && fetch_.policy_.max_redirects > 0 && !header("location").empty();
}

Response Attempt::response() {
  Response response;
  response.status = status_;
  response.retry_after = retryAfter(header("retry-after"), header("date"), fetch_.host_.clock.now());
  response.headers = std::move(headers_);
  response.body = transfer_.takeBody();
  response.final_url = isAddress(fetch_.credential_) ? url_.origin() + "/[secret]" : url_.text();
  response.redirected = fetch_.redirects_ > 0;
  response.may_have_applied = fetch_.may_have_applied_;
  fetch_.echo_.clean(response);
  return response;
}

} // namespace garland::egress
