#include "certification/case_host.h"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <cctype>

namespace garland::certification {
namespace {

using runtime::HttpAnswer;
using runtime::HttpAsk;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "*.example.com" stands for every name below it.
bool allows(std::string const& rule, std::string const& host, std::string const& port) {
  auto const name = rule.substr(0, rule.find(':'));
  auto const wanted_port = rule.find(':') == std::string::npos ? "" : rule.substr(rule.find(':') + 1);
  if (port != wanted_port) return false;
  return name.starts_with("*.") ? host.ends_with(name.substr(1)) : host == name;
}

// Those that host/egress drops: who it comes from, where it goes, how it is framed.
bool isDropped(std::string const& name) {
  return name == "authorization" || name == "cookie" || name == "host" || name == "content-length" ||
         name == "connection" || name == "expect" || name == "transfer-encoding" ||
         name.starts_with("proxy-");
}

Error forbidden(std::string what, char const* code) {
  Error error(ErrorKind::forbidden, std::move(what));
  error.provider_code = code;
  return error;
}

Error outOfTime(std::string const& operation) {
  Error error(ErrorKind::transient, "the time of " + operation + " is used up");
  error.provider_code = kOutOfTime;
  return error;
}

// Where an answer came from is for the host to say, as host/sync has it, and here nobody redirects.
Result<HttpAnswer> asGivenOn(Result<HttpAnswer> answer) {
  if (answer)
    std::erase_if(answer->headers,
                  [](auto const& header) { return lower(header.first) == "content-location"; });
  return answer;
}

} // namespace

CaseHost::CaseHost(Surroundings with, std::optional<FaultOrder> fault, Milliseconds deadline)
    : with_(std::move(with)), fault_(fault), began_(with_.clock.now()), ends_(began_ + deadline) {}

Milliseconds CaseHost::left() const { return ends_ - with_.clock.now(); }

bool CaseHost::note(HostCall::Kind kind, std::string place) {
  auto const index = with_.journal.calls.size();
  with_.journal.calls.push_back({kind, std::move(place)});
  if (with_.upgrade_at == index) with_.upgrade();
  if (!fault_ || (fault_->lasts ? index < fault_->at : index != fault_->at)) return false;
  return kind == HostCall::Kind::http || fault_->fault->everywhere;
}

// As when the daemon stops: the call is told, and this host call answers at once.
Error CaseHost::cancelled() {
  with_.journal.fault_met = true;
  with_.journal.cancelled_after = with_.clock.now() - began_;
  with_.cancel();
  return Error(ErrorKind::cancelled, "the call was cancelled");
}

void CaseHost::boundary(bool before) {
  auto const index = before ? boundaries_++ : boundaries_ - 1;
  auto const& kill = with_.world.intercepts.kill;
  if (kill == nullptr || killed_ || !kill(index, before)) return;
  killed_ = true;
  with_.journal.fault_met = true;
  with_.journal.at_kill = std::make_shared<Journal const>(with_.journal);
  with_.kill();
}

std::optional<Error> CaseHost::intercepted(HostCall const& call) const {
  auto const& intercept = with_.world.intercepts.host_call;
  auto error = intercept ? intercept(call) : std::nullopt;
  if (error) with_.journal.fault_met = true;
  return error;
}

Result<void> CaseHost::attachCredential(std::string const& slot, ProviderRequest& request) const {
  if (slot.empty()) return {};
  auto const& auth = with_.subject.plugin.manifest.auth;
  auto const declared = std::ranges::find(auth, slot, &runtime::AuthSlot::name);
  auto const* all = with_.subject.brief.credentials(with_.world.sign_in);
  auto const* fields = all != nullptr && all->is_object() ? all->get_object().if_contains(slot) : nullptr;
  if (declared == auth.end() || fields == nullptr)
    return Error(ErrorKind::invalidInput,
                 "credential slot \"" + slot + "\" is not filled for this connection");
  auto const field = [&](std::size_t i) {
    return i < declared->fields.size() ? textOr(*fields, "/" + declared->fields[i], "") : std::string();
  };
  if (declared->scheme == "basic")
    request.headers.emplace_back("authorization", "Basic " + base64(field(0) + ":" + field(1)));
  else if (declared->scheme == "bearer")
    request.headers.emplace_back("authorization", "Bearer " + field(0));
  else if (declared->scheme == "header")
    request.headers.emplace_back(lower(declared->parameter), field(0));
  else if (declared->scheme == "query") // the others sign, or are the address itself: nothing to add
    request.target +=
        (request.target.find('?') == std::string::npos ? "?" : "&") + declared->parameter + "=" + field(0);
  return {};
}

// "slot:feed" is what the vendor typed there, which the connector never sees.
Result<std::string> CaseHost::addressOf(HttpAsk const& ask) const {
  if (!ask.url.starts_with("slot:")) return ask.url;
  auto const slot = ask.url.substr(5);
  auto const& auth = with_.subject.plugin.manifest.auth;
  auto const declared = std::ranges::find(auth, slot, &runtime::AuthSlot::name);
  auto const* all = with_.subject.brief.credentials(with_.world.sign_in);
  if (all == nullptr || declared == auth.end() || declared->scheme != "address" || declared->fields.empty())
    return Error(ErrorKind::invalidInput, "there is no address in the credential slot \"" + slot + "\"");
  return textOr(*all, "/" + slot + "/" + declared->fields.front(), "");
}

Result<ProviderRequest> CaseHost::requestFor(HttpAsk const& ask) const {
  bool const by_slot = ask.url.starts_with("slot:");
  TRY(address, addressOf(ask));
  auto const url = boost::urls::parse_uri(address);
  if (!url) return Error(ErrorKind::invalidInput, "the request's address cannot be read: " + ask.url);
  if (url->has_userinfo())
    return Error(ErrorKind::invalidInput, "the request's address has a user or password in it");
  if (url->scheme() != "https") return forbidden("plain HTTP is not allowed: " + ask.url, "plain_http");
  auto const settings =
      with_.world.settings.is_null() ? with_.subject.brief.settings() : with_.world.settings;
  auto const host = lower(url->encoded_host());
  auto const port = url->port() == "443" ? std::string() : std::string(url->port());
  auto const rules = with_.subject.plugin.manifest.allowedHosts(settings);
  auto const fits = [&](auto const& rule) { return allows(lower(rule), host, port); };
  if (!by_slot && std::ranges::none_of(rules, fits))
    return forbidden("the manifest does not allow requests to " + host, "host_not_allowed");
  ProviderRequest out;
  out.method = ask.method;
  out.target = std::string(url->encoded_target());
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  out.origin = "https://" + host + (port.empty() ? "" : ":" + port);
  for (auto const& [name, value] : ask.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos)
      return Error(ErrorKind::invalidInput, "a header of the request has a line break in it");
    if (!isDropped(lower(name))) out.headers.emplace_back(lower(name), value);
  }
  if (!ask.idempotency_key.empty()) out.headers.emplace_back("idempotency-key", ask.idempotency_key);
  out.headers.emplace_back("host", host);
  out.body = ask.body;
  if (by_slot) return out;
  TRY_VOID(attachCredential(ask.credential_slot, out));
  return out;
}

Task<HttpAnswer> CaseHost::exchange(HttpAsk ask, bool faulty, bool* reached) {
  CO_TRY(request, requestFor(ask));
  if (left() <= Milliseconds::zero()) co_return outOfTime(with_.journal.operation);
  auto const* const fault = faulty ? fault_->fault : nullptr;
  auto const list = listOf(ask);
  if (fault != nullptr && fault->repeats != Fault::Repeats::no) {
    auto const before = last_.find(list);
    looping_ = fault->repeats == Fault::Repeats::forEver;
    with_.journal.fault_met = before != last_.end();
    if (with_.journal.fault_met) co_return before->second;
  } else if (fault != nullptr) {
    with_.journal.fault_met = true;
    with_.clock.advance(
        std::min(fault->takes, ask.timeout > Milliseconds(0) ? std::min(ask.timeout, left()) : left()));
    if (!fault->reaches_provider) co_return fault->answer(ask, nullptr);
  }
  if (looping_ && fault == nullptr && last_.contains(list)) co_return last_.at(list);
  auto const patience = ask.timeout > Milliseconds(0) ? std::min(ask.timeout, left()) : left();
  bool const too_slow = with_.world.exchange > patience;
  with_.clock.advance(std::min(with_.world.exchange, patience));
  if (with_.provider == nullptr)
    co_return Error(ErrorKind::transient, "this connector has no twin that could answer");
  *reached = true;
  auto serving = with_.provider->serve(std::move(request));
  CO_TRY(answer, co_await std::move(serving));
  if (too_slow) co_return faultNamed("timeout_after_send")->answer(ask, nullptr);
  if (with_.world.intercepts.answer) with_.world.intercepts.answer(ask, answer);
  if (with_.world.spoil != nullptr) answer.body = with_.world.spoil(answer.body);
  auto const limit = ask.max_body == 0 ? with_.subject.plugin.manifest.max_body : ask.max_body;
  if (answer.body.size() > limit)
    co_return Error(ErrorKind::hostLimit, "the answer is larger than allowed").withEffect(Effect::unknown);
  if (fault != nullptr && fault->answer != nullptr) co_return fault->answer(ask, &answer);
  if (answer.status >= 200 && answer.status < 300) last_[list] = answer; // a refusal is no page
  co_return std::move(answer);
}

Task<HttpAnswer> CaseHost::http(HttpAsk ask) {
  bool const faulty = note(HostCall::Kind::http, ask.method + " " + ask.url);
  if (faulty && fault_->fault->everywhere) co_return cancelled();
  auto const place = with_.journal.exchanges.size();
  with_.journal.exchanges.push_back({ask, Error(), false});
  bool reached = false;
  boundary(true);
  auto const& intercept = with_.world.intercepts.request;
  auto const asked_at = with_.clock.now();
  auto const instead = intercept ? intercept(ask) : std::nullopt;
  if (instead) {
    with_.journal.fault_met = true;
    if (with_.clock.now() == asked_at) with_.clock.advance(with_.world.exchange);
    auto given = asGivenOn(*instead);
    with_.journal.exchanges[place].answer = given;
    co_return given;
  }
  auto answering = exchange(std::move(ask), faulty, &reached);
  auto answer = asGivenOn(co_await std::move(answering));
  if (answer && !with_.world.canary.empty()) // refusals carry it, too
    answer->headers.emplace_back("x-session-token", with_.world.canary);
  boundary(false);
  with_.journal.exchanges[place].answer = answer;
  with_.journal.exchanges[place].reached = reached;
  co_return answer;
}

Task<void> CaseHost::emit(std::string kind, std::string record_json) {
  boundary(true);
  Record record;
  record.kind = std::move(kind);
  record.text = std::move(record_json);
  record.requests = with_.journal.exchanges.size();
  if (auto value = parseJson(record.text)) record.value = std::move(*value);
  with_.journal.records.push_back(std::move(record));
  co_return Result<void>();
}

Task<void> CaseHost::checkpoint(std::string cursor_json) {
  if (note(HostCall::Kind::checkpoint, "checkpoint")) co_return cancelled();
  if (auto error = intercepted({HostCall::Kind::checkpoint, "checkpoint"})) co_return std::move(*error);
  boundary(true);
  auto cursor = parseJson(cursor_json);
  if (!cursor) co_return Error(ErrorKind::invalidInput, "the cursor is no JSON: " + cursor.error().message);
  for (auto& record : with_.journal.records) record.durable = true;
  with_.journal.cursors.push_back(std::move(*cursor));
  boundary(false);
  co_return Result<void>();
}

Task<runtime::KvEntry> CaseHost::kvGet(std::string key) {
  if (note(HostCall::Kind::kvGet, "kv_get " + key)) co_return cancelled();
  if (auto error = intercepted({HostCall::Kind::kvGet, key})) co_return std::move(*error);
  auto const found = with_.store.find(key);
  if (found == with_.store.end() || found->second.second <= with_.clock.now())
    co_return Error(ErrorKind::notFound, "no value is kept under this key");
  co_return found->second.first;
}

Task<void> CaseHost::kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) {
  if (note(HostCall::Kind::kvPut, "kv_put " + key)) co_return cancelled();
  if (auto error = intercepted({HostCall::Kind::kvPut, key})) co_return std::move(*error);
  if (key.size() > 512 || value.size() > (1U << 20U))
    co_return Error(ErrorKind::hostLimit, "a key may have 512 bytes and its value 1 MiB");
  auto& entry = with_.store[key];
  if (if_version != 0 && entry.first.version != if_version)
    co_return Error(ErrorKind::conflict, "the value has changed meanwhile");
  with_.journal.stored.emplace_back(key, std::string(value.begin(), value.end()));
  entry.first.value = std::move(value);
  ++entry.first.version;
  entry.second = ttl > Milliseconds(0) ? with_.clock.now() + ttl : TimePoint::max();
  co_return Result<void>();
}

void CaseHost::log(LogLevel level, std::string message, std::string fields_json) {
  with_.journal.logs.push_back({level, message + (fields_json.empty() ? "" : " " + fields_json)});
}

void CaseHost::progress(std::uint64_t, std::uint64_t, std::string) {}

} // namespace garland::certification
