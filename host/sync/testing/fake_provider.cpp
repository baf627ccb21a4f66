#include "host/sync/testing/fake_provider.h"

#include <algorithm>

namespace garland::sync::testing {
namespace {

Error workerDied() {
  Error error(ErrorKind::transient, "the connector's worker was killed by SIGKILL");
  error.provider_code = "worker_died";
  return std::move(error).withEffect(Effect::unknown);
}

json::value cursorOf(std::int64_t seq) { return json::object{{"seq", seq}}; }

} // namespace

void FakeProvider::store(std::string const& id, json::value data, std::string const& scope) {
  events_[id] = RemoteEvent{"v" + std::to_string(++next_version_), scope, normalise(std::move(data))};
  scopes_.insert(scope);
  log_.push_back(id);
}

void FakeProvider::put(std::string const& id, json::value data, std::string const& scope) {
  store(id, std::move(data), scope);
}

void FakeProvider::remove(std::string const& id) {
  if (events_.erase(id) > 0) log_.push_back(id);
}

json::value FakeProvider::titleChanged(std::string const& id, std::string const& title) const {
  auto data = events_.at(id).data;
  data.as_object()["title"] = title;
  return data;
}

Task<json::value> FakeProvider::call(runtime::Call call, runtime::CallHost* host) {
  if (call.operation == "health.check/1") {
    if (refuse_account) co_return *refuse_account;
    json::object report{{"account", account}};
    if (!account_id.empty()) report["id"] = account_id;
    co_return json::value(std::move(report));
  }
  if (call.operation.starts_with("test.") || call.operation == "intake.parse/1" ||
      call.operation == "webhooks.parse/1")
    co_return co_await act(std::move(call), host);
  if (call.operation.ends_with(".pull/1")) co_return co_await pull(std::move(call), host);
  if (call.operation == "records.get/1") co_return co_await get(std::move(call), host);
  auto const input = parseJson(call.input).value();
  ++upserts;
  if (before_write) std::exchange(before_write, nullptr)();
  if (during_write) {
    auto const hook = std::exchange(during_write, nullptr);
    CO_TRY_VOID(co_await hook(host));
  }
  if (refuse_writes) co_return *refuse_writes;
  auto const done = call.operation.ends_with(".upsert/1") ? upsert(input) : erase(input);
  if (done && std::exchange(lose_answer, false)) co_return workerDied();
  co_return done;
}

Result<json::value> FakeProvider::upsert(json::value const& input) {
  auto const& data = input.at("data");
  std::string scope = "home";
  std::string id;
  if (input.at("id").is_null()) {
    id = "/cal/" + std::string(data.at("uid").as_string());
    auto const there = events_.find(id);
    if (there != events_.end() && there->second.data != normalise(data))
      return Error(ErrorKind::conflict, "it exists already");
  } else {
    id = input.at("id").as_string();
    auto const there = events_.find(id);
    if (there == events_.end()) return Error(ErrorKind::notFound, "it is gone");
    if (!input.at("version").is_null() && input.at("version").as_string() != there->second.version)
      return Error(ErrorKind::conflict, "it has changed");
    scope = there->second.scope;
    if (moves_on_write) {
      remove(id);
      id += "-moved";
    }
  }
  auto const there = events_.find(id);
  if (there == events_.end() || there->second.data != normalise(data)) {
    ++writes;
    store(id, data, scope);
  }
  auto const& event = events_.at(id);
  json::object written{{"id", id}, {"version", event.version}, {"scope", event.scope}, {"data", event.data}};
  if (auto const* entity = find(input, "/entity")) written["entity"] = *entity;
  return json::value(std::move(written));
}

Result<json::value> FakeProvider::erase(json::value const& input) {
  std::string const id(input.at("id").as_string());
  auto const there = events_.find(id);
  if (there == events_.end()) return json::value(json::object());
  if (!input.at("version").is_null() && input.at("version").as_string() != there->second.version)
    return Error(ErrorKind::conflict, "it has changed");
  ++writes;
  remove(id);
  return json::value(json::object());
}

Task<json::value> FakeProvider::pull(runtime::Call call, runtime::CallHost* host) {
  ++pulls;
  shown_ = 0;
  auto const input = parseJson(call.input).value();
  inputs.push_back(input);
  if (refuse_pulls) co_return *refuse_pulls;
  auto const emits = std::exchange(extra_emits, std::vector<std::pair<std::string, std::string>>());
  for (auto const& [kind, record] : emits) {
    CO_TRY_VOID(co_await host->emit(kind, record));
  }
  auto const& cursor = input.at("cursor");
  auto const after = textOr(cursor, "/after", "");
  if (cursor.is_null() || list_always || !after.empty()) {
    auto snapshot = static_cast<std::int64_t>(log_.size());
    if (!after.empty()) snapshot = integerOr(cursor, "/seq", snapshot);
    CO_TRY_VOID(co_await everything(after, snapshot, host));
  } else {
    CO_TRY_VOID(co_await whatChanged(integerOr(cursor, "/seq", 0), host));
  }
  auto const last = std::exchange(extra_emits_after, std::vector<std::pair<std::string, std::string>>());
  for (auto const& [kind, record] : last) {
    CO_TRY_VOID(co_await host->emit(kind, record));
  }
  json::object result;
  if (quiet_seconds > 0) result["quiet_seconds"] = quiet_seconds;
  co_return json::value(std::move(result));
}

Task<json::value> FakeProvider::get(runtime::Call call, runtime::CallHost* host) {
  if (refuse_gets) co_return *refuse_gets;
  if (during_get) {
    auto const hook = std::exchange(during_get, nullptr);
    CO_TRY_VOID(co_await hook(host));
  }
  auto const input = parseJson(call.input).value();
  for (auto const& id : input.at("ids").as_array()) {
    gets.emplace_back(id.as_string());
    if (auto const refused = refuse_get_of.find(gets.back()); refused != refuse_get_of.end())
      co_return refused->second;
    CO_TRY_VOID(co_await show(gets.back(), host));
  }
  co_return json::object();
}

Task<void> FakeProvider::show(std::string id, runtime::CallHost* host) {
  if (die_after_records >= 0 && shown_ >= die_after_records) {
    if (--deaths <= 0) die_after_records = -1;
    co_return workerDied();
  }
  ++shown_;
  json::object record{{"id", id}, {"version", ""}, {"scope", ""}, {"deleted", true}, {"data", nullptr}};
  if (auto const there = events_.find(id); there != events_.end()) {
    record["version"] = there->second.version;
    record["scope"] = there->second.scope;
    record["deleted"] = false;
    record["data"] = there->second.data;
  }
  std::string text = json::serialize(record);
  CO_TRY_VOID(co_await host->emit(emitted_kind, text));
  if (chaos != nullptr && (*chaos)() % 4 == 0) {
    CO_TRY_VOID(co_await host->emit(emitted_kind, text));
  }
  co_return Result<void>();
}

Task<void> FakeProvider::everything(std::string after, std::int64_t snapshot, runtime::CallHost* host) {
  std::vector<std::string> ids;
  for (auto const& [id, event] : events_)
    if (id > after) ids.push_back(id);
  int on_page = 0;
  for (auto const& id : ids) {
    CO_TRY_VOID(co_await show(id, host));
    if (++on_page % page == 0) {
      json::object cursor{{"seq", snapshot}, {"after", id}};
      std::string text = json::serialize(cursor);
      CO_TRY_VOID(co_await host->checkpoint(text));
    }
    host->progress(static_cast<std::uint64_t>(on_page), ids.size(), "events");
  }
  if (during_pull) {
    auto const hook = std::exchange(during_pull, nullptr);
    CO_TRY_VOID(co_await hook(host));
  }
  CO_TRY_VOID(co_await list(host));
  std::string text = json::serialize(cursorOf(snapshot));
  co_return co_await host->checkpoint(text);
}

Task<void> FakeProvider::list(runtime::CallHost* host) {
  for (auto const& scope : scopes_) {
    json::array ids;
    for (auto const& [id, event] : events_)
      if (event.scope == scope) ids.emplace_back(id);
    json::object listing{{"scope", scope}, {"ids", ids}, {"last", true}};
    std::string text = json::serialize(listing);
    CO_TRY_VOID(co_await host->emit("garland.listing", text));
  }
  co_return Result<void>();
}

Task<void> FakeProvider::whatChanged(std::int64_t since, runtime::CallHost* host) {
  auto until = static_cast<std::int64_t>(log_.size());
  // Delay: the rest comes with a later pull.
  if (chaos != nullptr && until > since)
    until = since + static_cast<std::int64_t>((*chaos)() % static_cast<std::uint64_t>(until - since + 1));
  std::vector<std::string> ids(log_.begin() + since, log_.begin() + until);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (chaos != nullptr) std::shuffle(ids.begin(), ids.end(), *chaos);
  for (auto const& id : ids) {
    CO_TRY_VOID(co_await show(id, host));
  }
  if (during_pull) {
    auto const hook = std::exchange(during_pull, nullptr);
    CO_TRY_VOID(co_await hook(host));
  }
  std::string text = json::serialize(cursorOf(until));
  co_return co_await host->checkpoint(text);
}

} // namespace garland::sync::testing
