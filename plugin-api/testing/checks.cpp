// What FakeHost holds a plugin to: handles, JSON, schemas, hosts and credential slots.
#include "fake_host_state.h"

#include <garland/schemas.hpp>

#include <boost/url/parse.hpp>

#include <algorithm>
#include <exception>

namespace garland::testing {

garland_call& FakeHost::State::begin(std::string operation) {
  deadline = elapsed + std::chrono::minutes(5);
  return *calls.emplace_back(std::make_unique<garland_call>(std::move(operation)));
}

bool FakeHost::State::usable(garland_call* call, char const* function, bool suspends) {
  ++host_calls;
  auto const refuse = [&](std::string const& why) {
    blame(std::string(function) + " was called " + why);
    return false;
  };
  if (call == nullptr) return refuse("without a call");
  if (!call->alive) return refuse("with the handle of " + call->operation + ", which has returned");
  if (call->thread != std::this_thread::get_id()) return refuse("on another thread than " + call->operation);
  if (suspends && (std::current_exception() != nullptr || std::uncaught_exceptions() > 0))
    return refuse("inside a catch handler or while unwinding");
  return true;
}

bool FakeHost::State::loggable(garland_call const& call) {
  if (call.thread == std::this_thread::get_id()) ++host_calls;
  if (call.alive) return true;
  blame("log was called with the handle of " + call.operation + ", which has returned");
  return false;
}

std::optional<json::value> FakeHost::State::parse(garland_json span, std::string const& what) {
  json::error_code error;
  auto value = json::parse({span.ptr == nullptr ? "" : span.ptr, span.len}, error);
  if (!error) return value;
  blame(what + " is not JSON: " + error.message());
  return std::nullopt;
}

garland_status FakeHost::State::takeOutput() {
  if (outputs_left == 0) return output_refusal;
  --outputs_left;
  return GARLAND_OK;
}

void FakeHost::State::checkEmitted(std::string const& operation, std::string const& kind,
                                   json::value const& record) {
  auto const schema = "emit." + kind + ".json";
  if (schemaText(schema).empty()) return blame("emitted a record of the unknown kind " + kind);
  for (auto const& problem : schemaProblems(schema, record)) blame("emitted " + kind + ": " + problem);
  auto const entity = "record." + kind + ".json";
  auto const* data = record.is_object() ? record.get_object().if_contains("data") : nullptr;
  if (data == nullptr || !data->is_object() || schemaText(entity).empty()) return;
  // What comes in by itself tells some members; the host knows the others.
  bool const partial = operation == "intake.parse/1";
  for (auto const& problem : partial ? partialProblems(entity, *data) : schemaProblems(entity, *data))
    blame("emitted " + kind + ": /data" + problem);
}

void FakeHost::State::checkResult(std::string const& operation, json::value const& result) {
  auto id = operation;
  std::ranges::replace(id, '/', '.');
  auto const schema = id + ".out.json";
  if (schemaText(schema).empty()) return;
  for (auto const& problem : schemaProblems(schema, result)) blame("result of " + operation + ": " + problem);
  auto const* data = result.is_object() ? result.get_object().if_contains("data") : nullptr;
  if (data == nullptr) return;
  // An operation for several kinds of records says which this one is.
  auto const* said = result.get_object().if_contains("entity");
  auto const kind = said != nullptr && said->is_string() ? std::string(said->get_string()) : "calendar.event";
  auto const entity = "record." + kind + ".json";
  if (schemaText(entity).empty())
    return blame("result of " + operation + ": /entity: " + kind + " is unknown");
  for (auto const& problem : schemaProblems(entity, *data))
    blame("result of " + operation + ": /data" + problem);
}

HttpReply FakeHost::State::answer(HttpRequest const& request) {
  if (!hostAllowed(request))
    return HttpFailure{GARLAND_E_FORBIDDEN, GARLAND_EFFECT_NOT_APPLIED,
                       "the manifest does not allow the host of " + request.url};
  if (!slotKnown(request.credential_slot))
    return HttpFailure{GARLAND_E_INVALID_INPUT, GARLAND_EFFECT_NOT_APPLIED,
                       "there is no credential slot \"" + request.credential_slot + "\""};
  if (!script.empty()) {
    auto const next = std::move(script.front());
    script.pop_front();
    if (next.method == request.method && next.url == request.url) return next.reply;
    blame("asked for " + request.method + " " + request.url + " where " + next.method + " " + next.url +
          " was expected");
    return HttpFailure{};
  }
  if (server) return server(request);
  return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_NOT_APPLIED, "nobody serves " + request.url};
}

bool FakeHost::State::hostAllowed(HttpRequest const& request) const {
  // The credential is the address: the request names its slot, and goes nowhere else.
  for (auto const& slot : manifest.at("auth").as_array())
    if (slot.at("scheme") == "address" && slot.at("slot") == json::value(request.credential_slot))
      return request.url == "slot:" + request.credential_slot;
  auto const parsed = boost::urls::parse_uri(request.url);
  if (parsed.has_error() || (parsed->scheme() != "http" && parsed->scheme() != "https")) return false;
  std::string const host = parsed->host();
  for (auto const& rule : manifest.at("hosts").as_array()) {
    std::string const text(rule.as_string());
    if (text.starts_with("setting:")) {
      json::error_code error;
      json::value const all(settings);
      auto const* setting = all.find_pointer(text.substr(8), error);
      if (setting == nullptr || !setting->is_string()) continue;
      std::string const allowed_url(setting->get_string());
      auto const allowed = boost::urls::parse_uri(allowed_url);
      if (!allowed.has_error() && allowed->host() == host) return true;
    } else if (text.starts_with("*.")) {
      if (host.ends_with(text.substr(1))) return true;
    } else if (text == host) {
      return true;
    }
  }
  return false;
}

bool FakeHost::State::slotKnown(std::string const& slot) const {
  if (slot.empty()) return true;
  auto const& slots = manifest.at("auth").as_array();
  return std::ranges::any_of(slots,
                             [&](json::value const& one) { return one.at("slot").as_string() == slot; });
}

} // namespace garland::testing
