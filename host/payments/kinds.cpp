// Records of payments as the sync engine sees them.
#include "host/payments/payments.h"

#include <array>
#include <string_view>

namespace garland::payments {
namespace {

constexpr std::array<std::string_view, 6> kEntities{"payments.payment",  "payments.refund",
                                                    "payments.transfer", "payments.dispute",
                                                    "payments.payout",   "payments.balance_transaction"};

} // namespace

std::vector<sync::Kind> kinds() {
  std::vector<sync::Kind> all;
  for (auto const entity : kEntities) {
    auto kind = sync::entityKind(entity);
    kind.upsert_operation.clear();
    kind.delete_operation.clear();
    all.push_back(std::move(kind));
  }
  return all;
}

} // namespace garland::payments
