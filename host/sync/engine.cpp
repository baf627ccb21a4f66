// The engine as callers see it: each method goes to the part that knows.
#include "host/sync/action_runner.h"
#include "host/sync/commits.h"
#include "host/sync/connections.h"
#include "host/sync/device_sign_ins.h"
#include "host/sync/erasure.h"
#include "host/sync/feed.h"
#include "host/sync/intake_runner.h"
#include "host/sync/leases.h"
#include "host/sync/mailbox_accounts.h"
#include "host/sync/pauses.h"
#include "host/sync/records.h"
#include "host/sync/retention.h"
#include "host/sync/runs.h"
#include "host/sync/schedule.h"
#include "host/sync/set_back.h"
#include "host/sync/sign_in_pages.h"
#include "host/sync/sign_ins.h"
#include "host/sync/vendors.h"
#include "host/sync/webhook_runner.h"
#include "host/sync/weddings.h"

namespace garland::sync {
namespace {

class EngineOfParts final : public Engine {
public:
  explicit EngineOfParts(std::unique_ptr<Context> context)
      : context_(std::move(context)), audit_(*context_), vendors_(*context_),
        connections_(*context_, vendors_, audit_), records_(*context_, vendors_), feed_(*context_, vendors_),
        runs_(*context_, connections_, audit_), schedule_(*context_, runs_, [this] { return tick(); }),
        actions_(*context_, connections_, audit_), intake_(*context_, connections_, audit_),
        mailboxes_(*context_, connections_, audit_), webhooks_(*context_, connections_, audit_, runs_),
        weddings_(*context_), set_back_(*context_), retention_(*context_),
        pauses_(*context_, connections_, callers_), sign_in_pages_(*context_, vendors_, connections_),
        device_sign_ins_(*context_, vendors_, connections_,
                         [this](Connection const& connection) { goesOn(connection); }),
        hearing_(context_->doors.executor) {
    lookAfterRuns();
    if (context_->doors.node)
      context_->leases = std::make_shared<Leases>(*context_, *context_->doors.node, owning());
  }

  Task<Vendor> addVendor(std::string name) override { return vendors_.add(std::move(name)); }
  Task<std::vector<Vendor>> vendors() override { return vendors_.all(); }

  Task<void> enablePlugin(std::string vendor_id, std::string plugin_id) override {
    CO_TRY_VOID(co_await vendors_.setPlugin(vendor_id, std::move(plugin_id), true));
    CO_TRY_VOID(co_await tell(News(NewsKind::webhooks, std::move(vendor_id))));
    co_return co_await webhooks_.wake();
  }
  Task<void> disablePlugin(std::string vendor_id, std::string plugin_id) override {
    return vendors_.setPlugin(std::move(vendor_id), std::move(plugin_id), false);
  }
  Task<std::vector<std::string>> enabledPlugins(std::string vendor_id) override {
    return vendors_.enabledPlugins(std::move(vendor_id));
  }

  Task<Connected> connect(ConnectRequest request) override {
    CO_TRY(connected, co_await connections_.connect(std::move(request)));
    goesOn(connected.connection);
    co_return connected;
  }
  Task<oauth::Authorizations::Begun> beginSignIn(ConnectRequest request, std::string redirect_uri,
                                                 std::string session) override {
    return sign_in_pages_.begin(std::move(request), std::move(redirect_uri), std::move(session));
  }
  Task<oauth::Authorizations::Visit> visitSignIn(std::string ticket, std::string browser,
                                                 std::string session) override {
    return context_->authorizations->visit(std::move(ticket), std::move(browser), std::move(session));
  }
  Task<Connected> endSignIn(SignInReturn back) override {
    CO_TRY(connected, co_await sign_in_pages_.end(std::move(back)));
    goesOn(connected.connection);
    co_return connected;
  }
  Task<oauth::DeviceSignIn> beginDeviceSignIn(ConnectRequest request) override {
    return device_sign_ins_.begin(std::move(request));
  }
  Task<oauth::Authorization> signIn(std::string id) override {
    return context_->authorizations->one(std::move(id));
  }
  Task<std::vector<Connection>> connections(std::string vendor_id) override {
    return connections_.all(std::move(vendor_id));
  }
  Task<Connection> connection(std::string id) override { return connections_.withStorage(std::move(id)); }
  Task<Connection> changeSettings(std::string id, json::object changes, Credentials credentials) override {
    CO_TRY(here, co_await claim(id));
    // A run reads by the settings that it began with, and keeps how far it came. What waits for its turn goes
    // on afterwards, by the new ones.
    CO_TRY(connection, co_await connections_.one(id));
    Owner const owner{connection.vendor_id, id};
    Barrier barrier(callers_, owner);
    CO_TRY_VOID(co_await barrier.stopRun());
    std::string what("the change of its settings");
    CO_TRY(turn, co_await context_->lanes->enter(id, Priority::interactive, std::move(what)));
    if (context_->stopping)
      co_return Error(ErrorKind::transient, "the daemon is stopping; try again when it is back");
    co_return co_await connections_.changeSettings(id, std::move(changes), std::move(credentials));
  }
  Task<void> disconnect(std::string id, bool discard) override {
    if (!discard) {
      CO_TRY_VOID(co_await connections_.refuseLoss(id));
      CO_TRY_VOID(co_await actions_.refuseLoss(id));
      CO_TRY_VOID(co_await intake_.refuseLoss(id));
    }
    CO_TRY(here, co_await claim(id));
    Runs::Closing const closing(runs_, id);
    ActionRunner::Closing const no_actions(actions_, id);
    IntakeRunner::Closing const no_items(intake_, id);
    CO_TRY(connection, co_await connections_.one(id));
    Owner const owner{connection.vendor_id, id};
    WebhookRunner::Closing const no_webhooks(webhooks_, owner);
    actions_.letPass(id);
    CO_TRY_VOID(co_await runs_.stopOf(id));
    CO_TRY_VOID(co_await actions_.quiet(id));
    CO_TRY_VOID(co_await intake_.quiet(id));
    CO_TRY_VOID(co_await webhooks_.quiet(owner));
    if (!discard) {
      CO_TRY_VOID(co_await actions_.refuseLoss(id));
      CO_TRY_VOID(co_await intake_.refuseLoss(id));
    }
    auto ends = actions_.ends(owner);
    CO_TRY_VOID(co_await connections_.forget(id, discard, std::move(ends)));
    intake_.forget(id);
    webhooks_.forget(owner);
    pauses_.forget(id);
    if (context_->leases) context_->leases->gone(id);
    co_return Result<void>();
  }
  Task<Trial> test(std::string id) override {
    CO_TRY(here, co_await claim(id));
    std::string what("its test");
    CO_TRY(turn, co_await context_->lanes->enter(id, Priority::interactive, std::move(what)));
    co_return co_await connections_.test(std::move(id));
  }
  Task<Connection> rotate(std::string id) override { return connections_.rotate(std::move(id)); }
  Task<Connection> revoke(std::string id, std::string by) override {
    CO_TRY(connection, co_await connections_.one(id));
    CO_TRY(here, co_await claim(id));
    Owner const owner{connection.vendor_id, id};
    Barrier barrier(callers_, owner);
    CO_TRY_VOID(co_await barrier.quiet());
    std::string what("taking its sign-in back");
    CO_TRY(turn, co_await context_->lanes->enter(id, Priority::interactive, std::move(what)));
    co_return co_await connections_.revoke(std::move(id), std::move(by));
  }
  Task<Connection> pause(std::string id, std::string by) override {
    return pauses_.pause(std::move(id), std::move(by));
  }
  Task<Connection> resume(std::string id) override { return pauses_.resume(std::move(id)); }
  Task<Run> resync(std::string id) override {
    CO_TRY_VOID(co_await forgetCursors(id));
    co_return co_await runs_.start(std::move(id), Priority::interactive);
  }
  Task<void> confirmDeletes(std::string connection_id) override {
    return connections_.confirmDeletes(std::move(connection_id));
  }

  Task<Run> startSync(std::string connection_id) override {
    return runs_.start(std::move(connection_id), Priority::interactive);
  }
  Task<Run> syncHinted(std::string connection_id, std::vector<Hint> hints) override {
    return runs_.hint(std::move(connection_id), std::move(hints));
  }
  Task<Run> run(std::string run_id) override { return runs_.one(std::move(run_id)); }
  Task<std::optional<Run>> lastRun(std::string connection_id) override {
    return runs_.last(std::move(connection_id));
  }
  Task<Run> waitForRun(std::string run_id) override { return runs_.wait(std::move(run_id)); }

  Task<std::vector<Record>> records(RecordQuery query) override { return records_.list(std::move(query)); }
  Task<Record> record(std::string vendor_id, std::string id) override {
    return records_.one(std::move(vendor_id), std::move(id));
  }
  Task<Record> putRecord(std::string vendor_id, std::string id, json::value data,
                         std::int64_t if_version) override {
    return records_.put(std::move(vendor_id), std::move(id), std::move(data), if_version);
  }
  Task<Record> addRecord(std::string vendor_id, std::string kind, json::value data,
                         std::string connection_id) override {
    std::optional<Session> at;
    if (!connection_id.empty()) {
      CO_TRY(session, co_await connections_.open(connection_id));
      at = std::move(session);
    }
    co_return co_await records_.add(std::move(vendor_id), std::move(kind), std::move(data), std::move(at));
  }
  Task<void> deleteRecord(std::string vendor_id, std::string id, std::int64_t if_version) override {
    return records_.remove(std::move(vendor_id), std::move(id), if_version);
  }
  Task<ErasedRecord> eraseRecord(std::string vendor_id, std::string id) override {
    Erasure erasure(*context_);
    co_return co_await erasure.erase(std::move(vendor_id), std::move(id));
  }
  Task<bool> rewriteRecord(std::string vendor_id, std::string id, Rewriter rewriter) override {
    Erasure erasure(*context_);
    co_return co_await erasure.rewrite(std::move(vendor_id), std::move(id), std::move(rewriter));
  }
  Task<Record> retryRecord(std::string vendor_id, std::string id) override {
    return records_.retry(std::move(vendor_id), std::move(id));
  }
  Task<std::int64_t> retryConnection(std::string id) override { return connections_.retry(std::move(id)); }

  Task<std::vector<Change>> changes(std::string vendor_id, std::int64_t after, int limit) override {
    return feed_.changes(std::move(vendor_id), after, limit);
  }
  Task<std::vector<FeedSpan>> feedSpans(std::vector<std::string> vendor_ids) override {
    return feed_.spans(std::move(vendor_ids));
  }
  void onChange(void const* who, std::function<void(std::string const& vendor_id)> listener) override {
    if (listener)
      context_->feed_listeners[who] = std::move(listener);
    else
      context_->feed_listeners.erase(who);
  }
  Task<std::vector<Conflict>> conflicts(std::string vendor_id, int limit) override {
    return records_.conflicts(std::move(vendor_id), limit);
  }

  Load load() const override {
    auto const requests = context_->limits.figures();
    Load load;
    load.runs = runs_.inFlight();
    load.runs_waiting = runs_.queued();
    load.lanes = context_->lanes->busy();
    load.turns_waiting = context_->lanes->waiting();
    load.requests_waiting = requests.waiting;
    load.paces = requests.paces;
    load.requests_held = requests.waited;
    load.requests_refused = requests.refused;
    load.wake_ups = schedule_.wakeUps();
    return load;
  }

  Actions& actions() override { return actions_; }
  Intake& intake() override { return intake_; }
  Mailboxes& mailboxes() override { return mailboxes_; }
  Webhooks& webhooks() override { return webhooks_; }

  Task<std::vector<Node>> nodes() override {
    if (!context_->leases) co_return std::vector<Node>();
    co_return co_await context_->leases->nodes();
  }
  bool caresFor(std::string_view name) const override { return sync::caresFor(*context_, name); }

  // Among other daemons, what a crash left is looked at with the lease of its connection.
  Task<void> start() override {
    if (context_->leases) context_->doors.store.listen([this](std::string const& text) { hear(text); });
    CO_TRY_VOID(co_await forgetLeftTrials(context_.get()));
    CO_TRY_VOID(co_await oauth::Tokens::forgetStrayReplies(&context_->doors.store));
    CO_TRY_VOID(co_await weddings_.tick());
    CO_TRY_VOID(co_await pauses_.tick());
    if (!context_->leases) {
      CO_TRY_VOID(co_await runs_.recover(std::nullopt));
    }
    CO_TRY_VOID(co_await actions_.start());
    CO_TRY_VOID(co_await intake_.start());
    CO_TRY_VOID(co_await webhooks_.start());
    if (context_->leases) {
      CO_TRY_VOID(co_await context_->leases->start());
    }
    schedule_.start();
    co_return Result<void>();
  }
  Task<void> stop() override {
    context_->stopping = true;
    context_->limits.stop();
    CO_TRY_VOID(co_await schedule_.stop());
    CO_TRY_VOID(co_await actions_.stop());
    CO_TRY_VOID(co_await intake_.stop());
    CO_TRY_VOID(co_await webhooks_.stop());
    CO_TRY_VOID(co_await runs_.drained());
    if (context_->leases) context_->doors.store.listen(nullptr);
    CO_TRY_VOID(co_await hearing_.drained());
    CO_TRY_VOID(co_await pauses_.stop());
    CO_TRY_VOID(co_await device_sign_ins_.stop());
    CO_TRY_VOID(co_await context_->tokens->stop());
    if (!context_->leases) co_return Result<void>();
    co_return co_await context_->leases->stop();
  }

private:
  Leases::Owning owning() {
    Leases::Owning owning;
    owning.recover = [this](Owner owner) { return recover(std::move(owner)); };
    owning.begin = [this](Owner const& owner) { begin(owner); };
    owning.end = [this](Owner owner) { return end(std::move(owner)); };
    return owning;
  }
  Task<void> recover(Owner owner) {
    CO_TRY_VOID(co_await pauses_.takeOver(owner));
    CO_TRY_VOID(co_await runs_.recover(owner));
    co_return co_await actions_.recover(std::move(owner));
  }
  void begin(Owner const& owner) {
    webhooks_.wake(owner);
    actions_.look();
    intake_.look();
    schedule_.look();
  }
  Task<void> end(Owner owner) {
    actions_.letPass(owner.connection_id);
    actions_.look();
    CO_TRY_VOID(co_await runs_.stopOf(owner.connection_id));
    CO_TRY_VOID(co_await actions_.quiet(owner.connection_id));
    CO_TRY_VOID(co_await intake_.quiet(owner.connection_id));
    co_return co_await webhooks_.quiet(std::move(owner));
  }
  // What only its owner may do; alone, this daemon is.
  Task<Leases::Pin> claim(std::string id) {
    if (!context_->leases) co_return Leases::Pin();
    CO_TRY(connection, co_await connections_.one(std::move(id)));
    Owner owner{connection.vendor_id, connection.id};
    co_return co_await context_->leases->claim(std::move(owner));
  }

  // It was connected, and may be an old one that works again.
  void goesOn(Connection const& connection) {
    webhooks_.wake(Owner{connection.vendor_id, connection.id});
    actions_.look();
  }
  // A sync that went well gives a connection back whose sign-in was refused.
  void lookAfterRuns() {
    auto also = std::move(context_->doors.on_run_ended);
    context_->doors.on_run_ended = [this, also = std::move(also)](Run const& run) {
      if (!run.error) actions_.look();
      if (also) also(run);
    };
  }

  Task<void> tell(News news) {
    if (!context_->leases) co_return Result<void>();
    std::vector<News> one;
    one.push_back(std::move(news));
    CO_TRY_VOID(co_await commitTelling(context_.get(), store::Unit(), std::move(one)));
    co_return Result<void>();
  }
  void hear(std::string const& text) {
    if (context_->stopping) return;
    if (text.empty()) return hearing_.spawn(lookEverywhere());
    if (auto const news = heard(context_->leases->table().nodeId(), text)) hear(*news);
  }
  // Nothing here is lost with its notice: whoever is told looks for himself from time to time.
  void hear(News const& news) {
    auto const& id = news.connection_id;
    bool const is_mine = !id.empty() && mine(*context_, id);
    switch (news.kind) {
    case NewsKind::feed: tellFeedListeners(*context_, news.vendor_id); break;
    case NewsKind::webhooks:
      if (id.empty()) hearing_.spawn(webhooks_.wake());
      if (is_mine) webhooks_.wake(Owner{news.vendor_id, id});
      if (is_mine) actions_.look();
      break;
    case NewsKind::actions: actions_.look(); break;
    case NewsKind::items: intake_.look(); break;
    case NewsKind::runs: schedule_.look(); break;
    case NewsKind::retry: (void)context_->doors.supervisor.retryParked(id); break;
    case NewsKind::known: hearing_.spawn(renew(id)); break;
    case NewsKind::leases: context_->leases->look(); break;
    case NewsKind::pauses: hearing_.spawn(followPause(Owner{news.vendor_id, id})); break;
    case NewsKind::rests: pauses_.rests(id); break;
    }
  }
  Task<void> renew(std::string connection_id) {
    CO_TRY_VOID(co_await intake_.renew());
    co_return co_await webhooks_.renew(std::move(connection_id));
  }
  Task<void> followPause(Owner owner) {
    CO_TRY_VOID(co_await pauses_.look(std::move(owner)));
    schedule_.look();
    co_return Result<void>();
  }
  Task<void> lookEverywhere() {
    context_->leases->look();
    actions_.look();
    intake_.look();
    schedule_.look(); // and at pauses
    CO_TRY_VOID(co_await renew(std::string()));
    co_return co_await webhooks_.wake();
  }

  Task<void> tick() {
    if (context_->leases) intake_.look();
    CO_TRY_VOID(co_await weddings_.tick());
    CO_TRY_VOID(co_await pauses_.tick());
    device_sign_ins_.tick();
    CO_TRY(sooner, co_await set_back_.tick());
    if (sooner) {
      actions_.look();
      intake_.look();
      CO_TRY_VOID(co_await webhooks_.wake());
    }
    CO_TRY_VOID(co_await webhooks_.tick());
    CO_TRY_VOID(co_await runs_.tick());
    CO_TRY_VOID(co_await retention_.tick());
    co_return co_await actions_.tick();
  }

  // Under a barrier: a run that goes on with a cursor would bring it back.
  Task<void> forgetCursors(std::string id) {
    CO_TRY(connection, co_await connections_.one(id));
    CO_TRY_VOID(refuseIfPaused(connection));
    CO_TRY(here, co_await claim(id));
    Owner const owner{connection.vendor_id, id};
    Barrier barrier(callers_, owner);
    CO_TRY_VOID(co_await barrier.stopRun());
    std::string what("its reset");
    CO_TRY(turn, co_await context_->lanes->enter(id, Priority::interactive, std::move(what)));
    co_return co_await connections_.forgetCursors(owner);
  }

  std::unique_ptr<Context> context_;
  AuditTrail audit_;
  Vendors vendors_;
  Connections connections_;
  Records records_;
  Feed feed_;
  Runs runs_;
  Schedule schedule_;
  ActionRunner actions_;
  IntakeRunner intake_;
  MailboxAccounts mailboxes_;
  WebhookRunner webhooks_;
  Weddings weddings_;
  SetBack set_back_;
  Retention retention_;
  Callers callers_{runs_, actions_, intake_, webhooks_};
  Pauses pauses_;
  SignInPages sign_in_pages_;
  DeviceSignIns device_sign_ins_;
  Nursery hearing_;
};

} // namespace

Task<std::unique_ptr<Engine>> Engine::create(Dependencies dependencies) {
  CO_TRY(context, Context::make(std::move(dependencies)));
  co_return std::unique_ptr<Engine>(std::make_unique<EngineOfParts>(std::move(context)));
}

Task<Connection> Engine::changeSettings(std::string, json::object, Credentials) {
  co_return Error(ErrorKind::unsupported, "this engine changes no settings");
}

Task<std::vector<Node>> Engine::nodes() { co_return std::vector<Node>(); }

namespace {
Error noSignIns() { return Error(ErrorKind::unsupported, "this engine signs nobody in"); }
} // namespace

Task<oauth::Authorizations::Begun> Engine::beginSignIn(ConnectRequest, std::string, std::string) {
  co_return noSignIns();
}

Task<oauth::Authorizations::Visit> Engine::visitSignIn(std::string, std::string, std::string) {
  co_return noSignIns();
}

Task<Connected> Engine::endSignIn(SignInReturn) { co_return noSignIns(); }

Task<oauth::Authorization> Engine::signIn(std::string) { co_return noSignIns(); }

Task<oauth::DeviceSignIn> Engine::beginDeviceSignIn(ConnectRequest) { co_return noSignIns(); }

Task<Trial> Engine::test(std::string) {
  co_return Error(ErrorKind::unsupported, "this engine tries no accounts");
}

Task<Connection> Engine::rotate(std::string) {
  co_return Error(ErrorKind::unsupported, "this engine rotates nothing");
}

Task<Connection> Engine::revoke(std::string, std::string) {
  co_return Error(ErrorKind::unsupported, "this engine takes nothing back");
}

Task<Connection> Engine::pause(std::string, std::string) {
  co_return Error(ErrorKind::unsupported, "this engine pauses no connections");
}

Task<Connection> Engine::resume(std::string) {
  co_return Error(ErrorKind::unsupported, "this engine pauses no connections");
}

Task<Run> Engine::resync(std::string) {
  co_return Error(ErrorKind::unsupported, "this engine brings nothing in anew");
}

Task<Run> Engine::syncHinted(std::string, std::vector<Hint>) {
  co_return Error(ErrorKind::unsupported, "this engine fetches no single records");
}

Task<std::vector<FeedSpan>> Engine::feedSpans(std::vector<std::string>) {
  co_return Error(ErrorKind::unsupported, "nobody can follow the changes of this engine");
}

void Engine::onChange(void const*, std::function<void(std::string const&)>) {}

Task<ErasedRecord> Engine::eraseRecord(std::string, std::string) {
  co_return Error(ErrorKind::unsupported, "this engine erases no records");
}

Task<bool> Engine::rewriteRecord(std::string, std::string, Rewriter) {
  co_return Error(ErrorKind::unsupported, "this engine rewrites no records");
}

Task<std::vector<Conflict>> Engine::conflicts(std::string, int) {
  co_return Error(ErrorKind::unsupported, "this engine keeps no conflicts");
}

Task<void> Engine::confirmDeletes(std::string) {
  co_return Error(ErrorKind::unsupported, "this engine holds no deletions");
}

} // namespace garland::sync
