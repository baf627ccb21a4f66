// Webhooks out: vendors' own programs are told what has changed, signed as Standard Webhooks has it.
//
// An endpoint is an address of a vendor with its place in the vendor's change feed. What it is to be told
// becomes a delivery, durable together with that place; an attempt is durable before it is sent, and its
// success after. So nothing is lost with a killed daemon, and what is told twice has the same webhook-id.
#pragma once

#include "host/audit/audit.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/custody/custody.h"
#include "host/egress/egress.h"
#include "host/store/store.h"
#include "host/sync/sync.h"
#include "host/vault/vault.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::notify {

// The tables of this room, for Store::open.
std::vector<store::Migration> migrations();
// That with secrets, for an export of the vault.
std::vector<custody::Table> secretTables();
std::vector<PersonalTable> personalData();

// Whether there is an endpoint, whose secret only the master key that sealed it can open.
Task<bool> holdsSecrets(store::Store& store);

// Changes that an endpoint was never told of, because the feed held them no more when it came to them.
struct Missed {
  std::int64_t first = 0;
  std::int64_t last = 0;
  TimePoint at; // when that was found
};

struct Endpoint {
  std::string id; // "epo_..."
  std::string vendor_id;
  std::string url;
  std::string description;
  // "calendar.event", "calendar.event.deleted" or "crm.*"; empty: all that happens.
  std::vector<std::string> events;
  bool ordered = false; // what happens to one record is told in its order, one after another
  bool allow_private_network = false;
  bool enabled = true;
  std::string reason; // why it is disabled; "" if it is not
  std::optional<TimePoint> disabled_at;
  std::int64_t place = 0; // in the vendor's change feed: up to this sequence everything is a delivery
  std::optional<TimePoint> failing_since; // no attempt went well since; none: the last one did
  std::optional<TimePoint> last_success;
  std::optional<Missed> missed;              // since it was enabled last; from the first to the last of them
  std::optional<TimePoint> old_secret_until; // requests are signed with the secret before, too
  TimePoint created;
  std::int64_t revision = 1; // grows by one with each change that a person or a sustained failure makes
};

struct NewEndpoint {
  std::string vendor_id;
  std::string url;
  std::string description;
  std::vector<std::string> events;
  bool ordered = false;
  bool allow_private_network = false;
  std::optional<std::int64_t> after; // told is what comes after this sequence of the feed; none: from now on
};

struct EndpointChange { // none: as it is
  std::optional<std::string> url;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> events;
  std::optional<bool> ordered;
  std::optional<bool> allow_private_network;
};

struct WithSecret {
  Endpoint endpoint;
  Secret secret; // "whsec_...": shown this once
};

enum class DeliveryState {
  waiting,   // for its next attempt, or for its endpoint to be enabled
  delivered, // answered 2xx
  failed,    // given up: resend it
  dropped,   // its endpoint was enabled again from that moment on
};
std::string_view name(DeliveryState state);
std::optional<DeliveryState> deliveryStateNamed(std::string_view name);

struct Delivery {
  std::string id; // the webhook-id: the same for the same change at the same endpoint, always
  std::string vendor_id;
  std::string endpoint_id;
  std::int64_t sequence = 0; // of the change feed
  std::string record_id;
  std::string type; // "calendar.event.updated"
  DeliveryState state = DeliveryState::waiting;
  std::int64_t attempts = 0;
  int status = 0;      // of the last answer; 0: none
  std::string problem; // of the last attempt, one sentence; "" if it went well
  TimePoint created;
  std::optional<TimePoint> next_attempt;
  std::optional<TimePoint> finished;
};

struct Attempt {
  std::int64_t number = 0; // 1 is the first
  TimePoint at;
  std::optional<Milliseconds> took; // none: its end was not seen, such as when the daemon was killed
  int status = 0;                   // 0: no answer
  std::string problem;              // "" if it went well
};

struct DeliveryDetail {
  Delivery delivery;
  std::string body; // as it is sent
  std::vector<Attempt> attempts;
};

struct DeliveryQuery {
  std::string endpoint_id;
  std::optional<DeliveryState> state; // none: all
  std::int64_t after = 0;             // page cursor: those with sequence > after
  int limit = 100;                    // 1..1000
};

// Which deliveries are sent again.
struct ResendRange {
  std::string endpoint_id;
  std::optional<DeliveryState> state; // none: all but those that wait anyway
  std::optional<TimePoint> from;      // when they were made
  std::optional<TimePoint> until;     // before this moment
  std::int64_t after = 0;             // those with sequence > after
};

struct Resent {
  std::int64_t count = 0;
  std::optional<std::int64_t> next_after; // there may be more, after this sequence: as many wait as may
};

struct Counts {
  std::int64_t waiting = 0;  // deliveries
  std::int64_t disabled = 0; // endpoints that a sustained failure or a 410 disabled
};

struct Limits {
  int endpoints = 20;               // of a vendor
  std::int64_t waiting = 10'000;    // deliveries of an endpoint that wait; beyond it the feed waits
  std::size_t at_once = 128;        // attempts
  std::size_t at_once_each = 8;     // ... of one endpoint
  Milliseconds timeout{15'000};     // of one attempt
  Milliseconds give_up{86'400'000}; // an attempt that fails so long after the first one is the last, and an
                                    // endpoint at which all failed for so long is disabled ...
  std::int64_t fewest_tries = 8; // ... but neither before so many: this daemon may have been down meanwhile
  Milliseconds kept{7LL * 86'400'000}; // after that, what is finished is forgotten
};

struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  vault::Vault& vault;
  audit::Book& audit;
  egress::Client& egress;
  sync::Engine& engine;
  std::vector<std::string> kinds; // of records, which an endpoint may ask for
  std::string extra_ca_file = {};
  Limits limits = {};
  // For metrics: "delivered", "failed" (an attempt), "given up", "disabled".
  std::function<void(std::string_view outcome)> on_outcome = nullptr;
  // Other daemons are on the database: each endpoint is told by the one that cares for it (Engine::caresFor),
  // and may be changed at any.
  bool shared = false;
};

// Errors: notFound (unknown id), invalidInput (with field), conflict (changed meanwhile, or not in this
// state), quota (the vendor has as many endpoints as it may). [loop thread]
class Notifier {
public:
  virtual ~Notifier() = default;
  static std::unique_ptr<Notifier> create(Dependencies dependencies);

  virtual Task<WithSecret> add(NewEndpoint endpoint) = 0;
  virtual Task<Endpoint> one(std::string id) = 0;
  virtual Task<std::vector<Endpoint>> list(std::string vendor_id) = 0; // "" = all
  virtual Task<Endpoint> change(std::string id, EndpointChange change) = 0;
  virtual Task<void> remove(std::string id) = 0; // its deliveries, too
  // The secret before signs beside the new one for `overlap`; a third never does.
  virtual Task<WithSecret> rotate(std::string id, Milliseconds overlap) = 0;
  // Goes on where it stopped, or from now on: then what waits is dropped.
  virtual Task<Endpoint> enable(std::string id, bool from_now) = 0;
  virtual Task<Endpoint> disable(std::string id, std::string why) = 0;

  virtual Task<std::vector<Delivery>> deliveries(DeliveryQuery query) = 0; // by sequence
  virtual Task<DeliveryDetail> delivery(std::string endpoint_id, std::string id) = 0;
  // Now, whatever became of it; under the same id. `conflict` while the endpoint is disabled.
  virtual Task<Delivery> resend(std::string endpoint_id, std::string id) = 0;
  // By sequence, as far as Limits::waiting allows.
  virtual Task<Resent> resendRange(ResendRange range) = 0;
  virtual Task<Counts> counts() = 0;

  // Something was committed to the vendor's change feed. Without it the feed is looked at every two seconds.
  virtual void changed(std::string const& vendor_id) = 0;
  virtual Task<void> start() = 0;
  // Takes nothing up and breaks off what is on its way, which the next start sends again.
  virtual Task<void> stop() = 0;
};

} // namespace garland::notify
