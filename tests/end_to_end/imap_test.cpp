// Leads out of a vendor's own mailbox, with the installed programs and a real IMAP server (Dovecot).
#include "host/egress/test_dovecot.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::testing {
namespace {

using egress::testing::TestDovecot;
using ::testing::HasSubstr;

std::string const kFixtures = inSources("/plugins/listings/lead-email/fixtures/the-knot/");

class ImapEndToEnd : public ::testing::Test {
protected:
  void SetUp() override {
    host_ = std::make_unique<Host>("", "[mail]\nvisit_every = 1\n[egress]\nextra_ca_file = \"" +
                                           dovecot_.certificate() + "\"\n");
    host_->start();
    vendor_ = textOr(host_->ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_->run({"plugins", "enable", "the-knot", "--vendor", vendor_}).exit_code, 0);
    connection_ = connect(true);
  }
  std::string connect(bool private_network) {
    std::vector<std::string> words = {"connections",
                                      "connect",
                                      "the-knot",
                                      "--vendor",
                                      vendor_,
                                      "--set",
                                      "account=Barn Studio",
                                      "--set",
                                      "authserv_id=mx.example.org"};
    if (private_network) words.emplace_back("--allow-private-network");
    return textOr(host_->ask(words), "/id", "");
  }
  Finished watch(std::string const& password, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"connections",
                                      "imap",
                                      connection_,
                                      "--url",
                                      "imaps://localhost:" + std::to_string(dovecot_.imaps()),
                                      "--user",
                                      "rosa",
                                      "--password-stdin"};
    words.insert(words.end(), more.begin(), more.end());
    return host_->run(words, password + "\n");
  }
  void put(std::string const& file) { dovecot_.add(readFile(kFixtures + file)); }
  std::size_t leads() { return host_->records(vendor_, "crm.lead").size(); }
  json::array items(std::string const& state = "") {
    std::vector<std::string> words = {"intake", "ls"};
    if (!state.empty()) words.insert(words.end(), {"--state", state});
    return host_->ask(words).at("items").as_array();
  }

  TestDovecot dovecot_{"rosa", "s3cret-words"};
  std::unique_ptr<Host> host_;
  std::string vendor_, connection_;
};

TEST_F(ImapEndToEnd, LeadsInAMailboxBecomeRecordsOnceAndStayUnread) {
  put("labels.eml");
  auto const watched = watch("s3cret-words");
  ASSERT_EQ(watched.exit_code, 0) << watched.err;
  ASSERT_TRUE(eventually([&] { return leads() == 1; })) << host_->log();
  put("unknown_layout.eml");
  ASSERT_TRUE(eventually([&] { return items("review").size() == 1; })) << "no lead is lost";
  put("labels.eml"); // the same mail once more
  auto const shown = [&] { return host_->ask({"connections", "imap", connection_}); };
  auto const before = textOr(shown(), "/visited", "");
  ASSERT_TRUE(eventually([&] { return textOr(shown(), "/visited", "") != before; }));
  EXPECT_EQ(items().size(), 2U);
  EXPECT_EQ(leads(), 1U);
  EXPECT_FALSE(dovecot_.anyRead());
  EXPECT_EQ(textOr(shown(), "/problem", "-"), "");
  // The password is nowhere to be read.
  for (auto const& text :
       {host_->log(), canonicalJson(shown()), readFile(host_->dataFolder() + "/garland.db"),
        readFile(host_->dataFolder() + "/garland.db-wal")})
    EXPECT_EQ(text.find("s3cret-words"), std::string::npos);
}

TEST_F(ImapEndToEnd, AKilledDaemonTakesUpWhereItWasAndTakesNothingTwice) {
  put("labels.eml");
  ASSERT_EQ(watch("s3cret-words").exit_code, 0);
  ASSERT_TRUE(eventually([&] { return items().size() == 1; }));
  host_->kill9();
  put("unknown_layout.eml");
  host_->start();
  ASSERT_TRUE(eventually([&] { return items().size() == 2; })) << host_->log();
  ASSERT_TRUE(eventually([&] { return leads() == 1; }));
  EXPECT_EQ(host_->stop(), 0);
}

TEST_F(ImapEndToEnd, AWrongPasswordAndAPrivateAddressAreRefusedAtOnce) {
  auto const wrong = watch("wrong-words");
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.err, HasSubstr("refuses the user name or password"));
  EXPECT_THAT(host_->run({"connections", "imap", connection_}).err, HasSubstr("no mailbox is visited"));
  EXPECT_THAT(watch("s3cret-words", {"--folder", "Leads"}).err, HasSubstr("no folder Leads"));
  connection_ = connect(false);
  EXPECT_THAT(watch("s3cret-words").err, HasSubstr("no public address"));
}

TEST_F(ImapEndToEnd, WhatIsStoppedIsForgotten) {
  ASSERT_EQ(watch("s3cret-words").exit_code, 0);
  EXPECT_EQ(host_->run({"connections", "imap", connection_, "--stop"}).exit_code, 0);
  EXPECT_NE(host_->run({"connections", "imap", connection_}).exit_code, 0);
  put("labels.eml");
  ASSERT_EQ(watch("s3cret-words").exit_code, 0) << "and may be set up again";
  ASSERT_TRUE(eventually([&] { return leads() == 1; }));
  EXPECT_EQ(host_->run({"connections", "disconnect", connection_, "--discard"}).exit_code, 0);
  EXPECT_THAT(host_->run({"connections", "imap", connection_}).err, HasSubstr("no connection"));
}

} // namespace
} // namespace garland::testing
