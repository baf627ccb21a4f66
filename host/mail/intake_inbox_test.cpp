// From a mail to an item of the intake: what is kept, and what counts as the same mail.
#include "host/mail/mail.h"
#include "host/sync/sync.h"

#include <garland/schemas.hpp>

#include "host/base/schema.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace garland::mail {
namespace {

constexpr std::string_view lead =
    "From: a@b.example\r\nMessage-ID: <1@b.example>\r\nSubject: Hi\r\n\r\nOne\r\n";

class FakeIntake final : public sync::Intake {
public:
  Task<sync::AcceptedItem> accept(sync::Delivery delivery) override {
    deliveries.push_back(std::move(delivery));
    if (refusal) co_return *refusal;
    co_return sync::AcceptedItem{"itm_1", false};
  }
  std::optional<sync::IntakeDoor> findDoor(sync::IntakeSource source, std::string_view token) override {
    if (source != sync::IntakeSource::mail || token != "good") return std::nullopt;
    sync::IntakeDoor door;
    door.connection_id = "con_1";
    return door;
  }
  Task<sync::IntakeItem> one(std::string) override { co_return no(); }
  Task<sync::IntakeContent> contentOf(std::string) override { co_return no(); }
  Task<std::vector<sync::IntakeItem>> list(sync::IntakeQuery) override { co_return no(); }
  Task<sync::IntakeCounts> counts(std::string) override { co_return no(); }
  Task<sync::IntakeItem> retry(std::string) override { co_return no(); }
  Task<std::int64_t> retryAll(std::string) override { co_return no(); }
  Task<sync::IntakeItem> dismiss(std::string, std::string) override { co_return no(); }
  Task<sync::IntakeItem> acceptAsGenuine(std::string, std::string) override { co_return no(); }
  Task<sync::Rehearsal> rehearse(sync::Delivery) override { co_return no(); }
  Task<sync::OpenedDoor> openDoor(std::string, sync::IntakeSource, bool) override { co_return no(); }
  Task<sync::IntakeDoor> sign(std::string, json::value, Secret) override { co_return no(); }
  Task<Secret> signingSecret(sync::IntakeDoor) override { co_return no(); }

  static Error no() { return {ErrorKind::unsupported, "not in this test"}; }
  std::vector<sync::Delivery> deliveries;
  std::optional<Error> refusal;
};

class IntakeInboxTest : public testing::Test {
protected:
  Result<void> keep(std::string token, std::string_view bytes) {
    asio::io_context loop;
    Result<void> outcome = Error(ErrorKind::transient, "it did not end");
    asio::co_spawn(loop, inbox->keep(std::move(token), std::string(bytes)),
                   [&](std::exception_ptr, Result<void> result) { outcome = std::move(result); });
    loop.run();
    return outcome;
  }
  std::string keyOf(std::string_view bytes) {
    EXPECT_TRUE(keep("good", bytes));
    return intake.deliveries.back().dedupe_key;
  }
  static void expectTheContractTakes(json::value const& mail) {
    auto const schema = Schema::compile(*parseJson(schemas::schemaText("intake.parse.1.in.json")));
    ASSERT_TRUE(schema);
    json::value const input{
        {"item", {{"id", "x"}, {"source", "mail"}, {"received_at", "2026-06-06T10:30:00Z"}}}, {"mail", mail}};
    auto const conforms = schema->require(input, "the mail");
    EXPECT_TRUE(conforms) << conforms.error().message;
  }
  FakeIntake intake;
  std::unique_ptr<Inbox> inbox = intakeInbox(intake);
};

TEST_F(IntakeInboxTest, AMailBecomesAnItemWithItsBytesThatTheContractTakes) {
  ASSERT_TRUE(keep("good", lead));
  auto const& delivery = intake.deliveries.at(0);
  EXPECT_EQ(delivery.connection_id, "con_1");
  EXPECT_EQ(delivery.summary, "Hi");
  EXPECT_EQ(delivery.raw, lead);
  expectTheContractTakes(delivery.content);
}

TEST_F(IntakeInboxTest, AMailThatCannotBeReadIsKeptAllTheSame) {
  auto const broken = "From: " + std::string(5'000, ':') + "\r\n\r\nx";
  ASSERT_TRUE(keep("good", broken));
  auto const& delivery = intake.deliveries.at(0);
  EXPECT_EQ(delivery.raw, broken);
  expectTheContractTakes(delivery.content);
  EXPECT_EQ(textOr(delivery.content, "/headers/0/0", ""), "Garland-Unreadable");
  EXPECT_NE(textOr(delivery.content, "/headers/0/1", "").find("colons"), std::string::npos);
}

TEST_F(IntakeInboxTest, TheSameMailOnAnotherWayIsTheSameAndAnotherMailIsNot) {
  auto const key = keyOf(lead);
  EXPECT_EQ(keyOf("Received: from elsewhere\r\n" + std::string(lead)), key);
  auto other = std::string(lead);
  other.replace(other.find("One"), 3, "Two");
  EXPECT_NE(keyOf(other), key) << "a provider that uses an id twice must not cost a lead";
  EXPECT_NE(keyOf("From: a@b\r\nDate: Sat, 06 Jun 2026 10:30:00 +0000\r\n\r\nOne"),
            keyOf("From: a@b\r\nDate: Sat, 06 Jun 2026 10:31:00 +0000\r\n\r\nOne"));
  EXPECT_LE(keyOf("From: a@b\r\nMessage-ID: <" + std::string(900, 'x') + "@b>\r\n\r\nOne").size(), 500U);
}

TEST_F(IntakeInboxTest, WhoseAddressItIsIsAskedAgainWhenTheMailIsThere) {
  EXPECT_TRUE(inbox->knows("good"));
  EXPECT_FALSE(inbox->knows("bad"));
  EXPECT_EQ(keep("bad", lead).error().kind, ErrorKind::notFound);
  intake.refusal = Error(ErrorKind::quota, "too much waits");
  EXPECT_EQ(keep("good", lead).error().kind, ErrorKind::quota);
}

} // namespace
} // namespace garland::mail
