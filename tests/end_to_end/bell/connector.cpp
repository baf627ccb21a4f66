// A connector that is only told, for tests of what becomes of deliveries.
//   {"id":"1","type":"rung"}     is read
//   {"id":"2","type":"cracked"}  ends its worker
#include <garland/sdk/connector.hpp>
#include <garland/sdk/webhooks.hpp>

#include <cstdlib>

using namespace garland::sdk;

namespace {

class Bell final : public Connector {
public:
  HealthReport check(Account&, Call&) { return {"the tower"}; }
  webhooks::Parsed hear(Account& /*account*/, webhooks::Delivery const& delivery) {
    if (delivery.body.find("cracked") != std::string::npos) std::abort();
    return {.event = "rung"};
  }

  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {operation<&Bell::check>("health.check/1"),
                                               operation<&Bell::hear>("webhooks.parse/1")};
    return table;
  }
};

} // namespace

GARLAND_CONNECTOR(Bell)
