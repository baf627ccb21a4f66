// A visit to a mailbox, step by step over one connection.
//
// libcurl fetches with BODY[], which marks a mail as read unless its folder is open for reading only, and it
// knows SELECT alone. So the first step sends EXAMINE behind libcurl's SELECT, and from then on no other
// connection may be made in this visit (MailLine::opened).
#include "host/egress/client.h"
#include "host/egress/imap_answer.h"
#include "host/egress/imap_step.h"

#include <array>
#include <cstdio>
#include <sys/socket.h>

namespace garland::egress {
namespace {

constexpr std::size_t kMostAnswer = 1U << 20U; // of what is no message

// "EXAMINE "INBOX"", of which libcurl undoes percent-encoding.
std::string examine(std::string const& folder) {
  std::string command = "EXAMINE \"";
  for (char const c : folder) {
    if (c == '"' || c == '\\') command += '\\';
    command += c == '%' ? std::string("%25") : std::string(1, c);
  }
  return command + "\"";
}

std::string searchFor(std::uint32_t first, std::uint32_t last, std::optional<TimePoint> since) {
  auto command = "UID SEARCH UID " + std::to_string(first) + ":" + std::to_string(last);
  if (!since) return command;
  constexpr std::array<char const*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::chrono::year_month_day const day(std::chrono::floor<std::chrono::days>(*since));
  return command + " SINCE " + std::to_string(unsigned(day.day())) + "-" +
         kMonths.at(unsigned(day.month()) - 1) + "-" + std::to_string(int(day.year()));
}

class Visit final : public Mailbox {
public:
  Visit(Clock& clock, std::function<void(AuditEntry const&)> audit, std::shared_ptr<Transport> transport,
        MailLine line)
      : clock_(clock), audit_(std::move(audit)), line_(std::move(line)), transport_(std::move(transport)) {}

  // libcurl would say good-bye and wait for the answer, with the loop standing still.
  ~Visit() override {
    if (line_.socket >= 0) ::shutdown(line_.socket, SHUT_RDWR);
    transport_.reset();
  }
  Visit(Visit const&) = delete;
  Visit& operator=(Visit const&) = delete;

  Task<void> open() {
    ImapStep::What what;
    what.command = examine(line_.place.folder);
    what.max_bytes = kMostAnswer;
    CO_TRY(answer, co_await step("EXAMINE", std::move(what)));
    CO_TRY(status, readExamine(answer));
    status_ = status;
    line_.opened = true;
    co_return Result<void>();
  }

  std::uint32_t validity() const override { return status_.validity; }
  std::uint32_t next() const override { return status_.next; }

  Task<std::vector<std::uint32_t>> list(std::uint32_t first, std::uint32_t last,
                                        std::optional<TimePoint> since) override {
    if (first == 0 || first > last || last - first >= kMailWindow)
      co_return Error(ErrorKind::invalidInput, "mails are asked for by at most 10000 numbers at once");
    ImapStep::What what;
    what.command = searchFor(first, last, since);
    what.max_bytes = kMostAnswer;
    CO_TRY(answer, co_await step("SEARCH", std::move(what)));
    co_return readSearch(answer, first, last);
  }

  Task<std::string> message(std::uint32_t uid, std::size_t max_bytes) override {
    ImapStep::What what;
    what.uid = uid;
    what.max_bytes = max_bytes;
    co_return co_await step("FETCH", std::move(what));
  }

private:
  Task<std::string> step(std::string name, ImapStep::What what) {
    auto const began = clock_.monotonic();
    ImapStep exchange(transport_, line_, std::move(what));
    co_await exchange.perform();
    auto failure = exchange.failure();
    AuditEntry entry;
    entry.at = clock_.now();
    entry.subject = line_.place.audit_subject;
    entry.method = std::move(name);
    entry.scheme_host_port = line_.server.origin();
    entry.path = "/" + line_.place.folder;
    entry.outcome = failure ? garland::name(failure->kind) : "ok";
    entry.took = std::chrono::duration_cast<Milliseconds>(clock_.monotonic() - began);
    entry.bytes_in = exchange.bytesIn();
    entry.credential_used = exchange.signedIn() && !line_.opened;
    audit_(entry);
    if (failure) {
      failure->effect = Effect::notApplied;
      co_return *std::move(failure);
    }
    co_return exchange.takeAnswer();
  }

  Clock& clock_;
  std::function<void(AuditEntry const&)> audit_;
  MailLine line_;
  std::shared_ptr<Transport> transport_;
  MailboxStatus status_;
};

} // namespace

Task<std::unique_ptr<Mailbox>> openMailbox(VisitHost host, MailboxPlace place, Policy policy) {
  CO_TRY_VOID(checkMailbox(place));
  MailLine line;
  CO_TRY(server, mailServerOf(place));
  line.server = std::move(server);
  line.place = std::move(place);
  line.allow_private = policy.allow_private_network;
  line.kind_of = host.kind_of;
  CO_TRY(trust, loadTrust(policy.extra_ca_file));
  // A connection that carries a sign-in is nobody else's: a transport for this visit.
  auto transport = Transport::create(host.executor, std::move(trust));
  host.opened(transport);
  auto visit = std::make_unique<Visit>(host.clock, std::move(host.audit), transport, std::move(line));
  transport.reset();
  auto opening = visit->open();
  CO_TRY_VOID(co_await std::move(opening));
  co_return std::unique_ptr<Mailbox>(std::move(visit));
}

Task<std::unique_ptr<Mailbox>> Client::visit(MailboxPlace, Policy) {
  co_return Error(ErrorKind::unsupported, "this client reads no mailboxes");
}

} // namespace garland::egress
