// Visits: what is taken in, when the place moves, and what becomes of mails that cannot be had. On a virtual
// clock.
#include "host/mail/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <map>

namespace garland::mail {
namespace {

using namespace std::chrono_literals;
using sync::MailboxAccount;
using testing::ElementsAre;
using testing::HasSubstr;

struct FakeServer {
  std::uint32_t validity = 7;
  std::uint32_t next = 1;
  std::map<std::uint32_t, std::string> mails;
  std::map<std::uint32_t, Error> broken;
  std::vector<std::string> asked; // "1:3 since"
  int visits = 0;
  void add(std::string mail) { mails[next++] = std::move(mail); }
};

class FakeMailbox final : public egress::Mailbox {
public:
  explicit FakeMailbox(FakeServer& server) : server_(server), next_(server.next) {}
  std::uint32_t validity() const override { return server_.validity; }
  std::uint32_t next() const override { return next_; }
  Task<std::vector<std::uint32_t>> list(std::uint32_t first, std::uint32_t last,
                                        std::optional<TimePoint> since) override {
    server_.asked.push_back(std::to_string(first) + ":" + std::to_string(last) +
                            (since ? " since " + rfc3339(*since).substr(0, 10) : ""));
    std::vector<std::uint32_t> uids;
    for (auto const& [uid, mail] : server_.mails)
      if (uid >= first && uid <= last) uids.push_back(uid);
    co_return uids;
  }
  Task<std::string> message(std::uint32_t uid, std::size_t) override {
    if (server_.broken.contains(uid)) co_return server_.broken.at(uid);
    co_return server_.mails.at(uid);
  }

private:
  FakeServer& server_;
  std::uint32_t next_;
};

class FakeMailboxes final : public sync::Mailboxes {
public:
  FakeMailboxes(Clock& clock, FakeServer& server) : clock_(clock), server_(server) {}
  Task<MailboxAccount> watch(MailboxAccount, Secret) override { co_return no(); }
  Task<void> unwatch(std::string) override { co_return no(); }
  Task<MailboxAccount> of(std::string) override { co_return account; }
  Task<std::vector<MailboxAccount>> due(int) override {
    std::vector<MailboxAccount> due;
    if (account.next_visit <= clock_.now()) due.push_back(account);
    co_return due;
  }
  Task<std::unique_ptr<egress::Mailbox>> visit(MailboxAccount) override {
    ++server_.visits;
    if (refusal) co_return *refusal;
    co_return std::unique_ptr<egress::Mailbox>(std::make_unique<FakeMailbox>(server_));
  }
  Task<void> save(MailboxAccount moved) override {
    if (moved.revision != account.revision) co_return Error(ErrorKind::conflict, "set up again");
    account = std::move(moved);
    places.push_back(account.taken_to);
    co_return Result<void>();
  }
  static Error no() { return {ErrorKind::unsupported, "not in this test"}; }

  MailboxAccount account;
  std::optional<Error> refusal;
  std::vector<std::uint32_t> places; // each that was saved

private:
  Clock& clock_;
  FakeServer& server_;
};

class FakeInbox final : public Inbox {
public:
  bool knows(std::string_view) override { return false; }
  Task<void> keep(std::string, std::string) override { co_return FakeMailboxes::no(); }
  Task<void> keepFor(std::string connection_id, std::string bytes) override {
    if (refusal) co_return *refusal;
    kept.push_back(connection_id + " " + bytes);
    co_return Result<void>();
  }
  Task<void> keepUnfetched(std::string connection_id, Unfetched mail) override {
    kept.push_back(connection_id + " " + mail.key);
    why = mail.why;
    co_return Result<void>();
  }
  std::vector<std::string> kept;
  std::string why;
  std::optional<Error> refusal;
};

class VisitorTest : public testing::Test {
protected:
  VisitorTest() {
    mailboxes.account.connection_id = "con_1";
    mailboxes.account.created = mailboxes.account.next_visit = clock.now();
  }
  void begin(VisitOptions options = {}) {
    visitor = Visitor::start(Surroundings{loop.get_executor(), clock, log, inbox}, mailboxes, options);
    loop.poll();
  }
  void wait(Milliseconds span) {
    for (auto left = span; left > 0ms; left -= 1s) {
      clock.advance(1s);
      loop.restart();
      loop.poll();
    }
  }
  ~VisitorTest() override {
    if (visitor) asio::co_spawn(loop, visitor->stop(), asio::detached);
    loop.restart();
    loop.poll();
  }

  asio::io_context loop;
  VirtualClock clock{TimePoint(Milliseconds(1'780'000'000'000))}; // 2026-05-28
  Redactor redactor;
  std::string logged;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) { logged += line; }};
  FakeServer server;
  FakeMailboxes mailboxes{clock, server};
  FakeInbox inbox;
  std::shared_ptr<Visitor> visitor;
};

TEST_F(VisitorTest, TheFirstVisitTakesTheLastDaysAndLaterOnesWhatIsNew) {
  server.add("one");
  server.add("two");
  begin();
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 two"));
  EXPECT_THAT(server.asked, ElementsAre("1:2 since 2026-05-26"));
  wait(300s);
  EXPECT_EQ(server.visits, 2);
  server.add("three");
  wait(305s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 two", "con_1 three"));
  EXPECT_EQ(server.asked.back(), "3:3") << "whatever its date: it may have been moved here";
  EXPECT_EQ(mailboxes.account.problem, "");
}

TEST_F(VisitorTest, AMailIsKeptBeforeThePlaceMovesAndComesAgainIfItWasNot) {
  server.add("one");
  inbox.refusal = Error(ErrorKind::quota, "too much waits");
  begin();
  EXPECT_EQ(mailboxes.account.taken_to, 0U);
  EXPECT_EQ(mailboxes.account.problem, "too much waits");
  EXPECT_EQ(mailboxes.account.failures, 1);
  inbox.refusal.reset();
  wait(70s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one"));
  EXPECT_EQ(mailboxes.account.taken_to, 1U);
  EXPECT_EQ(mailboxes.account.failures, 0);
}

TEST_F(VisitorTest, AMailboxThatIsNumberedAnewIsReadAgainFromTheDaysBefore) {
  server.add("one");
  begin();
  server.validity = 8;
  server.mails = {{1, "moved"}, {2, "new"}};
  server.next = 3;
  wait(305s);
  EXPECT_EQ(server.asked.back(), "1:2 since 2026-05-26");
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 moved", "con_1 new"));
  EXPECT_EQ(mailboxes.account.uid_validity, 8U);
}

TEST_F(VisitorTest, AMailThatCannotBeFetchedIsToldToAPersonAndTheNextOnesComeSoon) {
  for (auto const* mail : {"one", "giant", "three"}) server.add(mail);
  Error giant(ErrorKind::hostLimit, "the mail is too large");
  giant.provider_code = "too_large";
  server.broken.emplace(2, giant);
  begin();
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 imap:7:2"));
  EXPECT_THAT(inbox.why, HasSubstr("too large"));
  wait(6s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 imap:7:2", "con_1 three"));
}

TEST_F(VisitorTest, AMailThatIsGoneMeanwhileIsPassedOver) {
  for (auto const* mail : {"one", "two"}) server.add(mail);
  server.broken.emplace(1, Error(ErrorKind::notFound, "it is gone"));
  begin();
  server.mails.erase(1);
  wait(6s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 two"));
  EXPECT_EQ(mailboxes.account.taken_to, 2U);
  EXPECT_EQ(mailboxes.account.problem, "");
}

// libcurl tells NO, BAD and a mail that is gone alike.
TEST_F(VisitorTest, AMailThatIsRefusedAndStillListedIsTriedAgainAndThenToldToAPerson) {
  for (auto const* mail : {"one", "two"}) server.add(mail);
  server.broken.emplace(1, Error(ErrorKind::notFound, "not handed out"));
  begin();
  EXPECT_EQ(mailboxes.account.taken_to, 0U) << "not passed over";
  wait(6s);
  EXPECT_EQ(mailboxes.account.problem, "not handed out");
  EXPECT_THAT(inbox.kept, ElementsAre());
  wait(75s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 imap:7:1", "con_1 two"));
  EXPECT_THAT(inbox.why, HasSubstr("number 1"));
}

TEST_F(VisitorTest, AMailThatIsHandedOutAtTheSecondTryIsTaken) {
  for (auto const* mail : {"one", "two"}) server.add(mail);
  server.broken.emplace(1, Error(ErrorKind::providerBug, "an answer that is none"));
  begin();
  server.broken.clear();
  wait(65s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 two"));
  EXPECT_EQ(mailboxes.account.failures, 0);
}

TEST_F(VisitorTest, AMailThatNeverComesInTimeDoesNotBlockTheMailbox) {
  for (auto const* mail : {"one", "slow", "three"}) server.add(mail);
  server.broken.emplace(2, Error(ErrorKind::transient, "it did not answer in time"));
  begin();
  EXPECT_EQ(mailboxes.account.stuck_at, 2U);
  wait(200s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one", "con_1 imap:7:2", "con_1 three"));
  EXPECT_EQ(server.visits, 4);
}

TEST_F(VisitorTest, AnOutageIsToldAndTriedAgainLessAndLessOften) {
  mailboxes.refusal = Error(ErrorKind::transient, "imap.example.com cannot be reached");
  begin();
  EXPECT_EQ(mailboxes.account.problem, "imap.example.com cannot be reached");
  EXPECT_THAT(logged, HasSubstr("con_1"));
  wait(65s);
  EXPECT_EQ(server.visits, 2);
  wait(65s);
  EXPECT_EQ(server.visits, 2) << "the second pause is two minutes";
  wait(24h);
  EXPECT_LT(server.visits, 40) << "at most once an hour in the end";
  mailboxes.refusal.reset();
  server.add("one");
  wait(3610s);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 one"));
}

TEST_F(VisitorTest, ManyMailsAreTakenInPartsWithTheirPlaceAfterEach) {
  for (int i = 0; i < 5; ++i) server.add(std::to_string(i));
  VisitOptions options;
  options.mails_per_visit = 2;
  begin(options);
  EXPECT_EQ(inbox.kept.size(), 2U);
  EXPECT_THAT(mailboxes.places, ElementsAre(1, 2, 2));
  wait(15s);
  EXPECT_EQ(inbox.kept.size(), 5U);
  EXPECT_EQ(mailboxes.account.taken_to, 5U);
}

TEST_F(VisitorTest, AnEmptyStretchOfALargeMailboxCostsOneQuestionForTenThousand) {
  server.next = 25'001;
  server.mails[25'000] = "last";
  begin();
  EXPECT_EQ(server.asked.size(), 3U);
  EXPECT_THAT(inbox.kept, ElementsAre("con_1 last"));
}

} // namespace
} // namespace garland::mail
