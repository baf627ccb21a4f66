// What the tables of this room hold of people: deliveries name records, and what an endpoint answered may
// name anybody.
#include "host/notify/notify.h"

namespace garland::notify {

std::vector<PersonalTable> personalData() {
  using Type = PersonalColumn::Type;
  std::vector<PersonalTable> all;
  PersonalColumn const sequence("sequence", Type::integer);

  PersonalTable attempts("notify_attempts",
                         {"vendor_id", "endpoint_id", sequence, PersonalColumn("attempt", Type::integer)});
  attempts.personal = {"problem"};
  attempts.plain = {"at", "took", "status"};
  attempts.fate = Fate::rewritten;
  all.push_back(std::move(attempts));

  PersonalTable deliveries("notify_deliveries", {"vendor_id", "endpoint_id", sequence});
  deliveries.personal = {"body", "problem"};
  deliveries.plain = {"record_id",  "type",   "state",   "attempts",     "tries",
                      "first_sent", "status", "created", "next_attempt", "finished"};
  deliveries.fate = Fate::rewritten;
  all.push_back(std::move(deliveries));

  PersonalTable endpoints("notify_endpoints", {"vendor_id", "endpoint_id"});
  endpoints.personal = {"url", "description", "reason"};
  endpoints.plain = {"events",       "ordered",     "private_network", "enabled",
                     "by_itself",    "disabled_at", "place",           "failing_since",
                     "last_success", "sealed",      "created",         "revision",
                     "missed_first", "missed_last", "missed_at",       "old_secret_until"};
  endpoints.fate = Fate::kept;
  endpoints.why_kept = "the vendor's own endpoints; they go with the vendor";
  all.push_back(std::move(endpoints));
  return all;
}

} // namespace garland::notify
