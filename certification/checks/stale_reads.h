// What was read of the provider before it changed, shown once more instead of what it would answer now; until
// something is written.
#pragma once

#include "certification/journal.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace garland::certification {

class StaleReads {
public:
  // Everything that was read before the first write.
  void keep(Journal const& journal) {
    for (auto const& exchange : journal.exchanges) {
      if (!isRead(exchange.ask)) return;
      kept_.push_back(exchange);
    }
  }
  void show(bool on) { on_ = on; }

  std::optional<Result<runtime::HttpAnswer>> answer(runtime::HttpAsk const& ask) {
    on_ = on_ && isRead(ask);
    if (!on_) return std::nullopt;
    auto const found = std::ranges::find_if(kept_, [&](Exchange const& each) {
      return each.ask.method == ask.method && each.ask.url == ask.url && each.ask.body == ask.body;
    });
    (found == kept_.end() ? missed_ : served_) += 1;
    if (found == kept_.end()) return std::nullopt;
    return found->answer;
  }

  // Whoever reads before writing has seen nothing but what was kept. Who reads nothing writes by the version
  // that the host has read, and between that reading and the writing the edit falls as well.
  bool isRace() const { return missed_ == 0 && (kept_.empty() || served_ > 0); }

private:
  static bool isRead(runtime::HttpAsk const& ask) {
    constexpr std::string_view reads[] = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"};
    return std::ranges::find(reads, std::string_view(ask.method)) != std::end(reads);
  }

  bool on_ = false;
  std::vector<Exchange> kept_;
  int served_ = 0;
  int missed_ = 0; // read otherwise than before, so that the provider answered
};

} // namespace garland::certification
