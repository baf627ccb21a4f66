// Mail as it really comes: well-formed, odd and hostile.
#include "host/mail/mail.h"

#include <gtest/gtest.h>

#include <thread>

namespace garland::mail {
namespace {

std::string crlf(std::string_view text) {
  std::string out;
  for (char const c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

json::value read(std::string_view text, Limits const& limits = {}) {
  auto mail = readMail(crlf(text), limits);
  if (!mail) {
    ADD_FAILURE() << mail.error().message;
    return json::object();
  }
  return std::move(*mail);
}

Error refusalOf(std::string const& bytes, Limits const& limits = {}) {
  auto const mail = readMail(bytes, limits);
  EXPECT_FALSE(mail);
  return mail ? Error() : mail.error();
}

constexpr std::string_view head = "From: Lead Desk <leads@example.com>\nSubject: Hello\n";

TEST(Mime, AMailIsReadWithItsSendersSubjectDateAndText) {
  auto const mail =
      read("From: =?UTF-8?Q?Ren=C3=A9e_M=C3=BCller?= <renee@example.com>\n"
           "To: lead@example.org, \"Second, One\" <two@example.org>\nReply-To: couple@example.net\n"
           "Message-ID: <abc.1@example.com>\nDate: Sat, 06 Jun 2026 10:30:00 -0400\n"
           "Subject: =?iso-8859-1?B?UvZu6WU=?= asks\nX-Kind: lead\n\nGood day.\n");
  EXPECT_EQ(textOr(mail, "/from/0/name", ""), "Renée Müller");
  EXPECT_EQ(textOr(mail, "/from/0/address", ""), "renee@example.com");
  EXPECT_EQ(textOr(mail, "/to/1/name", ""), "Second, One");
  EXPECT_EQ(textOr(mail, "/reply_to/0/address", ""), "couple@example.net");
  EXPECT_EQ(textOr(mail, "/message_id", ""), "abc.1@example.com");
  EXPECT_EQ(textOr(mail, "/date", ""), "2026-06-06T14:30:00.000Z");
  EXPECT_EQ(textOr(mail, "/subject", ""), "Rönée asks");
  EXPECT_EQ(textOr(mail, "/headers/6/0", ""), "X-Kind");
  EXPECT_EQ(textOr(mail, "/headers/6/1", ""), "lead");
  EXPECT_EQ(textOr(mail, "/text", ""), "Good day.\n");
  EXPECT_EQ(textOr(mail, "/html", "absent"), "");
}

TEST(Mime, TextAndHtmlAreDecodedAndFilesAreOnlyNamed) {
  auto const mail =
      read(std::string(head) +
           "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=out\n\npreamble\n--out\n"
           "Content-Type: multipart/alternative; boundary=in\n\n--in\n"
           "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
           "caf=E9 and a soft=\n break\n--in\nContent-Type: text/html; charset=utf-8\n"
           "Content-Transfer-Encoding: base64\n\nPGI+Y2Fmw6k8L2I+\n--in--\n--out\n"
           "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
           "Content-Disposition: attachment; filename*=UTF-8''pr%C3%A9.pdf\n\nAAECAwQ=\n--out--\n");
  EXPECT_EQ(textOr(mail, "/text", ""), "café and a soft break");
  EXPECT_EQ(textOr(mail, "/html", ""), "<b>café</b>");
  EXPECT_EQ(json::serialize(*find(mail, "/attachments")),
            R"([{"name":"pré.pdf","type":"application/pdf","bytes":5}])");
}

TEST(Mime, TextThatIsAFileIsNoText) {
  auto const mail =
      read(std::string(head) +
           "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; name=a.html\n\n"
           "<p>a</p>\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nb\n--b--\n");
  EXPECT_EQ(textOr(mail, "/html", "") + textOr(mail, "/text", ""), "");
  EXPECT_EQ(find(mail, "/attachments")->as_array().size(), 2U);
  EXPECT_TRUE(find(mail, "/attachments/0/bytes")->is_int64())
      << "an unsigned number is no integer to schemas";
}

TEST(Mime, AMailOfHtmlAloneHasNoText) {
  auto const mail = read(std::string(head) + "Content-Type: text/html\n\n<p>Hi</p>");
  EXPECT_EQ(textOr(mail, "/text", "absent"), "");
  EXPECT_EQ(textOr(mail, "/html", ""), "<p>Hi</p>");
}

TEST(Mime, CharsetsThatAreWrongMissingOrUnknownStillGiveText) {
  auto const body = [](std::string const& charset, std::string const& bytes) {
    return textOr(read(std::string(head) + "Content-Type: text/plain" + charset + "\n\n" + bytes), "/text",
                  "");
  };
  EXPECT_EQ(body("; charset=us-ascii", "Ren\xC3\xA9"), "René") << "UTF-8 that says it is ASCII";
  EXPECT_EQ(body("; charset=iso-8859-1", "Ren\xC3\xA9"), "René") << "UTF-8 that says it is Latin-1";
  EXPECT_EQ(body("; charset=utf-8", "Ren\xE9!"), "Ren\xEF\xBF\xBD!") << "Latin-1 that says it is UTF-8";
  EXPECT_EQ(body("", "Ren\xE9 \x96 x"), "René – x") << "no charset";
  EXPECT_EQ(body("; charset=klingon", "Ren\xE9"), "René") << "a charset nobody knows";
  EXPECT_EQ(body("; charset=iso-2022-jp", "\x1b$B$\"\x1b(B"), "あ");
  EXPECT_EQ(body("; charset=koi8-r", "\xd0\xd2\xc9"), "при");
  EXPECT_EQ(body("; charset=utf-8", std::string("a\0b", 3)).find('\0'), std::string::npos) << "zero bytes";
}

TEST(Mime, AHeaderWithBareBytesIsReadAsWellAsItCanBe) {
  EXPECT_EQ(textOr(read("From: a@b\nSubject: Ren\xC3\xA9\n\nx"), "/subject", ""), "René");
  EXPECT_EQ(textOr(read("From: a@b\nSubject: Ren\xE9\n\nx"), "/subject", ""), "René");
  EXPECT_EQ(textOr(read("From: a@b\nSubject: =?utf-8?B?!!!?= ok\n\nx"), "/subject", "").ends_with("ok"),
            true);
}

TEST(Mime, AMailForwardedAsAttachmentStandsInTheTextUnderItsSender) {
  auto const mail =
      read(std::string(head) + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee below.\n--b\n"
                               "Content-Type: message/rfc822\n\nFrom: Couple <c@example.net>\n"
                               "Subject: Inner\nDate: Sat, 06 Jun 2026 10:30:00 +0000\n\nWe marry.\n--b--\n");
  auto const text = textOr(mail, "/text", "");
  EXPECT_NE(text.find("From: Couple <c@example.net>\nDate: 2026-06-06T10:30:00.000Z\nSubject: Inner\n"),
            std::string::npos)
      << text;
  EXPECT_LT(text.find("See below."), text.find("We marry."));
  EXPECT_EQ(textOr(mail, "/attachments/0/type", ""), "message/rfc822");
}

TEST(Mime, BrokenBoundariesLoseNoText) {
  std::string const mixed = std::string(head) + "Content-Type: multipart/mixed; boundary=b\n\n";
  EXPECT_EQ(textOr(read(mixed + "--b\n\nnever closed"), "/text", ""), "never closed");
  EXPECT_EQ(textOr(read(mixed + "--b\n\none\n--c\n\ntwo\n--b--"), "/text", ""), "one\n--c\n\ntwo");
  auto const none = read(std::string(head) + "Content-Type: multipart/mixed\n\n--b\n\ntext\n--b--\n");
  EXPECT_NE(textOr(none, "/text", "").find("\ntext\n"), std::string::npos) << none;
  EXPECT_EQ(textOr(none, "/headers/2/0", ""), "Content-Type");
}

TEST(Mime, WhatIsNoMailSaysSo) {
  EXPECT_EQ(refusalOf("").kind, ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf("\r\n\r\nno header at all").kind, ErrorKind::invalidInput);
  std::string garbage;
  for (int i = 0; i < 100'000; ++i) garbage += static_cast<char>((i * 7919) >> 3);
  auto const mail = readMail(garbage); // an error or an empty mail; the point is that it ends
  if (mail) EXPECT_FALSE(json::serialize(*mail).empty());
}

TEST(Mime, TenThousandPartsWithinPartsAreRefusedWithTheirPlace) {
  std::string multiparts(head);
  for (int i = 0; i < 10'000; ++i) {
    auto const name = std::to_string(i);
    multiparts += "Content-Type: multipart/mixed; boundary=b" + name + "\n\n--b" + name + "\n";
  }
  EXPECT_EQ(refusalOf(crlf(multiparts)).kind, ErrorKind::hostLimit);
  std::string fewer = multiparts.substr(0, multiparts.find("boundary=b40"));
  auto const refusal = refusalOf(crlf(fewer + "\n\nend"));
  EXPECT_EQ(refusal.kind, ErrorKind::hostLimit);
  EXPECT_NE(refusal.message.find("deeper than 32 (at part 1.1.1."), std::string::npos) << refusal.message;

  std::string mails(head);
  for (int i = 0; i < 10'000; ++i) mails += "Content-Type: message/rfc822\n\n";
  EXPECT_EQ(refusalOf(crlf(mails)).kind, ErrorKind::hostLimit);
}

TEST(Mime, WhatWouldCostTheParserWithoutBoundIsRefusedBeforeIt) {
  std::string const many(200'000, ':');
  EXPECT_NE(refusalOf("From: " + many + "\r\n\r\nx").message.find("colons (line 1 of"), std::string::npos);
  std::string folded = "Subject: x\r\nFrom: a";
  for (int i = 0; i < 1'200; ++i) folded += "\r\n a:";
  EXPECT_NE(refusalOf(folded + "\r\n\r\nx").message.find("colons"), std::string::npos);
  std::string inner(head);
  inner += "Content-Type: message/rfc822\n\nFrom: " + std::string(5'000, ':') + "\n\nx";
  EXPECT_EQ(refusalOf(inner).kind, ErrorKind::hostLimit) << "in a mail within the mail";
  std::string parts = std::string(head) + "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 100'000; ++i) parts += "--b\n\n";
  EXPECT_NE(refusalOf(parts).message.find("could begin a part"), std::string::npos);
  std::string fields;
  for (int i = 0; i < 10'000; ++i) fields += "a:b\n";
  EXPECT_EQ(refusalOf(fields + "\nx").kind, ErrorKind::hostLimit);
  EXPECT_EQ(refusalOf("Subject: " + std::string(300'000, 'x') + "\n\nx").kind, ErrorKind::hostLimit);
  auto const huge = std::string(head) + "\n" + std::string(11U << 20U, 'x');
  EXPECT_NE(refusalOf(huge).message.find("bytes; allowed are"), std::string::npos);
}

// As many colons as are let through must not use up a thread's stack.
TEST(Mime, GroupsWithinGroupsUpToTheLimitAreRead) {
  std::string from = "From: ";
  for (int i = 0; i < 990; ++i) from += "g:";
  std::thread([&] { EXPECT_TRUE(readMail(from + "a@b\r\n\r\nx")); }).join();
}

TEST(Mime, MoreTextThanAllowedIsRefusedAndNotCut) {
  Limits limits;
  limits.max_text = 100;
  EXPECT_EQ(textOr(read(std::string(head) + "\n" + std::string(100, 'x'), limits), "/text", "").size(), 100U);
  EXPECT_NE(refusalOf(std::string(head) + "\n" + std::string(101, 'x'), limits).message.find("(at part 1)"),
            std::string::npos);
}

} // namespace
} // namespace garland::mail
