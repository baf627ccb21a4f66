#include "host/sync/testing/fake_form.h"

#include "host/vault/vault.h"

#include <algorithm>

namespace garland::sync::testing {
namespace {

std::string recordOf(std::string const& kind, json::object said) {
  json::object record{{"id", said["id"]}, {"version", ""}, {"scope", kind}, {"deleted", false}};
  said.erase("id");
  record["data"] = std::move(said);
  return json::serialize(record);
}

} // namespace

FakeForm::FakeForm(House& house, std::string provider)
    : vendor(house.vendor()), connection(house.connect(vendor, provider, "test.crm.form")), house_(house) {
  house.provider(provider).act = [this](runtime::Call call, runtime::CallHost* host) {
    return parse(std::move(call), host);
  };
}

FakeForm::~FakeForm() { house_.stop(); }

Result<AcceptedItem> FakeForm::send(json::value body, std::string key) {
  Delivery delivery;
  delivery.connection_id = connection;
  delivery.dedupe_key = key.empty() ? vault::sha256Hex(json::serialize(body)) : std::move(key);
  if (delivery.dedupe_key.size() == 64) delivery.same_for = Milliseconds(86'400'000);
  delivery.summary = "a form";
  delivery.raw = json::serialize(body);
  delivery.content = json::object{{"content_type", "application/json"}, {"query", json::object()}};
  delivery.content.as_object()["json"] = std::move(body);
  return house_.run(intake().accept(std::move(delivery)));
}

IntakeItem FakeForm::settled(std::string const& id) {
  auto const give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto item = get(id);
    bool const due = item.next_attempt && *item.next_attempt <= house_.clock.now();
    if (!due) return item;
    if (std::chrono::steady_clock::now() > give_up)
      throw std::runtime_error("it stays " + std::string(name(item.state)));
  }
}

Task<json::value> FakeForm::parse(runtime::Call call, runtime::CallHost* host) {
  auto const input = parseJson(call.input).value();
  read.push_back(textOr(input, "/item/id", ""));
  most_at_once = std::max(most_at_once, ++at_once);
  if (during) {
    auto const hook = during;
    CO_TRY_VOID(co_await hook());
  }
  --at_once;
  auto const* body = find(input, "/hook/json");
  for (auto const* kind : {"client", "project"}) {
    auto const* said = find(*body, "/" + std::string(kind));
    if (said == nullptr) continue;
    auto const name = "crm." + std::string(kind);
    auto record = recordOf(name, said->as_object());
    CO_TRY_VOID(co_await host->emit(name, std::move(record)));
  }
  for (auto const& [kind, record] : extra_emits) {
    CO_TRY_VOID(co_await host->emit(kind, record));
  }
  if (!errors.empty()) {
    auto error = errors.front();
    errors.pop_front();
    co_return error;
  }
  json::object const unproven{{"outcome", "unknown"}, {"reason", "nobody proves it"}, {"acceptable", true}};
  if (asks_for_proof && !boolOr(input, "/item/accepted", false)) co_return json::value(unproven);
  if (answers) co_return *answers;
  co_return json::value(json::object{{"outcome", "taken"}});
}

json::object client(std::string const& id, json::object data) {
  data["id"] = id;
  return json::object{{"client", std::move(data)}};
}

} // namespace garland::sync::testing
