// Guests of a provider that is signed in to by OAuth 2, for tests of signing in.
//   GET me      -> {"name":"rosa"}
//   GET guests  -> {"items":[{"id":"1","name":"Ada"}]}
#include <garland/sdk/crm.hpp>

namespace {

namespace sdk = garland::sdk;
namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::crm::Entity;

constexpr rest::Resource guests{.path = "guests"};
constexpr Field guest[] = {{"/kind", "/kind"}, {"/name", "/name"}};
constexpr Entity all[] = {{"crm.client", guests, guest, Way::in}};

struct Settings {
  std::string url;
};
GARLAND_RECORD(Settings, url)

class Guests final : public sdk::crm::TableConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    setBase(account);
    sdk::Request request;
    request.url = "me";
    return {sdk::textOr(rest::fetch(account, {}, std::move(request)), "/name")};
  }

  static std::span<sdk::OperationEntry const> operations() {
    static constexpr sdk::OperationEntry table[] = {sdk::operation<&Guests::check>("health.check/1"),
                                                    sdk::operation<&Guests::pull>("crm.pull/1")};
    return table;
  }

protected:
  std::span<Entity const> entities() const override { return all; }

  sdk::fields::Context begin(sdk::Account& account, Entity const&) override {
    setBase(account);
    return {};
  }

private:
  static void setBase(sdk::Account& account) { account.setBase(account.settingsAs<Settings>().url); }
};

} // namespace

GARLAND_CONNECTOR(Guests)
