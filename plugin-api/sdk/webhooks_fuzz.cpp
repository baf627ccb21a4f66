// Deliveries of webhooks are bytes from outside: whatever comes is read or refused.
#include <garland/sdk/webhooks.hpp>

#include <cstddef>
#include <cstdint>

using namespace garland::sdk;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static constexpr webhooks::Event events[] = {{"*", "crm.project", "/data/id"}, {"a", "crm.client", "/id"}};
  static constexpr webhooks::Table table{.events = events};
  std::string const body(reinterpret_cast<char const*>(data), size);
  for (auto const* type : {"application/json", "application/x-www-form-urlencoded"}) {
    try {
      auto const parsed = webhooks::parse(table, {{}, {}, type, body});
      if (parsed.event.empty() || parsed.hints.empty()) __builtin_trap();
      for (auto const& hint : parsed.hints)
        if (hint.external_id.empty()) __builtin_trap();
    } catch (Failure const&) {
    }
  }
  return 0;
}
