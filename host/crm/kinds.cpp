// CRM records as the sync engine sees them.
#include "host/crm/crm.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace garland::crm {
namespace {

constexpr std::array<std::string_view, 8> kEntities{"crm.client", "crm.project", "crm.participant",
                                                    "crm.event",  "crm.order",   "crm.payment",
                                                    "crm.note",   "crm.lead"};

// Of one person each. Orders and payments are kept for the books, a project is of two.
constexpr std::array<std::string_view, 4> kPersons{"crm.client", "crm.participant", "crm.note", "crm.lead"};

} // namespace

std::vector<sync::Kind> kinds() {
  std::vector<sync::Kind> all;
  for (auto const entity : kEntities) {
    auto kind = sync::entityKind(entity);
    kind.is_wedding = entity == "crm.project";
    if (kind.is_wedding) kind.day_member = "/event_date";
    if (find(kind.schema, "/properties/project") != nullptr) kind.wedding_member = "/project";
    kind.goes_with_person = std::ranges::find(kPersons, entity) != kPersons.end();
    if (entity == "crm.client" || entity == "crm.lead")
      kind.contact_members = {"/email", "/other_email", "/phones", "/phone", "/phone_text"};
    if (find(kind.schema, "/properties/client") != nullptr) kind.person_members = {"/client"};
    all.push_back(std::move(kind));
  }
  return all;
}

} // namespace garland::crm
