// The only way to the outside network: HTTP requests that a policy allows.
//
// Egress checks the host against the policy, the resolved address against the private ranges at
// connect time (so DNS rebinding gains nothing), and every redirect again; it attaches the
// credential itself and strips what a plugin may not set. It keeps no state about vendors.
#pragma once

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/base/task.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::egress {

struct Header {
  std::string name;
  std::string value;
};

// Of the headers that a request names, those that decide who it comes from, where it goes and how it
// is framed (Authorization, Cookie, Host, Proxy-*, Content-Length, Connection, Expect, ...) are
// dropped. A line break in a name or value is an error.
struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  std::string idempotency_key; // sent as Idempotency-Key if not empty
  std::string audit_subject;   // for whom (a connection id); copied to every AuditEntry, never sent
  Milliseconds timeout{30'000};
  std::size_t max_body = 16U << 20U;
  // If set, the body of a 2xx answer is handed to it as it comes, and Response::body stays empty; false: that
  // was enough, the fetch ends as if the answer had. For answers of the host's own that have no end:
  // `timeout` and `max_body` do not count, nothing is unpacked, no echo is taken out. It must not use the
  // client.
  std::function<bool(std::string_view)> on_body = {};
  // What counts is the status: an answer that is larger, slower or less whole than it should be is an answer
  // with as much of its body as there is.
  bool body_is_optional = false;
};

struct Response {
  int status = 0;
  std::vector<Header> headers; // names in lower case, in order
  std::string body;
  std::string final_url;   // after redirects
  bool redirected = false; // final_url is not where the request was sent first
  // A write was redirected to a GET on the way: it may have been acted on, whatever this status says.
  bool may_have_applied = false;
  std::optional<Milliseconds> retry_after;
};

// What a credential needs besides whose it is and its secret, if the request is signed with it.
struct Signing {
  enum class Method { hmacSha1, hmacSha256, plaintext };
  Method method = Method::hmacSha1; // oauth1
  std::string token;                // oauth1; empty: the consumer signs for itself
  Secret token_secret;              // oauth1
  std::string region;               // sigv4, "eu-west-1"
  std::string service;              // sigv4, "ses"
  Secret session_token;             // sigv4; empty: the key is a lasting one
};

// How the host signs in for the caller. The secret never leaves egress but in the request itself, and by
// oauth1 (but for PLAINTEXT) and sigv4 not even there: each hop is signed with it, over the address as it is
// sent, the body and, for sigv4, the headers Content-Type, Content-MD5 and X-Amz-....
// `address`: the secret is the whole URL, webcal meaning https. It takes the place of the request's, its
// host is allowed, and no path of such a fetch is told to anybody.
struct Credential {
  enum class Scheme { none, basic, bearer, header, query, address, oauth1, sigv4 };
  Scheme scheme = Scheme::none;
  std::string name;     // header or query parameter name
  std::string username; // basic; oauth1: the consumer key; sigv4: the access key id
  Secret secret;
  Signing signing = {};
};

// What to do about a refusal that a setting lifts: the caller knows whose. Texts that live for ever.
struct Advice {
  std::string_view private_network =
      "an operator can allow the private network for this connection (--allow-private-network)";
  std::string_view plain_http = "use https (or, for a server of your own, allow the connection private "
                                "networks: --allow-private-network)";
  std::string_view authority = "check the address, or if the server has an authority of its own let the "
                               "operator add that authority's CA file";
};

struct Policy {
  // "caldav.example.com", "*.icloud.com", with optional ":port"; without a port any port of the
  // scheme's default is meant. Compared in lower case; a host that is not ASCII is written xn--....
  std::vector<std::string> allowed_hosts;
  // Private, loopback and link-local addresses, and plain http to them, for hosts listed here only.
  bool allow_private_network = false;
  int max_redirects = 5; // 0: a redirect is handed back as the answer
  // PEM bundle that is trusted besides the system's; empty: only the system's.
  std::string extra_ca_file;
  Advice advice = {};
};

// invalidInput if Policy::extra_ca_file could not be used; "" is fine.
Result<void> checkCaFile(std::string const& path);

// What happened, for the audit trail: no bodies, no header values, no query values.
struct AuditEntry {
  TimePoint at;
  std::string subject; // Request::audit_subject
  std::string method;
  std::string scheme_host_port; // "https://caldav.example.com:443"
  std::string path;             // without the query
  int status = 0;               // 0: no answer
  std::string outcome;          // "ok" or the error's kind
  Milliseconds took{0};
  std::size_t bytes_out = 0;
  std::size_t bytes_in = 0;
  bool credential_used = false;
};

// A mailbox that is read by IMAP: where it is and how to sign in. TLS comes first in any case.
struct MailboxPlace {
  std::string url; // "imaps://imap.example.com" (port 993), or "imap://..." (143) for STARTTLS
  std::string folder = "INBOX";
  std::string username;
  Secret password;
  std::string audit_subject;    // as in Request
  Milliseconds timeout{60'000}; // for each step
};

// One visit to a mailbox, over a connection of its own, one step at a time. Nothing there is changed: no mail
// is deleted, moved or marked as read. Errors are those of Client::fetch; a visit is over with the first one.
// [loop thread]
class Mailbox {
public:
  virtual ~Mailbox() = default;
  // UIDs name mails as long as this number stays the same.
  virtual std::uint32_t validity() const = 0;
  // More than the UID of every mail that was there when the visit began.
  virtual std::uint32_t next() const = 0;
  // The UIDs of mails from `first` to `last`, ascending; with `since`, only of those that the server got on
  // that day (UTC) or later. At most kMailWindow apart.
  virtual Task<std::vector<std::uint32_t>> list(std::uint32_t first, std::uint32_t last,
                                                std::optional<TimePoint> since) = 0;
  // As it came. notFound: it is not there any more, or the server refuses it, which looks the same: the next
  // visit's list() tells; hostLimit (too_large): more than `max_bytes`; providerBug: an answer that is none.
  virtual Task<std::string> message(std::uint32_t uid, std::size_t max_bytes) = 0;
};
inline constexpr std::uint32_t kMailWindow = 10'000;

// invalidInput with the member that cannot be used: "/url", "/folder", "/user".
Result<void> checkMailbox(MailboxPlace const& place);

// Errors: invalidInput (the request itself), forbidden (host or address not allowed), transient (no
// answer), providerBug (TLS not trusted, bad HTTP), hostLimit (too large), cancelled. A 4xx or 5xx is
// an answer, not an error.
//
// The effect is notApplied if no byte of the request left, and for GET, HEAD, OPTIONS, PROPFIND and
// REPORT, which change nothing by definition; else it is unknown. provider_code tells the cause:
// host_not_allowed, private_address, plain_http, unknown_host, refused, unreachable, timed_out,
// connection_lost, tls_untrusted, tls_failed, bad_http, too_large, too_many_redirects.
//
// A credential that the answer echoes is shown as "[secret]" in it: one of 16 bytes or more in every
// answer, one of 6 or more in answers with a status of 400 or above.
// [loop thread]
class Client {
public:
  virtual ~Client() = default;
  // Clock, random and log must outlive every fetch. What is in flight when the client dies is cancelled.
  static std::unique_ptr<Client> create(asio::any_io_executor executor, Clock& clock, Random& random,
                                        Log const& log);
  virtual Task<Response> fetch(Request request, Policy policy, Credential credential) = 0;
  // Signs in and opens the folder for reading. Of the policy, the hosts and redirects mean nothing here.
  // authExpired: the mailbox refuses the user name or password; notFound: it has no such folder.
  virtual Task<std::unique_ptr<Mailbox>> visit(MailboxPlace place, Policy policy);
  // Called for every request and every redirect hop, refused ones too.
  virtual void onAudit(std::function<void(AuditEntry const&)> sink) = 0;
  // Cancels what is in flight.
  virtual void shutdown() = 0;
};

// Whether a browser takes both for the same place: by scheme, host and port, however they are spelled. What
// cannot be read is no place.
bool haveSameOrigin(std::string_view one, std::string_view other);

} // namespace garland::egress
