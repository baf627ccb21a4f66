// Wiring. The order of making is the order of the floors; stopping goes back: no new requests, runs to
// their next checkpoint, workers, database. A second signal, or a stop that takes too long, ends the
// process as it stands, which the store survives by design.
#include "host/daemon/app.h"

#include "host/access/access.h"
#include "host/api/api.h"
#include "host/audit/audit.h"
#include "host/base/random.h"
#include "host/custody/custody.h"
#include "host/daemon/audit_events.h"
#include "host/daemon/backup_maker.h"
#include "host/daemon/checks.h"
#include "host/daemon/daemon.h"
#include "host/daemon/installed.h"
#include "host/daemon/master_vault.h"
#include "host/daemon/process.h"
#include "host/daemon/restore.h"
#include "host/daemon/rooms.h"
#include "host/daemon/settle_restore.h"
#include "host/egress/egress.h"
#include "host/mail/mail.h"
#include "host/nats/nats.h"
#include "host/notify/notify.h"
#include "host/privacy/privacy.h"
#include "host/runtime/runtime.h"
#include "host/store/store.h"
#include "host/sync/sync.h"
#include "host/vault/vault.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

namespace garland::daemon {

namespace {

constexpr std::chrono::seconds stop_limit{30};

// The parts, destroyed in the opposite order of their making.
class House {
public:
  explicit House(Config const& config)
      : config_(config), log_(clock_, redactor_, config.log_level, stderrSink()),
        signals_(loop_, SIGTERM, SIGINT), reload_signal_(loop_, SIGHUP), stop_limit_(loop_) {}

  int run() {
    signal(SIGPIPE, SIG_IGN);
    reloadOnSignal();
    auto const living = [this] { return live(); };
    asio::co_spawn(loop_, living, [this](std::exception_ptr failed, Result<void> result) {
      if (failed) std::rethrow_exception(failed);
      if (!result) tell(result.error());
      loop_.stop();
    });
    loop_.run();
    // An answer that was cut off still refers to the parts, so they are not taken down under it.
    if (cut_off_) std::_Exit(exit_code_);
    return exit_code_;
  }

private:
  void tell(Error const& error) {
    std::string const place = error.field == "/database/url" ? config_.database_place : "";
    log_.error(place + error.message, json::object{{"kind", name(error.kind)}});
    exit_code_ = exitEnvironment;
  }

  Task<void> live() {
    Result<void> outcome = co_await open();
    if (outcome) {
      CO_TRY_VOID(announce());
      boost::system::error_code ignored;
      co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    armSecondSignal();
    Result<void> const closed = co_await close();
    if (!outcome) co_return outcome;
    co_return closed;
  }

  Task<void> open() {
    auto lock = FolderLock::take(config_.data_dir);
    if (!lock) co_return std::move(lock).error();
    lock_.emplace(std::move(*lock));
    CO_TRY_VOID(requireWholeRestore(config_.data_dir));
    dropUnfinishedBackups(config_.data_dir);
    // Before the first secret: the trial of the sandbox goes on in a copy of this process.
    CO_TRY_VOID(checkTier());
    CO_TRY_VOID(egress::checkCaFile(config_.extra_ca_file));
    auto vault = vault::Vault::open(masterKeysOf(config_), false, random_);
    bool const no_master_key =
        !vault && vault.error().kind == ErrorKind::notFound && mayMakeMasterKey(config_);
    if (!vault && !no_master_key) co_return std::move(vault).error();
    CO_TRY(key, access::openKeyFile(keyPath(config_.data_dir), random_));
    redactor_.add(key.reveal());
    CO_TRY_VOID(scanPlugins());

    store::Options store_options;
    store_options.url = config_.database_url;
    store_options.single_daemon = !isShared(config_);
    store_options.other_daemons = isShared(config_);
    store_options.min_free_bytes = config_.min_free_bytes;
    if (!config_.carrier.servers.empty())
      carrier_ = nats::connect(loop_.get_executor(), log_, config_.carrier);
    store_options.carrier = carrier_;
    store_options.sha256 = vault::sha256;
    CO_TRY(store, co_await store::Store::open(loop_.get_executor(), store_options, allMigrations()));
    store_ = std::move(store);
    if (no_master_key) {
      CO_TRY(made, co_await makeVault(&config_, store_.get(), &random_));
      vault_ = std::move(made);
    } else {
      vault_ = std::move(*vault);
    }
    CO_TRY_VOID(co_await openBook());
    CO_TRY_VOID(co_await settleRestore(store_.get(), book_.get(), &clock_, &log_));
    keys_ = access::Keys::create(keyDependencies());
    if (!config_.oidc.issuer.empty()) sessions_ = access::Sessions::create(sessionDependencies());
    egress_ = egress::Client::create(loop_.get_executor(), clock_, random_, log_);
    supervisor_ =
        runtime::Supervisor::create(loop_.get_executor(), clock_, random_, log_, supervisorOptions());
    CO_TRY(adopted, co_await supervisor_->adopt(catalogue_, false));
    tellAdopted(adopted, true);
    metrics_ = api::Metrics::create(version, store_->driver());
    CO_TRY(engine, co_await sync::Engine::create(engineDependencies()));
    engine_ = std::move(engine);
    CO_TRY_VOID(co_await engine_->start());
    notifier_ = notify::Notifier::create(notifierDependencies());
    CO_TRY_VOID(co_await notifier_->start());
    engine_->onChange(this, [this](std::string const& id) { notifier_->changed(id); });
    custody_ = custody::Custody::create(custodyDependencies());
    CO_TRY_VOID(co_await warnOfMissingKeys());
    CO_TRY_VOID(co_await custody_->start());
    office_ = privacy::Office::create(officeDependencies());
    CO_TRY_VOID(takeMail());
    CO_TRY(server, co_await api::Server::start(serverDependencies(), serverOptions(key)));
    server_ = std::move(server);
    co_return Result<void>();
  }

  custody::Dependencies custodyDependencies() {
    return custody::Dependencies{
        loop_.get_executor(), disk_.get_executor(),         clock_, random_, log_, *store_, *vault_,
        allSecretTables(),    config_.data_dir + "/exports"};
  }

  access::KeyDependencies keyDependencies() {
    auto const told = [book = book_.get()](std::string_view act, access::Key const& key) {
      return book->row(auditOf(act, key));
    };
    return access::KeyDependencies{clock_, random_, log_, *store_, told};
  }

  access::SessionDependencies sessionDependencies() {
    auto const told = [book = book_.get()](std::string_view act, access::Session const& session) {
      return book->row(auditOf(act, session));
    };
    return access::SessionDependencies{clock_, random_, log_, *store_, config_.sessions, told};
  }

  privacy::Dependencies officeDependencies() {
    std::vector<privacy::Folder> folders;
    folders.push_back(privacy::Folder{"crash capsules", config_.data_dir + "/capsules"});
    folders.push_back(privacy::Folder{"exports", config_.data_dir + "/exports", "bak_"});
    return privacy::Dependencies{loop_.get_executor(),
                                 clock_,
                                 random_,
                                 log_,
                                 *store_,
                                 *book_,
                                 *engine_,
                                 allKinds(),
                                 allPersonalData(),
                                 std::move(folders),
                                 config_.data_dir + "/exports"};
  }

  // It starts all the same: what is sealed under other keys works.
  Task<void> warnOfMissingKeys() {
    CO_TRY(status, co_await custody_->status());
    for (auto const& key : status.keys)
      if (!key.held && !key.id.empty())
        log_.error("secrets are sealed under a master key that is not here; add it to [vault] old_keys",
                   json::object{{"key", key.id}, {"secrets", key.secrets}});
    co_return Result<void>();
  }

  Task<void> openBook() {
    audit::Dependencies with{loop_.get_executor(), clock_, random_, log_, *store_, *vault_};
    audit::Options options;
    options.rows = config_.audit_rows;
    options.every = config_.audit_every;
    options.version = version;
    options.remembered = readAuditMark(config_.data_dir);
    options.on_checkpoint = [this](audit::Mark const& mark) {
      auto const kept = writeAuditMark(config_.data_dir, mark);
      if (!kept) log_.warn(kept.error().message);
    };
    CO_TRY(book, co_await audit::Book::open(std::move(with), std::move(options)));
    book_ = std::move(book);
    book_->start();
    co_return Result<void>();
  }

  Task<std::string> backUp(Secret passphrase) {
    if (backing_up_) co_return Error(ErrorKind::conflict, "another backup is being made; wait for its end");
    backing_up_ = true;
    BackupParts const parts{aside_.get_executor(), clock_, random_, *store_, *custody_, config_};
    auto making = makeBackup(&parts, std::move(passphrase));
    auto made = co_await std::move(making);
    backing_up_ = false;
    if (!made) co_return std::move(made).error();
    tell(audit::Kind::system, "backup", *made, {});
    log_.info("a backup was made", json::object{{"backup", *made}});
    if (auto const noted = noteBackup(config_.data_dir, *made); !noted) log_.warn(noted.error().message);
    co_return made;
  }

  Result<void> takeMail() {
    mail_inbox_ = mail::intakeInbox(engine_->intake());
    mail::VisitOptions visits;
    visits.every = config_.mail_visit_every;
    visits.look_every = std::min(visits.look_every, visits.every);
    visitor_ = mail::Visitor::start({loop_.get_executor(), clock_, log_, *mail_inbox_}, engine_->mailboxes(),
                                    visits);
    if (config_.mail_address.empty()) return {};
    auto options = mailOptions(config_);
    options.refused = [book = book_.get()](std::string const& peer) { book->note(refusedMailOf(peer)); };
    TRY(listener,
        mail::Listener::start({loop_.get_executor(), clock_, log_, *mail_inbox_}, std::move(options)));
    mail_ = std::move(listener);
    return {};
  }

  // Every step is taken, whatever became of the one before; the first error is told.
  Task<void> close() {
    tellServiceManager("STOPPING=1");
    if (announced_) log_.info("garlandd is stopping");
    if (announced_) removeReadyFile(config_.data_dir);
    stop_watchdog_.emit(asio::cancellation_type::all);
    Result<void> first;
    if (server_) server_->refuse();
    if (mail_) co_await mail_->stop();
    if (visitor_) co_await visitor_->stop();
    if (custody_) co_await custody_->stop();
    if (engine_) keepFirst(first, co_await engine_->stop());
    if (engine_) engine_->onChange(this, nullptr);
    if (notifier_) keepFirst(first, co_await notifier_->stop());
    if (server_) {
      auto const drained = co_await server_->stop();
      cut_off_ = !drained;
      if (cut_off_) log_.warn(drained.error().message);
    }
    if (supervisor_) keepFirst(first, co_await supervisor_->shutdown());
    if (egress_) egress_->shutdown();
    if (book_) keepFirst(first, co_await book_->stop());
    if (store_) keepFirst(first, co_await store_->close());
    stop_limit_.cancel();
    signals_.cancel();
    reload_signal_.cancel();
    if (announced_) log_.info("garlandd has stopped");
    co_return first;
  }

  static void keepFirst(Result<void>& first, Result<void> next) {
    if (first && !next) first = std::move(next);
  }

  Result<void> checkTier() {
    sandbox_ = runtime::probeSandbox();
    log_.info("sandbox", json::object{{"tier", runtime::name(sandbox_.tier)},
                                      {"covers", runtime::coverage(sandbox_.tier)}});
    for (auto const& note : sandbox_.notes) log_.warn(note);
    if (sandbox_.tier != runtime::SandboxTier::d || config_.allow_degraded_sandbox) return {};
    return Error(
        ErrorKind::unsupported,
        "this machine can sandbox plugins in no way (tier D): see `garland sandbox status`, or set [sandbox] "
        "allow_degraded = true if every plugin here is trusted");
  }

  // Read the disk for long: not on the loop's thread once requests come.
  static Task<Installed> scan(Config const* config, TimePoint now) { co_return findInstalled(*config, now); }
  static Task<std::string> takeIn(Config const* config, std::string file, TimePoint now) {
    co_return installPackage(*config, file, now);
  }

  Task<std::vector<runtime::Adoption>> rescan(bool allow_downgrade) {
    auto scanning = scan(&config_, clock_.now());
    CO_TRY(newer, co_await asio::co_spawn(disk_, std::move(scanning), asio::use_awaitable));
    shelf_ = newer.shelf;
    auto adopted = co_await supervisor_->adopt(newer.catalogue, allow_downgrade);
    if (adopted) catalogue_.renew(std::move(newer.catalogue));
    if (adopted) tellAdopted(*adopted, false);
    co_return adopted;
  }

  // What becomes of a plugin is told whoever asked for it, a signal and a start too.
  void tellAdopted(std::vector<runtime::Adoption> const& adopted, bool at_start) {
    for (auto const& one : adopted)
      if (auto told = auditOf(one, at_start)) book_->note(std::move(*told));
  }

  void tell(audit::Kind kind, std::string act, std::string subject, json::object facts) {
    audit::Event event;
    event.kind = kind;
    event.act = std::move(act);
    event.subject = std::move(subject);
    event.facts = std::move(facts);
    book_->note(std::move(event));
  }

  Task<std::vector<runtime::Adoption>> install(std::string file) {
    auto taking = takeIn(&config_, std::move(file), clock_.now());
    CO_TRY(id, co_await asio::co_spawn(disk_, std::move(taking), asio::use_awaitable));
    auto adopted = co_await rescan(false);
    co_return ofInstallation(std::move(adopted), id);
  }

  void renewCertificate() {
    if (config_.tls.certificate.empty()) return;
    auto const renewed = server_->renewCertificate();
    tell(renewed ? audit::Kind::change : audit::Kind::refusal, "certificate.renew", "", {});
    if (!renewed)
      log_.error("the certificate in use stays: " + renewed.error().message);
    else
      log_.info("connections from now on get the certificate in " + config_.tls.certificate);
  }

  void reloadOnSignal() {
    reload_signal_.async_wait([this](boost::system::error_code const& failed, int) {
      if (failed) return;
      if (announced_) {
        tell(audit::Kind::change, "asked:reload", "", json::object{{"by", "signal"}});
        renewCertificate();
        asio::co_spawn(loop_, rescan(false), [this](std::exception_ptr, auto const& adopted) {
          if (!adopted) log_.warn("plugins were not looked for again: " + adopted.error().message);
        });
      }
      reloadOnSignal();
    });
  }

  Result<void> scanPlugins() {
    std::error_code ignored;
    std::filesystem::create_directories(packagesDir(config_), ignored);
    TRY(installed, findInstalled(config_, clock_.now()));
    catalogue_ = std::move(installed.catalogue);
    shelf_ = std::move(installed.shelf);
    shelf_->prune(catalogue_);
    tellInstalled(log_, catalogue_);
    return {};
  }

  runtime::SupervisorOptions supervisorOptions() const {
    runtime::SupervisorOptions options;
    options.worker_path = workerPath(config_);
    options.allow_degraded_sandbox = config_.allow_degraded_sandbox;
    options.expected_tier = sandbox_.tier;
    options.isolation = config_.isolation;
    options.isolation_of = config_.isolation_of;
    options.idle = config_.idle;
    options.idle_vendor = config_.idle_vendor;
    options.address_space = config_.memory;
    options.builds_dir = config_.data_dir + "/plugins";
    options.development = config_.development;
    options.admits = [this](runtime::Provenance const& provenance) {
      return shelf_->admits(provenance, clock_.now());
    };
    options.capsules_dir = config_.data_dir + "/capsules";
    options.redactor = &redactor_;
    options.on_event = [this](runtime::SupervisorEvent const& event) {
      if (metrics_) metrics_->pluginEvent(event);
      if (auto told = auditOf(event)) book_->note(std::move(*told));
    };
    return options;
  }

  sync::Dependencies engineDependencies() {
    auto const count = [metrics = metrics_.get()](sync::Run const& run) { metrics->runEnded(run); };
    return sync::Dependencies{loop_.get_executor(),
                              clock_,
                              random_,
                              log_,
                              redactor_,
                              *store_,
                              *vault_,
                              *book_,
                              *egress_,
                              *supervisor_,
                              catalogue_,
                              allKinds(),
                              config_.extra_ca_file,
                              count,
                              config_.limits,
                              config_.actions_kept,
                              nodeName(),
                              config_.runs,
                              config_.requests,
                              config_.kept_for};
  }

  // The data folder is locked while this process lives, so the name is that of one process at a time.
  std::optional<sync::NodeName> nodeName() const {
    if (!isShared(config_)) return std::nullopt;
    boost::system::error_code unknown;
    auto const host = asio::ip::host_name(unknown);
    return sync::NodeName{(unknown ? std::string("localhost") : host) + ":" + config_.data_dir,
                          std::string(version)};
  }

  notify::Dependencies notifierDependencies() {
    std::vector<std::string> kinds;
    for (auto& kind : allKinds()) kinds.push_back(std::move(kind.name));
    auto const count = [metrics = metrics_.get()](std::string_view outcome) {
      metrics->endpointTold(outcome);
    };
    return notify::Dependencies{loop_.get_executor(),
                                clock_,
                                random_,
                                log_,
                                *store_,
                                *vault_,
                                *book_,
                                *egress_,
                                *engine_,
                                std::move(kinds),
                                config_.extra_ca_file,
                                config_.endpoints,
                                count,
                                isShared(config_)};
  }

  api::Dependencies serverDependencies() {
    std::vector<std::pair<std::string, json::value>> schemas;
    for (auto& kind : allKinds()) schemas.emplace_back(kind.name, std::move(kind.schema));
    return api::Dependencies{loop_.get_executor(),
                             clock_,
                             random_,
                             log_,
                             *engine_,
                             *supervisor_,
                             catalogue_,
                             *metrics_,
                             sandbox_,
                             std::string(version),
                             std::string(store_->driver()),
                             std::move(schemas),
                             [this](bool allow_downgrade) { return rescan(allow_downgrade); },
                             [this](std::string file) { return install(std::move(file)); },
                             config_.hooks_url,
                             mail_ ? config_.mail_domain : std::string(),
                             notifier_.get(),
                             egress_.get(),
                             config_.extra_ca_file,
                             carrier_.get(),
                             custody_.get(),
                             book_.get(),
                             keys_.get(),
                             office_.get(),
                             [this](Secret passphrase) { return backUp(std::move(passphrase)); },
                             sessions_.get(),
                             config_.oidc};
  }

  api::Options serverOptions(Secret const& key) const {
    api::Options options;
    options.address = config_.address;
    options.port = config_.port;
    options.max_connections = config_.clients;
    options.tls = config_.tls;
    options.clear_text_to_proxy = config_.clear_text_to_proxy;
    options.api_key_hash = access::hashOf(key.reveal());
    options.streams = config_.streams;
    return options;
  }

  Result<void> announce() {
    ReadyFile ready;
    ready.pid = static_cast<int>(getpid());
    ready.address = server_->address();
    ready.port = server_->port();
    ready.url = server_->url();
    if (mail_) {
      ready.mail_port = mail_->port();
      ready.mail_address = config_.mail_address;
      ready.mail_domain = config_.mail_domain;
    }
    TRY_VOID(writeReadyFile(config_.data_dir, ready));
    announced_ = true;
    auto const where = placeOf(ready.address, ready.port);
    json::object about{{"address", where}, {"version", version}, {"database", store_->driver()}};
    about["tls"] = !config_.tls.certificate.empty();
    std::string status = "listening on " + where;
    if (mail_) {
      auto const mail = placeOf(ready.mail_address, ready.mail_port);
      about["mail"] = mail;
      status += ", mail on " + mail;
    }
    log_.info("garlandd is ready", std::move(about));
    tellServiceManager("READY=1\nSTATUS=" + status);
    if (auto const interval = watchdogInterval()) {
      auto const beating = [this, every = *interval] { return beat(every); };
      asio::co_spawn(loop_, beating,
                     asio::bind_cancellation_slot(stop_watchdog_.slot(), [](std::exception_ptr) {}));
    }
    return {};
  }

  // The loop that answers requests is the one that says it is alive.
  asio::awaitable<void> beat(Milliseconds every) {
    for (;;) {
      auto const slept = co_await clock_.sleepFor(every);
      if (!slept) co_return;
      tellServiceManager("WATCHDOG=1");
    }
  }

  void armSecondSignal() {
    signals_.async_wait([this](boost::system::error_code const& code, int) {
      if (code) return;
      log_.warn(
          "second signal: ending at once; unfinished runs go on from their checkpoint at the next start");
      std::_Exit(exitFindings);
    });
    stop_limit_.expires_after(stop_limit);
    stop_limit_.async_wait([this](boost::system::error_code const& code) {
      if (code) return;
      log_.error("stopping took too long: ending at once; unfinished runs go on from their checkpoint");
      std::_Exit(exitFindings);
    });
  }

  Config const& config_;
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  asio::signal_set reload_signal_;
  asio::steady_timer stop_limit_;
  asio::thread_pool disk_{1};
  asio::thread_pool aside_{1}; // of backups, which take long
  asio::cancellation_signal stop_watchdog_;
  std::optional<FolderLock> lock_;
  runtime::SandboxStatus sandbox_;
  runtime::Catalogue catalogue_;
  std::shared_ptr<marketplace::Shelf const> shelf_; // never null once plugins were looked for
  std::unique_ptr<vault::Vault> vault_;
  std::shared_ptr<Carrier> carrier_; // null: the database
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Book> book_;
  std::unique_ptr<access::Keys> keys_;
  std::unique_ptr<access::Sessions> sessions_; // null: nobody signs in
  std::unique_ptr<egress::Client> egress_;
  std::unique_ptr<runtime::Supervisor> supervisor_;
  std::unique_ptr<api::Metrics> metrics_;
  std::unique_ptr<sync::Engine> engine_;
  std::unique_ptr<notify::Notifier> notifier_;
  std::unique_ptr<mail::Inbox> mail_inbox_;
  std::shared_ptr<mail::Listener> mail_;
  std::shared_ptr<mail::Visitor> visitor_;
  std::shared_ptr<custody::Custody> custody_;
  std::unique_ptr<privacy::Office> office_;
  std::unique_ptr<api::Server> server_;
  bool backing_up_ = false;
  bool announced_ = false;
  bool cut_off_ = false;
  int exit_code_ = exitOk;
};

} // namespace

int serve(Config const& config) {
  House house(config);
  return house.run();
}

} // namespace garland::daemon
