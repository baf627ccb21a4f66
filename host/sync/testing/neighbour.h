// A daemon that shares the database of a House with others: sessions, engine and workers of its own; loop,
// clock, vault and providers are the House's, whose own engine stays alone and is not started. On PostgreSQL
// only.
#pragma once

#include "host/sync/testing/house.h"

#include <map>
#include <string>
#include <vector>

namespace garland::sync::testing {

// Passes calls on to the workers of the House, and tells whose they were.
class Workers final : public runtime::Supervisor {
public:
  explicit Workers(FakeSupervisor& real) : real_(real) {}
  Task<std::string> call(runtime::PluginInfo const& plugin, runtime::Call call,
                         runtime::CallHost& host) override;
  Task<std::vector<runtime::Adoption>> adopt(runtime::Catalogue, bool) override {
    co_return std::vector<runtime::Adoption>();
  }
  std::shared_ptr<runtime::PluginInfo const> build(runtime::PluginInfo const& plugin) override {
    return real_.build(plugin);
  }
  Task<runtime::Adoption> release(std::string) override { co_return runtime::Adoption(); }
  std::size_t retryParked(std::string_view) override { return 0; }
  std::vector<runtime::WorkerStatus> workers() const override { return {}; }
  Task<void> shutdown() override { co_return Result<void>(); }

  std::vector<std::string> operations; // of its calls, in their order
  // Of all daemons: calls of each account that are under way, and the most that ever were.
  static std::map<std::string, int> at_once;
  static int most_at_once;

private:
  FakeSupervisor& real_;
};

class Neighbour {
public:
  // Hears the others from then on, and may begin work of what it has taken. `schema`: of its version.
  Neighbour(House& house, std::string name, std::uint64_t seed, std::shared_ptr<Carrier> carrier = nullptr,
            std::vector<store::Migration> schema = allMigrations());
  ~Neighbour();
  Neighbour(Neighbour const&) = delete;
  Neighbour& operator=(Neighbour const&) = delete;

  // Asked to; it hands everything over.
  void stop();
  // It reaches the database no more, and the others think it gone.
  void die();
  // How many connections are its own, by the table.
  std::int64_t connections() const;
  bool has(std::string const& connection_id) const;
  // Everybody looks at the leases now.
  static void everybodyLooks(House& house);

  std::string const name;
  std::shared_ptr<Carrier> const carrier; // null: the database
  std::unique_ptr<store::Store> store;
  std::unique_ptr<audit::Book> book;
  std::unique_ptr<CutStore> cut;
  FakeEgress egress;
  Workers workers;
  std::unique_ptr<Engine> engine;

private:
  House& house_;
  SeededRandom random_;
};

} // namespace garland::sync::testing
