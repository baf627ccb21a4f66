// A fetch: checked, sent, and followed hop by hop. libcurl follows no redirect itself, because every
// hop must pass the same checks as the first and decide anew about the credential.
#include "host/egress/client.h"

#include "host/egress/fetch.h"

#include <map>

namespace garland::egress {
namespace {

// Trust domains in use at once are few: one per CA file of an operator. Idle ones go beyond this.
constexpr std::size_t kKeptTransports = 16;

Error shutDown() { return {ErrorKind::cancelled, "the request was cancelled because Garland is stopping"}; }

// Outlives the client for as long as a fetch runs.
class Core final : public FetchHost, public std::enable_shared_from_this<Core> {
public:
  Core(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log, AddressCheck kind_of)
      : FetchHost(clock, random, log, kind_of), executor_(std::move(executor)) {}

  Result<std::shared_ptr<Transport>> transportFor(Policy const& policy) override {
    auto const name =
        (policy.allow_private_network ? "inside\n" : "outside\n") + versionOf(policy.extra_ca_file);
    auto const known = transports_.find(name);
    if (known != transports_.end()) return known->second;
    TRY(trust, loadTrust(policy.extra_ca_file));
    if (transports_.size() >= kKeptTransports)
      std::erase_if(transports_, [](auto const& entry) { return entry.second->idle(); });
    return transports_[name] = Transport::create(executor_, std::move(trust));
  }

  void stop() {
    stopped_ = true;
    for (auto const& [name, transport] : std::exchange(transports_, {})) transport->stopAll();
    for (auto const& visit : std::exchange(visits_, {}))
      if (auto const transport = visit.lock()) transport->stopAll();
  }
  VisitHost visitHost() {
    auto const audited = [core = shared_from_this()](AuditEntry const& entry) { core->audit(entry); };
    auto const note = [core = shared_from_this()](std::shared_ptr<Transport> const& transport) {
      std::erase_if(core->visits_, [](auto const& visit) { return visit.expired(); });
      core->visits_.push_back(transport);
    };
    return VisitHost{executor_, clock, kind_of, audited, note};
  }
  bool stopped() const { return stopped_; }

private:
  asio::any_io_executor executor_;
  std::map<std::string, std::shared_ptr<Transport>> transports_;
  std::vector<std::weak_ptr<Transport>> visits_; // to mailboxes
  bool stopped_ = false;
};

Task<Response> run(std::shared_ptr<Core> core, Request request, Policy policy, Credential credential) {
  if (core->stopped()) co_return shutDown();
  Fetch fetch(*core, std::move(request), std::move(policy), std::move(credential));
  auto url = fetch.begin();
  for (;;) {
    if (!url) co_return std::move(url).error();
    CO_TRY(transport, fetch.transport(*url));
    Attempt attempt(fetch, std::move(transport), *std::move(url));
    co_await attempt.transfer().perform();
    CO_TRY_VOID(attempt.conclude());
    if (!attempt.isRedirect()) co_return attempt.response();
    url = fetch.follow(attempt);
    if (url && core->stopped()) co_return shutDown();
  }
}

Task<std::unique_ptr<Mailbox>> visitOf(std::shared_ptr<Core> core, MailboxPlace place, Policy policy) {
  if (core->stopped()) co_return shutDown();
  co_return co_await openMailbox(core->visitHost(), std::move(place), std::move(policy));
}

class CurlClient final : public Client {
public:
  explicit CurlClient(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~CurlClient() override {
    core_->setSink(nullptr); // what is still to be cancelled must not reach whoever listened
    core_->stop();
  }
  CurlClient(CurlClient const&) = delete;
  CurlClient& operator=(CurlClient const&) = delete;

  Task<Response> fetch(Request request, Policy policy, Credential credential) override {
    return run(core_, std::move(request), std::move(policy), std::move(credential));
  }
  Task<std::unique_ptr<Mailbox>> visit(MailboxPlace place, Policy policy) override {
    return visitOf(core_, std::move(place), std::move(policy));
  }
  void onAudit(std::function<void(AuditEntry const&)> sink) override { core_->setSink(std::move(sink)); }
  void shutdown() override { core_->stop(); }

private:
  std::shared_ptr<Core> core_;
};

} // namespace

std::unique_ptr<Client> createClient(asio::any_io_executor executor, Clock& clock, Random& random,
                                     Log const& log, AddressCheck kind_of) {
  return std::make_unique<CurlClient>(
      std::make_shared<Core>(std::move(executor), clock, random, log, kind_of));
}

std::unique_ptr<Client> Client::create(asio::any_io_executor executor, Clock& clock, Random& random,
                                       Log const& log) {
  return createClient(std::move(executor), clock, random, log, &kindOf);
}

} // namespace garland::egress
