// Each weakness is told where it is, with what to type, and not where it is not.
#include "host/daemon/weaknesses.h"

#include "host/base/test_folder.h"
#include "host/egress/test_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Weaknesses : public ::testing::Test {
protected:
  Weaknesses() {
    config_.data_dir = "/var/lib/garland";
    config_.database_url = "sqlite:/var/lib/garland/garland.db";
    config_.master_key.name = "/etc/garland/master.key";
    around_.now = SystemClock().now();
    around_.free_bytes = std::uint64_t{100} << 30U;
    around_.backed_up = around_.now - Milliseconds(3'600'000);
    around_.has_data = true;
  }
  Finding of(std::string const& check) const {
    for (auto const& finding : findWeaknesses(config_, around_))
      if (finding.check == check) return finding;
    ADD_FAILURE() << "there is no check " << check;
    return {};
  }
  void expectWeak(std::string const& check, std::string const& message, std::string const& fix) const {
    auto const finding = of(check);
    EXPECT_TRUE(finding.ok) << "it keeps nobody from working";
    EXPECT_TRUE(finding.weak) << finding.message;
    EXPECT_THAT(finding.message, HasSubstr(message));
    EXPECT_THAT(finding.fix, HasSubstr(fix));
  }
  void expectBad(std::string const& check, std::string const& message) const {
    auto const finding = of(check);
    EXPECT_FALSE(finding.ok);
    EXPECT_THAT(finding.message, HasSubstr(message));
    EXPECT_NE(finding.fix, "");
  }
  void expectGood(std::string const& check) const {
    auto const finding = of(check);
    EXPECT_TRUE(finding.ok && !finding.weak) << finding.message;
    EXPECT_EQ(finding.fix, "");
  }

  Config config_;
  Surroundings around_;
};

TEST_F(Weaknesses, ThereAreNoneInAGoodSetUp) {
  for (auto const& finding : findWeaknesses(config_, around_)) {
    EXPECT_TRUE(finding.ok && !finding.weak) << finding.check << ": " << finding.message;
    EXPECT_EQ(finding.fix, "") << finding.check;
  }
}

TEST_F(Weaknesses, AKeyBesideItsDatabaseIsTold) {
  config_.master_key.name = "/var/lib/garland/../garland/master.key";
  expectWeak("place of the master key", "one copy of that folder opens every stored credential",
             "set [vault] master_key");
  config_.database_url = "postgresql://garland@localhost/garland";
  expectGood("place of the master key");
}

TEST_F(Weaknesses, ASignInThatIsWeakIsTold) {
  TestFolder const folder;
  config_.oidc.issuer = "https://id.example.com";
  config_.oidc.public_url = "https://garland.example.com";
  expectGood("sign-in of people");
  config_.hooks_url = "https://Garland.example.com:443/behind";
  expectGood("sign-in of people");
  config_.hooks_url = "https://hooks.example.com";
  expectWeak("sign-in of people", "ends at https://hooks.example.com", "to one address");
  config_.sessions.life = std::chrono::hours(48);
  expectWeak("sign-in of people", "more than a day", "session_minutes");
  config_.oidc.issuer = "http://127.0.0.1:3000";
  expectWeak("sign-in of people", "in the clear", "https");
  config_.oidc.client_secret_file = folder / "oidc.secret";
  std::ofstream(config_.oidc.client_secret_file) << "secret";
  fs::permissions(config_.oidc.client_secret_file, fs::perms::others_read, fs::perm_options::add);
  expectBad("sign-in of people", "can be read by everybody");
}

TEST_F(Weaknesses, ASecretByWhichNobodyCanSignInIsTold) {
  TestFolder const folder;
  config_.oidc.issuer = "https://id.example.com";
  config_.oidc.public_url = "https://garland.example.com";
  config_.oidc.client_secret_file = folder / "oidc.secret";
  expectBad("sign-in of people", "is not there, so nobody can sign in");
  std::ofstream(config_.oidc.client_secret_file) << "secret";
  using enum fs::perms;
  fs::permissions(config_.oidc.client_secret_file, owner_read | owner_write | group_read);
  expectBad("sign-in of people", "can be read by its group");
  fs::permissions(config_.oidc.client_secret_file, owner_read | owner_write);
  expectGood("sign-in of people");
}

TEST_F(Weaknesses, HalfACertificateIsTold) {
  config_.tls.certificate = "cert.pem";
  expectBad("TLS", "of no use without its key");
}

TEST_F(Weaknesses, OldKeysThatStillOpenAreTold) {
  config_.old_keys.resize(2);
  expectWeak("old master keys", "2 still open", "garland vault rekey");
}

TEST_F(Weaknesses, ClearTextBeyondThisMachineIsTold) {
  config_.address = "192.0.2.1";
  config_.clear_text_to_proxy = true;
  expectWeak("TLS", "in the clear to 192.0.2.1", "set [tls] certificate and key");
}

TEST_F(Weaknesses, ACertificateThatEndsIsToldBeforeItDoes) {
  TestFolder folder;
  egress::testing::TestAuthority const authority;
  config_.tls = {folder / "cert.pem", folder / "key.pem", ""};
  auto const issue = [&](int days) {
    auto const identity = authority.issue("DNS:localhost", days);
    std::ofstream(config_.tls.certificate) << identity.certificate;
    std::ofstream(config_.tls.key) << identity.key;
    fs::permissions(config_.tls.key, fs::perms::owner_read | fs::perms::owner_write);
  };
  issue(60);
  expectGood("TLS");
  fs::permissions(config_.tls.key, fs::perms::others_read, fs::perm_options::add);
  expectWeak("TLS", "can be read by everybody", "chmod o= " + config_.tls.key);
  issue(5);
  expectWeak("TLS", "the certificate ends on ", "systemctl reload garlandd");
  issue(-1);
  expectBad("TLS", "has ended on ");
  std::ofstream(config_.tls.certificate) << "none";
  expectBad("TLS", config_.tls.certificate);
}

TEST_F(Weaknesses, ADatabaseElsewhereWithoutCheckedTlsIsTold) {
  for (auto const* near :
       {"postgresql:///garland", "postgresql://u@localhost/g", "postgresql://u:p%40@127.0.0.1:5432/g",
        "postgresql://[::1]:5432/g", "postgresql://%2Frun%2Fpostgresql/g",
        "postgresql://db.example.com/g?host=/run/postgresql",
        "postgresql://db.example.com/g?sslmode=verify-full"}) {
    config_.database_url = near;
    SCOPED_TRACE(near);
    expectGood("way to the database");
  }
  for (auto const* far :
       {"postgresql://u@db.example.com:5432/g", "postgresql://192.0.2.1/g?sslmode=prefer",
        "postgresql://localhost,db.example.com/g", "postgresql://[2001:db8::1]/g",
        "postgresql:///g?host=192.0.2.1",
        "postgresql://localhost/g?application_name=a&hostaddr=192.0.2.1&sslmode=verify-full&sslmode=allow"}) {
    config_.database_url = far;
    SCOPED_TRACE(far);
    expectWeak("way to the database", "in the clear", "sslmode=verify-full");
  }
  config_.database_url = "postgresql://db.example.com/g?sslmode=require";
  expectWeak("way to the database", "nobody checks", "sslmode=verify-full");
}

TEST_F(Weaknesses, ABackupThatIsOldOrNeverWasIsTold) {
  around_.backed_up = around_.now - Milliseconds(8LL * 86'400'000);
  expectWeak("backup", "the last one is of ", "touch /var/lib/garland/backup.stamp");
  around_.backed_up.reset();
  expectWeak("backup", "nobody has told of one", "touch /var/lib/garland/backup.stamp");
  around_.has_data = false;
  expectGood("backup");
}

TEST_F(Weaknesses, AClockThatNobodySetsIsTold) {
  around_.clock_is_set = false;
  expectWeak("clock", "nobody sets it", "timedatectl set-ntp true");
}

TEST_F(Weaknesses, ADaemonThatWouldDumpItsMemoryIsTold) {
  std::string const row = "Limit   Soft Limit  Hard Limit  Units\nMax core file size        ";
  around_.limits = row + "0                    0                    bytes\n";
  expectGood("core dumps");
  for (auto const* limit : {"unlimited            unlimited            bytes\n", "1048576  0  bytes\n"}) {
    around_.limits = row + limit;
    expectWeak("core dumps", "keys included", "LimitCORE=0");
  }
}

TEST_F(Weaknesses, SwapThatCanBeReadIsToldUnlessNothingOfTheDaemonComesThere) {
  around_.swaps = {{"/dev/zram0", SwapArea::Kind::memory}, {"/dev/dm-1", SwapArea::Kind::encrypted}};
  expectGood("swap");
  EXPECT_EQ(of("swap").message, "/dev/zram0 is memory, /dev/dm-1 is encrypted");
  around_.swaps.push_back({"/swapfile", SwapArea::Kind::clear});
  expectWeak("swap", "/dev/dm-1 is encrypted, /swapfile is not encrypted", "MemorySwapMax=0");
  around_.is_never_swapped = true;
  expectGood("swap");
}

TEST_F(Weaknesses, ADiskThatIsNearlyFullIsTold) {
  config_.min_free_bytes = 256U << 20U;
  around_.free_bytes = 300U << 20U;
  expectWeak("disk", "only 300 MiB", "larger disk");
  around_.free_bytes = 200U << 20U;
  expectBad("disk", "nothing new is taken");
}

TEST_F(Weaknesses, TheDiskIsKnownBeforeTheDataFolderIsThere) {
  TestFolder const folder;
  config_.data_dir = folder / "not/yet/made";
  around_ = lookAround(config_, around_.now);
  EXPECT_FALSE(around_.has_data);
  EXPECT_TRUE(around_.free_bytes) << "it is that of the folder above";
}

TEST_F(Weaknesses, WhatIsLookedAtIsThisMachine) {
  TestFolder folder;
  config_.data_dir = folder.path();
  auto const before = lookAround(config_, around_.now);
  EXPECT_TRUE(before.has_data);
  EXPECT_GT(before.free_bytes.value_or(0), 0U);
  EXPECT_FALSE(before.backed_up);
  EXPECT_EQ(before.limits, "") << "no daemon runs there";
  std::ofstream(folder / "backup.stamp") << "";
  EXPECT_TRUE(lookAround(config_, around_.now).backed_up);
}

} // namespace
} // namespace garland::daemon
