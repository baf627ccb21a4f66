// Stripe: payments that are authorised first and captured later, refunds, transfers, disputes, payouts.
//
// Which records, acts and errors there are: tables.cpp. How an act is sent once and found again:
// garland/sdk/payments.hpp. Here is only where Stripe is, and for whom it is asked.
#include "tables.h"

namespace garland::stripe {
namespace {

// Whatever version an account is set to, answers come in this one.
constexpr std::string_view api_version = "2023-08-16";

struct Settings {
  std::optional<std::string> url;
  std::optional<std::string> account; // "acct_...": the connected account that is acted for
};
GARLAND_RECORD(Settings, url, account)

class Stripe final : public sdk::payments::TableConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    begin(account);
    sdk::Request request;
    request.url = "account";
    auto const shown = sdk::rest::fetch(account, errors, std::move(request));
    sdk::HealthReport report;
    // Names and addresses may be those of several accounts.
    if (auto id = sdk::textOr(shown, "/id"); !id.empty()) report.id = std::move(id);
    for (auto const* at : {"/settings/dashboard/display_name", "/business_profile/name", "/email", "/id"})
      if (report.account.empty()) report.account = sdk::textOr(shown, at);
    return report;
  }

protected:
  std::span<sdk::payments::Entity const> entities() const override { return stripe::entities; }
  std::span<sdk::payments::Act const> acts() const override { return stripe::acts; }
  sdk::payments::Lines lines() const override { return stripe::lines; }
  sdk::payments::Declines declines() const override { return stripe::declines; }
  sdk::webhooks::Table hooks() const override { return stripe::hooks; }
  std::string hookAccount(sdk::Account& account) const override {
    return account.settingsAs<Settings>().account.value_or("");
  }

  void begin(sdk::Account& account) override {
    auto const settings = account.settingsAs<Settings>();
    auto url = settings.url.value_or("https://api.stripe.com/v1");
    if (!url.ends_with('/')) url += '/';
    account.setBase(std::move(url));
    account.setHeader("Stripe-Version", std::string(api_version));
    if (settings.account) account.setHeader("Stripe-Account", *settings.account);
  }
};

} // namespace
} // namespace garland::stripe

GARLAND_CONNECTOR(garland::stripe::Stripe)
