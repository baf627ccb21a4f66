#include "host/daemon/config_requests.h"

#include <algorithm>
#include <optional>

namespace garland::daemon {
namespace {

// The same bounds as in a manifest (plugin-api/schemas/manifest.json).
constexpr std::int64_t kMostRequests = 1'000'000;
constexpr std::int64_t kLongestSpan = 86'400;
constexpr char const* kWanted =
    "must be a rate such as { count = 100, seconds = 60, at_once = 10 }: whole numbers, count from 1 to "
    "1000000, seconds from 1 to 86400, at_once from 1 to count (a tenth of it if left out)";

std::optional<std::int64_t> wholeNumber(toml::table const& table, std::string_view key,
                                        std::int64_t fallback) {
  auto const* node = table.get(key);
  return node == nullptr ? fallback : node->value_exact<std::int64_t>();
}

std::optional<runtime::RequestLimit> rateFrom(toml::node const& node) {
  auto const* table = node.as_table();
  if (table == nullptr) return std::nullopt;
  bool const known = std::ranges::all_of(*table, [](auto const& member) {
    return member.first == "count" || member.first == "seconds" || member.first == "at_once";
  });
  auto const count = wholeNumber(*table, "count", 0);
  auto const span = wholeNumber(*table, "seconds", 0);
  if (!known || !count || *count < 1 || *count > kMostRequests || !span || *span < 1 || *span > kLongestSpan)
    return std::nullopt;
  auto const at_once = wholeNumber(*table, "at_once", std::max<std::int64_t>(1, *count / 10));
  if (!at_once || *at_once < 1 || *at_once > *count) return std::nullopt;
  return runtime::RequestLimit{*count, std::chrono::seconds(*span), *at_once};
}

} // namespace

void readRequests(toml::node const& node, std::map<std::string, sync::RequestRates>& out,
                  std::function<void(toml::source_position const&, std::string const&)> const& complain) {
  constexpr char const* form = "the rates of a connector stand under its full id: "
                               "[requests.\"garland.payments.stripe\"]";
  auto const* connectors = node.as_table();
  if (connectors == nullptr) return complain(node.source().begin, form);
  for (auto const& [id, rates] : *connectors) {
    auto const* table = rates.as_table();
    if (table == nullptr) {
      complain(rates.source().begin, form);
      continue;
    }
    auto const section = "[requests.\"" + std::string(id.str()) + "\"] ";
    auto& found = out[std::string(id.str())];
    for (auto const& [key, value] : *table) {
      bool const of_app = key.str() == "app";
      auto const rate = rateFrom(value);
      if (!of_app && key.str() != "connection")
        complain(key.source().begin,
                 section + "has \"connection\" and \"app\", and no \"" + std::string(key.str()) + "\"");
      else if (!rate)
        complain(value.source().begin, section + std::string(key.str()) + " " + kWanted);
      else
        (of_app ? found.app : found.connection) = rate;
    }
  }
}

} // namespace garland::daemon
