// Twins of providers: serving one over HTTP until a signal comes, and printing what really happened at it.
// No daemon is involved; the worker's sandbox is the same as the daemon's.
#include "host/cli/commands.h"

#include "host/api/api.h"
#include "host/runtime/runtime.h"
#include "host/webhooks/webhooks.h"

#include <garland/schemas.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>

#include <unistd.h>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

fs::path programFolder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

// ../twins: a build tree; ../lib/garland/twins: an installed prefix.
std::vector<std::string> twinDirs(TwinWords const& words) {
  if (!words.dirs.empty()) return words.dirs;
  std::vector<std::string> dirs;
  auto const above = programFolder().parent_path();
  for (auto const& dir : {above / "twins", above / "lib/garland/twins"}) {
    std::error_code ignored;
    if (fs::is_directory(dir, ignored)) dirs.push_back(dir.string());
  }
  return dirs;
}

constexpr std::string_view kTwin = "-twin"; // what a twin's id has behind its connector's

// Of the connector that it is the twin of: what people type.
std::string_view shortName(std::string_view twin_id) {
  if (twin_id.ends_with(kTwin)) twin_id.remove_suffix(kTwin.size());
  return twin_id.substr(twin_id.rfind('.') + 1);
}

// "stripe", "stripe-twin", "garland.payments.stripe" or the id itself.
Result<runtime::PluginInfo> findTwin(TwinWords const& words) {
  TRY(text, parseJson(schemas::schemaText("manifest.json")));
  TRY(schema, Schema::compile(text));
  auto const catalogue = runtime::Catalogue::scanTwins(twinDirs(words), schema);
  auto const* found = catalogue.find(words.id + std::string(kTwin));
  if (found == nullptr) found = catalogue.find(words.id);
  if (found != nullptr && found->refusal.empty()) return *found;
  if (found != nullptr) return Error(ErrorKind::invalidInput, found->refusal);
  std::string known;
  for (auto const& one : catalogue.plugins())
    known += (known.empty() ? "" : ", ") + std::string(shortName(one.manifest.id));
  return Error(ErrorKind::notFound, "there is no twin \"" + words.id + "\"; installed are: " +
                                        (known.empty() ? "none (name their folder with --dir)" : known));
}

// As the provider would sign it.
Result<std::vector<egress::Header>> signatureOf(api::TwinNotice const& notice) {
  TRY(scheme, webhooks::Scheme::named(notice.scheme));
  webhooks::Request request;
  request.url = notice.url;
  request.body = notice.body;
  TRY(signed_by, webhooks::sign(scheme, request, notice.id, Secret(notice.secret), notice.at));
  std::vector<egress::Header> headers;
  for (auto& [name, value] : signed_by) headers.push_back({std::move(name), std::move(value)});
  return headers;
}

// One twin being served. Everything stands on one loop.
class Service {
public:
  Service(Output& output, TwinWords const& words, runtime::PluginInfo twin)
      : output_(output), words_(words), twin_(std::move(twin)),
        log_(clock_, redactor_, LogLevel::info, stderrSink()), signals_(loop_, SIGINT, SIGTERM) {}

  Result<void> run(runtime::SandboxTier tier) {
    if (!words_.now.empty()) {
      TRY(start, parseRfc3339(words_.now));
      provider_.emplace(start);
    }
    egress_ = egress::Client::create(loop_.get_executor(), clock_, random_, log_);
    supervisor_ = runtime::Supervisor::create(loop_.get_executor(), clock_, random_, log_, options(tier));
    Result<void> outcome;
    asio::co_spawn(loop_, live(), [&outcome](std::exception_ptr failed, Result<void> ended) {
      if (failed) std::rethrow_exception(failed);
      outcome = std::move(ended);
    });
    loop_.run();
    return outcome;
  }

private:
  runtime::SupervisorOptions options(runtime::SandboxTier tier) {
    constexpr Milliseconds for_ever{10LL * 365 * 86'400'000}; // its state is in its worker
    runtime::SupervisorOptions out;
    out.worker_path = words_.worker.empty() ? (programFolder() / "garland-worker").string() : words_.worker;
    out.allow_degraded_sandbox = words_.allow_degraded;
    out.expected_tier = tier;
    out.idle = for_ever;
    out.slice = runtime::kTwinSlice;
    out.on_event = [this](runtime::SupervisorEvent const& event) {
      if (server_) server_->workerEvent(event);
    };
    return out;
  }

  Task<void> live() {
    auto serving = serve();
    Result<void> const outcome = co_await std::move(serving);
    signals_.cancel();
    if (server_) {
      auto const stopped = co_await server_->stop();
      if (!stopped) log_.warn(stopped.error().message);
    }
    auto const ended = co_await supervisor_->shutdown();
    if (!ended) log_.warn(ended.error().message);
    egress_->shutdown();
    loop_.stop(); // sockets that linger and notices that wait are of no use any more
    co_return outcome;
  }

  Task<void> serve() {
    api::TwinDependencies with{loop_.get_executor(),
                               clock_,
                               provider_ ? &*provider_ : nullptr,
                               random_,
                               log_,
                               *supervisor_,
                               *egress_,
                               twin_};
    api::TwinOptions options;
    options.address = words_.host;
    options.port = static_cast<unsigned short>(words_.port);
    options.seed = words_.seed;
    options.volume = words_.volume;
    options.sign = signatureOf;
    auto starting = api::TwinServer::start(with, std::move(options));
    CO_TRY(server, co_await std::move(starting));
    server_ = std::move(server);
    announce();
    signals_.async_wait([this](boost::system::error_code const& failed, int) {
      if (failed) return;
      auto stopping = server_->stop();
      asio::co_spawn(loop_, std::move(stopping), [](std::exception_ptr, Result<void> const&) {});
    });
    co_return co_await server_->ended();
  }

  void announce() {
    auto const ledger = server_->url() + "/_twin/ledger";
    if (output_.json()) {
      json::object line;
      line["twin"] = twin_.manifest.id;
      line["url"] = server_->url();
      line["ledger"] = ledger;
      line["seed"] = words_.seed;
      line["volume"] = words_.volume;
      line["pid"] = ::getpid();
      output_.line(json::serialize(line));
    } else {
      output_.line("the twin of " + std::string(shortName(twin_.manifest.id)) + " listens at " +
                   server_->url() + " and keeps its ledger at " + ledger);
    }
    std::cout.flush();
  }

  Output& output_;
  TwinWords const& words_;
  runtime::PluginInfo twin_;
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_;
  std::optional<VirtualClock> provider_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  std::unique_ptr<egress::Client> egress_;
  std::unique_ptr<runtime::Supervisor> supervisor_;
  std::unique_ptr<api::TwinServer> server_;
};

// One GET of a twin's reserved path.
Result<json::value> fetch(std::string const& url) {
  asio::io_context loop;
  SystemClock clock;
  SystemRandom random;
  Redactor redactor;
  Log const log(clock, redactor, LogLevel::error, stderrSink());
  auto const egress = egress::Client::create(loop.get_executor(), clock, random, log);
  egress::Request request;
  request.url = url;
  egress::Policy policy;
  auto const host = url.substr(url.find("://") + 3);
  policy.allowed_hosts = {host.substr(0, host.find('/'))};
  policy.allow_private_network = true;
  policy.max_redirects = 0;
  std::optional<Result<egress::Response>> answer;
  asio::co_spawn(loop, egress->fetch(std::move(request), std::move(policy), egress::Credential()),
                 [&](std::exception_ptr, Result<egress::Response> result) { answer = std::move(result); });
  while (!answer && loop.run_one() > 0) {
  }
  egress->shutdown();
  loop.run();
  if (!answer) return Error(ErrorKind::transient, "the request was cut off");
  TRY(response, std::move(*answer));
  auto body = parseJson(response.body);
  if (response.status == 200 && body && find(*body, "/entries") != nullptr) return body;
  return Error(ErrorKind::transient, "what answers there is not a twin");
}

} // namespace

Exit serveTwin(Output& output, TwinWords const& words) {
  auto const usable = [&]() -> Result<void> {
    if (!words.now.empty() && !parseRfc3339(words.now))
      return Error(ErrorKind::invalidInput, "--now must be a date-time such as 2026-06-13T12:00:00Z");
    return {};
  }();
  if (!usable) return output.error(usable.error());
  auto twin = findTwin(words);
  if (!twin) return output.error(twin.error());
  auto const sandbox = runtime::probeSandbox();
  if (sandbox.tier == runtime::SandboxTier::d && !words.allow_degraded) {
    output.error(Error(ErrorKind::unsupported, "this machine can sandbox plugins in no way (tier D): see "
                                               "`garland sandbox status`, or give --allow-degraded-sandbox"));
    return Exit::environment;
  }
  Service service(output, words, std::move(*twin));
  auto const outcome = service.run(sandbox.tier);
  if (outcome) return Exit::ok;
  auto const exit = output.error(outcome.error());
  return outcome.error().kind == ErrorKind::transient ? Exit::environment : exit;
}

Exit twinLedger(Output& output, std::string address, std::int64_t after) {
  while (address.ends_with('/')) address.pop_back();
  if (address.ends_with("/_twin/ledger"))
    address.resize(address.size() - std::string("/_twin/ledger").size());
  if (address.find("://") == std::string::npos) address = "http://" + address;
  json::array entries;
  for (;;) {
    auto const page = fetch(address + "/_twin/ledger?after=" + std::to_string(after));
    if (!page) {
      output.error(Error(ErrorKind::transient, "no ledger at " + address + ": " + page.error().message));
      return Exit::environment;
    }
    auto const* const items = find(*page, "/entries")->if_array();
    if (items == nullptr || items->empty()) break;
    for (auto const& entry : *items) entries.push_back(entry);
    after = integerOr(items->back(), "/seq", after + 1);
    if (after >= integerOr(*page, "/last", 0)) break;
  }
  output.table(entries, {{"SEQ", "/seq"}, {"AT", "/at"}, {"WHAT", "/what"}, {"ID", "/id"}, {"DATA", "/data"}},
               "nothing has happened at this provider");
  return Exit::ok;
}

} // namespace garland::cli
