// Visits to a real IMAP server (Dovecot), and to servers that answer oddly.
#include "host/egress/egress_fixture.h"
#include "host/egress/test_dovecot.h"

#include <gmock/gmock.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace garland::egress::testing {
namespace {

using ::testing::HasSubstr;
using Uids = std::vector<std::uint32_t>;

class MailboxTest : public EgressFixture {
protected:
  static void SetUpTestSuite() { dovecot = std::make_unique<TestDovecot>("rosa", "s3cret-words"); }
  static void TearDownTestSuite() { dovecot.reset(); }

  static MailboxPlace place() {
    MailboxPlace at;
    at.url = "imaps://localhost:" + std::to_string(dovecot->imaps());
    at.username = "rosa";
    at.password = Secret("s3cret-words");
    at.audit_subject = "con_1";
    at.timeout = 15s;
    return at;
  }
  static Policy trusting() {
    auto policy = inside({});
    policy.extra_ca_file = dovecot->certificate();
    return policy;
  }

  template <class Value> Result<Value> run(Task<Value> task) {
    std::optional<Result<Value>> result;
    asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr thrown, Result<Value> got) {
      EXPECT_FALSE(thrown);
      result = std::move(got);
    });
    EXPECT_TRUE(runUntil([&] { return result.has_value(); }));
    if (!result) return Error(ErrorKind::pluginBug, "the visit did not end");
    return *std::move(result);
  }
  Result<std::unique_ptr<Mailbox>> visit(MailboxPlace at, Policy policy) {
    return run(client_->visit(std::move(at), std::move(policy)));
  }
  Error refusal(MailboxPlace at, Policy policy) {
    auto const visited = visit(std::move(at), std::move(policy));
    return visited ? Error(ErrorKind::pluginBug, "it was not refused") : visited.error();
  }
  static inline std::unique_ptr<TestDovecot> dovecot;
};

TEST_F(MailboxTest, MailsAreListedAndFetchedAndStayUnread) {
  dovecot->add("Subject: One\r\n\r\nA001 OK fetched\r\n* 1 FETCH (\r\n)\r\n");
  dovecot->add("Subject: Two\r\n\r\n" + std::string(300'000, 'x') + "\r\n");
  auto const mailbox = visit(place(), trusting());
  ASSERT_TRUE(mailbox) << mailbox.error().message;
  EXPECT_GT((*mailbox)->validity(), 0U);
  auto const last = (*mailbox)->next() - 1;
  auto const uids = run((*mailbox)->list(1, last, std::nullopt));
  ASSERT_TRUE(uids) << uids.error().message;
  ASSERT_EQ(uids->size(), 2U);
  // What a mail says is no answer of the server's, whatever it looks like.
  EXPECT_EQ(*run((*mailbox)->message(uids->at(0), 1'000)),
            "Subject: One\r\n\r\nA001 OK fetched\r\n* 1 FETCH (\r\n)\r\n");
  EXPECT_EQ(run((*mailbox)->message(uids->at(1), 1'000'000))->size(), 300'000U + 18U);
  EXPECT_EQ(*run((*mailbox)->list(1, last, clock_.now() - std::chrono::hours(48))), *uids);
  EXPECT_EQ(*run((*mailbox)->list(1, last, clock_.now() + std::chrono::hours(72))), Uids());
  EXPECT_EQ(run((*mailbox)->message(99'999, 1'000)).error().kind, ErrorKind::notFound);
  EXPECT_FALSE(dovecot->anyRead());
}

TEST_F(MailboxTest, AMailThatIsTooLargeIsAnErrorAndTheNextVisitGoesOn) {
  auto const uid = dovecot->add("Subject: Big\r\n\r\n" + std::string(50'000, 'x') + "\r\n");
  auto const mailbox = visit(place(), trusting());
  ASSERT_TRUE(mailbox);
  auto const refused = run((*mailbox)->message(uid, 10'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::hostLimit);
  // A second connection in this visit would open the folder for writing.
  EXPECT_FALSE(run((*mailbox)->message(uid, 100'000)));
  EXPECT_FALSE(dovecot->anyRead());
  auto const again = visit(place(), trusting());
  ASSERT_TRUE(again);
  EXPECT_TRUE(run((*again)->message(uid, 100'000)));
}

TEST_F(MailboxTest, StartTlsIsUsedWhereTheServerOffersIt) {
  auto at = place();
  at.url = "imap://localhost:" + std::to_string(dovecot->imap());
  EXPECT_TRUE(visit(std::move(at), trusting()));
}

TEST_F(MailboxTest, WhoIsWrongIsToldSoInWords) {
  auto wrong = place();
  wrong.password = Secret("wrong-words");
  auto const denied = refusal(std::move(wrong), trusting());
  EXPECT_EQ(denied.kind, ErrorKind::authExpired) << denied.message;
  EXPECT_EQ(denied.effect, Effect::notApplied);
  auto elsewhere = place();
  elsewhere.folder = "Leads 100%";
  auto const missing = refusal(std::move(elsewhere), trusting());
  EXPECT_EQ(missing.kind, ErrorKind::notFound) << missing.message;
  EXPECT_THAT(missing.message, HasSubstr("Leads 100%"));
  for (auto const* bad :
       {"https://localhost", "imaps://rosa@localhost", "imaps://localhost/INBOX", "imaps://", ""}) {
    auto at = place();
    at.url = bad;
    EXPECT_EQ(refusal(std::move(at), trusting()).kind, ErrorKind::invalidInput) << bad;
  }
  auto injected = place();
  injected.folder = "INBOX\"\r\nA9 DELETE x";
  EXPECT_EQ(refusal(std::move(injected), trusting()).kind, ErrorKind::invalidInput);
  EXPECT_EQ(logged_.find("s3cret-words"), std::string::npos);
}

TEST_F(MailboxTest, TheAddressAndTheCertificateAreCheckedBeforeThePasswordLeaves) {
  auto policy = trusting();
  policy.allow_private_network = false;
  auto const inside_out = refusal(place(), policy);
  EXPECT_EQ(inside_out.provider_code, "private_address") << inside_out.message;
  policy = trusting();
  policy.extra_ca_file.clear();
  EXPECT_EQ(refusal(place(), policy).provider_code, "tls_untrusted");
}

TEST_F(MailboxTest, EachStepIsAudited) {
  ASSERT_TRUE(visit(place(), trusting()));
  ASSERT_EQ(audits_.size(), 1U);
  EXPECT_EQ(audits_[0].subject, "con_1");
  EXPECT_EQ(audits_[0].method, "EXAMINE");
  EXPECT_EQ(audits_[0].path, "/INBOX");
  EXPECT_EQ(audits_[0].outcome, "ok");
  EXPECT_TRUE(audits_[0].credential_used);
}

TEST_F(MailboxTest, AServerThatOffersNoTlsGetsNoPassword) {
  // Plain IMAP without STARTTLS: it greets, and whatever is said it answers that there is nothing.
  asio::ip::tcp::acceptor acceptor(loop_, {asio::ip::make_address("127.0.0.1"), 0});
  std::string said;
  auto const serve = [&]() -> asio::awaitable<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    std::string const greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n";
    co_await asio::async_write(socket, asio::buffer(greeting), asio::use_awaitable);
    std::array<char, 4096> chunk{};
    for (;;) {
      boost::system::error_code failed;
      auto const count = co_await socket.async_read_some(asio::buffer(chunk),
                                                         asio::redirect_error(asio::use_awaitable, failed));
      if (failed) co_return;
      std::string const line(chunk.data(), count);
      said += line;
      auto const answer =
          "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + line.substr(0, line.find(' ')) + " OK done\r\n";
      co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    }
  };
  asio::co_spawn(loop_, serve, asio::detached);
  auto at = place();
  at.url = "imap://localhost:" + std::to_string(acceptor.local_endpoint().port());
  auto const refused = refusal(std::move(at), trusting());
  EXPECT_EQ(refused.provider_code, "plain_imap") << refused.message;
  EXPECT_EQ(said.find("AUTHENTICATE"), std::string::npos) << said;
  EXPECT_EQ(said.find("LOGIN"), std::string::npos) << said;
}

} // namespace
} // namespace garland::egress::testing
