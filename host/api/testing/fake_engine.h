// An engine in memory for this room's tests: answers by the rules of sync.h, syncs nothing.
#pragma once

#include "host/api/testing/fake_intake.h"
#include "host/api/testing/fake_webhooks.h"
#include "host/base/ids.h"
#include "host/sync/sync.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <set>
#include <string>

namespace garland::api::testing {

// Takes actions in and does nothing about them.
class FakeActions final : public sync::Actions {
public:
  FakeActions(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  Task<sync::AcceptedAction> accept(sync::ActionRequest request) override {
    for (auto const& [id, known] : all) {
      if (known.connection_id != request.connection_id || known.key != request.key) continue;
      if (known.input != request.input) co_return Error(ErrorKind::conflict, "the key meant something else");
      co_return sync::AcceptedAction{known, true};
    }
    sync::Action action;
    action.id = newId("act", clock_, random_);
    action.vendor_id = newId("ven", clock_, random_);
    action.connection_id = std::move(request.connection_id);
    action.operation = std::move(request.operation);
    action.key = std::move(request.key);
    action.provider_key = "00000000-0000-8000-8000-000000000000";
    action.input = std::move(request.input);
    action.created = clock_.now();
    action.next_attempt = action.created;
    all[action.id] = action;
    co_return sync::AcceptedAction{action, false};
  }
  Task<sync::Action> one(std::string id) override {
    auto const found = all.find(id);
    if (found == all.end()) co_return Error(ErrorKind::notFound, "there is no action " + id);
    co_return found->second;
  }
  Task<std::vector<sync::Action>> list(sync::ActionQuery query) override {
    std::vector<sync::Action> out;
    for (auto const& [id, action] : all) {
      bool const wanted = id > query.after_id && (!query.state || action.state == *query.state) &&
                          (query.vendor_id.empty() || action.vendor_id == query.vendor_id) &&
                          (query.connection_id.empty() || action.connection_id == query.connection_id);
      if (wanted && std::ssize(out) < query.limit) out.push_back(action);
    }
    co_return out;
  }
  Task<sync::Action> settle(std::string id, sync::Settlement settlement) override {
    CO_TRY_VOID(co_await one(id));
    auto& action = all[id];
    if (settlement.applied && action.state == sync::ActionState::waiting)
      co_return Error(ErrorKind::conflict, "it was not sent");
    action.state = settlement.applied ? sync::ActionState::done : sync::ActionState::failed;
    action.known_by = "operator";
    action.output = settlement.output;
    action.finished = clock_.now();
    action.next_attempt.reset();
    co_return action;
  }

  std::map<std::string, sync::Action> all;

private:
  Clock& clock_;
  Random& random_;
};

// Keeps one mailbox for each connection and visits none.
class FakeMailboxes final : public sync::Mailboxes {
public:
  explicit FakeMailboxes(Clock& clock) : clock_(clock) {}
  Task<sync::MailboxAccount> watch(sync::MailboxAccount account, Secret password) override {
    account.created = account.next_visit = clock_.now();
    typed = std::string(password.reveal());
    all[account.connection_id] = account;
    co_return account;
  }
  Task<void> unwatch(std::string connection_id) override {
    if (all.erase(connection_id) == 0) co_return Error(ErrorKind::notFound, "no mailbox is visited");
    co_return Result<void>();
  }
  Task<sync::MailboxAccount> of(std::string connection_id) override {
    auto const found = all.find(connection_id);
    if (found == all.end()) co_return Error(ErrorKind::notFound, "no mailbox is visited");
    co_return found->second;
  }
  Task<std::vector<sync::MailboxAccount>> due(int) override { co_return std::vector<sync::MailboxAccount>(); }
  Task<std::unique_ptr<egress::Mailbox>> visit(sync::MailboxAccount) override {
    co_return Error(ErrorKind::unsupported, "not in this test");
  }
  Task<void> save(sync::MailboxAccount) override { co_return Result<void>(); }

  std::map<std::string, sync::MailboxAccount> all;
  std::string typed; // the last password

private:
  Clock& clock_;
};

// [loop thread]
class FakeEngine final : public sync::Engine {
public:
  FakeEngine(asio::any_io_executor const& executor, Clock& clock, Random& random)
      : fake_actions(clock, random), fake_intake(clock, random), fake_webhooks(clock, random),
        fake_mailboxes(clock), clock_(clock), random_(random),
        run_ended_(executor, asio::steady_timer::time_point::max()) {}

  // What the last connect() was given for "slot/field".
  std::map<std::string, std::string> typed;
  std::optional<Error> refuse_connect;
  std::string redirect_uri;   // that the last sign-in was begun with
  std::string begun_in;       // the session
  std::string came_back_as;   // the browser's secret
  bool with_complete = false; // the provider gives an address with the code in it
  // A run stays "running" until endRuns().
  bool hold_runs = false;
  std::vector<sync::Hint> hints; // all that were asked for
  std::optional<Error> throw_up; // makes vendors() throw
  std::int64_t set_aside = 0;    // of every connection
  sync::Credentials typed_again; // with the last change of settings
  std::int64_t unsent = 0;       // changes that disconnect() would lose

  void endRuns() {
    hold_runs = false;
    for (auto& [id, run] : runs_) finish(run);
    run_ended_.cancel();
  }

  Task<std::vector<sync::Node>> nodes() override {
    sync::Node node;
    node.id = newId("nod", clock_, random_);
    node.name = "studio:/var/lib/garland";
    node.version = "1.0";
    node.started = node.last_beat = clock_.now();
    node.lives = node.is_this = true;
    std::vector<sync::Node> all(1, node);
    co_return all;
  }
  Task<sync::Vendor> addVendor(std::string name) override {
    sync::Vendor vendor;
    vendor.id = newId("ven", clock_, random_);
    vendor.name = std::move(name);
    vendor.created = clock_.now();
    vendors_.push_back(vendor);
    co_return vendor;
  }
  Task<std::vector<sync::Vendor>> vendors() override {
    if (throw_up) throw std::runtime_error("a bug in the engine");
    co_return vendors_;
  }
  Task<void> enablePlugin(std::string vendor_id, std::string plugin_id) override {
    CO_TRY_VOID(knownVendor(vendor_id));
    enabled_[vendor_id].insert(plugin_id);
    co_return Result<void>();
  }
  Task<void> disablePlugin(std::string vendor_id, std::string plugin_id) override {
    CO_TRY_VOID(knownVendor(vendor_id));
    enabled_[vendor_id].erase(plugin_id);
    co_return Result<void>();
  }
  Task<std::vector<std::string>> enabledPlugins(std::string vendor_id) override {
    CO_TRY_VOID(knownVendor(vendor_id));
    auto const& set = enabled_[vendor_id];
    co_return std::vector<std::string>(set.begin(), set.end());
  }

  Task<sync::Connected> connect(sync::ConnectRequest request) override {
    CO_TRY_VOID(knownVendor(request.vendor_id));
    for (auto const& [slot, fields] : request.credentials)
      for (auto const& [field, secret] : fields) typed[slot + "/" + field] = std::string(secret.reveal());
    if (refuse_connect) co_return *refuse_connect;
    if (!enabled_[request.vendor_id].contains(request.plugin_id))
      co_return Error(ErrorKind::forbidden, "the plugin is not enabled for this vendor: enable it first");
    for (auto const& [id, known] : connections_)
      if (known.vendor_id == request.vendor_id && known.plugin_id == request.plugin_id)
        co_return sync::Connected{known, true};
    sync::Connection connection;
    connection.id = newId("con", clock_, random_);
    connection.vendor_id = request.vendor_id;
    connection.plugin_id = request.plugin_id;
    connection.account_name = "rosa";
    connection.settings = request.settings;
    connection.allow_private_network = request.allow_private_network;
    connection.state = "connected";
    connection.created = clock_.now();
    connections_[connection.id] = connection;
    co_return sync::Connected{connection, false};
  }
  Task<sync::Trial> test(std::string id) override {
    CO_TRY(known, co_await connection(std::move(id)));
    sync::Trial trial;
    trial.ok = true;
    trial.account = known.account_name;
    co_return trial;
  }
  Task<sync::Connection> rotate(std::string id) override { return connection(std::move(id)); }
  Task<sync::Connection> revoke(std::string id, std::string by) override {
    CO_TRY(known, co_await connection(id));
    known.state = "revoked";
    known.revoked_by = std::move(by);
    known.state_reason = "its sign-in was taken back here";
    co_return known;
  }
  // One sign-in at a time; the ticket is "a-ticket", and any browser may come back.
  Task<oauth::Authorizations::Begun> beginSignIn(sync::ConnectRequest request, std::string back_to,
                                                 std::string session) override {
    CO_TRY_VOID(knownVendor(request.vendor_id));
    redirect_uri = std::move(back_to);
    begun_in = std::move(session);
    oauth::Authorizations::Begun begun;
    begun.authorization.id = newId("aut", clock_, random_);
    begun.authorization.vendor_id = request.vendor_id;
    begun.authorization.plugin_id = request.plugin_id;
    begun.authorization.state = "open";
    begun.authorization.expires = clock_.now() + std::chrono::minutes(10);
    begun.ticket = Secret("a-ticket");
    sign_in_ = begun.authorization;
    signs_in_with_ = std::move(request);
    co_return begun;
  }
  Task<oauth::Authorizations::Visit> visitSignIn(std::string ticket, std::string browser,
                                                 std::string session) override {
    if (ticket != "a-ticket" || !sign_in_) co_return Error(ErrorKind::notFound, "this sign-in is not known");
    if (!begun_in.empty() && begun_in != session) co_return Error(ErrorKind::forbidden, "another session");
    oauth::Authorizations::Visit visit;
    visit.authorization = *sign_in_;
    visit.address = "https://id.example/authorize?a=<b>&state=a-ticket";
    visit.browser = Secret(browser.empty() ? std::string(43, 'b') : browser);
    co_return visit;
  }
  Task<sync::Connected> endSignIn(sync::SignInReturn back) override {
    if (back.ticket != "a-ticket" || !sign_in_)
      co_return Error(ErrorKind::notFound, "this sign-in is not known");
    came_back_as = back.browser;
    if (!back.refusal.empty()) co_return Error(ErrorKind::forbidden, "refused: " + back.refusal);
    co_return co_await connect(std::move(signs_in_with_));
  }
  Task<oauth::DeviceSignIn> beginDeviceSignIn(sync::ConnectRequest request) override {
    CO_TRY(begun, co_await beginSignIn(std::move(request), std::string(), std::string()));
    oauth::DeviceSignIn out;
    out.authorization = std::move(begun.authorization);
    out.user_code = "WDJB-MJHT";
    out.verification_uri = "https://id.example/activate";
    out.verification_uri_complete = with_complete ? "https://id.example/activate?user_code=WDJB-MJHT" : "";
    co_return out;
  }
  Task<oauth::Authorization> signIn(std::string id) override {
    if (!sign_in_ || sign_in_->id != id) co_return Error(ErrorKind::notFound, "there is no such sign-in");
    co_return *sign_in_;
  }
  Task<std::vector<sync::Connection>> connections(std::string vendor_id) override {
    std::vector<sync::Connection> out;
    for (auto const& [id, connection] : connections_)
      if (vendor_id.empty() || connection.vendor_id == vendor_id) out.push_back(connection);
    co_return out;
  }
  Task<sync::Connection> connection(std::string id) override {
    auto const found = connections_.find(id);
    if (found == connections_.end()) co_return Error(ErrorKind::notFound, "there is no connection " + id);
    auto connection = found->second;
    connection.stored = sync::Storage{3, 4000, 1, 20};
    connection.may_store = sync::kDefaultLimits;
    co_return connection;
  }
  Task<sync::Connection> changeSettings(std::string id, json::object changes,
                                        sync::Credentials credentials) override {
    CO_TRY_VOID(co_await connection(id));
    typed_again = std::move(credentials);
    auto& settings = connections_[id].settings.as_object();
    for (auto const& change : changes) settings[change.key()] = change.value();
    co_return connections_[id];
  }
  Task<void> disconnect(std::string id, bool discard) override {
    if (unsent > 0 && !discard) co_return Error(ErrorKind::conflict, "unsent changes would be lost");
    if (connections_.erase(id) == 0) co_return Error(ErrorKind::notFound, "there is no connection " + id);
    fake_webhooks.forget(id);
    co_return Result<void>();
  }

  Task<sync::Run> startSync(std::string connection_id) override {
    if (!connections_.contains(connection_id))
      co_return Error(ErrorKind::notFound, "there is no connection " + connection_id);
    for (auto const& [id, run] : runs_)
      if (run.connection_id == connection_id && !run.finished) co_return run;
    sync::Run run;
    run.id = newId("run", clock_, random_);
    run.connection_id = connection_id;
    run.state = "running";
    run.started = clock_.now();
    run.progress_total = 60;
    runs_[run.id] = run;
    if (!hold_runs) finish(runs_[run.id]);
    co_return run;
  }
  Task<sync::Run> syncHinted(std::string connection_id, std::vector<sync::Hint> more) override {
    for (auto& hint : more) hints.push_back(std::move(hint));
    return startSync(std::move(connection_id));
  }
  Task<sync::Run> run(std::string run_id) override {
    auto const found = runs_.find(run_id);
    if (found == runs_.end()) co_return Error(ErrorKind::notFound, "there is no run " + run_id);
    co_return found->second;
  }
  Task<std::optional<sync::Run>> lastRun(std::string connection_id) override {
    std::optional<sync::Run> last;
    for (auto const& [id, run] : runs_)
      if (run.connection_id == connection_id) last = run;
    co_return last;
  }
  Task<sync::Run> waitForRun(std::string run_id) override {
    boost::system::error_code ignored;
    while (runs_.contains(run_id) && !runs_[run_id].finished)
      co_await run_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return co_await run(run_id);
  }

  Task<std::vector<sync::Record>> records(sync::RecordQuery query) override {
    std::vector<sync::Record> out;
    for (auto const& [id, record] : records_) {
      bool const wanted = record.vendor_id == query.vendor_id && id > query.after_id &&
                          (query.kind.empty() || record.kind == query.kind) &&
                          (query.include_deleted || !record.deleted);
      if (wanted && std::ssize(out) < query.limit) out.push_back(record);
    }
    co_return out;
  }
  Task<sync::Record> record(std::string vendor_id, std::string id) override {
    CO_TRY_VOID(knownRecord(vendor_id, id));
    co_return records_[id];
  }
  Task<sync::Record> putRecord(std::string vendor_id, std::string id, json::value data,
                               std::int64_t if_version) override {
    CO_TRY_VOID(knownRecord(vendor_id, id));
    auto& record = records_[id];
    if (if_version != 0 && if_version != record.version)
      co_return Error(ErrorKind::conflict, "the record has changed meanwhile");
    record.data = std::move(data);
    record.version += 1;
    note(record, "updated");
    co_return record;
  }
  Task<sync::Record> addRecord(std::string vendor_id, std::string kind, json::value data,
                               std::string connection_id) override {
    CO_TRY_VOID(knownVendor(vendor_id));
    if (!connections_.contains(connection_id))
      co_return Error(ErrorKind::notFound, "there is no connection " + connection_id);
    if (data.as_object().contains("bad"))
      co_return Error(ErrorKind::invalidInput, "must not be there", "/bad");
    sync::Record record;
    record.id = newId("rec", clock_, random_);
    record.vendor_id = std::move(vendor_id);
    record.kind = std::move(kind);
    record.data = std::move(data);
    record.version = 1;
    record.waiting.push_back(sync::WaitingWrite{std::move(connection_id), "waiting", ""});
    records_[record.id] = record;
    note(record, "created");
    co_return record;
  }
  Task<void> deleteRecord(std::string vendor_id, std::string id, std::int64_t if_version) override {
    CO_TRY_VOID(knownRecord(vendor_id, id));
    auto& record = records_[id];
    if (if_version != 0 && if_version != record.version)
      co_return Error(ErrorKind::conflict, "the record has changed meanwhile");
    record.deleted = true;
    record.version += 1;
    note(record, "deleted");
    co_return Result<void>();
  }
  Task<sync::Record> retryRecord(std::string vendor_id, std::string id) override {
    CO_TRY_VOID(knownRecord(vendor_id, id));
    co_return records_[id];
  }
  Task<std::int64_t> retryConnection(std::string id) override {
    if (!connections_.contains(id)) co_return Error(ErrorKind::notFound, "there is no connection " + id);
    if (set_aside == 0) co_return Error(ErrorKind::conflict, "nothing is set aside");
    co_return std::exchange(set_aside, 0);
  }
  Task<std::vector<sync::Change>> changes(std::string vendor_id, std::int64_t after, int limit) override {
    auto const& all = changes_[vendor_id]; // numbered from 1, without a gap
    auto const begin = std::min<std::int64_t>(std::max(after, forgotten), std::ssize(all));
    auto const end = std::min<std::int64_t>(begin + limit, std::ssize(all));
    co_return std::vector<sync::Change>(all.begin() + begin, all.begin() + end);
  }
  std::int64_t forgotten = 0; // changes of every vendor up to this are not kept
  Task<std::vector<sync::FeedSpan>> feedSpans(std::vector<std::string> vendor_ids) override {
    std::vector<sync::FeedSpan> out;
    for (auto const& id : vendor_ids)
      if (knownVendor(id)) out.push_back(sync::FeedSpan{id, forgotten + 1, lastOf(id)});
    co_return out;
  }
  void onChange(void const*, std::function<void(std::string const&)> listener) override {
    on_change_ = std::move(listener);
  }
  // A change of a record that exists nowhere, and belongs to the wedding if that is not "".
  void change(std::string const& vendor_id, std::string const& kind = "calendar.event",
              std::string const& wedding = "") {
    sync::Record record;
    record.id = newId("rec", clock_, random_);
    record.vendor_id = vendor_id;
    record.kind = kind;
    note(record, "updated", wedding);
  }
  // One, with every vendor of whom there is a record.
  Task<std::vector<sync::Conflict>> conflicts(std::string vendor_id, int) override {
    CO_TRY_VOID(knownVendor(vendor_id));
    if (lastOf(vendor_id) == 0) co_return std::vector<sync::Conflict>();
    sync::Conflict conflict;
    conflict.id = newId("cfl", clock_, random_);
    conflict.vendor_id = vendor_id;
    conflict.record_id = newId("rec", clock_, random_);
    conflict.connection_id = newId("con", clock_, random_);
    conflict.members.emplace_back("title");
    conflict.decision = "remote";
    conflict.local = "Wedding";
    conflict.remote = "Wedding at the lake";
    conflict.at = clock_.now();
    std::vector<sync::Conflict> out;
    out.push_back(conflict);
    co_return out;
  }
  Task<void> confirmDeletes(std::string connection_id) override {
    if (!connections_.contains(connection_id))
      co_return Error(ErrorKind::notFound, "there is no connection " + connection_id);
    deletes_confirmed = connection_id;
    co_return Result<void>();
  }
  std::string deletes_confirmed;
  Task<sync::Connection> pause(std::string id, std::string by) override {
    if (auto const found = connections_.find(id); found != connections_.end())
      found->second.paused_by = std::move(by);
    co_return setState(id, "paused");
  }
  Task<sync::Connection> resume(std::string id) override { co_return setState(id, "connected"); }
  Task<sync::Run> resync(std::string id) override { return startSync(std::move(id)); }
  Result<sync::Connection> setState(std::string const& id, std::string const& state) {
    auto const found = connections_.find(id);
    if (found == connections_.end()) return Error(ErrorKind::notFound, "there is no connection " + id);
    found->second.state = state;
    return found->second;
  }
  FakeActions fake_actions;
  sync::Actions& actions() override { return fake_actions; }
  FakeIntake fake_intake;
  FakeWebhooks fake_webhooks;
  sync::Intake& intake() override { return fake_intake; }
  FakeMailboxes fake_mailboxes;
  sync::Mailboxes& mailboxes() override { return fake_mailboxes; }
  sync::Webhooks& webhooks() override { return fake_webhooks; }
  Task<void> start() override { co_return Result<void>(); }
  Task<void> stop() override { co_return Result<void>(); }

private:
  void finish(sync::Run& run) {
    if (run.finished) return;
    run.state = "done";
    run.pulled.created = 59;
    run.pulled.failed = 1;
    sync::ItemProblem item;
    item.place = "/rosa/bad.ics";
    item.kind = "provider_bug";
    item.message = "this is not iCalendar";
    run.problems.push_back(item);
    run.finished = clock_.now();
  }
  Result<void> knownVendor(std::string const& id) const {
    for (auto const& vendor : vendors_)
      if (vendor.id == id) return {};
    return Error(ErrorKind::notFound, "there is no vendor " + id);
  }
  Result<void> knownRecord(std::string const& vendor_id, std::string const& id) const {
    auto const found = records_.find(id);
    if (found != records_.end() && found->second.vendor_id == vendor_id) return {};
    return Error(ErrorKind::notFound, "there is no record " + id + " of vendor " + vendor_id);
  }
  void note(sync::Record const& record, std::string action, std::string wedding = "") {
    sync::Change change;
    change.sequence = lastOf(record.vendor_id) + 1;
    change.vendor_id = record.vendor_id;
    change.record_id = record.id;
    change.kind = record.kind;
    change.action = std::move(action);
    change.record_version = record.version;
    change.origin = "local";
    change.wedding = std::move(wedding);
    change.at = clock_.now();
    changes_[record.vendor_id].push_back(change);
    if (on_change_) on_change_(record.vendor_id);
  }
  std::int64_t lastOf(std::string const& vendor_id) const {
    auto const found = changes_.find(vendor_id);
    return found == changes_.end() ? 0 : std::ssize(found->second);
  }

  Clock& clock_;
  Random& random_;
  asio::steady_timer run_ended_;
  std::vector<sync::Vendor> vendors_;
  std::map<std::string, std::set<std::string>> enabled_;
  std::optional<oauth::Authorization> sign_in_;
  sync::ConnectRequest signs_in_with_;
  std::map<std::string, sync::Connection> connections_;
  std::map<std::string, sync::Run> runs_;
  std::map<std::string, sync::Record> records_;
  std::map<std::string, std::vector<sync::Change>> changes_; // by vendor
  std::function<void(std::string const&)> on_change_;
};

// No workers; a list that a test can fill.
class FakeSupervisor final : public runtime::Supervisor {
public:
  std::vector<runtime::WorkerStatus> list;
  std::vector<runtime::SupervisorEvent> told;
  std::vector<runtime::Adoption> found; // what the next rescan answers
  std::vector<bool> rescans;            // whether each allowed a downgrade
  bool in_quarantine = false;
  std::optional<runtime::Standing> stands; // of every plugin
  runtime::Provenance provenance;          // the same
  Task<std::string> call(runtime::PluginInfo const&, runtime::Call, runtime::CallHost&) override {
    co_return Error(ErrorKind::unsupported, "no plugin runs in this test");
  }
  Task<std::vector<runtime::Adoption>> adopt(runtime::Catalogue, bool allow_downgrade) override {
    rescans.push_back(allow_downgrade);
    co_return found;
  }
  std::shared_ptr<runtime::PluginInfo const> build(runtime::PluginInfo const& plugin) override {
    return std::make_shared<runtime::PluginInfo>(plugin);
  }
  Task<runtime::Adoption> release(std::string plugin_id) override {
    if (!std::exchange(in_quarantine, false))
      co_return Error(ErrorKind::conflict, plugin_id + " is not in quarantine");
    runtime::Adoption out;
    out.plugin_id = plugin_id;
    out.outcome = runtime::Adoption::Outcome::released;
    out.words = plugin_id + " is out of quarantine";
    co_return out;
  }
  std::size_t retryParked(std::string_view) override { return 0; }
  runtime::Standing standing(runtime::PluginInfo const& plugin) const override {
    auto out = stands ? *stands : Supervisor::standing(plugin);
    out.provenance = provenance;
    return out;
  }
  std::vector<runtime::WorkerStatus> workers() const override { return list; }
  std::vector<runtime::SupervisorEvent> events() const override { return told; }
  Task<void> shutdown() override { co_return Result<void>(); }
};

} // namespace garland::api::testing
