// CRM records as the sync engine sees them.
#include "host/crm/crm.h"

#include <array>
#include <string_view>

namespace garland::crm {
namespace {

constexpr std::array<std::string_view, 8> kEntities{"crm.client", "crm.project", "crm.participant",
                                                    "crm.event",  "crm.order",   "crm.payment",
                                                    "crm.note",   "crm.lead"};

} // namespace

std::vector<sync::Kind> kinds() {
  std::vector<sync::Kind> all;
  for (auto const entity : kEntities) {
    auto kind = sync::entityKind(entity);
    kind.is_wedding = entity == "crm.project";
    if (kind.is_wedding) kind.day_member = "/event_date";
    if (find(kind.schema, "/properties/project") != nullptr) kind.wedding_member = "/project";
    all.push_back(std::move(kind));
  }
  return all;
}

} // namespace garland::crm
