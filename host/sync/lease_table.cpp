#include "host/sync/lease_table.h"

#include "host/sync/peers.h"
#include "host/sync/sql.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kNodesKept{86'400'000}; // that are gone, so that people see them

// Milliseconds since 1970, like all times here; never a daemon's.
constexpr std::string_view kNow = "CAST(EXTRACT(EPOCH FROM clock_timestamp())*1000 AS BIGINT)";

// Gone nodes keep their rows as long as they have leases.
std::string freeNodes() {
  return "(SELECT n.node_id FROM nodes n WHERE n.expires<=" + std::string(kNow) + " UNION ALL SELECT '')";
}

// Nodes that live and have the connector of the connection `c`.
std::string nodesWithIt() {
  return "FROM nodes w WHERE w.expires>" + std::string(kNow) +
         " AND strpos(w.plugins, ' ' || c.plugin_id || ' ')>0";
}

std::string withBlanks(std::vector<std::string> const& words) {
  std::string text = " ";
  for (auto const& word : words) text += word + " ";
  return text;
}

// Their column key_id has the key that seals there first, and blanks between.
std::string nodesWithOtherKeys() {
  return "FROM nodes WHERE expires>" + std::string(kNow) +
         " AND (strpos($1, ' ' || split_part(trim(key_id), ' ', 1) || ' ')=0 OR "
         "strpos(' ' || trim(key_id) || ' ', $2)=0)";
}

std::vector<WantedLease> wantedFrom(store::Rows const& rows) {
  std::vector<WantedLease> wanted;
  for (auto const& row : rows.rows)
    wanted.push_back(WantedLease{Owner{row.text(0), row.text(1)}, row.text(2)});
  return wanted;
}

std::vector<Lease> leasesFrom(store::Rows const& rows) {
  std::vector<Lease> leases;
  for (auto const& row : rows.rows) {
    Lease lease;
    lease.owner = Owner{row.text(0), row.text(1)};
    lease.epoch = row.integer(2);
    leases.push_back(std::move(lease));
  }
  return leases;
}

} // namespace

LeaseTable::LeaseTable(store::Store& store, std::string node_id, NodeName name,
                       std::vector<std::string> const& key_ids, Milliseconds lasts)
    : store_(store), node_id_(std::move(node_id)), name_(std::move(name)),
      key_id_(" " + key_ids.front() + " "), key_ids_(withBlanks(key_ids)), lasts_(lasts) {}

store::Statement LeaseTable::alive() const {
  std::string const now(kNow);
  return {"INSERT INTO nodes (node_id,name,version,key_id,plugins,started,expires) VALUES ($1,$2,$3,$4,$5," +
              now + "," + now +
              "+$6) ON CONFLICT (node_id) DO UPDATE SET expires=excluded.expires, plugins=excluded.plugins",
          {node_id_, name_.name, name_.version, key_ids_, plugins_, std::int64_t{lasts_.count()}}};
}

// Where the database's clock was set back, a node that is gone would live on by that much. What lives has
// said so since, or does in a moment; a row that it is just writing is passed over.
store::Statement LeaseTable::noLongerThanMayBe() const {
  std::string const now(kNow);
  return {"UPDATE nodes SET expires=" + now +
              "+$1 WHERE node_id IN (SELECT n.node_id FROM nodes n WHERE "
              "n.expires>" +
              now + "+$1 FOR UPDATE SKIP LOCKED)",
          {std::int64_t{2 * lasts_.count()}}};
}

void LeaseTable::serves(std::set<std::string> const& plugin_ids) {
  plugins_ = withBlanks({plugin_ids.begin(), plugin_ids.end()});
}

// One at a time, so that of two with different keys the later one sees the other.
Task<void> LeaseTable::signOn() {
  auto const others_key = nodesWithOtherKeys();
  store::Unit unit;
  unit.emplace_back("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE", Values());
  unit.emplace_back("UPDATE nodes SET expires=0 WHERE name=$1 AND node_id<>$2", Values{name_.name, node_id_});
  unit.push_back(store::Statement("SELECT 1 " + others_key, {key_ids_, key_id_}).expecting(0));
  unit.push_back(alive());
  auto const done = co_await store_.commit(std::move(unit));
  if (done) co_return Result<void>();
  if (done.error().kind != ErrorKind::conflict) co_return done.error();
  store::Statement query("SELECT name " + others_key + " ORDER BY name", {key_ids_, key_id_});
  CO_TRY(others, co_await store_.read(std::move(query)));
  if (others.rows.empty()) co_return done.error();
  co_return Error(
      ErrorKind::unsupported,
      "the daemon " + others.rows[0].text(0) +
          " serves this database with another master key; give each daemon the keys of the others, in "
          "[vault] old_keys where they do not seal");
}

Task<void> LeaseTable::adopt() {
  store::Unit unit;
  unit.emplace_back("INSERT INTO leases (vendor_id,connection_id,node_id,epoch,wanted_by) "
                    "SELECT c.vendor_id, c.connection_id, '', 0, '' FROM connections c WHERE NOT EXISTS "
                    "(SELECT 1 FROM leases l WHERE l.vendor_id=c.vendor_id AND "
                    "l.connection_id=c.connection_id) ON CONFLICT (vendor_id,connection_id) DO NOTHING",
                    Values());
  CO_TRY_VOID(co_await store_.commit(std::move(unit)));
  co_return Result<void>();
}

Task<Pulse> LeaseTable::beat() {
  std::string const now(kNow);
  store::Unit unit;
  unit.push_back(alive());
  unit.push_back(noLongerThanMayBe());
  unit.emplace_back("SELECT node_id FROM nodes WHERE expires>" + now + " ORDER BY node_id", Values());
  unit.emplace_back(
      "SELECT vendor_id, connection_id, wanted_by FROM leases WHERE node_id=$1 AND wanted_by<>''",
      Values{node_id_});
  unit.emplace_back("SELECT COUNT(*), CAST(COALESCE(SUM(epoch),0) AS BIGINT), " + now +
                        " FROM leases WHERE node_id=$1",
                    Values{node_id_});
  unit.emplace_back("DELETE FROM nodes WHERE expires<" + now +
                        "-$1 AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.node_id=nodes.node_id)",
                    Values{std::int64_t{kNodesKept.count()}});
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  Pulse pulse;
  for (auto const& row : done[2].rows) pulse.nodes.push_back(row.text(0));
  pulse.wanted = wantedFrom(done[3]);
  pulse.count = done[4].rows[0].integer(0);
  pulse.epochs = done[4].rows[0].integer(1);
  pulse.now = fromMillis(done[4].rows[0].integer(2));
  co_return pulse;
}

// The node goes first: whoever is giving it a lease has its row locked, and is waited for.
Task<void> LeaseTable::signOff() {
  store::Unit unit;
  unit.emplace_back("DELETE FROM nodes WHERE node_id=$1", Values{node_id_});
  unit.emplace_back("UPDATE leases SET node_id='', epoch=epoch+1, wanted_by='' WHERE node_id=$1",
                    Values{node_id_});
  unit.push_back(telling(node_id_, News(NewsKind::leases, std::string())));
  CO_TRY_VOID(co_await store_.commit(std::move(unit)));
  co_return Result<void>();
}

// A row that somebody's fence or another taker has locked is passed over: the next look finds it. The common
// table is there so that the rows are locked once, and no more than are asked for.
Task<std::vector<Lease>> LeaseTable::takeFree(std::int64_t most) {
  store::Unit unit;
  unit.emplace_back("WITH free AS MATERIALIZED (SELECT l.vendor_id, l.connection_id FROM leases l JOIN "
                    "connections c ON c.vendor_id=l.vendor_id AND c.connection_id=l.connection_id WHERE "
                    "l.node_id<>$1 AND l.node_id IN " +
                        freeNodes() +
                        " AND (l.wanted_by=$1 OR strpos($3, ' ' || c.plugin_id || ' ')>0 OR NOT EXISTS "
                        "(SELECT 1 " +
                        nodesWithIt() +
                        ")) LIMIT $2 FOR UPDATE OF l SKIP LOCKED) "
                        "UPDATE leases t SET node_id=$1, epoch=t.epoch+1, wanted_by='' FROM free f "
                        "WHERE t.vendor_id=f.vendor_id AND t.connection_id=f.connection_id "
                        "RETURNING t.vendor_id, t.connection_id, t.epoch",
                    Values{node_id_, most, plugins_});
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  co_return leasesFrom(done[0]);
}

Task<std::vector<Lease>> LeaseTable::mine() {
  store::Statement query("SELECT vendor_id, connection_id, epoch FROM leases WHERE node_id=$1", {node_id_});
  CO_TRY(rows, co_await store_.read(std::move(query)));
  co_return leasesFrom(rows);
}

// What a node without a row would have, nobody would take: if it has signed off, the lease is nobody's.
Task<bool> LeaseTable::give(Lease lease, std::string to_node) {
  store::Unit unit;
  unit.emplace_back("SELECT 1 FROM nodes WHERE node_id=$1 FOR KEY SHARE", Values{to_node});
  unit.emplace_back(
      "UPDATE leases SET node_id=COALESCE((SELECT n.node_id FROM nodes n WHERE n.node_id=$1), ''), "
      "epoch=epoch+1, wanted_by='' WHERE vendor_id=$2 AND connection_id=$3 AND node_id=$4 AND epoch=$5",
      Values{std::move(to_node), lease.owner.vendor_id, lease.owner.connection_id, node_id_, lease.epoch});
  unit.push_back(telling(node_id_, News(NewsKind::leases, std::string())));
  CO_TRY(done, co_await store_.commit(std::move(unit)));
  co_return done[1].affected == 1;
}

Task<void> LeaseTable::want(Owner owner) {
  store::Unit unit;
  unit.emplace_back(
      "UPDATE leases SET wanted_by=$1 WHERE vendor_id=$2 AND connection_id=$3 AND node_id<>$1 AND "
      "wanted_by<>$1",
      Values{node_id_, std::move(owner.vendor_id), std::move(owner.connection_id)});
  unit.push_back(telling(node_id_, News(NewsKind::leases, std::string())));
  CO_TRY_VOID(co_await store_.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<WantedLease>> LeaseTable::strange() {
  store::Statement query("SELECT * FROM (SELECT l.vendor_id, l.connection_id, (SELECT MIN(w.node_id) " +
                             nodesWithIt() +
                             ") AS has_it FROM leases l JOIN connections c ON c.vendor_id=l.vendor_id AND "
                             "c.connection_id=l.connection_id WHERE l.node_id=$1 AND "
                             "strpos($2, ' ' || c.plugin_id || ' ')=0) AS away WHERE has_it IS NOT NULL",
                         {node_id_, plugins_});
  CO_TRY(rows, co_await store_.read(std::move(query)));
  co_return wantedFrom(rows);
}

Task<bool> LeaseTable::isMine(Lease lease) {
  store::Statement query(
      "SELECT 1 FROM leases WHERE vendor_id=$1 AND connection_id=$2 AND node_id=$3 AND epoch=$4",
      {lease.owner.vendor_id, lease.owner.connection_id, node_id_, lease.epoch});
  CO_TRY(rows, co_await store_.read(std::move(query)));
  co_return !rows.rows.empty();
}

// A weaker lock would let the row be taken before the unit is durable.
store::Statement LeaseTable::fence(Lease const& lease) const {
  return store::Statement("SELECT 1 FROM leases WHERE vendor_id=$1 AND connection_id=$2 AND node_id=$3 AND "
                          "epoch=$4 FOR SHARE",
                          {lease.owner.vendor_id, lease.owner.connection_id, node_id_, lease.epoch})
      .expecting(1);
}

store::Statement LeaseTable::stays(Owner const& owner) const {
  return store::Statement("SELECT 1 FROM leases WHERE vendor_id=$1 AND connection_id=$2 FOR SHARE",
                          {owner.vendor_id, owner.connection_id})
      .expecting(1);
}

store::Statement LeaseTable::first(Owner const& owner) const {
  return {"INSERT INTO leases (vendor_id,connection_id,node_id,epoch,wanted_by) VALUES ($1,$2,$3,1,'')",
          {owner.vendor_id, owner.connection_id, node_id_}};
}

Task<std::vector<Node>> LeaseTable::nodes() {
  std::string const now(kNow);
  store::Statement query(
      "SELECT n.node_id, n.name, n.version, n.started, n.expires-$1, CASE WHEN n.expires>" + now +
          " THEN 1 ELSE 0 END, (SELECT COUNT(*) FROM leases l WHERE l.node_id=n.node_id) "
          "FROM nodes n ORDER BY n.name, n.node_id",
      {std::int64_t{lasts_.count()}});
  CO_TRY(rows, co_await store_.read(std::move(query)));
  std::vector<Node> all;
  for (auto const& row : rows.rows) {
    Node node;
    node.id = row.text(0);
    node.name = row.text(1);
    node.version = row.text(2);
    node.started = fromMillis(row.integer(3));
    node.last_beat = fromMillis(row.integer(4));
    node.lives = row.integer(5) != 0;
    node.connections = row.integer(6);
    node.is_this = node.id == node_id_;
    all.push_back(std::move(node));
  }
  co_return all;
}

} // namespace garland::sync
