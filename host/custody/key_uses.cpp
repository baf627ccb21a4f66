#include "host/custody/key_uses.h"

#include <algorithm>

namespace garland::custody {
namespace {

store::Statement countOf(Table const& table) {
  auto const begins = [](std::size_t characters) {
    return "SUBSTR(sealed,1," + std::to_string(characters) + ")";
  };
  return store::Statement("SELECT MIN(" + begins(vault::kNamesKey) + "), COUNT(*) FROM " + table.name +
                          " WHERE sealed<>'' GROUP BY " + begins(vault::kSharesKey));
}

std::vector<KeyUse> heldBy(vault::Vault const& vault) {
  std::vector<KeyUse> uses;
  for (auto& id : vault.keyIds()) {
    KeyUse use;
    use.id = std::move(id);
    use.held = true;
    use.seals = uses.empty();
    uses.push_back(std::move(use));
  }
  return uses;
}

void add(std::vector<KeyUse>& uses, std::string id, std::int64_t secrets) {
  auto found = std::ranges::find(uses, id, &KeyUse::id);
  if (found == uses.end()) {
    KeyUse use;
    use.id = std::move(id);
    found = uses.insert(uses.end(), std::move(use));
  }
  found->secrets += secrets;
}

} // namespace

Task<std::vector<KeyUse>> keyUses(Dependencies const* with) {
  auto uses = heldBy(with->vault);
  for (auto const& table : with->tables) {
    if (!table.sealed) continue;
    auto query = countOf(table);
    CO_TRY(rows, co_await with->store.read(std::move(query)));
    for (auto const& row : rows.rows) add(uses, vault::keyIdOf(row.text(0)), row.integer(1));
  }
  co_return uses;
}

} // namespace garland::custody
