// The tables of webhooks and of hints: rows in and out, and nothing of what they mean.
#pragma once

#include "host/sync/context.h"
#include "host/sync/sql.h"
#include "host/sync/storage.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace garland::sync {

// A delivery on its way into the table.
struct WebhookRow {
  std::string id;
  TimePoint received;
  NewWebhook webhook;
};

// What a delivery that goes in is to the table.
enum class Freshness {
  isKnown, // it was there before
  isNew,
  isAgain, // it was done or dropped, and is read again
  wasOpen, // it was dead, and is read again
};

// One that is to be read now.
struct DueWebhook {
  Webhook webhook; // without its key
  WebhookContent content;
};

// The records that deliveries are about, each once, and the youngest delivery that said so.
using HintStamps = std::map<std::pair<std::string, std::string>, std::string>; // kind, external id -> stamp

// What is open of a connection: waiting or dead.
struct WebhookBacklog {
  Owner owner;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::optional<TimePoint> next_attempt;
};

class WebhookStore {
public:
  explicit WebhookStore(Context& context) : context_(context) {}

  // In as few statements as it takes. Of each row what it is, in their order: one that was read or given up,
  // where only its bytes tell that it is the same, is news again. No two rows may have one key.
  Task<std::vector<Freshness>> insert(std::vector<WebhookRow> rows);

  // What of it can change, where its revision still is what was read.
  store::Statement update(Webhook const& webhook) const;
  Task<void> save(Webhook webhook); // conflict if somebody else has changed it
  // By the owner of its connection: `cancelled` if that is another daemon by now.
  Task<void> saveOwned(Webhook webhook);
  // A row of the audit chain of one that nobody could read.
  void tellDead(store::Unit& unit, Webhook const& webhook) const;
  static void addHints(store::Unit& unit, Owner const& owner, HintStamps const& hints);

  Task<Webhook> one(std::string id); // notFound
  Task<WebhookContent> contentOf(std::string id);
  Task<std::vector<Webhook>> list(WebhookQuery query);
  Task<WebhookCounts> counts();
  // At most so many, and no more than a few megabytes of them; at least one if there is one.
  Task<std::vector<DueWebhook>> due(Owner owner, TimePoint now, std::int64_t most);
  Task<std::optional<TimePoint>> nextDue(Owner owner);
  Task<std::vector<WebhookBacklog>> backlogs();
  Task<std::int64_t> reopen(WebhookRange range, TimePoint now); // how many
  // Some of those that were done or dropped before; how many.
  Task<std::int64_t> forget(TimePoint before);
  // The connection is gone.
  Task<void> forgetAll(std::string connection_id);

  Task<HintStamps> hintsOf(Owner owner, std::int64_t most);
  // Those that nobody has given since.
  Task<void> followed(Owner owner, HintStamps hints);
  Task<std::vector<Owner>> withHints();
  Task<bool> hasConnection(Owner owner);

private:
  // Which of these webhooks, by their ids, are in the table.
  Task<std::set<std::string>> present(std::vector<std::string> ids);
  Task<std::int64_t> countDue(Owner owner, TimePoint now, std::int64_t most);
  Task<void> forgetOrphans();

  Context& context_;
};

} // namespace garland::sync
