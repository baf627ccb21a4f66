// A whole engine for tests: the real SQLite store and vault, a virtual clock, fakes for the network
// and the workers, and a store that can be cut off at a chosen commit.
#pragma once

#include "host/base/random.h"
#include "host/base/test_folder.h"
#include "host/sync/sync.h"
#include "host/sync/testing/fake_provider.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace garland::sync::testing {

// A test that would hang fails after so long: much longer than a busy machine needs.
inline constexpr std::chrono::seconds kPatience{100};

// Answers every call with the provider that the connection's settings name; one that says which entity it is
// about, with the provider "NAME/ENTITY", so that each entity has faults of its own.
class FakeSupervisor final : public runtime::Supervisor {
public:
  Task<std::string> call(runtime::PluginInfo const& plugin, runtime::Call call,
                         runtime::CallHost& host) override;
  Task<std::vector<runtime::Adoption>> adopt(runtime::Catalogue, bool) override {
    co_return std::vector<runtime::Adoption>();
  }
  std::shared_ptr<runtime::PluginInfo const> build(runtime::PluginInfo const& plugin) override {
    return kept ? kept : std::make_shared<runtime::PluginInfo>(plugin);
  }
  Task<runtime::Adoption> release(std::string) override { co_return runtime::Adoption(); }
  std::size_t retryParked(std::string_view account_id) override {
    retried.emplace_back(account_id);
    return std::exchange(parked, 0);
  }
  std::vector<runtime::WorkerStatus> workers() const override { return {}; }
  Task<void> shutdown() override { co_return Result<void>(); }

  std::map<std::string, FakeProvider> providers;
  std::vector<runtime::Call> calls;
  std::vector<std::string> retried;                // accounts whose set-aside calls may run again
  std::size_t parked = 0;                          // calls that the next retry finds set aside
  std::shared_ptr<runtime::PluginInfo const> kept; // takes the calls instead of what is installed
};

class FakeEgress final : public egress::Client {
public:
  Task<egress::Response> fetch(egress::Request request, egress::Policy policy,
                               egress::Credential credential) override;
  void onAudit(std::function<void(egress::AuditEntry const&)> sink) override { sink_ = std::move(sink); }
  void shutdown() override {}

  std::function<Result<egress::Response>(egress::Request const&)> answer;
  std::vector<egress::Request> requests;
  std::vector<egress::Policy> policies;
  std::vector<std::string> secrets; // of the credentials that came with them
  std::vector<std::string> usernames;
  std::vector<egress::Credential::Scheme> schemes;
  std::vector<std::string> urls; // as they leave: with the credential, where that is a member of the query

private:
  std::function<void(egress::AuditEntry const&)> sink_;
};

// Passes everything on until its commit number `cut_at`; that one is lost before or after it was
// applied, and from then on nothing answers any more: to the engine this is the end of the world.
class CutStore final : public store::Store {
public:
  explicit CutStore(store::Store& real) : real_(real) {}
  Task<store::Rows> read(store::Statement statement) override;
  Task<std::vector<store::Rows>> commit(store::Unit unit) override;
  Task<void> close() override { co_return Result<void>(); }
  std::string_view driver() const override { return real_.driver(); }
  void listen(store::Listener listener) override;

  int under_way = 0; // reads and commits that have not ended
  int heard = 0;     // what was told by other daemons, and that it listens
  int commits = 0;
  int cut_at = 0; // 0: never
  bool applied_first = false;
  bool dead = false;
  std::function<Task<void>()> before_commit; // once, before the next commit
  std::function<bool(store::Statement const&)>
      no_space_for; // a commit with such a statement finds the disk full
  std::function<void(store::Statement const&)> on_read;

private:
  store::Store& real_;
};

// For hooks: an edit as somebody else would make it, and no edit at all.
Task<void> putMember(Engine* engine, std::string vendor_id, std::string uid, std::string member,
                     std::string text);
Task<void> nothing();

json::object event(std::string const& uid, std::string const& title, std::string const& day = "2026-06-13");
Kind eventKind();
// crm.client and crm.project, which share their operations; they are kinds of every House.
std::vector<Kind> sharingKinds();

// The database of a new House, by its folder: a SQLite file there unless a program says otherwise.
using DatabaseUrl = std::string (*)(std::string const& folder);
DatabaseUrl& databaseUrl();

class House {
public:
  House();
  explicit House(std::string folder); // kept by the caller
  ~House();
  House(House const&) = delete;
  House& operator=(House const&) = delete;

  // Runs the loop until the task has ended. A test that would hang fails after kPatience.
  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop, keep(std::move(task), &out), asio::detached);
    drive([&out] { return out.has_value(); });
    return std::move(*out);
  }

  // Runs the loop until then. A test that would hang fails after 30 seconds.
  void drive(std::function<bool()> done);
  // The engine does nothing from then on: what it calls may die. Once is enough.
  void stop();
  // A new engine on the same file, as after a crash. The old one is stopped and thrown away.
  void restart();
  // With a vendor, the plugins enabled, and one connection per provider name.
  std::string vendor();
  std::string connect(std::string const& vendor_id, std::string const& provider,
                      std::string const& plugin = "test.calendar.fake");
  Run sync(std::string const& connection_id);
  std::vector<Record> records(std::string const& vendor_id, bool deleted = false);
  Record recordOf(std::string const& vendor_id, std::string const& uid);
  FakeProvider& provider(std::string const& name) { return supervisor.providers[name]; }
  std::vector<store::Row> rows(std::string sql);
  void write(std::string sql); // behind the engine's back
  // The entries of the audit chain of this kind ("change", "request"), and of this act if one is given, in
  // their order.
  std::vector<json::value> told(std::string_view kind, std::string_view act = "");
  // How many of these the audit chain says were forgotten, by each unit that did it.
  std::vector<std::int64_t> forgotten(std::string_view what);
  // What a verifier says of the audit chain as it is now, all of it signed.
  audit::Verdict verdict();

  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  VirtualClock clock{parseRfc3339("2026-01-01T00:00:00Z").value()};
  SeededRandom random{7};
  Redactor redactor;
  std::string log_text;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) { log_text += line; }};
  std::string url; // of the database
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<store::Store> store;
  SeededRandom audit_random{11}; // of its own, so that ids elsewhere stay as they are
  std::unique_ptr<audit::Book> book;
  std::unique_ptr<CutStore> cut;
  FakeEgress egress;
  FakeSupervisor supervisor;
  runtime::Catalogue catalogue;
  std::unique_ptr<Engine> engine;
  // Of the next engine: restart(). So few runs that a test can fill the places.
  Storage limits = kDefaultLimits;
  RunsAtOnce runs{8, 8, 16};
  std::map<std::string, RequestRates> requests;
  WebhookRoom webhook_room;

private:
  template <class T> static asio::awaitable<void> keep(Task<T> task, std::optional<Result<T>>* out) {
    auto result = co_await std::move(task);
    out->emplace(std::move(result));
  }
  explicit House(std::unique_ptr<TestFolder const> own);

  void open();

  std::string folder_;
  std::unique_ptr<TestFolder const> own_folder_; // none if the caller keeps it
  bool stopped_ = false;
  bool stopped_well_ = false;
};

// Of this room and of those below it.
std::vector<store::Migration> allMigrations();
std::unique_ptr<audit::Book> openBook(House& house, store::Store& store);

} // namespace garland::sync::testing
