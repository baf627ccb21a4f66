// The rules of one fetch: what is checked before each hop, what a redirect changes, what is written
// to the audit trail. It waits for nothing; the coroutine in client.cpp does.
#pragma once

#include "host/egress/echo_filter.h"
#include "host/egress/transfer.h"

#include <functional>
#include <memory>
#include <optional>

namespace garland::egress {

// What a fetch uses of its client.
class FetchHost {
public:
  FetchHost(Clock& clock, Random& random, Log const& log, AddressCheck kind_of)
      : clock(clock), random(random), log(log), kind_of(kind_of) {}
  virtual ~FetchHost() = default;
  virtual Result<std::shared_ptr<Transport>> transportFor(Policy const& policy) = 0;
  void setSink(std::function<void(AuditEntry const&)> sink) { sink_ = std::move(sink); }
  void audit(AuditEntry const& entry) const;

  Clock& clock;
  Random& random;
  Log const& log;
  AddressCheck const kind_of;

private:
  std::function<void(AuditEntry const&)> sink_;
};

class Attempt;

class Fetch {
public:
  Fetch(FetchHost& host, Request request, Policy policy, Credential credential);

  // Each refusal is audited. The URL comes back without the query credential.
  Result<Url> begin();
  Result<std::shared_ptr<Transport>> transport(Url const& url);
  // Where the answer redirects to; the request has then become the one to send there.
  Result<Url> follow(Attempt const& answered);

private:
  friend class Attempt;

  Result<Url> firstUrl() const;
  Result<Url> admit(Url url);
  // For the audit trail.
  std::string shownPath(Url const& url) const;
  Error refuse(Error error, Url const* url);
  Milliseconds timeLeft() const;
  void becomeGet();

  FetchHost& host_;
  Request request_;
  Policy policy_;
  Credential credential_;
  EchoFilter echo_;
  Monotonic started_;
  int redirects_ = 0;
  // A POST was answered with "see there": it may well have been acted on, whatever comes now.
  bool may_have_applied_ = false;
};

// One hop of a fetch and its outcome.
class Attempt {
public:
  Attempt(Fetch& fetch, std::shared_ptr<Transport> transport, Url url);
  Attempt(Attempt const&) = delete;
  Attempt& operator=(Attempt const&) = delete;

  Transfer& transfer() { return transfer_; }
  // Writes the audit entry; the error if there is no answer.
  Result<void> conclude();
  bool isRedirect() const;
  Response response();

  Url const& url() const { return url_; }
  int status() const { return status_; }
  std::string header(std::string_view name) const; // the first of that name; empty if there is none

private:
  Url const& sent() const { return with_credential_ ? *with_credential_ : url_; }
  HeaderList& filled();

  Fetch& fetch_;
  Url url_;
  std::optional<Url> with_credential_;
  HeaderList lines_;
  TimePoint at_;
  Monotonic started_;
  Hop hop_;
  Transfer transfer_;
  int status_ = 0;
  std::vector<Header> headers_;
};

} // namespace garland::egress
