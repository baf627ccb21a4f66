// A real server on a free loopback port over the fake engine, on a virtual clock, in its own thread.
#pragma once

#include "host/access/access.h"
#include "host/api/api.h"
#include "host/api/testing/client.h"
#include "host/api/testing/fake_book.h"
#include "host/api/testing/fake_custody.h"
#include "host/api/testing/fake_egress.h"
#include "host/api/testing/fake_engine.h"
#include "host/api/testing/fake_notifier.h"
#include "host/api/testing/fake_office.h"
#include "host/api/testing/kept_keys.h"
#include "host/api/testing/kept_sessions.h"
#include "host/api/testing/some_plugin.h"
#include "host/calendar/calendar.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <mutex>
#include <thread>

namespace garland::api::testing {

// Where people sign in; nothing answers there unless the test says so.
inline OidcSettings someProvider() {
  OidcSettings oidc;
  oidc.issuer = "https://id.example.com";
  oidc.client_id = "garland";
  oidc.public_url = "https://garland.example.com";
  oidc.roles["admins"] = OidcRole{access::Role::operator_, ""};
  oidc.roles["auditors"] = OidcRole{access::Role::auditor, ""};
  oidc.roles["reviewers"] = OidcRole{access::Role::reviewer, ""};
  return oidc;
}

class Harness {
public:
  // `webhooks`: as the connectors' manifests declare them. `public_url`: where providers send people back to.
  explicit Harness(Options options = {}, std::string_view webhooks = kWebhooks,
                   Carrier const* carrier = nullptr, std::string public_url = {})
      : catalogue_(plugins(webhooks)), log_(clock, redactor_, LogLevel::debug, [this](std::string_view line) {
          std::lock_guard const lock(log_mutex_);
          log_text_ += line;
        }) {
    auto const key_secret = access::newApiKey(random_);
    key = std::string(key_secret.reveal());
    options.api_key_hash = access::hashOf(key);
    thread_ = std::thread([this] { loop_.run(); });
    Dependencies with{loop_.get_executor(), clock,     random_, log_,    engine,   supervisor,
                      catalogue_,           *metrics_, {},      "0.1.0", "sqlite", {}};
    with.mail_domain = "leads.example.com";
    with.public_url = std::move(public_url);
    with.notifier = &notifier;
    with.egress = &egress;
    with.carrier = carrier;
    with.custody = &custody;
    with.audit = &book;
    with.keys = &keys;
    with.sessions = &sessions;
    with.oidc = someProvider();
    with.privacy = &office;
    with.backup = [](Secret) -> Task<std::string> { co_return std::string("bak_1"); };
    with.sandbox.tier = runtime::SandboxTier::a;
    with.rescan = [this](bool allow_downgrade) { return supervisor.adopt(catalogue_, allow_downgrade); };
    with.install = [this](std::string) { return supervisor.adopt(catalogue_, false); };
    auto kind = calendar::eventKind();
    with.record_schemas.emplace_back(kind.name, std::move(kind.schema));
    server = await(Server::start(std::move(with), std::move(options))).value();
  }

  ~Harness() {
    onLoop([this] { engine.endRuns(); });
    if (server) (void)await(server->stop());
    server.reset();
    (void)await(keys.close());
    (void)await(sessions.close());
    work_.reset();
    loop_.stop();
    thread_.join();
  }

  template <class Function> std::invoke_result_t<Function&> onLoop(Function function) {
    std::packaged_task<std::invoke_result_t<Function&>()> task(std::move(function));
    auto future = task.get_future();
    asio::post(loop_, [&task] { task(); });
    return future.get();
  }

  template <class T> Result<T> await(Task<T> task) {
    std::promise<Result<T>> promise;
    asio::co_spawn(loop_, std::move(task), [&promise](std::exception_ptr failed, Result<T> result) {
      if (failed)
        promise.set_exception(failed);
      else
        promise.set_value(std::move(result));
    });
    return promise.get_future().get();
  }

  void advance(Milliseconds span) {
    onLoop([this, span] { clock.advance(span); });
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(server->port()); }
  Client client() const { return Client(server->port()); }

  // A well-formed request with the API key.
  std::string request(std::string_view method, std::string_view target, std::string_view body = "",
                      std::string_view more_headers = "") const {
    std::string text(method);
    text += " " + std::string(target) + " HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + key +
            "\r\n";
    text += more_headers;
    if (!body.empty() && more_headers.find("Content-Type:") == std::string_view::npos)
      text += "Content-Type: application/json\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string(body);
  }
  Answer ask(std::string_view method, std::string_view target, std::string_view body = "",
             std::string_view more_headers = "") const {
    Client one(server->port());
    one.send(request(method, target, body, more_headers));
    return one.read(method == "HEAD");
  }
  // A key of this role, made by the operator.
  access::Issued newKey(access::Role role, std::string vendor_id = {}) {
    access::NewKey wish;
    wish.name = "a test";
    wish.role = role;
    wish.vendor_id = std::move(vendor_id);
    wish.life = std::chrono::hours(24 * 365);
    return await(keys.add(std::move(wish))).value();
  }
  // As the last of the catalogue. [loop thread]
  void install(runtime::PluginInfo plugin) {
    auto all = catalogue_.plugins();
    all.push_back(std::move(plugin));
    catalogue_.renew(runtime::Catalogue(std::move(all)));
  }
  std::string logText() {
    std::lock_guard const lock(log_mutex_);
    return log_text_;
  }

private:
  static std::vector<runtime::PluginInfo> plugins(std::string_view webhooks) {
    return {somePlugin("garland.caldav", "", webhooks),
            somePlugin("garland.broken", "connector.so is truncated: install it again", webhooks)};
  }

  runtime::Catalogue catalogue_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  SeededRandom random_{7};
  Redactor redactor_;
  std::mutex log_mutex_;
  std::string log_text_;

public:
  VirtualClock clock{TimePoint(Milliseconds(1'780'000'000'000))};

private:
  Log log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::create("0.1.0", "sqlite");
  std::thread thread_;

public:
  FakeEngine engine{loop_.get_executor(), clock, random_};
  FakeNotifier notifier{clock, random_};
  FakeCustody custody{clock};
  FakeBook book;
  KeptKeys keys{loop_.get_executor(), clock, random_, log_};
  KeptSessions sessions{loop_.get_executor(), clock, random_, log_};
  FakeOffice office;
  FakeSupervisor supervisor;
  FakeEgress egress{loop_.get_executor()};
  std::string key;
  std::unique_ptr<Server> server;
};

} // namespace garland::api::testing
