#include "host/sync/testing/fake_bank.h"

#include <algorithm>

namespace garland::sync::testing {
namespace {

Error noAnswer() {
  return Error(ErrorKind::transient, "the bank did not answer in time").withEffect(Effect::unknown);
}

json::value outputOf(FakeBank::Charge const& charge) { return json::object{{"id", charge.id}}; }

} // namespace

FakeBank::Turn FakeBank::lostOnTheWay() { return Turn{false, noAnswer(), true}; }
FakeBank::Turn FakeBank::lostOnTheWayBack() { return Turn{true, noAnswer(), true}; }
FakeBank::Turn FakeBank::refused(Error error) { return Turn{false, std::move(error), true}; }

FakeBank::FakeBank(House& house) : house_(house) {
  house.provider("bank").act = [this](runtime::Call call, runtime::CallHost* host) {
    return act(std::move(call), host);
  };
}

FakeBank::~FakeBank() { house_.stop(); }

Task<json::value> FakeBank::act(runtime::Call call, runtime::CallHost* host) {
  auto const input = parseJson(call.input).value();
  if (call.operation == "test.find/1") co_return lookUp(input);
  auto const key = textOr(input, "/idempotency_key", "");
  keys.push_back(key);
  Turn turn;
  if (!turns.empty()) {
    turn = turns.front();
    turns.pop_front();
  }
  auto taken = Result<json::value>(json::value());
  if (turn.arrives) taken = take(call.operation, key);
  if (turn.asks) {
    runtime::HttpAsk ask;
    ask.method = "POST";
    ask.url = "https://calendar.example/charges";
    CO_TRY_VOID(co_await host->http(std::move(ask)));
  }
  ++in_hand;
  if (during) {
    auto const hook = during;
    CO_TRY_VOID(co_await hook());
  }
  --in_hand;
  if (turn.error) co_return *turn.error;
  co_return taken;
}

Result<json::value> FakeBank::take(std::string const& operation, std::string const& key) {
  auto const known = std::find_if(charges.begin(), charges.end(), [&](Charge const& charge) {
    return charge.key == key && charge.operation == "test.send/1";
  });
  if (known != charges.end()) return outputOf(*known);
  charges.push_back(Charge{key, operation, "pay_" + std::to_string(charges.size() + 1)});
  return outputOf(charges.back());
}

Result<json::value> FakeBank::lookUp(json::value const& input) {
  ++lookups;
  last_lookup = input;
  if (refuse_lookups) return *refuse_lookups;
  if (!lookup_answers.empty()) {
    auto answer = lookup_answers.front();
    lookup_answers.pop_front();
    return answer;
  }
  auto const key = textOr(input, "/idempotency_key", "");
  for (auto const& charge : charges)
    if (charge.key == key) return json::value(json::object{{"found", true}, {"output", outputOf(charge)}});
  return json::value(json::object{{"found", false}, {"final", true}});
}

} // namespace garland::sync::testing
