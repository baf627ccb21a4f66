// Webhooks: what providers with an API tell by themselves. Other rooms come here through sync.h.
//
// A delivery is durable before its sender is told so, many in one commit, and the same delivery again is
// told so too. Then its connector says which records it is about (webhooks.parse/1); those hints become
// durable together with the mark on the delivery, and the records are read again. Whether a request is the
// provider's is judged before (host/webhooks), and what nobody can read waits for a person: it is dead.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/secret.h"
#include "host/base/task.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

enum class WebhookState {
  waiting, // the connector has not read it yet; it is given to it at next_attempt
  done,    // what it is about is known, and read again
  dead,    // nobody could read it: see reason; `replay` or `drop` it
  dropped, // a person said that it needs nothing
};
std::string_view name(WebhookState state); // "waiting"
std::optional<WebhookState> webhookStateNamed(std::string_view name);

struct Webhook {
  std::string id;
  std::string vendor_id;
  std::string connection_id;
  std::string key; // what makes it the same delivery again; unique per connection
  std::int64_t bytes = 0;
  TimePoint received;
  WebhookState state = WebhookState::waiting;
  std::string reason;        // one sentence; "" while it waits untried and when it is done
  std::string event;         // the provider's name for what happened; "" until it was read
  std::int64_t hints = 0;    // records that it is about
  std::int64_t attempts = 0; // calls of webhooks.parse/1
  std::int64_t revision = 0; // grows by one with each change
  std::optional<TimePoint> next_attempt;
  std::optional<TimePoint> finished; // when it was done or dropped
};

struct WebhookContent {
  json::value shown; // "headers", "query" and "content_type", as webhooks.parse/1 gets them
  std::string body;  // the bytes as they came
};

// How much may wait. What comes beyond it is not taken, and its sender told when to come again.
struct WebhookRoom {
  std::size_t queued = 16'384; // handed in and not durable yet
  std::size_t queued_bytes = 64U << 20U;
  std::int64_t open = 100'000; // of one connection, waiting or dead
  std::int64_t open_bytes = 256 << 20;
};

// What the door hands over, once it knows who sent it.
struct NewWebhook {
  std::string vendor_id;
  std::string connection_id;
  // What makes it the same delivery again: "id " and the sender's id of it, which is good as long as it is
  // remembered; or "bytes " and a digest, which is good until it was read: the same bytes may come again and
  // mean something new. 1 to 500 bytes of printable text.
  std::string key;
  std::string shown; // JSON text of WebhookContent::shown
  std::string body;
};

struct WebhookQuery {
  std::string vendor_id;             // "" = all
  std::string connection_id;         // "" = all
  std::optional<WebhookState> state; // none = all
  std::string after_id;              // page cursor: those with id > after_id
  int limit = 100;                   // 1..1000
};

// Which deliveries are to be read again.
struct WebhookRange {
  std::string connection_id;         // "" = all
  std::optional<WebhookState> state; // none = all but those that wait anyway
  std::optional<TimePoint> from;     // when they came
  std::optional<TimePoint> until;    // before this moment
};

struct WebhookCounts {
  std::int64_t waiting = 0, dead = 0;
};

// Where a connection's deliveries come to. The name is part of the address and no secret: what is secret
// signs the requests.
struct WebhookEndpoint {
  std::string vendor_id;
  std::string connection_id;
  std::string plugin_id;
  std::string name; // unique per plugin
  TimePoint created;
  std::int64_t revision = 0; // grows when what verifies its requests changes
};

struct WebhookKeys {
  std::vector<Secret> secrets;                                // live ones, the newest first; at most two
  std::map<std::string, std::string, std::less<>> parameters; // agreed on at registration
  std::optional<TimePoint> until;                             // then an older secret ends
};

struct WebhookSetup {
  std::string connection_id;
  std::string name;             // "": made up, or as it is
  std::optional<Secret> secret; // nothing: as they are
  bool rotate = false;          // the secret before stays good for `overlap`; else it ends at once
  Milliseconds overlap{86'400'000};
  std::optional<std::map<std::string, std::string, std::less<>>> parameters; // nothing: as they are
};

// [loop thread]
class Webhooks {
public:
  virtual ~Webhooks() = default;

  // Null if nobody has it. By memory: a stranger's guess costs no query.
  virtual std::shared_ptr<WebhookEndpoint const> find(std::string_view plugin_id, std::string_view name) = 0;
  virtual std::shared_ptr<WebhookEndpoint const> endpointOf(std::string_view connection_id) = 0;
  virtual Task<WebhookKeys> keysOf(std::shared_ptr<WebhookEndpoint const> endpoint) = 0;
  // Makes the connection's endpoint or changes it. invalidInput: its connector reads no webhooks; conflict:
  // another connection has the name.
  virtual Task<std::shared_ptr<WebhookEndpoint const>> setUp(WebhookSetup setup) = 0;

  // Answers when it is durable; true: it had come before. transient with retry_after: more waits than we
  // take, or the database does not take it.
  virtual Task<bool> accept(NewWebhook webhook) = 0;

  virtual Task<Webhook> one(std::string id) = 0;
  virtual Task<WebhookContent> contentOf(std::string id) = 0;
  virtual Task<std::vector<Webhook>> list(WebhookQuery query) = 0; // by id, which is by age
  virtual Task<WebhookCounts> counts() = 0;
  // Gives it to the connector again, now.
  virtual Task<Webhook> replay(std::string id) = 0;
  virtual Task<std::int64_t> replayRange(WebhookRange range) = 0; // how many
  // It needs nothing. `conflict` if it is done.
  virtual Task<Webhook> drop(std::string id, std::string why) = 0;

  // Who is told when a connection that had an endpoint is gone, whichever daemon ended it; null: nobody any
  // more.
  virtual void whenGone(std::function<void(std::string const& connection_id)> told) = 0;
};

} // namespace garland::sync
