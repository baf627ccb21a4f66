// The daemon with a certificate: the command line finds and believes it, SIGHUP renews it, and it does not
// listen beyond this machine without one.
#include "host/egress/test_certificate.h"
#include "tests/end_to_end/host_test_kit.h"

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

namespace garland::testing {
namespace {

class WithTls : public ::testing::Test {
protected:
  void issue() {
    auto const identity = authority_.issue("DNS:localhost,IP:127.0.0.1");
    writeFile(folder_ / "cert.pem", identity.certificate);
    writeFile(folder_ / "key.pem", identity.key);
  }
  std::string settings() const {
    return "[tls]\ncertificate = \"" + (folder_ / "cert.pem") + "\"\nkey = \"" + (folder_ / "key.pem") +
           "\"\n";
  }
  // A command of somebody who believes the authority.
  Finished run(Host& host, std::vector<std::string> words) {
    words.insert(words.begin(), {"--ca-file", authority_.file()});
    return host.run(std::move(words));
  }
  // Of the rows that tell of another certificate.
  static std::string kindsOf(std::string const& rows) {
    std::istringstream lines(rows);
    std::string kinds;
    for (std::string line; std::getline(lines, line);) {
      auto const row = parseJson(line);
      if (row && textOr(*row, "/entry/act", "") == "certificate.renew")
        kinds += textOr(*row, "/entry/kind", "") + " ";
    }
    return kinds;
  }
  static bool logs(Host const& host, std::string const& words) {
    return eventually([&] { return host.log().find(words) != std::string::npos; });
  }

  TestFolder folder_;
  egress::testing::TestAuthority authority_;
};

TEST_F(WithTls, TheCommandLineFindsTheDaemonAndBelievesItsAuthorityOnly) {
  issue();
  Host host("", settings());
  host.start();
  EXPECT_EQ(host.url().substr(0, 8), "https://");
  auto const added = run(host, {"vendors", "add", "Rosa"});
  EXPECT_EQ(added.exit_code, 0) << added.err;
  auto const by_folder =
      runProgram({binFolder() + "/garland", "vendors", "ls", "--data-dir", host.dataFolder()},
                 {{"GARLAND_CA_FILE", authority_.file()}}, "");
  EXPECT_EQ(by_folder.exit_code, 0) << by_folder.err;
  EXPECT_NE(by_folder.out.find("Rosa"), std::string::npos) << by_folder.out;
  auto const stranger = host.run({"vendors", "ls"});
  EXPECT_EQ(stranger.exit_code, 3);
  EXPECT_NE(stranger.err.find("--ca-file"), std::string::npos) << stranger.err;
  EXPECT_EQ(stranger.err.find("let the operator"), std::string::npos) << "that is for providers";
  auto const clear = host.run({"--url", "http" + host.url().substr(5), "vendors", "ls"});
  EXPECT_EQ(clear.exit_code, 3);
  EXPECT_NE(clear.err.find("call it by https:// with --url"), std::string::npos) << clear.err;
  EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST_F(WithTls, ThatTheDaemonMayWantACertificateIsSaid) {
  issue();
  Host host("", settings() + "client_ca = \"" + authority_.file() + "\"\n");
  host.start();
  auto const refused = run(host, {"vendors", "ls"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.err.find("wants a certificate of its clients"), std::string::npos) << refused.err;
  auto const doctor = run(host, {"doctor"});
  EXPECT_NE(doctor.out.find("go through a proxy"), std::string::npos) << doctor.out;
  EXPECT_EQ(doctor.out.find("start it with"), std::string::npos) << doctor.out;
}

TEST_F(WithTls, SighupTakesANewCertificateAndKeepsTheOldOneIfTheNewOneIsBroken) {
  issue();
  Host host("", settings());
  host.start();
  writeFile(folder_ / "cert.pem", "half a certif");
  host.daemon().signal(SIGHUP);
  EXPECT_TRUE(logs(host, "the certificate in use stays: the certificate " + (folder_ / "cert.pem")))
      << host.log();
  EXPECT_EQ(run(host, {"vendors", "ls"}).exit_code, 0);
  issue();
  host.daemon().signal(SIGHUP);
  EXPECT_TRUE(logs(host, "connections from now on get the certificate")) << host.log();
  EXPECT_TRUE(eventually([&] { return kindsOf(run(host, {"audit", "export"}).out) == "refusal change "; }));
  EXPECT_EQ(run(host, {"vendors", "ls"}).exit_code, 0);
}

TEST_F(WithTls, WithoutACertificateItDoesNotListenBeyondThisMachine) {
  writeFile(folder_ / "garland.toml",
            "[daemon]\naddress = \"0.0.0.0\"\nport = 0\ndata_dir = \"" + (folder_ / "data") + "\"\n");
  auto const refused = runProgram({binFolder() + "/garlandd", "--config", folder_ / "garland.toml"}, {}, "");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("needs TLS; set [tls] certificate and key"), std::string::npos) << refused.err;
}

} // namespace
} // namespace garland::testing
