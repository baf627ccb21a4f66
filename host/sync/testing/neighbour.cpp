#include "host/sync/testing/neighbour.h"

#include <algorithm>

namespace garland::sync::testing {

std::map<std::string, int> Workers::at_once;
int Workers::most_at_once = 0;

Task<std::string> Workers::call(runtime::PluginInfo const& plugin, runtime::Call call,
                                runtime::CallHost& host) {
  operations.push_back(call.operation);
  auto& here = at_once[call.account_id];
  most_at_once = std::max(most_at_once, ++here);
  auto answer = co_await real_.call(plugin, std::move(call), host);
  --here;
  co_return answer;
}

Neighbour::Neighbour(House& house, std::string name_in, std::uint64_t seed,
                     std::shared_ptr<Carrier> carrier_in, std::vector<store::Migration> schema)
    : name(std::move(name_in)), carrier(std::move(carrier_in)), workers(house.supervisor), house_(house),
      random_(seed) {
  store::Options options;
  options.url = house.url;
  options.carrier = carrier;
  options.sha256 = vault::sha256;
  store = house.run(store::Store::open(house.loop.get_executor(), options, std::move(schema))).value();
  book = openBook(house, *store);
  cut = std::make_unique<CutStore>(*store);
  auto kinds = sharingKinds();
  kinds.push_back(eventKind());
  Dependencies dependencies{house.loop.get_executor(),
                            house.clock,
                            random_,
                            house.log,
                            house.redactor,
                            *cut,
                            *house.vault,
                            *book,
                            egress,
                            workers,
                            house.catalogue,
                            std::move(kinds),
                            ""};
  dependencies.node = NodeName{name, "1.0"};
  engine = house.run(Engine::create(std::move(dependencies))).value();
  house.run(engine->start()).value();
  house.run(nothing()).value(); // what was spawned has begun
  house.drive([this] { return cut->heard > 0 && cut->under_way == 0; });
}

Neighbour::~Neighbour() {
  cut->dead = true;
  stop();
  house_.run(store->close()).value();
}

void Neighbour::stop() {
  if (!engine) return;
  house_.run(engine->stop()).value();
  engine.reset();
}

void Neighbour::die() {
  cut->dead = true;
  house_.write("UPDATE nodes SET expires=0 WHERE name='" + name + "'");
  everybodyLooks(house_);
}

std::int64_t Neighbour::connections() const {
  return house_
      .rows("SELECT COUNT(*) FROM leases l JOIN nodes n ON n.node_id=l.node_id WHERE n.name='" + name +
            "'")[0]
      .integer(0);
}

bool Neighbour::has(std::string const& connection_id) const {
  return !house_
              .rows("SELECT 1 FROM leases l JOIN nodes n ON n.node_id=l.node_id WHERE n.name='" + name +
                    "' AND l.connection_id='" + connection_id + "'")
              .empty();
}

void Neighbour::everybodyLooks(House& house) { house.write("SELECT pg_notify('garland', 'test leases  ')"); }

} // namespace garland::sync::testing
