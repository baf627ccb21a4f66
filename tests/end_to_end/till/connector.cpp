// A connector of actions only, for tests of what is done once.
//   POST /charges, /coupons, /rings  {"key":"...","amount":1200}  -> {"id":"1"}
//   GET  /charges?key=...            -> {"id":"1"}, or 404
#include <garland/sdk/connector.hpp>

using namespace garland::sdk;

namespace {

struct Settings {
  std::string url;
};
GARLAND_RECORD(Settings, url)

struct Asked {
  std::string idempotency_key;
  std::int64_t amount = 0;
};
GARLAND_RECORD(Asked, idempotency_key, amount)

struct Done {
  std::string id;
};
GARLAND_RECORD(Done, id)

struct Sought {
  std::string idempotency_key;
};
GARLAND_RECORD(Sought, idempotency_key)

class Till final : public Connector {
public:
  HealthReport check(Account& account, Call&) { return {account.settingsAs<Settings>().url}; }
  Done charge(Account& account, Asked const& asked) { return post(account, "/charges", asked); }
  Done coupon(Account& account, Asked const& asked) { return post(account, "/coupons", asked); }
  Done ring(Account& account, Asked const& asked) { return post(account, "/rings", asked); }

  json::value find(Account& account, Sought const& sought) {
    account.setBase(account.settingsAs<Settings>().url);
    auto const answer =
        account.send(Request{.method = "GET", .url = "/charges?key=" + sought.idempotency_key});
    if (answer.status == 404) return json::object{{"found", false}, {"final", true}};
    return json::object{{"found", true}, {"output", parse(answer.body)}};
  }

  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {
        operation<&Till::check>("health.check/1"), operation<&Till::charge>("till.charge/1"),
        operation<&Till::find>("till.find/1"), operation<&Till::coupon>("till.coupon/1"),
        operation<&Till::ring>("till.ring/1")};
    return table;
  }

private:
  static Done post(Account& account, std::string_view path, Asked const& asked) {
    account.setBase(account.settingsAs<Settings>().url);
    return account.post<Done>(path, json::object{{"key", asked.idempotency_key}, {"amount", asked.amount}});
  }
};

} // namespace

GARLAND_CONNECTOR(Till)
