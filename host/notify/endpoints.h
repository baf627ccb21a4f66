// The rows of endpoints and their secrets. What is held in memory is the notifier's business.
#pragma once

#include "host/notify/notify.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::notify {

struct KeptEndpoint {
  Endpoint endpoint;
  std::string sealed; // its secrets
};

class Endpoints {
public:
  explicit Endpoints(Dependencies& with) : with_(with) {}

  Task<std::vector<KeptEndpoint>> list(std::string vendor_id); // "" = all
  Task<KeptEndpoint> one(std::string id);
  // quota: the vendor has as many as it may.
  Task<void> insert(KeptEndpoint kept);
  // What a person may change; `conflict` unless it is at the revision that was read. `act` and `detail`: for
  // the audit trail.
  Task<void> save(KeptEndpoint kept, std::string act, std::string detail);
  Task<void> remove(Endpoint endpoint);

  // `cause`: one word, if nobody asked for it, so that somebody has to be told; "" if somebody did. What
  // waits waits on, and is due never. An endpoint that is disabled already stays as it is.
  Task<void> disable(Endpoint endpoint, std::string why, std::string cause);
  // From `place` on, if it is given; then what waits is dropped.
  Task<void> enable(Endpoint endpoint, std::optional<std::int64_t> place);
  Task<std::int64_t> countDisabled();

  Result<std::string> sealed(Secret const& newest, Secret const* older, Endpoint const& endpoint) const;
  // The newest first; an older one only as long as it is live.
  Result<std::vector<Secret>> secretsOf(KeptEndpoint const& kept) const;

private:
  Dependencies& with_;
};

// What somebody asked for, for the audit chain; in the unit that does it.
store::Statement auditOf(Dependencies& with, Endpoint const& endpoint, std::string act, std::string detail);
// What the host does of its own accord, likewise. `facts`: words of fixed sets, and numbers.
store::Statement ownActOf(Dependencies& with, std::string vendor_id, std::string act, std::string subject,
                          json::object facts);

// invalidInput unless it is an https address (with private networks, http too) that has no password in it.
Result<void> checkUrl(std::string const& url, bool allow_private_network);

} // namespace garland::notify
