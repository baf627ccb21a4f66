// The rows of this room: grants, replies that nothing was made of yet, clients that are refused.
#pragma once

#include "host/oauth/answer.h"

#include <map>

namespace garland::oauth {

// A request for tokens that may be under way.
struct Attempt {
  std::string id; // "": there is none
  std::string node;
  TimePoint begun;
  TimePoint until; // nobody else begins one before
};

// What goes with a code.
struct Redemption {
  Secret verifier;
  std::string redirect_uri;
};

struct Grant {
  Place place;
  Secret access;  // "": there is none yet
  Secret renewal; // what it is renewed by; "" by the client alone, or if the provider gave nothing
  std::optional<Redemption> redemption; // `renewal` is a code, which was not redeemed yet
  std::string lineage;
  std::optional<TimePoint> expires; // of the access token; none: nobody knows
  std::optional<TimePoint> due;     // to be renewed; none: when it is refused
  Status status;
  std::int64_t failures = 0;
  Attempt attempt;
  std::string doubt;      // why a token may be lost; "" if none can be
  std::string doubt_by;   // whose doing, as in Status
  std::int64_t epoch = 0; // grows with each change

  bool isDue(TimePoint now) const { return access.empty() || (due && *due <= now); }
  bool isValid(TimePoint now) const { return !access.empty() && (!expires || *expires > now); }
};

// What an answer makes of a grant.
struct After {
  bool given = false;
  Secret access;
  Secret renewal;
  std::optional<TimePoint> expires;
  std::optional<TimePoint> due;
  Status status;
  std::int64_t failures = 0;
  std::string doubt;
  std::string doubt_by;
};

struct Kept {
  std::string attempt;
  TimePoint asked; // tokens live from then at the latest
  Reply reply;
};

class Grants {
public:
  Grants(store::Store& store, vault::Vault& vault, Told told = nullptr)
      : store_(store), vault_(vault), told_(std::move(told)) {}

  Task<Grant> read(Place place); // notFound
  Task<std::vector<Standing>> standings(std::string vendor_id, std::string connection_id);
  // Durable on return. False: somebody else changed the grant since it was read. `grant`: with its doubt.
  Task<bool> begin(Grant const* grant, Attempt attempt);
  // As it came to the grant's attempt, whatever became of that meanwhile.
  Task<void> keep(Grant const* grant, Reply reply);
  Task<std::vector<Kept>> kept(Grant const* grant);
  // What was given counts if the grant stands on what was sent; anything else, if the attempt is open as
  // well. With the grant go the replies that it comes of. False: things have moved on, and only the reply is
  // gone.
  Task<bool> close(Grant const* grant, std::string attempt, After after, std::string app);
  // `refused`: its access token is good for nothing any more.
  Task<bool> dueAtOnce(Grant const* grant, TimePoint now, bool refused);

  // `redemption`: the token is a code; null: it is none.
  Result<store::Statement> first(Place const& place, Secret const& token, Redemption const* redemption,
                                 TimePoint now) const;
  // With tokens that were given already.
  Result<store::Unit> given(Place const& place, After const& after, TimePoint now) const;
  // `grant` under another connection, in the place of what it has.
  Result<store::Unit> moved(Grant const& grant, Place const& to) const;

  // When a client that was refused may be tried again.
  Task<std::optional<TimePoint>> refusedUntil(std::string app);
  Task<void> refuse(std::string app, TimePoint until);

private:
  Result<std::string> sealed(Place const& place, Secret const& access, Secret const& renewal,
                             Redemption const* redemption = nullptr) const;
  Result<Grant> grantFrom(Place place, store::Row const& row) const;
  void tellNewState(Grant const& grant, std::string const& attempt, After const& after,
                    store::Unit& unit) const;

  store::Store& store_;
  vault::Vault& vault_;
  Told told_;
};

} // namespace garland::oauth
