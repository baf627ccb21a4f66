// What the tables of this room hold of people: their pseudonyms, which nobody reads without the key. Nothing
// is taken out of a chain.
#include "host/audit/audit.h"

namespace garland::audit {
namespace {

PersonalTable table(std::string name, std::vector<PersonalColumn> keys, std::vector<std::string> columns) {
  PersonalTable one(std::move(name), std::move(keys));
  one.plain = std::move(columns);
  one.fate = Fate::kept;
  one.of_vendor = false;
  return one;
}

} // namespace

std::vector<PersonalTable> personalData() {
  PersonalColumn const number("number", PersonalColumn::Type::integer);
  std::vector<PersonalTable> all;
  all.push_back(table("audit_chains", {"chain_id"}, {"signed_to", "closed"}));
  all.push_back(table("audit_rows", {"chain_id", number}, {"entry", "hash"}));
  all.push_back(table("audit_checkpoints", {number}, {"body", "signature"}));
  all.push_back(table("audit_keys", {"name"}, {"sealed"}));
  return all;
}

} // namespace garland::audit
