// What the server says to clients, good and bad, without a socket.
#include "host/mail/smtp_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::mail {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Wants = Session::Wants;

constexpr std::string_view hello =
    "EHLO client\r\nMAIL FROM:<a@b>\r\nRCPT TO:<lead-good@x.example>\r\nDATA\r\n";

struct Talk {
  explicit Talk(SessionOptions options = {}) : session(withDefaults(std::move(options))) {}
  static SessionOptions withDefaults(SessionOptions options) {
    options.domain = "x.example";
    options.knows = [](std::string_view token) { return token == "good" || token == "other"; };
    return options;
  }
  // What is answered; mails are collected and acknowledged with `outcome`.
  std::string say(std::string_view bytes) {
    input += bytes;
    std::string replies;
    while ((last = session.advance(input, replies)) == Wants::delivery) {
      mails.push_back(session.take());
      session.settle(outcome, replies);
    }
    return replies;
  }
  Session session;
  std::string input;
  std::vector<ReceivedMail> mails;
  Wants last = Wants::input;
  Delivered outcome = Delivered::kept;
};

TEST(SmtpSession, AMailIsTakenForTheConnectionWhoseAddressItBears) {
  Talk talk;
  EXPECT_THAT(talk.session.greeting(), StartsWith("220 "));
  auto const greeting = talk.say("EHLO client.example\r\n");
  for (auto const* extension : {"SIZE 10485760\r\n", "8BITMIME", "PIPELINING", "SMTPUTF8"})
    EXPECT_THAT(greeting, HasSubstr(extension));
  EXPECT_THAT(greeting, Not(HasSubstr("STARTTLS")));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME SMTPUTF8\r\n"), StartsWith("250"));
  EXPECT_THAT(talk.say("RCPT TO:<LEAD-Good@X.Example>\r\n"), StartsWith("250"));
  EXPECT_THAT(talk.say("data\r\n"), StartsWith("354"));
  EXPECT_EQ(talk.say("Subject: x\r\n\r\nhi\r\n"), "") << "nothing is acknowledged before the end";
  EXPECT_THAT(talk.say(".\r\n"), StartsWith("250"));
  ASSERT_EQ(talk.mails.size(), 1U);
  EXPECT_THAT(talk.mails[0].tokens, ElementsAre("good"));
  EXPECT_EQ(talk.mails[0].bytes, "Subject: x\r\n\r\nhi\r\n");
  EXPECT_THAT(talk.say("QUIT\r\n"), StartsWith("221"));
  EXPECT_EQ(talk.last, Wants::end);
}

TEST(SmtpSession, AllOfItMayComeAtOnceAndInPieces) {
  std::string const whole = std::string(hello) +
                            "one\r\n..two\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<lead-other@x.example>\r\n"
                            "DATA\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n";
  Talk at_once;
  auto const replies = at_once.say(whole);
  Talk in_pieces;
  std::string pieces;
  for (char const c : whole) pieces += in_pieces.say(std::string(1, c));
  EXPECT_EQ(pieces, replies);
  for (auto const* talk : {&at_once, &in_pieces}) {
    ASSERT_EQ(talk->mails.size(), 2U);
    EXPECT_EQ(talk->mails[0].bytes, "one\r\n.two\r\n");
    EXPECT_EQ(talk->mails[1].bytes, "");
    EXPECT_EQ(talk->last, Wants::end);
  }
}

TEST(SmtpSession, OnlyADotBetweenTwoRealLineEndsEndsAMail) {
  Talk talk;
  talk.say(hello);
  EXPECT_EQ(talk.say("a\n.\nb\r.\rc\n.\r\nd\r\n.\nMAIL FROM:<smuggled@x>\r\n"), "");
  EXPECT_THAT(talk.say("\r\n.\r\n"), StartsWith("250"));
  ASSERT_EQ(talk.mails.size(), 1U);
  EXPECT_EQ(talk.mails[0].bytes, "a\n.\nb\r.\rc\n.\r\nd\r\n\nMAIL FROM:<smuggled@x>\r\n\r\n");
}

TEST(SmtpSession, ABareLineFeedEndsNoCommand) {
  Talk talk;
  EXPECT_EQ(talk.say("EHLO client\nQUIT\n"), "");
  EXPECT_THAT(talk.say("\r\n"), StartsWith("500"));
}

TEST(SmtpSession, NobodyElsesMailIsTaken) {
  Talk talk;
  talk.say("EHLO client\r\nMAIL FROM:<a@b>\r\n");
  for (auto const* address :
       {"lead-bad@x.example", "lead-good@y.example", "good@x.example", "lead-@x.example", "lead-good", "",
        "postmaster", "@a,@b:lead-good@x.example", "lead-good@x.example@y"})
    EXPECT_THAT(talk.say("RCPT TO:<" + std::string(address) + ">\r\n"), StartsWith("550")) << address;
  EXPECT_THAT(talk.say("DATA\r\n"), StartsWith("554"));
}

TEST(SmtpSession, CommandsInTheWrongOrderOrShapeAreRefusedAndForgiven) {
  Talk talk;
  EXPECT_THAT(talk.say("MAIL FROM:<a@b>\r\n"), StartsWith("503"));
  EXPECT_THAT(talk.say("EHLO\r\n"), StartsWith("501"));
  EXPECT_THAT(talk.say("HELO client\r\n"), AllOf(StartsWith("250 "), Not(HasSubstr("250-"))));
  EXPECT_THAT(talk.say("RCPT TO:<lead-good@x.example>\r\n"), StartsWith("503"));
  EXPECT_THAT(talk.say("DATA\r\n"), StartsWith("503"));
  EXPECT_THAT(talk.say("MAIL FROM:a@b\r\n"), StartsWith("501"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b\r\n"), StartsWith("501"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b> RET=HDRS\r\n"), StartsWith("555"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b> SIZE=x\r\n"), StartsWith("501"));
  EXPECT_THAT(talk.say("STARTTLS\r\n"), StartsWith("502"));
  EXPECT_THAT(talk.say("BDAT 5 LAST\r\n"), StartsWith("500"));
  EXPECT_THAT(talk.say("NO\1OP\r\n"), StartsWith("500"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b>\r\n"), StartsWith("250"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b>\r\n"), StartsWith("503"));
  EXPECT_THAT(talk.say("RCPT TO:<lead-good@x.example> NOTIFY=NEVER\r\n"), StartsWith("555"));
  EXPECT_THAT(talk.say("RCPT TO:<lead-good@x.example>\r\nDATA now\r\n"), HasSubstr("\r\n501"));
}

TEST(SmtpSession, ALineWithoutEndIsDroppedAndThatOnlyOnce) {
  Talk talk;
  std::string replies;
  for (int i = 0; i < 1'000; ++i) {
    replies += talk.say(std::string(5'000, 'x'));
    EXPECT_LE(talk.input.size(), 1U);
  }
  EXPECT_THAT(replies, StartsWith("500 5.5.6"));
  EXPECT_EQ(replies.find("500", 3), std::string::npos);
  EXPECT_EQ(talk.say("QUIT\r"), "");
  EXPECT_THAT(talk.say("\nNOOP\r\n"), StartsWith("250"));
}

TEST(SmtpSession, GarbageEndsTheConversationSoon) {
  Talk talk;
  std::string garbage;
  for (int i = 0; i < 1'000; ++i) garbage += "garbage\r\n";
  EXPECT_THAT(talk.say(garbage), EndsWith("421 4.7.0 too many errors\r\n"));
  EXPECT_EQ(talk.last, Wants::end);
  EXPECT_GT(talk.input.size(), 5'000U) << "it read on";
}

TEST(SmtpSession, AMailThatIsTooLargeIsRefusedAtItsEndAndTheNextOneTaken) {
  SessionOptions options;
  options.max_bytes = 1'000;
  Talk talk(options);
  talk.say("EHLO client\r\n");
  EXPECT_THAT(talk.say("MAIL FROM:<a@b> SIZE=1001\r\n"), StartsWith("552"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b> SIZE=99999999999999999999999\r\n"), StartsWith("552"));
  talk.say("MAIL FROM:<a@b>\r\nRCPT TO:<lead-good@x.example>\r\nDATA\r\n");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(talk.say(std::string(100, 'x')), "");
  EXPECT_THAT(talk.say("\r\n.\r\n"), StartsWith("552"));
  EXPECT_TRUE(talk.mails.empty());
  EXPECT_THAT(talk.say(std::string(hello) + "ok\r\n.\r\n"), EndsWith("it is kept\r\n"));
}

TEST(SmtpSession, AllConversationsTogetherHoldNoMoreThanTheirBudget) {
  SessionOptions options;
  options.budget = std::make_shared<Budget>(1'000);
  Talk first(options);
  first.say(std::string(hello) + std::string(900, 'x'));
  {
    Talk second(options);
    second.say(std::string(hello));
    EXPECT_THAT(second.say(std::string(200, 'x') + "\r\n.\r\n"), StartsWith("452 4.3.1"));
    second.say(hello.substr(hello.find("MAIL")));
    second.say("abandoned");
  }
  EXPECT_EQ(options.budget->used, 900U);
  EXPECT_THAT(first.say("\r\n.\r\n"), StartsWith("250"));
  EXPECT_EQ(options.budget->used, 0U);
}

TEST(SmtpSession, MailsToOneAddressHoldNoMoreThanTheirShareOfTheBudget) {
  SessionOptions options;
  options.budget = std::make_shared<Budget>(1'000, 300);
  Talk first(options);
  first.say(std::string(hello) + std::string(250, 'x'));
  Talk second(options);
  EXPECT_THAT(second.say(std::string(hello) + std::string(100, 'x') + "\r\n.\r\n"), HasSubstr("452 4.3.1"));
  Talk other(options);
  std::string to_another(hello);
  to_another.replace(to_another.find("lead-good"), 9, "lead-other");
  EXPECT_THAT(other.say(to_another + std::string(100, 'x') + "\r\n.\r\n"), HasSubstr("250 2"));
  EXPECT_THAT(first.say("\r\n.\r\n"), StartsWith("250"));
  EXPECT_EQ(options.budget->used, 0U);
  EXPECT_TRUE(options.budget->used_by.empty());
}

TEST(SmtpSession, AMailThatIsGivenUpHoldsNothingOfTheBudgetWhileTheRestOfItComes) {
  SessionOptions options;
  options.budget = std::make_shared<Budget>(1'000);
  options.max_bytes = 600;
  Talk large(options);
  large.say(std::string(hello) + std::string(500, 'x'));
  EXPECT_EQ(options.budget->used, 500U);
  large.say(std::string(500, 'x'));
  EXPECT_EQ(options.budget->used, 0U);
  Talk first(options);
  first.say(std::string(hello) + std::string(550, 'x'));
  Talk second(options);
  second.say(std::string(hello) + std::string(400, 'x'));
  second.say(std::string(100, 'x'));
  EXPECT_EQ(options.budget->used, 550U) << "of two that do not fit, one goes on";
  EXPECT_THAT(first.say("\r\n.\r\n"), StartsWith("250"));
}

TEST(SmtpSession, TheReplyTellsWhatBecameOfTheMail) {
  for (auto const& [outcome, code] :
       std::vector<std::pair<Delivered, std::string>>{{Delivered::later, "451"},
                                                      {Delivered::full, "452"},
                                                      {Delivered::unwanted, "554"},
                                                      {Delivered::kept, "250"}}) {
    Talk talk;
    talk.outcome = outcome;
    talk.say(hello);
    EXPECT_THAT(talk.say("x\r\n.\r\n"), StartsWith(code));
  }
}

TEST(SmtpSession, AfterTheHandshakeNothingSaidBeforeItCounts) {
  SessionOptions options;
  options.tls_offered = true;
  Talk talk(options);
  EXPECT_THAT(talk.say("EHLO client\r\n"), HasSubstr("250-STARTTLS"));
  talk.say("MAIL FROM:<a@b>\r\n");
  EXPECT_THAT(talk.say("STARTTLS\r\n"), StartsWith("220"));
  EXPECT_EQ(talk.last, Wants::tls);
  talk.session.startedTls();
  EXPECT_THAT(talk.say("RCPT TO:<lead-good@x.example>\r\n"), StartsWith("503"));
  EXPECT_THAT(talk.say("MAIL FROM:<a@b>\r\n"), StartsWith("503"))
      << "who greeted then was perhaps somebody else";
  EXPECT_THAT(talk.say("EHLO client\r\n"), Not(HasSubstr("STARTTLS")));

  Talk injected(options);
  EXPECT_THAT(injected.say("EHLO client\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\n"),
              AllOf(HasSubstr("\r\n554"), Not(HasSubstr("\r\n220"))));
  EXPECT_EQ(injected.last, Wants::end);
}

} // namespace
} // namespace garland::mail
