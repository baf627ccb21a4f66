// What connectors of providers without an API share.
#include <garland/sdk/intake.hpp>

#include <garland/sdk/pointer.hpp>

namespace garland::sdk::intake {

Outcome taken() { return {"taken"}; }
Outcome ignored(std::string reason) { return {"ignored", std::move(reason)}; }
Outcome unknown(std::string reason) { return {"unknown", std::move(reason)}; }
Outcome unproven(std::string reason) { return {"unknown", std::move(reason), {}, true}; }

void Records::put(std::string_view kind, std::string_view id, json::object data, json::object places) {
  json::object record{{"id", id}, {"version", ""}, {"scope", kind}, {"deleted", false}};
  record["data"] = std::move(data);
  if (!places.empty()) record["places"] = std::move(places);
  call_.emit(kind, record);
  ++count_;
}

void Records::gone(std::string_view kind, std::string_view id) {
  call_.emit(kind, {{"id", id}, {"version", ""}, {"scope", kind}, {"deleted", true}, {"data", nullptr}});
  ++count_;
}

namespace {

struct Settings {
  std::optional<std::string> account;
};
GARLAND_RECORD(Settings, account)

} // namespace

// There is nobody to ask.
HealthReport IntakeConnector::check(Account& account, Call&) {
  return {account.settingsAs<Settings>().account.value_or("")};
}

std::span<OperationEntry const> IntakeConnector::operations() {
  static constexpr OperationEntry table[] = {
      operation<&IntakeConnector::check>("health.check/1"),
      operation<&IntakeConnector::parse>("intake.parse/1"),
  };
  return table;
}

} // namespace garland::sdk::intake
