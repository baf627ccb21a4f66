// Times are RFC 3339 in UTC; what is not there is null, so that every member is always present.
#include "host/api/shapes.h"

#include "host/base/ids.h"

namespace garland::api {

namespace {

json::value timeOrNull(std::optional<TimePoint> const& when) {
  if (!when) return nullptr;
  return json::value(rfc3339(*when));
}

json::object shape(sync::Counts const& counts) {
  return json::object{{"created", counts.created},
                      {"updated", counts.updated},
                      {"deleted", counts.deleted},
                      {"unchanged", counts.unchanged},
                      {"failed", counts.failed}};
}

json::object shape(sync::Storage const& stored, sync::Storage const& limit) {
  auto const both = [](std::int64_t now, std::int64_t most) {
    return json::object{{"stored", now}, {"limit", most}};
  };
  return json::object{{"records", both(stored.records, limit.records)},
                      {"record_bytes", both(stored.record_bytes, limit.record_bytes)},
                      {"values", both(stored.values, limit.values)},
                      {"value_bytes", both(stored.value_bytes, limit.value_bytes)}};
}

json::array texts(std::vector<std::string> const& list) { return json::array(list.begin(), list.end()); }

json::value orNull(std::string const& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// By which ways its items come in by themselves: "hook", "mail", "csv".
json::array waysIn(runtime::Manifest const& manifest) {
  json::array ways;
  if (auto const* intake = find(manifest.document, "/intake"); intake != nullptr && intake->is_object())
    for (auto const& way : intake->get_object()) ways.emplace_back(way.key());
  return ways;
}

// The kinds of records that come from its provider.
json::array broughtBy(runtime::Manifest const& manifest) {
  json::array kinds;
  if (auto const* entities = find(manifest.document, "/entities");
      entities != nullptr && entities->is_object())
    for (auto const& [kind, entity] : entities->get_object())
      if (boolOr(entity, "/read", false)) kinds.emplace_back(kind);
  return kinds;
}

} // namespace

json::object shape(sync::Vendor const& vendor) {
  return json::object{{"id", vendor.id}, {"name", vendor.name}, {"created", rfc3339(vendor.created)}};
}

json::object shape(sync::Node const& node) {
  return json::object{{"id", node.id},
                      {"name", node.name},
                      {"version", node.version},
                      {"started", rfc3339(node.started)},
                      {"last_sign", rfc3339(node.last_beat)},
                      {"lives", node.lives},
                      {"is_this", node.is_this},
                      {"connections", node.connections}};
}

static json::object shape(sync::SignIn const& sign_in) {
  return json::object{
      {"slot", sign_in.slot}, {"state", sign_in.state},          {"cause", sign_in.cause},
      {"by", sign_in.by},     {"since", rfc3339(sign_in.since)}, {"next_try", timeOrNull(sign_in.next_try)}};
}

json::object shape(sync::Connection const& connection) {
  json::object out{{"id", connection.id},
                   {"vendor_id", connection.vendor_id},
                   {"plugin", connection.plugin_id},
                   {"account", connection.account_name}};
  out["settings"] = connection.settings;
  out["allow_private_network"] = connection.allow_private_network;
  out["state"] = connection.state;
  out["state_reason"] = connection.state_reason;
  out["created"] = rfc3339(connection.created);
  out["last_success"] = timeOrNull(connection.last_success);
  auto const stands = sync::conditionOf(connection);
  out["condition"] = json::object{
      {"state", stands.state}, {"why", stands.why}, {"by", stands.by}, {"until", timeOrNull(stands.until)}};
  if (connection.stored) out["storage"] = shape(*connection.stored, connection.may_store);
  json::array sign_ins;
  for (auto const& one : connection.sign_ins) sign_ins.push_back(shape(one));
  if (!sign_ins.empty()) out["sign_ins"] = std::move(sign_ins);
  return out;
}

void hideOtherKeys(Request const& request, sync::Connection& connection) {
  if (request.of_vendor.empty()) return;
  for (auto* who : {&connection.paused_by, &connection.revoked_by})
    if (*who != request.by_key) who->clear();
}

json::object shapeFor(Request const& request, sync::Connection connection) {
  hideOtherKeys(request, connection);
  return shape(connection);
}

json::object shape(sync::Run const& run) {
  json::array problems;
  for (auto const& item : run.problems)
    problems.push_back(json::object{{"place", item.place}, {"kind", item.kind}, {"message", item.message}});
  json::object out{{"id", run.id}, {"connection_id", run.connection_id}, {"state", run.state}};
  out["pulled"] = shape(run.pulled);
  out["pushed"] = shape(run.pushed);
  out["echoes"] = run.echoes;
  out["worker_restarts"] = run.worker_restarts;
  out["held_deletions"] = run.held_deletions;
  out["conflicts"] = run.conflicts;
  out["set_aside"] = run.set_aside;
  out["progress"] = json::object{{"done", run.progress_done}, {"total", run.progress_total}};
  out["problems"] = std::move(problems);
  out["error"] = run.error ? toJson(*run.error) : json::value(nullptr);
  out["started"] = rfc3339(run.started);
  out["finished"] = timeOrNull(run.finished);
  return out;
}

json::object shape(sync::Record const& record) {
  json::object out{{"id", record.id}, {"vendor_id", record.vendor_id}, {"kind", record.kind}};
  out["data"] = record.data;
  out["version"] = record.version;
  out["deleted"] = record.deleted;
  out["updated"] = rfc3339(record.updated);
  json::array waiting;
  for (auto const& write : record.waiting) {
    json::object row{{"connection_id", write.connection_id}, {"state", write.state}};
    row["reason"] = orNull(write.reason);
    waiting.push_back(std::move(row));
  }
  out["waiting"] = std::move(waiting);
  json::array links;
  for (auto const& link : record.links)
    links.push_back(json::object{{"connection_id", link.connection_id}, {"external_id", link.external_id}});
  out["links"] = std::move(links);
  return out;
}

json::object shape(sync::Change const& change) {
  json::object out{{"sequence", change.sequence},   {"vendor_id", change.vendor_id},
                   {"record_id", change.record_id}, {"kind", change.kind},
                   {"action", change.action},       {"record_version", change.record_version},
                   {"origin", change.origin},       {"at", rfc3339(change.at)}};
  out["wedding"] = orNull(change.wedding);
  return out;
}

json::object shape(sync::Conflict const& conflict) {
  json::object out{{"id", conflict.id}, {"vendor_id", conflict.vendor_id}, {"record_id", conflict.record_id}};
  out["connection_id"] = conflict.connection_id;
  out["members"] = texts(conflict.members);
  out["decision"] = conflict.decision;
  out["base"] = conflict.base;
  out["local"] = conflict.local;
  out["remote"] = conflict.remote;
  out["at"] = rfc3339(conflict.at);
  return out;
}

json::object shape(sync::Action const& action) {
  json::object out{{"id", action.id},
                   {"vendor_id", action.vendor_id},
                   {"connection_id", action.connection_id},
                   {"operation", action.operation},
                   {"idempotency_key", action.key},
                   {"provider_key", action.provider_key}};
  out["input"] = action.input;
  out["state"] = sync::name(action.state);
  out["effect"] = name(sync::effectOf(action.state));
  out["known_by"] = orNull(action.known_by);
  out["output"] = action.output;
  out["error"] = nullptr;
  if (action.error) out["error"] = toJson(*action.error);
  out["attempts"] = action.attempts;
  out["lookups"] = action.lookups;
  out["lookup_problem"] = orNull(action.lookup_problem);
  out["notice"] = orNull(sync::noticeOf(action));
  out["waits_for"] = orNull(action.waits_for);
  out["created"] = rfc3339(action.created);
  out["first_sent"] = timeOrNull(action.first_sent);
  out["last_sent"] = timeOrNull(action.last_sent);
  out["next_attempt"] = timeOrNull(action.next_attempt);
  out["finished"] = timeOrNull(action.finished);
  return out;
}

json::object shape(sync::IntakeItem const& item) {
  json::object out{{"id", item.id},
                   {"vendor_id", item.vendor_id},
                   {"connection_id", item.connection_id},
                   {"source", sync::name(item.source)},
                   {"summary", item.summary},
                   {"bytes", item.bytes}};
  out["dedupe_key"] = item.dedupe_key;
  out["received"] = rfc3339(item.received);
  out["state"] = sync::name(item.state);
  out["reason"] = orNull(item.reason);
  out["attempts"] = item.attempts;
  out["records"] = item.records;
  out["acceptable"] = item.acceptable;
  out["accepted_by"] = orNull(item.accepted_by);
  out["accepted"] = timeOrNull(item.accepted);
  out["next_attempt"] = timeOrNull(item.next_attempt);
  out["finished"] = timeOrNull(item.finished);
  return out;
}

json::object shape(sync::Rehearsal const& rehearsal) {
  json::object records;
  for (auto const& [kind, count] : rehearsal.records) records[kind] = count;
  json::object out{{"state", sync::name(rehearsal.state)}, {"reason", orNull(rehearsal.reason)}};
  out["records"] = std::move(records);
  return out;
}

json::object shape(sync::Webhook const& webhook) {
  json::object out{{"id", webhook.id},
                   {"vendor_id", webhook.vendor_id},
                   {"connection_id", webhook.connection_id},
                   {"dedupe_key", webhook.key},
                   {"bytes", webhook.bytes}};
  out["received"] = rfc3339(webhook.received);
  out["state"] = sync::name(webhook.state);
  out["reason"] = orNull(webhook.reason);
  out["event"] = orNull(webhook.event);
  out["hints"] = webhook.hints;
  out["attempts"] = webhook.attempts;
  out["next_attempt"] = timeOrNull(webhook.next_attempt);
  out["finished"] = timeOrNull(webhook.finished);
  return out;
}

json::object shape(RefusedWebhooks::Line const& refused) {
  json::object out{{"system", refused.system}, {"reason", refused.reason}, {"count", refused.count}};
  out["connection_id"] = orNull(refused.connection_id);
  out["last"] = rfc3339(refused.last);
  out["taken_since"] = refused.taken_since;
  return out;
}

json::object shape(notify::Endpoint const& endpoint) {
  json::object out{{"id", endpoint.id}, {"vendor_id", endpoint.vendor_id}, {"url", endpoint.url}};
  out["description"] = endpoint.description;
  out["events"] = json::array(endpoint.events.begin(), endpoint.events.end());
  out["ordered"] = endpoint.ordered;
  out["allow_private_network"] = endpoint.allow_private_network;
  out["state"] = endpoint.enabled ? "enabled" : "disabled";
  out["reason"] = orNull(endpoint.reason);
  out["disabled_at"] = timeOrNull(endpoint.disabled_at);
  out["place"] = endpoint.place;
  out["failing_since"] = timeOrNull(endpoint.failing_since);
  out["last_success"] = timeOrNull(endpoint.last_success);
  out["missed"] = nullptr;
  if (auto const& missed = endpoint.missed)
    out["missed"] =
        json::object{{"first", missed->first}, {"last", missed->last}, {"at", rfc3339(missed->at)}};
  out["old_secret_until"] = timeOrNull(endpoint.old_secret_until);
  out["created"] = rfc3339(endpoint.created);
  return out;
}

json::object shape(notify::Delivery const& delivery) {
  json::object out{
      {"id", delivery.id}, {"endpoint_id", delivery.endpoint_id}, {"vendor_id", delivery.vendor_id}};
  out["sequence"] = delivery.sequence;
  out["record_id"] = delivery.record_id;
  out["type"] = delivery.type;
  out["state"] = notify::name(delivery.state);
  out["attempts"] = delivery.attempts;
  out["status"] = delivery.status == 0 ? json::value() : json::value(delivery.status);
  out["problem"] = orNull(delivery.problem);
  out["created"] = rfc3339(delivery.created);
  out["next_attempt"] = timeOrNull(delivery.next_attempt);
  out["finished"] = timeOrNull(delivery.finished);
  return out;
}

json::object shape(notify::Attempt const& attempt) {
  json::object out{{"number", attempt.number}, {"at", rfc3339(attempt.at)}};
  out["took_ms"] = attempt.took ? json::value(attempt.took->count()) : json::value();
  out["status"] = attempt.status == 0 ? json::value() : json::value(attempt.status);
  out["problem"] = orNull(attempt.problem);
  return out;
}

std::string PluginView::state() const {
  std::string newest = "stopped";
  bool half_open = false;
  for (auto const& worker : workers) {
    if (worker.plugin_id != installed.manifest.id) continue;
    if (worker.state == "quarantined") return worker.state;
    half_open = half_open || worker.state == "half open";
    if (worker.digest == build().digest) newest = worker.state;
  }
  return half_open ? "half open" : newest;
}

std::string PluginView::quarantine() const {
  std::string out;
  for (auto const& worker : workers)
    if (worker.plugin_id == installed.manifest.id && !worker.quarantine.empty()) out = worker.quarantine;
  return out;
}

std::string PluginView::certified() const {
  auto const& from = standing.provenance;
  if (!standing.runs && !installed.refusal.empty()) return "no";
  if (from.kind != runtime::Provenance::Kind::certified) return std::string(runtime::name(from.kind));
  return from.level + (from.expires ? " until " + rfc3339(*from.expires).substr(0, 10) : "");
}

json::object shape(PluginView const& plugin) {
  auto const& build = plugin.build();
  auto const& manifest = build.manifest;
  json::array auth;
  for (auto const& slot : manifest.auth) {
    json::object told{{"slot", slot.name}, {"scheme", slot.scheme}, {"fields", texts(slot.fields)}};
    auto const optional = static_cast<std::ptrdiff_t>(slot.may_lack);
    if (optional > 0) told["optional"] = texts({slot.fields.end() - optional, slot.fields.end()});
    if (find(slot.oauth2, "/authorize_url") != nullptr) told["page"] = true;
    if (find(slot.oauth2, "/device_url") != nullptr) told["device"] = true;
    auth.push_back(std::move(told));
  }
  json::object out{{"id", manifest.id}, {"name", manifest.name}, {"version", manifest.version}};
  out["short_name"] = manifest.id.substr(manifest.id.rfind('.') + 1);
  out["category"] = manifest.category;
  out["summary"] = textOr(manifest.document, "/summary", "");
  out["operations"] = texts(manifest.operations);
  out["auth"] = std::move(auth);
  out["intake"] = waysIn(manifest);
  out["brings"] = broughtBy(manifest);
  out["hosts"] = texts(manifest.hosts);
  out["settings_schema"] = manifest.settings_schema;
  out["digest"] = build.digest;
  out["installed_version"] = orNull(plugin.installed.manifest.version);
  out["refusal"] = orNull(plugin.standing.refusal);
  out["certified"] = plugin.certified();
  out["package"] = orNull(plugin.standing.provenance.package);
  out["state"] = plugin.state();
  out["quarantine"] = orNull(plugin.quarantine());
  return out;
}

json::object shape(runtime::WorkerStatus const& worker) {
  return json::object{
      {"plugin", worker.plugin_id},
      {"version", worker.version},
      {"vendor_id", orNull(worker.vendor_id)},
      {"digest", worker.digest},
      {"state", worker.state},
      {"pid", worker.pid},
      {"restarts", worker.restarts},
      {"last_exit", worker.last_exit},
      {"last_crash", worker.last_crash ? json::value(rfc3339(*worker.last_crash)) : json::value()},
      {"memory", worker.memory},
      {"memory_limit", worker.memory_limit},
      {"quarantine", orNull(worker.quarantine)},
      {"in_flight", worker.in_flight}};
}

json::object shape(runtime::SupervisorEvent const& event) {
  json::object out{{"time", rfc3339(event.time)}, {"plugin", event.plugin_id},
                   {"digest", event.digest},      {"kind", runtime::name(event.kind)},
                   {"reason", event.reason},      {"capsule", orNull(event.capsule)}};
  out["call"] = nullptr;
  if (event.call)
    out["call"] = json::object{{"operation", event.call->operation},
                               {"connection_id", orNull(event.call->account_id)},
                               {"vendor_id", orNull(event.call->vendor_id)},
                               {"record_id", orNull(event.call->record_id)}};
  return out;
}

json::object detail(PluginView const& plugin, std::vector<runtime::SupervisorEvent> const& events) {
  auto out = shape(plugin);
  json::array own_workers, own_events;
  json::value last_crash;
  for (auto const& worker : plugin.workers)
    if (worker.plugin_id == plugin.installed.manifest.id) own_workers.push_back(shape(worker));
  for (auto const& event : events) {
    if (event.plugin_id != plugin.installed.manifest.id) continue;
    own_events.push_back(shape(event));
    if (event.kind == runtime::SupervisorEvent::Kind::crashed) last_crash = shape(event);
  }
  out["restarts"] = plugin.standing.restarts;
  out["last_crash"] = std::move(last_crash);
  out["workers"] = std::move(own_workers);
  out["events"] = std::move(own_events);
  return out;
}

Result<void> requireId(std::string_view prefix, std::string_view text, std::string_view what) {
  if (isId(prefix, text)) return {};
  return Error(ErrorKind::notFound, "there is no " + std::string(what) +
                                        " with this id (ids of this kind look like " + std::string(prefix) +
                                        "_ and 26 characters)");
}

} // namespace garland::api
