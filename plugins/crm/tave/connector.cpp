// VSCO Workspace, formerly Táve: a studio's contacts, jobs and what belongs to them.
//
// Which resources and fields there are: tables.cpp. Here is only what no table says: where the studio
// is, and what its records mean by themselves, its currency and its time zone.
#include "tables.h"

namespace garland::tave {
namespace {

using sdk::Failure;
using sdk::Kind;

struct Settings {
  std::optional<std::string> url;
  std::optional<std::string> amounts; // "minor" or "major"
  std::optional<std::string> calling_code;
};
GARLAND_RECORD(Settings, url, amounts, calling_code)

struct Studio {
  std::string name = {};
  std::optional<std::string> currencyCode = {};
  std::optional<std::string> timezoneId = {};
};
GARLAND_RECORD(Studio, name, currencyCode, timezoneId)

void setBase(sdk::Account& account) {
  auto url = account.settingsAs<Settings>().url.value_or("https://workspace.vsco.co/api/v2");
  if (!url.ends_with('/')) url += '/';
  account.setBase(std::move(url));
}

sdk::json::value ask(sdk::Account& account, std::string url) {
  sdk::Request request;
  request.url = std::move(url);
  return sdk::rest::fetch(account, errors, std::move(request));
}

// The studio's zone; its name is believed only if it is an IANA name.
std::string zoneOf(sdk::Account& account, Studio const& studio) {
  if (!studio.timezoneId) return {};
  std::string zone;
  auto failure = sdk::attempt([&] {
    zone = sdk::textOr(ask(account, "timezone/" + sdk::percentEncode(*studio.timezoneId)), "/name");
  });
  if (failure && failure->kind != Kind::notFound) throw std::move(*failure);
  return zone.find('/') == std::string::npos ? std::string() : zone;
}

class Tave final : public sdk::crm::TableConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    setBase(account);
    return {sdk::decode<Studio>(ask(account, "studio/me")).name};
  }

protected:
  std::span<sdk::crm::Entity const> entities() const override { return tave::entities; }
  sdk::webhooks::Table hooks() const override { return tave::hooks; }

  sdk::fields::Context begin(sdk::Account& account, sdk::crm::Entity const& entity) override {
    setBase(account);
    auto const settings = account.settingsAs<Settings>();
    sdk::fields::Context context;
    context.calling_code = settings.calling_code.value_or("");
    using sdk::fields::AmountForm;
    if (settings.amounts)
      context.amounts = *settings.amounts == "major" ? AmountForm::major : AmountForm::minor;
    bool const money = entity.name == "crm.order" || entity.name == "crm.payment";
    if (money && !context.amounts)
      throw Failure(Kind::invalidInput,
                    "say in the connection's settings what the studio's amounts are counted in "
                    "(\"amounts\"): orders and payments are left out until then")
          .withField("/settings/amounts");
    if (entity.name == "crm.event" || money || entity.name == "crm.project") addStudio(account, context);
    return context;
  }

private:
  // Both change as good as never, so they are kept for a day.
  static void addStudio(sdk::Account& account, sdk::fields::Context& context) {
    constexpr std::string_view key = "studio";
    if (auto const kept = account.call().load(key)) {
      auto const studio = sdk::parse(kept->value, Kind::pluginBug);
      context.currency = sdk::textOr(studio, "/currency");
      context.zone = sdk::textOr(studio, "/zone");
      return;
    }
    auto const studio = sdk::decode<Studio>(ask(account, "studio/me"));
    context.currency = studio.currencyCode.value_or("");
    context.zone = zoneOf(account, studio);
    sdk::json::object const keep{{"currency", context.currency}, {"zone", context.zone}};
    account.call().store(key, sdk::json::serialize(keep), 0, std::chrono::hours(24));
  }
};

} // namespace
} // namespace garland::tave

GARLAND_CONNECTOR(garland::tave::Tave)
