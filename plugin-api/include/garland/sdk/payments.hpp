// Payment providers: a connector as a table of what it reads (records.hpp) and of what it does with money.
// The contract is plugin-api/schemas/payments.*.json and record.payments.*.json.
//
// An act gives the key of its input to the provider twice: as the request's Idempotency-Key, so that
// repeating it does it once, and in the record that it makes or changes, so that an act whose answer was
// lost is found there (payments.find/1). Amounts are integers from end to end. An input that holds a card
// number is refused before anything is sent: means of payment are named by the provider's tokens.
#pragma once

#include <garland/sdk/connector.hpp>
#include <garland/sdk/records.hpp>
#include <garland/sdk/webhooks.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::payments {

using records::Entity;
using records::PullRequest;

enum class Verb { authorize, capture, cancel, refund, transfer, dispute_evidence };
GARLAND_WORDS(Verb, authorize, capture, cancel, refund, transfer, dispute_evidence)

// A record that a member of the input names.
struct Named {
  Entity const* entity = nullptr;
  std::string_view member = {};
};
// A list's parameter, and what of the input is its value.
struct Filter {
  std::string_view parameter;
  std::string_view at;
};

// What must not be there: a record of this list, filtered by what the input has at `at`, with one of the
// statuses.
struct Unless {
  Entity const* entity = nullptr;
  std::string_view parameter = {};
  std::string_view at = {};
  std::span<std::string_view const> statuses = {};
};

// What can be done: one row for each operation.
struct Act {
  Verb verb;
  Entity const& entity;  // what it answers
  std::string_view path; // "payment_intents/{payment}/capture", with members of the input
  fields::Map map = {};  // from the input to the body
  std::span<rest::Parameter const> always = {}; // pointers and texts that every body has
  std::string_view key = {};                    // pointer into body and record: where our key is kept
  // The currency of amounts whose row names none: of this record, or else of the input's own amount.
  Named priced_by = {};

  // How it is found again if it makes a record: in the entity's list, by these filters, among what was
  // created after it was sent (`since`, in Unix seconds).
  std::span<Filter const> filters = {};
  std::string_view since = {};

  // And if it changes one, which this member of the input names: by our key, or without one by the status
  // `done`. With another status than these it cannot come about any more.
  std::string_view changes = {};
  std::string_view done = {};
  std::span<std::string_view const> possible = {};

  // A record that is found with this status stands for a refusal, such as a payment of a declined card. Why
  // stands in its /decline: {"code", "reason", "message"}.
  std::string_view refused = {};

  // Looked at before it is sent: money that is in dispute is not passed on.
  Unless unless = {};
};

// The answer of an act: the record, as it is after it.
struct Done {
  std::string entity = {};
  std::string id = {};
  json::object data = {};
};
GARLAND_RECORD(Done, entity, id, data)

// What a declined client can do, by the provider's word in the failure's detail: "retry" (the same means of
// payment may go well later), "other_method" or "never". It becomes the detail's "decline_class"; words that
// are not in the table are never tried again.
struct Decline {
  std::string_view word;
  std::string_view into;
};
struct Declines {
  std::string_view member = {}; // of the detail; empty: nothing is sorted
  std::span<Decline const> rows = {};
  std::string_view otherwise = "never";
};

struct FindRequest {
  std::string idempotency_key;
  std::string operation; // which act
  json::value input;     // its input
  std::optional<TimePoint> sent_at;
};
GARLAND_RECORD(FindRequest, idempotency_key, operation, input, sent_at)

// What the act's failure would have told.
struct Refusal {
  std::string message;
  std::optional<std::string> user_message = {};
  std::optional<std::string> code = {};
  json::object detail = {};
};
GARLAND_RECORD(Refusal, message, user_message, code, detail)

struct Found {
  bool found = false;
  std::optional<Done> output = {};     // the record as it is now
  bool final = false;                  // asking again will not give another answer
  std::optional<Refusal> refused = {}; // it was found, and did not take place
};
GARLAND_RECORD(Found, found, output, final, refused)

struct SettlementRequest {
  std::string payout;
  std::optional<std::string> after;
};
GARLAND_RECORD(SettlementRequest, payout, after)

struct Settlement {
  std::vector<Done> lines = {};
  std::optional<std::string> after = {}; // where the next page begins; absent: there is none
};
GARLAND_RECORD(Settlement, lines, after)

// What payouts consist of, and the parameter that filters its list by payout.
struct Lines {
  Entity const& entity;
  std::string_view parameter;
};

// Derive from it, give the tables, and end the file with GARLAND_CONNECTOR(YourClass).
class TableConnector : public Connector {
public:
  virtual HealthReport check(Account& account, Call& call) = 0;
  void pull(Account& account, PullRequest const& request);
  template <Verb verb> Done perform(Account& account, json::value const& input) {
    return act(account, verb, input);
  }
  // Was this act carried out, although its answer was lost?
  Found find(Account& account, FindRequest const& request);
  // One page of what a payout consists of.
  Settlement settlement(Account& account, SettlementRequest const& request);
  // Single records, as a pull would bring them.
  void get(Account& account, records::GetRequest const& request);
  // Which records a verified webhook is about. [nosuspend]
  webhooks::Parsed hints(Account& account, webhooks::Delivery const& delivery);

  static std::span<OperationEntry const> operations();

protected:
  virtual std::span<Entity const> entities() const = 0;
  virtual std::span<Act const> acts() const = 0;
  virtual Lines lines() const = 0;
  virtual Declines declines() const { return {}; }
  virtual webhooks::Table hooks() const { return {}; }
  // What stands at hooks().account if an event is this account's.
  virtual std::string hookAccount(Account&) const { return {}; }
  // Sets the base and what every request carries. [suspends]
  virtual void begin(Account& account) = 0;

private:
  Act const& actOf(std::string_view operation) const;
  Done act(Account& account, Verb verb, json::value const& input);
};

} // namespace garland::sdk::payments
