// The tables `nodes` and `leases` on PostgreSQL: which daemons live, and whose each connection is. All times
// are the database's own. What an owner does with its connections is not known here. See decision 0041.
#pragma once

#include "host/sync/storage.h"

#include <set>
#include <string>
#include <vector>

namespace garland::sync {

// A connection is this node's as long as the row has this epoch.
struct Lease {
  Owner owner;
  std::int64_t epoch = 0;
};

// One of ours that another node asks for, or should have.
struct WantedLease {
  Owner owner;
  std::string node_id; // that one
};

// How things stand when a node has said that it lives.
struct Pulse {
  std::vector<std::string> nodes; // that live, this one too
  std::vector<WantedLease> wanted;
  std::int64_t count = 0;  // of our leases ...
  std::int64_t epochs = 0; // ... and the sum of their epochs: both are as before if none came or went
  TimePoint now;           // by the database's clock
};

class LeaseTable {
public:
  // `key_ids`: of the master keys, that which seals first. `lasts`: so long after its last beat a node counts
  // as gone.
  LeaseTable(store::Store& store, std::string node_id, NodeName name, std::vector<std::string> const& key_ids,
             Milliseconds lasts);

  std::string const& nodeId() const { return node_id_; }
  // The connectors that are here; the others know of it with the next beat.
  void serves(std::set<std::string> const& plugin_ids);

  // An earlier process of the same name is over, and what it had is free. `unsupported` if a daemon that
  // lives seals with a master key that is not here, or has not the one that seals here: one could not read
  // what the other seals.
  Task<void> signOn();
  // Connections without a lease get one: they were made by a daemon that was alone.
  Task<void> adopt();
  Task<Pulse> beat();
  // Everything of ours is nobody's then.
  Task<void> signOff();

  // Some of what is nobody's or of a node that is gone; each goes to one node only, whoever tries meanwhile.
  // What needs a connector that is not here is left to others, if one of them has it and we did not ask for
  // it.
  Task<std::vector<Lease>> takeFree(std::int64_t most);
  Task<std::vector<Lease>> mine();
  // To another node, or to nobody (""), also if that node has signed off. False: it was not ours any more.
  Task<bool> give(Lease lease, std::string to_node);
  Task<void> want(Owner owner);
  // Ours whose connector is not here, and a node that has it.
  Task<std::vector<WantedLease>> strange();
  Task<bool> isMine(Lease lease);

  // Stands first in a unit: nothing of that is kept unless the lease is ours until it is durable.
  store::Statement fence(Lease const& lease) const;
  // Stands in a unit: nothing of that is kept unless the connection is there until it is durable, whosever.
  store::Statement stays(Owner const& owner) const;
  // Of a connection that is made in the same unit. Its epoch is 1.
  store::Statement first(Owner const& owner) const;

  Task<std::vector<Node>> nodes();

private:
  store::Statement alive() const;
  store::Statement noLongerThanMayBe() const;

  store::Store& store_;
  std::string const node_id_;
  NodeName const name_;
  std::string const key_id_;  // that seals
  std::string const key_ids_; // " of all keys " with a blank around each
  std::string plugins_ = " "; // " ID ID "
  Milliseconds const lasts_;
};

} // namespace garland::sync
