#include "host/sync/call_host.h"

#include "host/base/store_error.h"
#include "host/sync/commits.h"
#include "host/sync/credential.h"
#include "host/sync/retry.h"
#include "host/sync/sign_ins.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::size_t kMaxKey = 512;
constexpr std::size_t kMaxValue = 1U << 20U;
// So long a request waits for its provider's limit, and as long as one request takes at the rate that it
// grants, so that a slow one lets calls of several requests come to their end. Whoever would have to wait
// longer is told how long.
constexpr Milliseconds kPatience{30'000};
constexpr Milliseconds kMostPatience{300'000};
// All requests of a call wait at most so many times as long as it may work: whatever else its account is
// asked waits for its end.
constexpr int kWaitsForWork = 6;

// In which one more request comes in.
Milliseconds shareOf(std::optional<runtime::RequestLimit> const& limit) {
  return limit ? limit->span / (limit->count - limit->at_once + 1) : Milliseconds::zero();
}

Effect effectOf(int status) {
  if (status >= 200 && status < 300) return Effect::applied;
  return status >= 400 && status < 500 ? Effect::notApplied : Effect::unknown;
}

// A secret that is an address is no place that a connector could name by itself.
Result<void> checkUrl(runtime::HttpAsk const& ask, egress::Credential const& credential) {
  bool const by_slot = credential.scheme == egress::Credential::Scheme::address;
  if (!by_slot || ask.url == "slot:" + ask.credential_slot) return {};
  return Error(ErrorKind::invalidInput,
               "a request with the credential slot \"" + ask.credential_slot +
                   "\" goes to slot:" + ask.credential_slot + ", since the credential is the address",
               "/url");
}

// Connectors resolve references against Content-Location, so only the host may say it: where the answer
// came from after redirects.
std::vector<std::pair<std::string, std::string>> headersOf(egress::Response& response) {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& header : response.headers)
    if (header.name != "content-location") out.emplace_back(std::move(header.name), std::move(header.value));
  if (response.redirected) out.emplace_back("content-location", response.final_url);
  return out;
}

// While the secrets of the call are still known to the redactor.
Error scrubbed(Context const& context, Error error) {
  error.message = context.scrub(error.message);
  error.user_message = context.scrub(error.user_message);
  error.provider_code = context.scrub(error.provider_code);
  if (!error.detail.is_null()) error.detail = readJson(context.scrub(json::serialize(error.detail)));
  return error;
}

// An operation without a result gives null.
Result<json::value> outputOf(std::string const& operation, std::string const& text) {
  if (text.empty()) return json::value();
  auto value = parseJson(text);
  if (!value) return std::move(value).error().within("the result of " + operation);
  return value;
}

} // namespace

PluginCallHost::PluginCallHost(Context& context, AuditTrail& audit, Session const& session,
                               std::string operation, EmitSink* sink, Milliseconds deadline)
    : context_(context), audit_(audit), session_(session), operation_(std::move(operation)), sink_(sink),
      deadline_(deadline), begun_(context.doors.clock.monotonic()) {}

PluginCallHost::~PluginCallHost() {
  for (auto const& secret : redacted_) context_.doors.redactor.remove(secret.reveal());
}

void PluginCallHost::redact(std::string_view secret) {
  bool const known = std::any_of(redacted_.begin(), redacted_.end(),
                                 [&](Secret const& other) { return other.reveal() == secret; });
  if (known || secret.empty()) return;
  redacted_.emplace_back(std::string(secret));
  context_.doors.redactor.add(secret);
}

runtime::AuthSlot const* PluginCallHost::slotNamed(std::string_view name) const {
  auto const& auth = session_.plugin->manifest.auth;
  auto const declared = std::find_if(auth.begin(), auth.end(), [&](auto const& a) { return a.name == name; });
  return declared == auth.end() ? nullptr : &*declared;
}

Result<json::value> PluginCallHost::fieldsOf(runtime::AuthSlot const& slot) {
  auto const sealed = session_.sealed.find(slot.name);
  auto const& connection = session_.connection;
  if (sealed == session_.sealed.end() && connection.state == "revoked")
    return Error(ErrorKind::authRevoked, connection.state_reason + "; connect the account again");
  if (sealed == session_.sealed.end())
    return Error(ErrorKind::invalidInput,
                 "credential slot \"" + slot.name + "\" is not filled for this connection");
  TRY(opened, context_.doors.vault.open(sealed->second, credentialContext(connection, slot.name)));
  return readJson(opened.reveal());
}

Task<egress::Credential> PluginCallHost::openCredential(std::string name) {
  auto const* slot = slotNamed(name);
  if (slot == nullptr)
    co_return Error(ErrorKind::invalidInput,
                    "credential slot \"" + name + "\" is not filled for this connection");
  CO_TRY(fields, fieldsOf(*slot));
  auto credential = Result<egress::Credential>(Error());
  if (isSignIn(*slot))
    credential = co_await signIn(slot, &fields);
  else
    credential = credentialOf(*slot, fields, session_.connection.settings);
  wipeTexts(fields);
  if (!credential) co_return credential.error();
  for (auto const secret : secretsOf(*credential)) redact(secret);
  co_return std::move(*credential);
}

// An access token that is valid, renewed if it has to be.
Task<egress::Credential> PluginCallHost::signIn(runtime::AuthSlot const* slot, json::value* fields) {
  CO_TRY(use, useOf(context_, session_, *slot, *fields));
  redact(use.client_secret.reveal());
  CO_TRY(access, co_await context_.tokens->fresh(std::move(use)));
  co_return credentialWith(*slot, std::move(access));
}

PluginCallHost::Wait::Wait(PluginCallHost& host_in) : host(host_in) {
  if (host.waits_++ == 0) host.waits_since_ = host.context_.doors.clock.monotonic();
}

PluginCallHost::Wait::~Wait() {
  if (--host.waits_ == 0) host.waited_ += host.context_.doors.clock.monotonic() - host.waits_since_;
}

Milliseconds PluginCallHost::waited() const {
  auto const now = context_.doors.clock.monotonic();
  return std::chrono::duration_cast<Milliseconds>(waited_ + (waits_ > 0 ? now - waits_since_ : Monotonic(0)));
}

Milliseconds PluginCallHost::left() const {
  auto const passed = context_.doors.clock.monotonic() - begun_;
  return deadline_ + waited() - std::chrono::duration_cast<Milliseconds>(passed);
}

Milliseconds PluginCallHost::patience(Limits::Asker const& asker) const {
  auto const one = std::max(shareOf(asker.of_connection), shareOf(asker.of_app));
  auto const most = std::min(kPatience + one, kMostPatience);
  return std::clamp(deadline_ * kWaitsForWork - waited(), Milliseconds::zero(), most);
}

// A key of the provider's that many accounts come with: what each request says of it, or what the connector
// as a whole has.
Limits::Asker PluginCallHost::asker(egress::Credential const& credential) const {
  auto const& manifest = session_.plugin->manifest;
  auto const& connection = session_.connection;
  bool const has_key = credential.scheme == egress::Credential::Scheme::oauth1;
  auto const rates = context_.requestsOf(manifest);
  Limits::Asker asker;
  asker.connection_id = connection.id;
  asker.of_connection = rates.connection;
  asker.app = has_key ? manifest.id + " " + credential.username : manifest.id;
  asker.of_app = rates.app;
  asker.priority = context_.amongAll(connection.vendor_id, context_.lanes->priority(connection.id));
  asker.can_stop = sink_ != nullptr || !asked_;
  return asker;
}

egress::Request PluginCallHost::requestFor(runtime::HttpAsk ask) const {
  egress::Request request;
  request.method = std::move(ask.method);
  request.url = std::move(ask.url);
  for (auto& [name, value] : ask.headers)
    request.headers.push_back(egress::Header{std::move(name), std::move(value)});
  request.body = std::move(ask.body);
  request.idempotency_key = std::move(ask.idempotency_key);
  request.audit_subject = session_.connection.id;
  request.timeout = ask.timeout > Milliseconds::zero() ? std::min(ask.timeout, left()) : left();
  auto const limit = session_.plugin->manifest.max_body;
  request.max_body = ask.max_body == 0 ? limit : std::min<std::size_t>(limit, ask.max_body);
  return request;
}

// The trail could not be written after an exchange: what the exchange did at the provider stays true.
Error unrecorded(Error error, Result<egress::Response> const& fetched) {
  error.effect = fetched ? Effect::unknown : fetched.error().effect;
  return passing(std::move(error));
}

egress::Policy PluginCallHost::policy() const {
  egress::Policy policy;
  policy.allowed_hosts = session_.plugin->manifest.allowedHosts(session_.connection.settings);
  policy.allow_private_network = session_.connection.allow_private_network;
  policy.extra_ca_file = context_.doors.extra_ca_file;
  return policy;
}

// An account that is tried has no lease.
Result<void> PluginCallHost::refuseIfLate() const {
  if (session_.trial || mayAsk(context_, session_.connection.id)) return {};
  return Error(ErrorKind::cancelled,
               "other daemons may think that this one is gone, so it asks nobody for the moment");
}

Task<void> PluginCallHost::waitForLimit(Limits::Asker asker) {
  Wait const wait(*this);
  auto const most = patience(asker);
  co_return co_await context_.limits.enter(std::move(asker), most);
}

// A token may be taken back before its time: then there is another one, and the request goes once more. If
// that one is refused as well, it is rights that are missing, and the connector reads the refusal.
Task<runtime::HttpAnswer> PluginCallHost::http(runtime::HttpAsk ask) {
  auto const* slot = slotNamed(ask.credential_slot);
  Secret used;
  if (slot == nullptr || !isSignIn(*slot)) co_return co_await exchange(std::move(ask), &used);
  CO_TRY(answer, co_await exchange(ask, &used));
  if (answer.status != 401 || answer.effect != Effect::notApplied) co_return answer;
  auto place = placeOf(session_.connection, slot->name);
  CO_TRY(another, co_await context_.tokens->refused(std::move(place), std::move(used)));
  if (!another) co_return answer;
  co_return co_await exchange(std::move(ask), &used);
}

Task<runtime::HttpAnswer> PluginCallHost::exchange(runtime::HttpAsk ask, Secret* used) {
  if (operation_ == kWebhookOperation)
    co_return Error(ErrorKind::unsupported,
                    operation_ + " only reads what it is given; it must not ask anybody");
  // What a pull has brought so far is kept, so it may end here; a write had better come to its end.
  if (sink_ != nullptr && context_.stopping) co_return Error(ErrorKind::cancelled, "the daemon is stopping");
  CO_TRY_VOID(refuseIfLate());
  egress::Credential credential;
  if (!ask.credential_slot.empty()) {
    auto opened = co_await openCredential(ask.credential_slot);
    if (!opened) {
      // Its provider may have been asked for a token, in vain.
      auto const told =
          co_await audit_.save(session_.connection.vendor_id, session_.connection.id, operation_);
      co_return told ? opened.error() : passing(told.error());
    }
    credential = std::move(*opened);
    *used = credential.secret.clone();
    CO_TRY_VOID(checkUrl(ask, credential));
  }
  auto const as = asker(credential);
  RunPlaces::Rest rest(context_.run_places, session_.connection.id, context_.doors.clock.monotonic());
  CO_TRY_VOID(co_await waitForLimit(as));
  CO_TRY_VOID(refuseIfLate()); // it may have waited for longer than a lease lasts
  auto request = requestFor(std::move(ask));
  if (request.timeout <= Milliseconds::zero())
    co_return Error(ErrorKind::transient,
                    "the time of " + operation_ + " is used up, so its next request did not go out");
  auto allowed = policy();
  asked_ = true;
  auto const sent = context_.doors.clock.monotonic();
  auto fetched =
      co_await context_.doors.egress.fetch(std::move(request), std::move(allowed), std::move(credential));
  rest.end();
  if (fetched) {
    Pace::Seen seen;
    seen.status = fetched->status;
    seen.took = context_.doors.clock.monotonic() - sent;
    seen.retry_after = fetched->retry_after;
    context_.limits.answered(as, seen);
  }
  // Without its row in the trail no answer is given: a full disk stops the call, not the record of it.
  auto const saved = co_await audit_.save(session_.connection.vendor_id, session_.connection.id, operation_);
  if (!saved) co_return unrecorded(saved.error(), fetched);
  if (!fetched) co_return fetched.error();
  runtime::HttpAnswer answer;
  answer.status = fetched->status;
  answer.headers = headersOf(*fetched);
  answer.body = std::move(fetched->body);
  answer.retry_after = fetched->retry_after;
  answer.effect = fetched->may_have_applied ? Effect::unknown : effectOf(answer.status);
  co_return answer;
}

Task<void> PluginCallHost::emit(std::string kind, std::string record_json) {
  if (sink_ == nullptr) co_return Error(ErrorKind::unsupported, operation_ + " must not emit records");
  co_return co_await sink_->emit(std::move(kind), std::move(record_json));
}

Task<void> PluginCallHost::checkpoint(std::string cursor_json) {
  if (sink_ == nullptr) co_return Error(ErrorKind::unsupported, operation_ + " must not checkpoint");
  co_return co_await sink_->checkpoint(std::move(cursor_json));
}

Task<runtime::KvEntry> PluginCallHost::kvGet(std::string key) {
  if (session_.trial) {
    auto const found = trial_state_.find(key);
    if (found == trial_state_.end()) co_return Error(ErrorKind::notFound, "no value is kept under this key");
    co_return found->second;
  }
  store::Statement query(
      "SELECT value, version FROM plugin_kv WHERE vendor_id=$1 AND connection_id=$2 AND name=$3 "
      "AND (expires=0 OR expires>$4)",
      {session_.connection.vendor_id, session_.connection.id, key, toMillis(context_.now())});
  CO_TRY(found, co_await context_.doors.store.read(std::move(query)));
  if (found.rows.empty()) co_return Error(ErrorKind::notFound, "no value is kept under this key");
  runtime::KvEntry entry;
  entry.value = found.rows[0].bytes(0);
  entry.version = static_cast<std::uint64_t>(found.rows[0].integer(1));
  co_return entry;
}

Task<void> PluginCallHost::kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) {
  if (key.size() > kMaxKey || value.size() > kMaxValue)
    co_return Error(ErrorKind::hostLimit, "a key may have 512 bytes and its value 1 MiB");
  if (session_.trial) {
    co_return putOnTrial(key, std::move(value), if_version);
  }
  Owner const owner{session_.connection.vendor_id, session_.connection.id};
  auto const bytes = static_cast<std::int64_t>(value.size());
  auto put = makePut(key, std::move(value), if_version, ttl);
  auto again = put;
  auto stored = co_await commitOwned(&context_, owner, std::move(put));
  if (!stored && stored.error().kind == ErrorKind::conflict) {
    CO_TRY_VOID(co_await refuseValueOver(&context_, owner, key, bytes));
    stored = co_await commitOwned(&context_, owner, std::move(again));
  }
  if (!stored) co_return passing(stored.error());
  co_return Result<void>();
}

// What the plugin keeps while its account is tried is gone after the call, but it is the daemon's memory.
Result<void> PluginCallHost::putOnTrial(std::string const& key, Bytes value, std::uint64_t if_version) {
  auto const found = trial_state_.find(key);
  auto const version = found == trial_state_.end() ? 0 : found->second.version;
  if (if_version != 0 && version != if_version)
    return Error(ErrorKind::conflict, "the value has changed meanwhile");
  std::size_t bytes = value.size();
  for (auto const& [other, entry] : trial_state_)
    if (other != key) bytes += entry.value.size();
  auto const& most = context_.doors.limits;
  bool const too_many =
      found == trial_state_.end() && trial_state_.size() >= static_cast<std::size_t>(most.values);
  if (too_many || bytes > static_cast<std::size_t>(most.value_bytes))
    return Error(ErrorKind::quota,
                 "the plugin stores more values while its account is tried than [limits] values "
                 "and values_mib of garland.toml allow");
  trial_state_[key] = {std::move(value), version + 1};
  return {};
}

store::Unit PluginCallHost::makePut(std::string const& key, Bytes value, std::uint64_t if_version,
                                    Milliseconds ttl) const {
  auto const& connection = session_.connection;
  store::Unit unit;
  countValue(unit, Owner{connection.vendor_id, connection.id}, key, static_cast<std::int64_t>(value.size()),
             context_.doors.limits);
  auto const expires = ttl > Milliseconds::zero() ? toMillis(context_.now() + ttl) : std::int64_t{0};
  std::string sql = "INSERT INTO plugin_kv (vendor_id,connection_id,name,value,version,expires) "
                    "VALUES ($1,$2,$3,$4,1,$5) ON CONFLICT (vendor_id,connection_id,name) DO UPDATE SET "
                    "value=excluded.value, version=plugin_kv.version+1, expires=excluded.expires";
  Values args = {connection.vendor_id, connection.id, key, std::move(value), expires};
  if (if_version != 0) {
    sql = "UPDATE plugin_kv SET value=$4, expires=$5, version=version+1 "
          "WHERE vendor_id=$1 AND connection_id=$2 AND name=$3 AND version=$6";
    args.emplace_back(static_cast<std::int64_t>(if_version));
  }
  unit.push_back(store::Statement(std::move(sql), std::move(args)).expecting(1));
  return unit;
}

void PluginCallHost::restarted() {
  if (sink_ != nullptr) sink_->restarted();
}

void PluginCallHost::log(LogLevel level, std::string message, std::string fields_json) {
  json::object fields;
  fields["plugin"] = session_.plugin->manifest.id;
  fields["connection"] = session_.connection.id;
  if (!fields_json.empty()) fields["fields"] = readJson(fields_json);
  context_.doors.log.write(level, message, std::move(fields));
}

void PluginCallHost::progress(std::uint64_t done, std::uint64_t total, std::string) {
  if (sink_ != nullptr) sink_->progress(done, total);
}

Task<json::value> callPlugin(Context* context, AuditTrail* audit, Session const* session,
                             std::string operation, json::value input, EmitSink* sink, Milliseconds deadline,
                             bool* asked) {
  CO_TRY_VOID(context->requireInput(operation, input));
  // The plugin may have been replaced since the session began; what the host allows is the manifest of the
  // build that runs.
  auto const build = context->doors.supervisor.build(*session->plugin);
  Session current = *session;
  current.plugin = build;
  PluginCallHost host(*context, *audit, current, operation, sink, deadline);
  auto call = makeCall(current, operation, input, deadline);
  auto const answered = co_await context->doors.supervisor.call(*build, std::move(call), host);
  if (asked != nullptr) *asked = host.asked();
  if (!answered) co_return scrubbed(*context, answered.error());
  auto output = outputOf(operation, *answered);
  if (!output) co_return Error(ErrorKind::pluginBug, output.error().message).withEffect(Effect::unknown);
  auto known = context->knownOfOutput(operation, *output);
  auto const conforms = context->requireOutput(operation, known);
  if (!conforms) co_return Error(ErrorKind::pluginBug, conforms.error().message).withEffect(Effect::unknown);
  co_return known;
}

} // namespace garland::sync
