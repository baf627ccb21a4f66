// A provider of one kind of record in memory, and the connector script that talks to it: what the provider
// has, how it writes things its own way, and how a call may end badly. No network, no worker.
#pragma once

#include "host/runtime/runtime.h"

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace garland::sync::testing {

struct RemoteEvent {
  std::string version;
  std::string scope;
  json::value data;
};

class FakeProvider {
public:
  // The provider's own side, as its users see it.
  void put(std::string const& id, json::value data, std::string const& scope = "home");
  void remove(std::string const& id);
  void mend(std::string const& id, json::value data) { events_.at(id).data = std::move(data); } // no change
  std::map<std::string, RemoteEvent> const& events() const { return events_; }
  json::value titleChanged(std::string const& id, std::string const& title) const;

  // The connector's operations.
  Task<json::value> call(runtime::Call call, runtime::CallHost* host);

  // How it writes what it is given (put and upsert alike).
  std::function<json::value(json::value)> normalise = [](json::value data) { return data; };
  std::string emitted_kind = "calendar.event";
  std::string account;    // "": "ada of NAME", so that two providers are two accounts
  std::string account_id; // "": it tells none

  // Answers the operations "test.*", intake.parse/1 and webhooks.parse/1; see FakeBank, FakeForm,
  // FakeNotices.
  std::function<Task<json::value>(runtime::Call, runtime::CallHost*)> act;

  // Awkwardness, each used up once it has happened.
  int die_after_records = -1; // the worker dies after so many emits, once
  int deaths = 0;             // ... and again so often
  bool lose_answer = false;   // the next write happens, but its answer is lost
  std::optional<Error> refuse_writes;
  std::optional<Error> refuse_pulls;
  std::optional<Error> refuse_gets;
  std::map<std::string, Error> refuse_get_of; // by id
  std::optional<Error> refuse_account;
  std::vector<std::pair<std::string, std::string>> extra_emits;       // kind, record; with the next pull
  std::vector<std::pair<std::string, std::string>> extra_emits_after; // ... at its end
  std::function<Task<void>(runtime::CallHost*)> during_pull;          // before the first checkpoint
  std::function<Task<void>(runtime::CallHost*)> during_get;           // before the first record
  std::int64_t quiet_seconds = 0;                                     // what pulls answer; 0: nothing
  std::function<void()> before_write;                                 // between our edit and its arrival
  std::function<Task<void>(runtime::CallHost*)> during_write;         // the same, and it may take its time
  bool moves_on_write = false;                                        // an update gets a new id
  bool list_always = false;         // a full listing with every pull (a provider without change tokens)
  int page = 50;                    // records per checkpoint
  std::mt19937_64* chaos = nullptr; // duplicates, reorders and delays what a pull brings

  int writes = 0;  // creates, updates and deletions that changed something
  int upserts = 0; // calls
  int pulls = 0;
  std::vector<json::value> inputs; // of the pulls
  std::vector<std::string> gets;   // ids that were asked for one by one

private:
  Task<json::value> pull(runtime::Call call, runtime::CallHost* host);
  Task<json::value> get(runtime::Call call, runtime::CallHost* host);
  Task<void> everything(std::string after, std::int64_t snapshot, runtime::CallHost* host);
  Task<void> whatChanged(std::int64_t since, runtime::CallHost* host);
  Task<void> show(std::string id, runtime::CallHost* host);
  Task<void> list(runtime::CallHost* host);
  Result<json::value> upsert(json::value const& input);
  Result<json::value> erase(json::value const& input);
  void store(std::string const& id, json::value data, std::string const& scope);

  std::map<std::string, RemoteEvent> events_;
  std::vector<std::string> log_; // ids, in the order of their changes
  std::set<std::string> scopes_;
  int next_version_ = 0;
  int shown_ = 0;
};

} // namespace garland::sync::testing
