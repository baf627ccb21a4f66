#include "host/sync/commits.h"

#include "host/sync/leases.h"

namespace garland::sync {
namespace {

Error notOurs(std::string const& connection_id) {
  return Error(ErrorKind::cancelled, "another daemon runs connection " + connection_id +
                                         " by now; what was begun here goes on there");
}

} // namespace

bool mine(Context const& context, std::string const& connection_id) {
  return !context.leases || context.leases->holds(connection_id);
}

bool mayAsk(Context const& context, std::string const& connection_id) {
  return !context.leases || context.leases->mayAsk(connection_id);
}

bool caresFor(Context const& context, std::string_view name) {
  return !context.leases || context.leases->caresFor(name);
}

std::string andMine(Context const& context, std::string_view table, Values& args) {
  if (!context.leases) return {};
  args.emplace_back(context.leases->table().nodeId());
  std::string const name(table);
  // With an OFFSET PostgreSQL looks the lease of each row up, instead of reading all leases for a few rows.
  return " AND EXISTS (SELECT 1 FROM leases mine WHERE mine.vendor_id=" + name +
         ".vendor_id AND mine.connection_id=" + name + ".connection_id AND mine.node_id=$" +
         std::to_string(args.size()) + " LIMIT 1 OFFSET 0)";
}

std::vector<News> newsFor(Context const& context, NewsKind kind, std::string vendor_id,
                          std::string connection_id) {
  std::vector<News> news;
  if (!mine(context, connection_id)) news.emplace_back(kind, std::move(vendor_id), std::move(connection_id));
  return news;
}

Task<std::vector<store::Rows>> commitTelling(Context* context, store::Unit unit, std::vector<News> news) {
  if (!context->leases) co_return co_await context->doors.store.commit(std::move(unit));
  auto const given = unit.size();
  for (auto const& one : news) unit.push_back(telling(context->leases->table().nodeId(), one));
  auto done = co_await context->doors.store.commit(std::move(unit));
  if (done) done->resize(given);
  co_return done;
}

// The lease goes first: every unit of the connection locks that row before any other.
Task<std::vector<store::Rows>> commitOwned(Context* context, Owner owner, store::Unit unit,
                                           std::vector<News> news) {
  if (!context->leases) co_return co_await context->doors.store.commit(std::move(unit));
  auto const lease = context->leases->leaseOf(owner.connection_id);
  if (!lease) co_return notOurs(owner.connection_id);
  unit.insert(unit.begin(), context->leases->table().fence(*lease));
  auto done = co_await commitTelling(context, std::move(unit), std::move(news));
  if (done) done->erase(done->begin());
  if (done || done.error().kind != ErrorKind::conflict) co_return done;
  auto const still = co_await context->leases->hasStill(*lease);
  if (still && !*still) co_return notOurs(owner.connection_id);
  co_return done;
}

} // namespace garland::sync
