#include "host/daemon/config.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace garland::daemon {
namespace {

Overrides const none;

std::string exampleText() {
  std::ifstream in(inSources("/host/daemon/garland.example.toml"));
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::string onlyProblem(std::string_view text) {
  auto const loaded = parseConfig(text, "garland.toml", "/etc/garland", none);
  EXPECT_EQ(loaded.problems.size(), 1U) << text;
  return loaded.problems.empty() ? "" : loaded.problems.front();
}

TEST(Config, WithoutAFileEverySettingHasItsDefault) {
  auto const loaded = loadConfig("", none);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.port, 7480);
  EXPECT_EQ(loaded.config.address, "127.0.0.1");
  EXPECT_EQ(loaded.config.database_url, "sqlite:" + loaded.config.data_dir + "/garland.db");
  EXPECT_EQ(loaded.config.master_key.name, loaded.config.data_dir + "/master.key");
}

TEST(Config, LimitsAreReadInTheirUnits) {
  auto const loaded =
      parseConfig("[limits]\nrecords = 5\nrecords_mib = 2\nvalues = 7\nvalues_mib = 3\n"
                  "[sandbox]\nmemory_mib = 512\n[database]\nmin_free_mib = 1\n"
                  "[actions]\nkeep_days = 30\n[retention]\nitems_days = 7\ndeleted_days = 9\n",
                  "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const& config = loaded.config;
  EXPECT_EQ(config.limits.records, 5);
  EXPECT_EQ(config.actions_kept, std::chrono::hours(30 * 24));
  EXPECT_EQ(config.kept_for.items, std::chrono::hours(7 * 24));
  EXPECT_EQ(config.kept_for.deleted, std::chrono::hours(9 * 24));
  EXPECT_EQ(config.limits.record_bytes, 2 << 20);
  EXPECT_EQ(config.limits.values, 7);
  EXPECT_EQ(config.limits.value_bytes, 3 << 20);
  EXPECT_EQ(config.memory, std::size_t{512} << 20U);
  EXPECT_EQ(config.min_free_bytes, 1U << 20U);
}

TEST(Config, HowManyClientsMayBeConnectedIsASetting) {
  auto const loaded = parseConfig("[daemon]\nclients = 4000\n", "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.clients, 4'000U);
  EXPECT_NE(onlyProblem("[daemon]\nclients = 0\n").find("[daemon] clients must be a whole number from 16"),
            std::string::npos);
}

TEST(Config, AStreamIsSilentAfterThreePings) {
  auto const loaded =
      parseConfig("[streams]\nping = 5\nmemory_mib = 2\nmost_behind = 1000\nsubscribers = 7\n",
                  "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const& streams = loaded.config.streams;
  EXPECT_EQ(streams.ping, Milliseconds(5'000));
  EXPECT_EQ(streams.silence, Milliseconds(15'000));
  EXPECT_EQ(streams.limits.tail_bytes, std::size_t{2} << 20U);
  EXPECT_EQ(streams.limits.most_behind, 1'000);
  EXPECT_EQ(streams.limits.subscribers, 7U);
  EXPECT_NE(onlyProblem("[streams]\nping = 0\n").find("[streams] ping must be"), std::string::npos);
}

TEST(Config, OriginsOfPagesAreNamedOneByOne) {
  auto const loaded = parseConfig("[streams]\norigins = [\"https://app.example.com\"]\n", "garland.toml",
                                  "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.streams.origins, std::vector<std::string>{"https://app.example.com"});
  for (std::string const wrong : {"\"*\"", "[\"*\"]", "[\"https://*.example.com\"]", "[\"app.example.com\"]",
                                  "[\"https://app.example.com/\"]", "[\"https://\"]", "[7]"})
    EXPECT_NE(onlyProblem("[streams]\norigins = " + wrong + "\n").find("[streams] origins must be a list"),
              std::string::npos)
        << wrong;
}

TEST(Config, WhereMailIsTakenInIsAnAddressAndAPort) {
  auto const loaded = parseConfig("[mail]\nlisten = \"[::1]:2525\"\ndomain = \"leads.example.com\"\n",
                                  "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.mail_address, "::1");
  EXPECT_EQ(loaded.config.mail_port, 2525);
  EXPECT_EQ(loaded.config.mail_domain, "leads.example.com");
  for (auto const* wrong : {"2525", "localhost:25", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"})
    EXPECT_NE(onlyProblem("[mail]\nlisten = \"" + std::string(wrong) + "\"\n").find("[mail] listen must be"),
              std::string::npos)
        << wrong;
  EXPECT_NE(onlyProblem("[mail]\nlisten = \"0.0.0.0:25\"\n").find("without a certificate"),
            std::string::npos);
  EXPECT_NE(onlyProblem("[mail]\ncertificate = \"a.pem\"\n").find("go together"), std::string::npos);
  EXPECT_NE(onlyProblem("[mail]\ndomain = \"a@b\"\n").find("must be a domain"), std::string::npos);
}

TEST(Config, BeyondLoopbackTlsIsNeededOrAProxyThatIsNamed) {
  std::string const anywhere = "[daemon]\naddress = \"0.0.0.0\"\n";
  EXPECT_NE(onlyProblem(anywhere).find("needs TLS; set [tls] certificate and key"), std::string::npos);
  auto const proxy =
      parseConfig(anywhere + "[tls]\nclear_text_to_proxy = true\n", "garland.toml", "/etc/garland", none);
  EXPECT_TRUE(proxy.problems.empty());
  EXPECT_TRUE(proxy.config.clear_text_to_proxy);
  auto const files = anywhere + "[tls]\ncertificate = \"tls/cert.pem\"\nkey = \"tls/key.pem\"\n";
  auto const own = parseConfig(files + "client_ca = \"ca.pem\"\n", "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(own.problems.empty()) << own.problems.front();
  EXPECT_EQ(own.config.tls.certificate, "/etc/garland/tls/cert.pem");
  EXPECT_EQ(own.config.tls.key, "/etc/garland/tls/key.pem");
  EXPECT_EQ(own.config.tls.client_ca, "/etc/garland/ca.pem");
  EXPECT_NE(onlyProblem(files + "clear_text_to_proxy = true\n").find("contradict"), std::string::npos);
  EXPECT_NE(onlyProblem("[tls]\nkey = \"key.pem\"\n").find("go together"), std::string::npos);
  EXPECT_NE(onlyProblem("[tls]\nclient_ca = \"ca.pem\"\n").find("needs a certificate"), std::string::npos);
}

TEST(Config, NatsIsForDaemonsThatShareADatabase) {
  std::string const events = "[events]\nnats = \"tls://a:4222,tls://b:4222\"\ncredentials = \"nats.creds\"\n";
  std::string const shared = "[database]\nurl = \"postgresql://garland@host/garland\"\n";
  auto const loaded = parseConfig(shared + events, "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.carrier.servers, "tls://a:4222,tls://b:4222");
  EXPECT_EQ(loaded.config.carrier.credentials_file, "/etc/garland/nats.creds");
  EXPECT_EQ(loaded.config.carrier.stream, "garland");
  EXPECT_NE(onlyProblem(events).find("share a PostgreSQL database"), std::string::npos);
  EXPECT_NE(onlyProblem(shared + "alone = true\n" + events).find("share a PostgreSQL database"),
            std::string::npos);
}

TEST(Config, AMasterKeyIsAFileAVariableACredentialOrACommand) {
  using Kind = vault::KeySource::Kind;
  auto const loaded =
      parseConfig("[vault]\nmaster_key = [\"/usr/bin/kms\", \"decrypt\"]\n"
                  "old_keys = [\"old.key\", \"env:OLD_KEY\", \"credential:older\", [\"/bin/kms\"]]\n",
                  "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const& config = loaded.config;
  EXPECT_EQ(config.master_key.argv, (std::vector<std::string>{"/usr/bin/kms", "decrypt"}));
  ASSERT_EQ(config.old_keys.size(), 4U);
  EXPECT_EQ(config.old_keys[0].name, "/etc/garland/old.key");
  EXPECT_EQ(config.old_keys[1].kind, Kind::variable);
  EXPECT_EQ(config.old_keys[2].kind, Kind::credential);
  EXPECT_EQ(config.old_keys[3].kind, Kind::command);
  for (std::string const wrong : {"7", "[]", "[\"kms\"]", "[7]", "\"env:\"", "\"credential:a/b\""})
    EXPECT_NE(
        onlyProblem("[vault]\nmaster_key = " + wrong + "\n").find("[vault] master_key must be the path"),
        std::string::npos)
        << wrong;
  EXPECT_NE(onlyProblem("[vault]\nold_keys = [\"\"]\n").find("old_keys holds a key that must be"),
            std::string::npos);
  EXPECT_NE(onlyProblem("[vault]\nold_keys = \"a\"\n").find("must be a list"), std::string::npos);
}

TEST(Config, WhomToTrustIsAListOfPublicKeys) {
  auto const key = "ed25519:" + std::string(64, 'a');
  auto const loaded = parseConfig("[plugins]\ntrust = [\"" + key + "\"]\nrevocations = \"revoked.json\"\n",
                                  "garland.toml", "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.trust, std::vector<std::string>{key});
  EXPECT_EQ(loaded.config.revocations, "/etc/garland/revoked.json");
  for (std::string const wrong : {"\"all\"", "[\"ed25519:aa\"]", "[7]"})
    EXPECT_NE(onlyProblem("[plugins]\ntrust = " + wrong + "\n")
                  .find("[plugins] trust must be a list of public keys"),
              std::string::npos)
        << wrong;
}

TEST(Config, TheExampleHoldsEverySettingWithItsDefaultAndNoOther) {
  auto const text = exampleText();
  std::set<std::string> documented;
  std::string section;
  std::regex const line(R"(^(?:\[(\w+)\]|(\w+) = (.+))$)");
  for (std::size_t at = 0; at < text.size();) {
    auto const end = std::min(text.find('\n', at), text.size());
    std::string const one = text.substr(at, end - at);
    at = end + 1;
    std::smatch match;
    if (!std::regex_match(one, match, line)) continue;
    if (match[1].matched)
      section = match[1];
    else
      documented.insert("[" + section + "] " + match[2].str() + " = " + match[3].str());
  }
  std::set<std::string> known;
  for (auto const& setting : settings())
    known.insert("[" + setting.section + "] " + setting.key + " = " + setting.default_text);
  EXPECT_EQ(documented, known);
}

TEST(Config, TheExampleReadAsItStandsIsTheDefault) {
  auto const loaded = parseConfig(exampleText(), "garland.example.toml", "/", none);
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const plain = loadConfig("", none).config;
  EXPECT_EQ(loaded.config.data_dir, plain.data_dir);
  EXPECT_EQ(loaded.config.database_url, plain.database_url);
  EXPECT_EQ(loaded.config.port, plain.port);
  EXPECT_EQ(loaded.config.log_level, plain.log_level);
  EXPECT_TRUE(loaded.config.plugin_dirs.empty());
}

// With what has to be there besides `more`.
LoadedConfig withOidc(std::string const& more) {
  return parseConfig("[oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"garland\"\n" + more,
                     "garland.toml", "/etc/garland", none);
}

TEST(Config, WherePeopleSignInAndWhatTheyMayIsRead) {
  auto const vendor = "ven_" + std::string(26, '0');
  auto const loaded = withOidc(
      "public_url = \"https://garland.example.com\"\nclient_secret_file = \"oidc.secret\"\nidle_minutes = 5\n"
      "audiences = [\"console\"]\nroles = { admins = \"operator\", rosa = \"vendor:" +
      vendor + "\" }\n");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const& oidc = loaded.config.oidc;
  EXPECT_EQ(oidc.callback(), "https://garland.example.com/sign-in/callback");
  EXPECT_EQ(oidc.client_secret_file, "/etc/garland/oidc.secret");
  EXPECT_EQ(oidc.roles.at("admins").role, access::Role::operator_);
  EXPECT_EQ(oidc.roles.at("rosa").role, access::Role::vendor);
  EXPECT_EQ(oidc.roles.at("rosa").vendor_id, vendor);
  EXPECT_EQ(oidc.audiences, std::vector<std::string>{"console"});
  EXPECT_EQ(loaded.config.sessions.idle, std::chrono::minutes(5));
  EXPECT_EQ(loaded.config.sessions.life, std::chrono::hours(8));
}

TEST(Config, ASignInThatIsHalfConfiguredOrInTheClearIsRefused) {
  EXPECT_FALSE(withOidc("").problems.empty());
  for (std::string const wrong :
       {"public_url = \"http://garland.example.com\"", "public_url = \"https://garland.example.com/\"",
        "public_url = \"https://a@garland.example.com\"", "roles = { rosa = \"vendor\" }",
        "roles = { rosa = \"vendor:rosa\" }", "roles = { rosa = \"planner\" }", "scopes = \"email\"",
        "issuer = \"http://id.example.com\""})
    EXPECT_FALSE(
        parseConfig("[oidc]\n" + wrong + "\n", "garland.toml", "/etc/garland", none).problems.empty())
        << wrong;
}

TEST(Config, ARefusedValueOfOidcIsNotSaidToBeMissingAsWell) {
  auto const roles =
      withOidc("public_url = \"https://garland.example.com\"\nroles = { rosa = \"planner\" }\n");
  ASSERT_EQ(roles.problems.size(), 1U);
  EXPECT_NE(roles.problems.front().find("[oidc] roles must be"), std::string::npos) << roles.problems.front();
  auto const both = withOidc("public_url = \"https://garland.example.com/\"\n");
  ASSERT_EQ(both.problems.size(), 2U);
  EXPECT_TRUE(both.problems.back().ends_with("needs these as well: roles")) << both.problems.back();
}

struct Mistake {
  char const* name;
  char const* text;
  char const* place;
  char const* says;
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreToldWithTheirPlaceAndWhatIsAllowed) {
  auto const problem = onlyProblem(GetParam().text);
  EXPECT_TRUE(problem.starts_with(std::string("garland.toml:") + GetParam().place + ": ")) << problem;
  EXPECT_NE(problem.find(GetParam().says), std::string::npos) << problem;
}

INSTANTIATE_TEST_SUITE_P(
    Toml, Mistakes,
    ::testing::Values(
        Mistake{"AnUnknownSection", "[deamon]\nport = 1\n", "1:2", "the sections are [daemon], [tls]"},
        Mistake{"AnUnknownKey", "[daemon]\nprot = 1\n", "2:1",
                "its settings are address, port, clients, data_dir"},
        Mistake{"ASectionAsAValue", "daemon = 1\n", "1:1", "[daemon]"},
        Mistake{"AWrongType", "[daemon]\nport = \"7480\"\n", "2:8", "from 0 to 65535"},
        Mistake{"APortTooLarge", "[daemon]\nport = 70000\n", "2:8", "from 0 to 65535"},
        Mistake{"AWrongWord", "[log]\nlevel = \"loud\"\n", "2:9",
                "\"debug\", \"info\", \"warn\" or \"error\""},
        Mistake{"ANumberForAFlag", "[sandbox]\nallow_degraded = 1\n", "2:18", "true or false"},
        Mistake{"AnIsolationThatIsNone", "[sandbox]\nisolation = \"process\"\n", "2:13",
                "must be \"plugin\", \"vendor\" or \"operation\""},
        Mistake{"AnIsolationOfNobody", "[sandbox]\nisolation_of = \"vendor\"\n", "2:16",
                "table from plugin ids"},
        Mistake{"AnIsolationOfAPluginThatIsNone", "[sandbox]\nisolation_of = { \"a.b\" = \"none\" }\n",
                "2:16", "table from plugin ids"},
        Mistake{"AnIdleTimeOfNothing", "[sandbox]\nidle = 0\n", "2:8", "from 1 to 86400"},
        Mistake{"TooLittleMemory", "[sandbox]\nmemory_mib = 8\n", "2:14", "from 64 to 65536"},
        Mistake{"AnAddressOfHooksThatIsNone", "[hooks]\npublic_url = \"hooks.example.com\"\n", "2:14",
                "https://hooks.example.com"},
        Mistake{"ALimitOfNothing", "[limits]\nrecords = 0\n", "2:11", "from 1 to 1000000000"},
        Mistake{"RatesOfNobody", "requests = 1\n", "1:12", "under its full id"},
        Mistake{"ARateOfAnotherKind", "[requests.\"a.b\"]\nvendor = { count = 1, seconds = 1 }\n", "2:1",
                "has \"connection\" and \"app\""},
        Mistake{"ARateOfNothing", "[requests.\"a.b\"]\napp = { count = 0, seconds = 1 }\n", "2:7",
                "count from 1 to 1000000"},
        Mistake{"ARateWithoutASpan", "[requests.\"a.b\"]\napp = { count = 5 }\n", "2:7",
                "seconds from 1 to 86400"},
        Mistake{"ARateWithATypingError", "[requests.\"a.b\"]\napp = { count = 5, second = 1 }\n", "2:7",
                "must be a rate such as"},
        Mistake{"MoreAtOnceThanAtAll", "[requests.\"a.b\"]\napp = { count = 5, seconds = 1, at_once = 6 }\n",
                "2:7", "at_once from 1 to count"},
        Mistake{"AListOfNumbers", "[plugins]\ndirs = [1]\n", "2:8", "list of folders"},
        Mistake{"AFolderWithoutAName", "[plugins]\ndirs = [\"\"]\n", "2:8", "list of folders"},
        Mistake{"ADatabaseOfAnotherKind", "[database]\nurl = \"mysql://x\"\n", "2:7", "postgresql://"},
        Mistake{"APasswordForNats", "[events]\nnats = \"nats://rosa:secret@host:4222\"\n", "2:8",
                "without a user or password"},
        Mistake{"AStreamThatIsNone", "[events]\nstream = \"a.b\"\n", "2:10", "letters, digits"},
        Mistake{"AnAddressThatIsNone", "[daemon]\naddress = \"here\"\n", "2:11", "must be an IP address"},
        Mistake{"TheHomeOfAnother", "[daemon]\ndata_dir = \"~rosa/x\"\n", "2:12", "~/..."},
        Mistake{"BrokenToml", "[daemon\nport = 1\n", "1:8", ""}),
    [](auto const& info) { return info.param.name; });

TEST(Config, EveryMistakeIsTold) {
  auto const loaded = parseConfig("[daemon]\nprot = 1\nport = -1\n[logs]\n", "garland.toml", "/", none);
  EXPECT_EQ(loaded.problems.size(), 3U);
}

TEST(Config, IsolationIsReadForAllAndForOnePlugin) {
  auto const loaded = parseConfig("[sandbox]\nisolation = \"vendor\"\nidle_vendor = 5\n"
                                  "isolation_of = { \"garland.calendar.caldav\" = \"operation\" }\n",
                                  "garland.toml", "/", none);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.isolation, runtime::Isolation::vendor);
  EXPECT_EQ(loaded.config.isolation_of.at("garland.calendar.caldav"), runtime::Isolation::operation);
  EXPECT_EQ(loaded.config.idle_vendor, std::chrono::seconds(5));
}

TEST(Config, HowManySyncsThereAreAtOnceIsRead) {
  auto const loaded = parseConfig("[sync]\nruns_at_once = 500\nruns_of_connector = 192\n", "garland.toml",
                                  "/etc/garland", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  EXPECT_EQ(loaded.config.runs.all, 500U);
  EXPECT_EQ(loaded.config.runs.of_connector, 192U);
  EXPECT_NE(onlyProblem("[sync]\nruns_of_connector = 193\n").find("from 1 to 192"), std::string::npos)
      << "a worker takes no more";
}

TEST(Config, HowFastAProviderMayBeAskedIsReadForEachConnector) {
  auto const loaded = parseConfig("[requests.\"a.b\"]\nconnection = { count = 100, seconds = 60 }\n"
                                  "app = { count = 7, seconds = 1, at_once = 7 }\n"
                                  "[requests.\"c.d\"]\napp = { count = 2, seconds = 1 }\n",
                                  "garland.toml", "/", none);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  auto const& rates = loaded.config.requests.at("a.b");
  ASSERT_TRUE(rates.connection && rates.app);
  EXPECT_EQ(rates.connection->count, 100);
  EXPECT_EQ(rates.connection->span, std::chrono::minutes(1));
  EXPECT_EQ(rates.connection->at_once, 10) << "a tenth, as in a manifest";
  EXPECT_EQ(rates.app->at_once, 7);
  EXPECT_FALSE(loaded.config.requests.at("c.d").connection) << "what the manifest says counts";
  EXPECT_EQ(loaded.config.requests.at("c.d").app->at_once, 1);
}

TEST(Config, RelativePathsAreMeantFromTheFile) {
  auto const loaded = parseConfig("[daemon]\ndata_dir = \"data\"\n[plugins]\ndirs = [\"../plugins\"]\n"
                                  "[database]\nurl = \"sqlite:db/garland.db\"\n",
                                  "garland.toml", "/etc/garland", none);
  EXPECT_EQ(loaded.config.data_dir, "/etc/garland/data");
  EXPECT_EQ(loaded.config.plugin_dirs.at(0), "/etc/plugins");
  EXPECT_EQ(loaded.config.database_url, "sqlite:/etc/garland/db/garland.db");
}

TEST(Config, ATildeIsTheHomeOfTheUser) {
  auto const home = std::string(std::getenv("HOME"));
  Overrides overrides;
  auto const loaded = parseConfig(
      "[daemon]\ndata_dir = \"~/x\"\n[plugins]\ndirs = [\"~/p\"]\n[database]\nurl = \"sqlite:~/d.db\"\n",
      "garland.toml", "/etc/garland", overrides);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.data_dir, home + "/x");
  EXPECT_EQ(loaded.config.plugin_dirs.at(0), home + "/p");
  EXPECT_EQ(loaded.config.database_url, "sqlite:" + home + "/d.db");
  overrides.data_dir = "~/y";
  EXPECT_EQ(parseConfig("", "", "/", overrides).config.data_dir, home + "/y");
}

TEST(Config, ADatabaseThatTurnsOutWrongIsToldWithItsPlace) {
  auto const loaded =
      parseConfig("[database]\nurl = \"postgresql://a@b:c:d/e\"\n", "garland.toml", "/etc/garland", none);
  EXPECT_EQ(loaded.config.database_place, "garland.toml:2:7: ");
}

TEST(Config, AFolderIsNoFileOfSettings) {
  auto const loaded = loadConfig("/tmp", none);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_NE(loaded.problems.front().find("/tmp is a folder"), std::string::npos) << loaded.problems.front();
  EXPECT_FALSE(loaded.file_was_read);
}

TEST(Config, TheCommandLineWins) {
  Overrides overrides;
  overrides.data_dir = "/srv/garland";
  overrides.port = 0;
  overrides.database_url = "postgresql://garland@localhost:5432/garland";
  auto const loaded = parseConfig("[daemon]\nport = 9\ndata_dir = \"/x\"\n", "garland.toml", "/", overrides);
  EXPECT_EQ(loaded.config.port, 0);
  EXPECT_EQ(loaded.config.data_dir, "/srv/garland");
  EXPECT_EQ(loaded.config.database_url, overrides.database_url);
  overrides.database_url = "garland.db";
  EXPECT_EQ(parseConfig("", "", "/", overrides).problems.size(), 1U);
}

TEST(Config, AFileThatIsNotThereIsNamed) {
  auto const loaded = loadConfig("/nowhere/garland.toml", none);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_NE(loaded.problems.front().find("/nowhere/garland.toml"), std::string::npos);
}

} // namespace
} // namespace garland::daemon
