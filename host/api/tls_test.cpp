// The daemon's own TLS, with real sockets: who is served and how, what a new certificate changes, and that
// everything which goes in the clear goes over TLS as well.
#include "host/api/listener.h"
#include "host/api/own_names.h"
#include "host/api/testing/harness.h"
#include "host/api/testing/tls_client.h"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <gmock/gmock.h>
#include <openssl/pem.h>

namespace garland::api {
namespace {

namespace beast = boost::beast;
using testing::Answer;
using testing::Client;
using testing::Harness;
using ::testing::HasSubstr;
using testing::Ready;
using ::testing::StartsWith;
using testing::TlsClient;
using testing::TlsFolder;

std::string const kRoot = "/api/integrations";

struct ServedByTls : ::testing::Test {
  void start(Options options = {}) {
    if (options.tls.certificate.empty()) options.tls = folder.files();
    house = std::make_unique<Harness>(std::move(options));
  }
  TlsClient client(Ready const& ready = nullptr, SSL_SESSION* resumed = nullptr) const {
    return TlsClient(house->server->port(), folder.authority.file(), ready, resumed);
  }
  Answer ask(std::string_view method, std::string_view target, std::string_view body = "",
             std::string_view more_headers = "") const {
    auto one = client();
    one.send(house->request(method, target, body, more_headers));
    return one.read(method == "HEAD");
  }
  // Whether a client that is ready so is answered, after its handshake.
  bool serves(Ready const& ready) const {
    auto one = client(ready);
    one.send(house->request("GET", "/health"));
    return one.read().status == 200;
  }

  TlsFolder folder;
  std::unique_ptr<Harness> house;
};

TEST_F(ServedByTls, EveryAnswerHasTheHeadersOfSecurity) {
  start();
  auto const page = ask("GET", "/health");
  EXPECT_EQ(page.status, 200);
  auto bad = client();
  bad.send("no HTTP at all\r\n\r\n");
  for (auto const& answer : {page, ask("GET", "/nowhere"), bad.read()}) {
    EXPECT_EQ(answer.headers.at("strict-transport-security"), "max-age=31536000") << answer.status;
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.at("x-frame-options"), "DENY");
    EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_THAT(answer.headers.at("content-security-policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(answer.headers.at("content-security-policy"), HasSubstr("frame-ancestors 'none'"));
  }
  Harness in_the_clear;
  auto const clear = in_the_clear.ask("GET", "/health");
  EXPECT_FALSE(clear.headers.contains("strict-transport-security")) << "a proxy says so, or nobody";
  EXPECT_EQ(clear.headers.at("x-frame-options"), "DENY");
}

TEST_F(ServedByTls, ManyRequestsAndLargeBodiesGoOverOneConnection) {
  start();
  auto one = client();
  std::string const name(300'000, 'R');
  for (int i = 0; i < 3; ++i) {
    one.send(house->request("POST", kRoot + "/vendors", R"({"name":")" + name + R"("})"));
    EXPECT_GE(one.read().status, 400) << "it is too long for a name, and was read whole";
    one.send(house->request("GET", "/openapi.json"));
    EXPECT_TRUE(one.read().json().is_object());
  }
}

TEST_F(ServedByTls, OldVersionsAndCiphersWithoutForwardSecrecyAreRefused) {
  start();
  auto const limited = [](int least, int most, char const* ciphers) -> Ready {
    return [=](SSL_CTX* context) {
      SSL_CTX_set_security_level(context, 0); // else this client would not even try
      SSL_CTX_set_min_proto_version(context, least);
      SSL_CTX_set_max_proto_version(context, most);
      SSL_CTX_set_cipher_list(context, ciphers);
    };
  };
  EXPECT_TRUE(client(limited(TLS1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0")).failed);
  EXPECT_TRUE(client(limited(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")).failed)
      << "encrypts without authenticating";
  EXPECT_TRUE(serves(limited(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256")));
  EXPECT_TRUE(serves(limited(TLS1_3_VERSION, TLS1_3_VERSION, "DEFAULT")));
}

TEST_F(ServedByTls, OfProtocolsOnlyHttp11IsAgreedOn) {
  start();
  auto const offering = [](std::string_view list) -> Ready {
    return [list](SSL_CTX* context) {
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<unsigned char const*>(list.data()),
                              static_cast<unsigned int>(list.size()));
    };
  };
  auto both = client(offering("\x02h2\x08http/1.1"));
  ASSERT_FALSE(both.failed) << both.failed.message();
  unsigned char const* agreed = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(both.tls(), &agreed, &size);
  EXPECT_EQ(std::string(reinterpret_cast<char const*>(agreed), size), "http/1.1");
  auto other = client(offering("\x02h2"));
  EXPECT_THAT(other.failed.message(), HasSubstr("no application protocol"));
}

TEST_F(ServedByTls, NoSessionIsResumed) {
  start();
  for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto const only = [version](SSL_CTX* context) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
    };
    auto first = client(only);
    first.send(house->request("GET", "/health"));
    EXPECT_EQ(first.read().status, 200);
    auto* const session = SSL_get1_session(first.tls());
    auto second = client(only, session);
    EXPECT_FALSE(second.failed);
    EXPECT_EQ(SSL_session_reused(second.tls()), 0) << version;
    SSL_SESSION_free(session);
  }
}

TEST_F(ServedByTls, ANewCertificateIsForNewConnectionsAndOldOnesGoOn) {
  start();
  auto before = client();
  before.send(house->request("GET", "/health"));
  EXPECT_EQ(before.read().status, 200);
  folder.renew();
  EXPECT_EQ(client().serverKey(), before.serverKey()) << "nobody has asked for the new one yet";
  EXPECT_TRUE(house->onLoop([&] { return house->server->renewCertificate(); }));
  EXPECT_NE(client().serverKey(), before.serverKey());
  before.send(house->request("GET", "/health"));
  EXPECT_EQ(before.read().status, 200);
}

TEST_F(ServedByTls, ABrokenNewCertificateIsToldAndTheOneInUseStays) {
  start();
  auto const in_use = client().serverKey();
  auto const renew = [&] { return house->onLoop([&] { return house->server->renewCertificate(); }); };
  auto const expectRefused = [&](std::string const& what) {
    auto const renewed = renew();
    ASSERT_TRUE(renewed.has_error());
    EXPECT_EQ(renewed.error().kind, ErrorKind::invalidInput);
    EXPECT_THAT(renewed.error().message, HasSubstr(what));
    EXPECT_EQ(client().serverKey(), in_use);
  };
  folder.write("cert.pem", "half a certif");
  expectRefused(folder.at("cert.pem"));
  folder.write("cert.pem", folder.authority.issue("DNS:localhost").certificate);
  expectRefused(folder.at("key.pem")); // of the certificate before
  folder.renew();
  EXPECT_TRUE(renew());
  EXPECT_NE(client().serverKey(), in_use);
}

std::string withPassphrase(std::string const& key) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> const in(
      BIO_new_mem_buf(key.data(), static_cast<int>(key.size())), BIO_free_all);
  std::unique_ptr<BIO, decltype(&BIO_free_all)> const out(BIO_new(BIO_s_mem()), BIO_free_all);
  auto* const read = PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr);
  PEM_write_bio_PKCS8PrivateKey(out.get(), read, EVP_aes_256_cbc(), "open sesame", 11, nullptr, nullptr);
  EVP_PKEY_free(read);
  char* text = nullptr;
  auto const size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// At a terminal OpenSSL would ask for it, and the daemon would wait there.
TEST_F(ServedByTls, AKeyWithAPassphraseIsRefusedAndNobodyAskedForIt) {
  folder.write("key.pem", withPassphrase(folder.authority.issue("DNS:localhost").key));
  auto const examined = examineCertificate(folder.files());
  ASSERT_TRUE(examined.has_error());
  EXPECT_THAT(examined.error().message, HasSubstr("without a passphrase"));
  EXPECT_EQ(examined.error().field, "/tls/key");
}

TEST_F(ServedByTls, WhoHasNoCertificateOfTheClientsAuthorityIsNotServed) {
  egress::testing::TestAuthority const clients;
  egress::testing::TestAuthority const strangers;
  auto options = Options();
  options.tls = folder.files();
  options.tls.client_ca = clients.file();
  start(options);
  auto const showing = [this](egress::testing::TestAuthority const& authority) -> Ready {
    auto const identity = authority.issue("DNS:console.example.com");
    folder.write("client.pem", identity.certificate);
    folder.write("client.key", identity.key);
    return [this](SSL_CTX* context) {
      SSL_CTX_use_certificate_file(context, folder.at("client.pem").c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context, folder.at("client.key").c_str(), SSL_FILETYPE_PEM);
    };
  };
  EXPECT_FALSE(serves(nullptr));
  EXPECT_FALSE(serves(showing(strangers)));
  EXPECT_TRUE(serves(showing(clients)));
  Client clear(house->server->port());
  clear.send(house->request("GET", "/health"));
  EXPECT_EQ(clear.read().status, 0);
  auto const told = house->onLoop([this] { return house->book.told; });
  EXPECT_EQ(std::ranges::count(told, "client_certificate", &audit::Event::act), 2)
      << "who speaks no TLS has shown none";
}

TEST_F(ServedByTls, WhoSpeaksInTheClearOrNotAtAllIsCutOff) {
  start();
  Client clear(house->server->port());
  clear.send(house->request("GET", "/health"));
  EXPECT_EQ(clear.read().status, 0);
  Client silent(house->server->port());
  EXPECT_EQ(ask("GET", "/health").status, 200);
  house->advance(Milliseconds(11'000));
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(ServedByTls, ItIsCalledByTheNamesOfItsCertificateAndByNoOther) {
  folder.renew("DNS:localhost,IP:127.0.0.1,DNS:garland.example.com,DNS:*.hooks.example.com");
  start();
  auto const statusFor = [this](std::string const& host) {
    auto one = client();
    one.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return one.read().status;
  };
  for (auto const* ours : {"garland.example.com", "Garland.Example.com:443", "a.hooks.example.com:8443"})
    EXPECT_EQ(statusFor(ours), 200) << ours;
  for (auto const* others : {"rebound.example.net", "hooks.example.com", ".example.com", "192.0.2.1",
                             "garland.example.com:x", "[::1", ""})
    EXPECT_EQ(statusFor(others), 421) << others;
  EXPECT_EQ(house->server->url(), "https://" + house->host());
  auto stranger = client();
  stranger.send("GET /health HTTP/1.1\r\nHost: rebound.example.net\r\n\r\n");
  auto const told = stranger.read().body;
  EXPECT_NE(told.find("use " + house->server->url()), std::string::npos) << told;
  EXPECT_NE(told.find("certificate: localhost, garland.example.com, *.hooks.example.com"), std::string::npos)
      << told;
}

TEST(OwnNames, AnyAddressIsOursWhereOthersReachUsAndNoNameIs) {
  auto const asked = [](std::string const& listens, std::string const& host) {
    Request request;
    request.headers.emplace_back("host", host);
    Guard guard;
    guard.address = listens;
    guard.port = 7480;
    return hostIsOurs(host, guardFor(request, guard, nullptr));
  };
  EXPECT_TRUE(asked("0.0.0.0", "192.0.2.1:7480"));
  EXPECT_TRUE(asked("::", "[2001:db8::1]:7480"));
  EXPECT_TRUE(asked("192.0.2.1", "203.0.113.9")) << "behind something that translates addresses";
  EXPECT_FALSE(asked("0.0.0.0", "rebound.example.net:7480"));
  EXPECT_FALSE(asked("127.0.0.1", "192.0.2.1:7480"));
}

TEST(OwnNames, ClientsOnThisMachineAreToldAnAddressThatTheyCanReach) {
  Options options;
  options.address = "0.0.0.0";
  EXPECT_EQ(ownOrigin(options).value(), "http://127.0.0.1");
  options.address = "::";
  EXPECT_EQ(ownOrigin(options).value(), "http://[::1]");
  TlsFolder folder;
  folder.renew("DNS:*.example.com,DNS:garland.example.com");
  options.tls = folder.files();
  EXPECT_EQ(ownOrigin(options).value(), "https://garland.example.com");
}

// What listen() says; nothing is ever bound where others could reach it.
struct Beyond : ::testing::Test {
  Result<void> listen(std::string const& address, Options options = {}) {
    options.address = address;
    auto listener = std::make_shared<Listener>(Surroundings{loop.get_executor(), clock, random, log},
                                               std::move(options), nullptr);
    return listener->listen();
  }
  asio::io_context loop;
  VirtualClock clock{TimePoint(Milliseconds(0))};
  SeededRandom random{7};
  Redactor redactor;
  Log log{clock, redactor, LogLevel::error, [](std::string_view) {}};
};

TEST_F(Beyond, LoopbackNothingIsListenedOnWithoutTls) {
  for (auto const* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    auto const refused = listen(address);
    ASSERT_TRUE(refused.has_error()) << address;
    EXPECT_THAT(refused.error().message, StartsWith(address));
    EXPECT_THAT(refused.error().message, HasSubstr("needs TLS: set [tls] certificate and key"));
  }
  EXPECT_TRUE(listen("127.0.0.1"));
}

// 192.0.2.1 is no machine's, so what is refused in the end is the address itself.
TEST_F(Beyond, LoopbackTlsOrAProxyThatIsNamedWillDo) {
  Options proxy;
  proxy.clear_text_to_proxy = true;
  EXPECT_THAT(listen("192.0.2.1", proxy).error().message, StartsWith("cannot listen on 192.0.2.1"));
  TlsFolder folder;
  Options tls;
  tls.tls = folder.files();
  auto const elsewhere = listen("192.0.2.1", tls).error().message;
  EXPECT_THAT(elsewhere, StartsWith("cannot listen on 192.0.2.1"));
  EXPECT_THAT(elsewhere, HasSubstr("correct [daemon] address")) << "it is the address, not the port";
  tls.tls.certificate = folder.at("none.pem");
  EXPECT_THAT(listen("127.0.0.1", tls).error().message, HasSubstr(folder.at("none.pem")));
}

// ---------------------------------------------------------------- what goes in the clear goes over TLS

struct StreamByTls : ServedByTls {
  void SetUp() override {
    start();
    vendor = house->await(house->engine.addVendor("Rosa")).value().id;
  }
  void change(int count) {
    house->onLoop([&] {
      for (int i = 0; i < count; ++i) house->engine.change(vendor, "calendar.event");
    });
  }
  std::string at(std::string const& more = "") const { return kRoot + "/stream?vendor_id=" + vendor + more; }
  std::string vendor;
};

TEST_F(StreamByTls, AWebSocketGetsALongBacklogAndThenWhatComes) {
  constexpr int backlog = 2'000;
  change(backlog);
  asio::io_context loop;
  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.load_verify_file(folder.authority.file());
  beast::websocket::stream<asio::ssl::stream<asio::ip::tcp::socket>> socket(loop, trust);
  socket.next_layer().next_layer().connect({asio::ip::make_address("127.0.0.1"), house->server->port()});
  socket.next_layer().handshake(asio::ssl::stream_base::client);
  socket.set_option(beast::websocket::stream_base::decorator(
      [this](auto& request) { request.set("Authorization", "Bearer " + house->key); }));
  socket.handshake(house->host(), at("&after=0"));
  std::int64_t seen = 0;
  auto const readTo = [&](std::int64_t last) {
    while (seen < last) {
      beast::flat_buffer buffer;
      socket.read(buffer);
      auto const message = parseJson(beast::buffers_to_string(buffer.data())).value();
      if (message.at("type") != "change") continue;
      EXPECT_EQ(message.at("sequence").as_int64(), seen + 1);
      ++seen;
    }
  };
  readTo(backlog);
  change(3);
  readTo(backlog + 3);
}

TEST_F(StreamByTls, AnEventStreamIsFollowedAndToldOfItsEnd) {
  change(2);
  auto one = client();
  one.send(house->request("GET", at("&after=0")));
  auto const head = one.until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("200 OK"));
  EXPECT_THAT(head, HasSubstr("strict-transport-security"));
  EXPECT_EQ(one.until("\n\n"), "id: 0\n\n");
  EXPECT_THAT(one.until("\n\n"), StartsWith("id: 1\n"));
  EXPECT_THAT(one.until("\n\n"), StartsWith("id: 2\n"));
  house->onLoop([&] { house->server->refuse(); });
  EXPECT_THAT(one.until("event: end"), HasSubstr("event: end"));
}

// One record of TLS is more than is read at once, and the socket has nothing left to announce.
TEST_F(StreamByTls, WhatCameInOneRecordIsHeardToItsEnd) {
  constexpr int asked = 300;
  auto one = client();
  one.send(house->request("GET", at(), "",
                          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_THAT(one.until("\r\n\r\n"), HasSubstr("101"));
  std::string const question = R"({"type":"ping"})";
  std::string frame("\x81\x8f\0\0\0\0", 6); // a mask of zeros
  frame += question;
  std::string all;
  for (int i = 0; i < asked; ++i) all += frame;
  one.send(all);
  for (int i = 0; i < asked; ++i) ASSERT_THAT(one.until(R"({"type":"pong"})"), HasSubstr("pong")) << i;
}

TEST_F(ServedByTls, AHookHasAnHttpsAddressAndTakesWhatComes) {
  start();
  SeededRandom random(11);
  auto const connection = house->onLoop([&] { return newId("con", house->clock, random); });
  auto const hook = ask("POST", kRoot + "/connections/" + connection + "/hook", "{}").json();
  auto const url = textOr(hook, "/url", "");
  EXPECT_THAT(url, StartsWith("https://" + house->host() + "/hooks/"));
  auto one = client();
  std::string const body = R"({"email":"ada@x.test"})";
  one.send("POST " + url.substr(url.find("/hooks/")) +
           " HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(one.read().status, 200);
  EXPECT_EQ(house->onLoop([&] { return house->engine.fake_intake.deliveries.size(); }), 1U);
}

TEST_F(ServedByTls, AProviderFindsTheWebhookDoor) {
  start();
  auto const vendor = textOr(ask("POST", kRoot + "/vendors", R"({"name":"Rosa"})").json(), "/id", "");
  ask("PUT", kRoot + "/vendors/" + vendor + "/plugins/caldav");
  auto const connected = ask("POST", kRoot + "/vendor/connect",
                             R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{}})");
  auto const endpoint =
      ask("POST", kRoot + "/connections/" + textOr(connected.json(), "/id", "") + "/webhook",
          R"({"name":"acct_1","secret":"s3cret"})");
  EXPECT_THAT(textOr(endpoint.json(), "/url", ""), StartsWith("https://" + house->host()));
  auto one = client();
  one.send("GET " + kRoot +
           "/webhook/caldav/acct_1?challenge=c-7 HTTP/1.1\r\nHost: hooks.example.com\r\n\r\n");
  auto const answer = one.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(textOr(answer.json(), "/challenge", ""), "c-7");
}

} // namespace
} // namespace garland::api
