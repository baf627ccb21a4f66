#include "certification/checks/money.h"

#include "certification/names.h"

#include <algorithm>

namespace garland::certification {
namespace {

std::string lacking(Subject const& subject, std::initializer_list<std::string_view> operations) {
  if (subject.plugin.manifest.category != "payments") return "the manifest is not about payments";
  for (auto const operation : operations)
    if (!subject.offers(operation)) return "the manifest does not name " + std::string(operation);
  return {};
}

void fill(json::value& value, std::string_view id) {
  if (auto* text = value.if_string()) {
    std::string filled(*text);
    if (auto const at = filled.find("{id}"); at != std::string::npos) value = filled.replace(at, 4, id);
  }
  if (auto* list = value.if_array())
    for (auto& item : *list) fill(item, id);
  if (auto* object = value.if_object())
    for (auto& member : *object) fill(member.value(), id);
}

} // namespace

json::object money(std::int64_t amount, std::string_view currency) {
  return {{"amount", amount}, {"currency", currency}};
}

std::string noPaymentActions(Subject const& subject) {
  return lacking(subject,
                 {"payments.authorize/1", "payments.capture/1", "payments.cancel/1", "payments.refund/1"});
}
std::string noEscrow(Subject const& subject) {
  return lacking(subject, {"payments.authorize/1", "payments.capture/1", "payments.transfer/1"});
}
std::string noDisputes(Subject const& subject) {
  return lacking(subject, {"payments.pull/1", "payments.dispute_evidence/1"});
}
std::string noReconciliation(Subject const& subject) {
  return lacking(subject, {"payments.pull/1", "payments.settlement/1"});
}
std::string noPaymentNotices(Subject const& subject) {
  return lacking(subject, {"payments.authorize/1", "webhooks.parse/1", "records.get/1"});
}

json::value const* Till::said(std::string_view pointer) const {
  return garland::find(trial_.subject().brief.document, "/payments" + std::string(pointer));
}

std::string Till::word(std::string_view pointer) {
  auto const* found = said(pointer);
  if (found != nullptr && found->is_string()) return std::string(found->get_string());
  trial_.giveUp("certification.json: /payments" + std::string(pointer) + " is missing");
  return {};
}

Journal Till::act(std::string_view verb, json::object input, std::string key) {
  Ask ask;
  ask.operation = "payments." + std::string(verb) + "/1";
  input["idempotency_key"] = keyNamed(key.empty() ? "till-" + std::to_string(++keys_) : key);
  ask.input = std::move(input);
  return trial_.run(std::move(ask));
}

Journal Till::act(std::string_view verb, json::object input, std::string const& key, FaultOrder fault) {
  Ask ask;
  ask.operation = "payments." + std::string(verb) + "/1";
  input["idempotency_key"] = keyNamed(key);
  ask.input = std::move(input);
  ask.fault = fault;
  return trial_.run(std::move(ask));
}

std::string Till::authorized(std::int64_t amount, std::string_view currency) {
  auto const held = act("authorize", {{"amount", money(amount, currency)}, {"method", word("/method")}});
  trial_.expect(held.ok(), "an authorisation failed: " + held.ending(), "payments.authorize/1");
  return held.ok() ? idOf(held) : std::string();
}

std::string Till::captured(std::int64_t amount, std::string_view currency) {
  auto id = authorized(amount, currency);
  if (id.empty()) return id;
  auto const taken = act("capture", {{"payment", id}});
  trial_.expect(taken.ok(), "a capture failed: " + taken.ending(), "payments.capture/1");
  return taken.ok() ? id : std::string();
}

json::value Till::record(std::string_view entity, std::string const& id) {
  auto const journal =
      trial_.run("records.get/1", json::object{{"entity", entity}, {"ids", json::array{json::value(id)}}});
  for (auto const& record : journal.records)
    if (record.kind == entity && textOr(record.value, "/id", "") == id)
      if (auto const* data = garland::find(record.value, "/data")) return *data;
  return nullptr;
}

std::vector<json::value> Till::told(std::string_view kind) {
  auto const what = word("/ledger/" + std::string(kind));
  auto const ledger = trial_.bench().ledger();
  std::vector<json::value> out;
  if (!ledger) {
    trial_.giveUp("the twin's ledger cannot be read");
    return out;
  }
  for (auto const& entry : *ledger)
    if (textOr(entry, "/what", "") == what)
      if (auto const* data = garland::find(entry, "/data")) out.push_back(*data);
  return out;
}

std::int64_t Till::sum(std::string_view kind, std::string_view member) {
  auto const pointer = word("/" + std::string(member));
  std::int64_t out = 0;
  for (auto const& row : told(kind)) out += integerOr(row, pointer, 0);
  return out;
}

json::value Till::elsewhere(std::string_view name, std::string const& id) {
  auto const* edit = said("/edit/" + std::string(name));
  if (edit == nullptr) {
    trial_.giveUp("certification.json: /payments/edit/" + std::string(name) + " is missing");
    return nullptr;
  }
  json::value filled = *edit;
  fill(filled, id);
  auto done = trial_.bench().edit(std::move(filled));
  if (done) return std::move(*done);
  trial_.giveUp("certification.json: /payments/edit/" + std::string(name) + ": " + done.error().message);
  return nullptr;
}

json::value const& dataOf(Journal const& journal) {
  static json::value const nothing;
  auto const* found = journal.ok() ? garland::find(*journal.result, "/data") : nullptr;
  return found != nullptr ? *found : nothing;
}

std::string idOf(Journal const& journal) { return journal.ok() ? textOr(*journal.result, "/id", "") : ""; }

void expectRefused(Trial& trial, Journal const& journal, std::vector<ErrorKind> const& kinds,
                   std::string const& step) {
  if (!trial.expect(!journal.ok(), "it was taken for good, and it cannot be", step)) return;
  if (journal.result) return;
  auto const& error = journal.result.error();
  std::string words;
  for (auto const kind : kinds) words += (words.empty() ? "" : " or ") + std::string(garland::name(kind));
  trial.expect(std::ranges::find(kinds, error.kind) != kinds.end(),
               "expected " + words + ", but it ended with " + journal.ending(), step);
  trial.expect(error.effect == Effect::notApplied,
               "it does not say that nothing was done: " + journal.ending(), step);
}

} // namespace garland::certification
