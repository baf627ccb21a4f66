// Leads by mail, with the installed programs and real SMTP clients: Python's smtplib and curl.
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

std::string const kFixtures = inSources("/plugins/listings/lead-email/fixtures/the-knot/");

// argv: port, recipient, file, what to do with it. Prints what the server said, and whatever went wrong.
constexpr char const* kClient = R"py(
import smtplib, socket, ssl, sys
port, to, path, way = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
data = open(path, 'rb').read()
if way == 'cut':  # goes away in the middle of the mail
    s = socket.create_connection(('127.0.0.1', port), 20)
    f = s.makefile('rb')
    f.readline()
    for line in (b'HELO client', b'MAIL FROM:<a@b.example>', b'RCPT TO:<' + to.encode() + b'>', b'DATA'):
        s.sendall(line + b'\r\n')
        print(f.readline().decode().strip())
    s.sendall(data[:200])
    s.close()
    sys.exit(0)
if way == 'garbage':
    s = socket.create_connection(('127.0.0.1', port), 20)
    s.sendall(b'EHLO x\r\n' + bytes(range(256)) * 200 + b'\r\nMAIL FROM:<a@b>\r\nDATA\r\n' * 500)
    said = b''
    try:
        while True:
            more = s.recv(65536)
            if not more: break
            said += more
    except ConnectionResetError:
        pass
    print(said.decode('latin-1')[-200:])
    sys.exit(0)
if way == 'large':
    data += b'x' * 60 + b'\r\n'
    data += (b'y' * 76 + b'\r\n') * 150000
if way == 'picture':
    part = b'Content-Type: image/png\r\nContent-Disposition: attachment; filename="lake.png"\r\n'
    part += b'Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n'
    data = data.replace(b'--=_part_1--', b'--=_part_1\r\n' + part + b'--=_part_1--')
with smtplib.SMTP('127.0.0.1', port, timeout=30) as client:
    client.ehlo()
    if way == 'tls':
        client.starttls(context=ssl._create_unverified_context())
        client.ehlo()
        print(client.sock.version())
    try:
        print(client.sendmail('leads@theknot.com', [to], data))
        print('sent')
    except smtplib.SMTPResponseException as refused:
        print(refused.smtp_code, refused.smtp_error)
    except smtplib.SMTPRecipientsRefused as refused:
        print(list(refused.recipients.values()))
)py";

class MailEndToEnd : public ::testing::Test {
protected:
  void SetUp() override { begin(""); }

  void begin(std::string const& more) {
    host_ = std::make_unique<Host>("", "[mail]\nlisten = \"127.0.0.1:0\"\ndomain = \"leads.example.com\"\n" +
                                           more);
    host_->start();
    vendor_ = textOr(host_->ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_->run({"plugins", "enable", "the-knot", "--vendor", vendor_}).exit_code, 0);
    connection_ = textOr(host_->ask({"connections", "connect", "the-knot", "--vendor", vendor_, "--set",
                                     "account=Barn Studio", "--set", "authserv_id=mx.example.org"}),
                         "/id", "");
    address_ = textOr(host_->ask({"connections", "mailbox", connection_}), "/address", "");
    ASSERT_THAT(address_, ::testing::MatchesRegex("lead-[a-z2-7]{52}@leads\\.example\\.com"));
  }
  std::string port() {
    return std::to_string(
        integerOr(*parseJson(readFile(host_->dataFolder() + "/garlandd.json")), "/mail_port", 0));
  }
  std::string send(std::string const& file, std::string const& way = "plain", std::string to = "") {
    if (to.empty()) to = address_;
    auto const done = runProgram({"python3", "-c", kClient, port(), to, kFixtures + file, way}, {}, "");
    return done.out + done.err;
  }
  json::array items(std::string const& state = "") {
    std::vector<std::string> words = {"intake", "ls"};
    if (!state.empty()) words.insert(words.end(), {"--state", state});
    auto const page = host_->ask(words);
    auto const* found = page.if_array() != nullptr ? page.if_array() : find(page, "/items")->if_array();
    return *found;
  }
  bool settles() {
    return eventually([&] { return items("waiting").empty(); });
  }

  std::unique_ptr<Host> host_;
  std::string vendor_;
  std::string connection_;
  std::string address_;
};

TEST_F(MailEndToEnd, ALeadByMailIsARecordOnceHoweverOftenItComes) {
  EXPECT_THAT(send("labels.eml"), HasSubstr("sent"));
  ASSERT_TRUE(settles());
  auto leads = host_->records(vendor_, "crm.lead");
  ASSERT_EQ(leads.size(), 1U) << json::serialize(items());
  EXPECT_EQ(textOr(leads[0], "/data/name", ""), "Anna Lind");
  EXPECT_EQ(textOr(leads[0], "/data/event_date", ""), "2027-06-12");
  EXPECT_THAT(send("labels.eml"), HasSubstr("sent")) << "its sender did not hear us the first time";
  auto const again =
      runProgram({"curl", "-sS", "--max-time", "30", "smtp://127.0.0.1:" + port(), "--mail-from",
                  "a@b.example", "--mail-rcpt", address_, "--upload-file", kFixtures + "labels.eml"},
                 {}, "");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  ASSERT_TRUE(settles());
  EXPECT_EQ(items().size(), 1U);
  EXPECT_EQ(host_->records(vendor_, "crm.lead").size(), 1U);
}

TEST_F(MailEndToEnd, ALeadWithAPictureIsALead) {
  EXPECT_THAT(send("labels.eml", "picture"), HasSubstr("sent"));
  ASSERT_TRUE(settles());
  EXPECT_EQ(host_->records(vendor_, "crm.lead").size(), 1U) << json::serialize(items());
  auto const id = textOr(items().at(0), "/id", "");
  EXPECT_THAT(host_->run({"intake", "show", id}).out, HasSubstr("lake.png"));
}

TEST_F(MailEndToEnd, WhatIsNotUnderstoodOrNotProvenWaitsForAPerson) {
  for (auto const* file : {"unknown_layout.eml", "forged.eml", "unproven.eml"})
    EXPECT_THAT(send(file), HasSubstr("sent")) << file;
  ASSERT_TRUE(settles());
  auto const waiting = items("review");
  ASSERT_EQ(waiting.size(), 3U) << json::serialize(items());
  EXPECT_THAT(textOr(waiting[0], "/reason", ""), HasSubstr("no rule"));
  EXPECT_THAT(textOr(waiting[1], "/reason", ""), HasSubstr("is not The Knot"));
  EXPECT_THAT(textOr(waiting[2], "/reason", ""), HasSubstr("does not say that DKIM or DMARC passed"));
  EXPECT_TRUE(host_->records(vendor_, "crm.lead").empty());

  auto const no_rule = textOr(waiting[0], "/id", "");
  auto const refused = host_->run({"intake", "accept", no_rule});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("garland intake retry " + no_rule));
  auto const unproven = textOr(waiting[2], "/id", "");
  EXPECT_THAT(host_->run({"intake", "show", unproven}).out, HasSubstr("garland intake accept " + unproven));
  auto const accepted = host_->ask({"intake", "accept", unproven, "--by", "rosa@studio.example"});
  EXPECT_EQ(textOr(accepted, "/state", ""), "taken") << canonicalJson(accepted);
  EXPECT_EQ(textOr(accepted, "/accepted_by", ""), "rosa@studio.example");
  auto const leads = host_->records(vendor_, "crm.lead");
  ASSERT_EQ(leads.size(), 1U);
  EXPECT_EQ(textOr(leads[0], "/data/name", ""), "Anna Lind");
}

TEST_F(MailEndToEnd, WhereMailIsTakenIsToldByTheDoctorAndByTheHintAfterConnecting) {
  EXPECT_THAT(host_->run({"doctor", "--config", host_->configFile()}).out,
              HasSubstr("takes mail for leads.example.com at 127.0.0.1:" + port()));
  auto const second = host_->run(
      {"connections", "connect", "the-knot", "--vendor", vendor_, "--set", "account=The Lake House"});
  EXPECT_THAT(second.out, HasSubstr("garland connections mailbox con_"));
  EXPECT_THAT(second.out, ::testing::Not(HasSubstr("sync run")));
}

TEST_F(MailEndToEnd, WhatWasAcknowledgedSurvivesAKillAndWhatWasCutIsSentAgain) {
  EXPECT_THAT(send("labels.eml", "cut"), HasSubstr("354"));
  host_->kill9();
  host_->start();
  EXPECT_TRUE(items().empty());
  EXPECT_THAT(send("labels.eml"), HasSubstr("sent"));
  host_->kill9();
  host_->start();
  EXPECT_EQ(items().size(), 1U);
  EXPECT_THAT(send("labels.eml"), HasSubstr("sent"));
  ASSERT_TRUE(settles());
  EXPECT_EQ(items().size(), 1U);
  EXPECT_EQ(host_->records(vendor_, "crm.lead").size(), 1U);
}

TEST_F(MailEndToEnd, StrangersGarbageAndGiantsAreRefused) {
  EXPECT_THAT(send("labels.eml", "plain", "lead-nobody@leads.example.com"), HasSubstr("550"));
  EXPECT_THAT(send("labels.eml", "plain", "postmaster@leads.example.com"), HasSubstr("550"));
  EXPECT_THAT(send("labels.eml", "large"), HasSubstr("552"));
  EXPECT_THAT(send("labels.eml", "garbage"), HasSubstr("421 4.7.0 too many errors"));
  EXPECT_TRUE(items().empty());
  auto const old = address_;
  address_ = textOr(host_->ask({"connections", "mailbox", connection_, "--rotate"}), "/address", "");
  EXPECT_NE(address_, old);
  EXPECT_THAT(send("labels.eml", "plain", old), HasSubstr("550"));
  EXPECT_THAT(send("labels.eml"), HasSubstr("sent"));
  EXPECT_EQ(host_->stop(), 0);
}

TEST_F(MailEndToEnd, WithACertificateMailComesEncrypted) {
  TestFolder const folder;
  auto const made = runProgram({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-days",
                                "2", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"},
                               {}, "");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  ASSERT_EQ(host_->stop(), 0);
  begin("certificate = \"" + (folder / "cert.pem") + "\"\ncertificate_key = \"" + (folder / "key.pem") +
        "\"\n");
  auto const said = send("labels.eml", "tls");
  EXPECT_THAT(said, HasSubstr("TLSv1.3"));
  EXPECT_THAT(said, HasSubstr("sent"));
  ASSERT_TRUE(settles());
  EXPECT_EQ(host_->records(vendor_, "crm.lead").size(), 1U);
}

} // namespace
} // namespace garland::testing
