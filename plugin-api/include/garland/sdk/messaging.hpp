// Messages: mails that are sent once, called back while they wait, and come in. The contract is
// plugin-api/schemas/messaging.*.json and record.messaging.*.json.
//
// What is sent carries the key of its input twice: as the request's idempotency key, so that repeating it
// does it once, and in the message at the provider, so that one whose answer was lost is found there.
#pragma once

#include <garland/sdk/connector.hpp>
#include <garland/sdk/fields.hpp>
#include <garland/sdk/records.hpp>
#include <garland/sdk/webhooks.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::messaging {

using records::Entity;
using records::PullRequest;

// The answer of messaging.send/1 and messaging.cancel/1.
struct Sent {
  std::string id = {}; // the provider's
};
GARLAND_RECORD(Sent, id)

// One message of a batch: it was taken, or why not.
struct Entry {
  std::optional<std::string> id = {};
  std::optional<std::string> problem = {};
};
GARLAND_RECORD(Entry, id, problem)

// In the order of the input.
struct SentBatch {
  std::vector<Entry> messages = {};
};
GARLAND_RECORD(SentBatch, messages)

struct CancelRequest {
  std::string idempotency_key;
  std::string message; // the provider's id
};
GARLAND_RECORD(CancelRequest, idempotency_key, message)

struct FindRequest {
  std::string idempotency_key;
  std::string operation;            // which one is in doubt
  json::value input;                // its input
  std::optional<TimePoint> sent_at; // when that was sent
};
GARLAND_RECORD(FindRequest, idempotency_key, operation, input, sent_at)

struct Found {
  bool found = false;
  std::optional<json::value> output = {}; // what the operation would have answered
  bool final = false;                     // asking again will not give another answer
};
GARLAND_RECORD(Found, found, output, final)

// The tags of every message that is sent: our key, and its place if it is one of a batch.
inline constexpr std::string_view key_tag = "garland_key";
inline constexpr std::string_view place_tag = "garland_place";

// Where messages whose answer was lost are looked for: in the list of what was sent, the newest first, each
// with its tags only if it is read by its id. Pointers are into a message there.
struct Traces {
  rest::Resource const& sent;
  std::string_view created = "/created_at"; // RFC 3339
  std::string_view subject = "/subject";
  std::string_view to = "/to"; // an array of addresses
  std::string_view tags = "/tags";
  fields::Pairs tag = {"/name", "/value"};
  std::string_view state = "/last_event";
  std::string_view scheduled = "scheduled"; // its words for these states
  std::string_view cancelled = "canceled";
};

// The whole of messaging.find/1: one message or a batch by the tags, a cancellation by the state. [suspends]
Found find(Account& account, Traces const& traces, FindRequest const& request);

// The body of a request, by a map from the input. Failure(invalidInput) names the input's member.
json::object bodyOf(fields::Map map, json::value const& message);

// Derive from it, list in the manifest what the provider can do, and end the file with
// GARLAND_CONNECTOR(YourClass).
class MessagingConnector : public Connector {
public:
  virtual HealthReport check(Account& account, Call& call) = 0;
  virtual void pull(Account& account, PullRequest const& request) = 0;
  virtual Sent send(Account& account, json::value const& input) = 0;
  virtual SentBatch sendBatch(Account& account, json::value const& input) = 0;
  // Calls back what is scheduled and was not sent yet.
  virtual Sent cancel(Account& account, CancelRequest const& request) = 0;
  // Did it take place, although its answer was lost?
  virtual Found find(Account& account, FindRequest const& request) = 0;
  // Single records, as they are now; unsupported unless overridden.
  virtual void get(Account& account, records::GetRequest const& request);
  // Which messages a verified webhook is about; unsupported unless overridden. [nosuspend]
  virtual webhooks::Parsed hints(Account& account, webhooks::Delivery const& delivery);

  static std::span<OperationEntry const> operations();
};

} // namespace garland::sdk::messaging
