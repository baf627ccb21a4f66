// What a webhook is about, as a table: the event's name, the kind of record, where its id stands. The
// contract is plugin-api/schemas/webhooks.parse.1.*.json; signatures are the host's business, by the
// manifest.
//
//   constexpr webhooks::Event events[] = {{"refund.*", "payments.refund", "/data/object/id"}};
//   constexpr webhooks::Table hooks{.event = {.body = "/type"}, .id = {.body = "/id"}, .events = events};
//   webhooks::Parsed parse(Account&, webhooks::Delivery const& delivery) { return webhooks::parse(hooks,
//   delivery); }
#pragma once

#include <garland/sdk/json.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::webhooks {

// Input of webhooks.parse/1.
struct Delivery {
  std::map<std::string, std::string> headers; // those that the manifest names, in lower case
  std::map<std::string, std::string> query;
  std::string content_type;
  std::string body; // JSON, or a form
};
GARLAND_RECORD(Delivery, headers, query, content_type, body)

struct Hint {
  std::string kind;
  std::string external_id;
};
GARLAND_RECORD(Hint, kind, external_id)

// Its result.
struct Parsed {
  std::string event;
  std::optional<std::string> id = {};
  std::optional<std::string> dedupe_key = {};
  std::vector<Hint> hints = {}; // none: it does not concern us
};
GARLAND_RECORD(Parsed, event, id, dedupe_key, hints)

// Where a text of the delivery stands: one of these.
struct At {
  std::string_view body = {}; // pointer into it
  std::string_view header = {};
  std::string_view query = {};
};

// One row: what of this name is about which record. A record may be named by several rows, and a name may
// have several.
struct Event {
  std::string_view name; // a "*" at its end stands for anything
  std::string_view kind;
  std::string_view record = "/data/id"; // pointer to its id in the body
};

struct Table {
  At event = {.body = "/type"};
  At id = {.body = "/id"}; // the event's, which makes repeated deliveries known; empty: there is none
  // Pointer to whose event it is, where one address gets those of many accounts: another's has no hints.
  std::string_view account = {};
  std::span<Event const> events;
};

// `account`: what stands at the table's pointer if it is ours. Failure(providerBug) with the place if the
// body cannot be read, or if the event, or the id of a record that it is about, is missing. What no row names
// has no hints.
Parsed parse(Table const& table, Delivery const& delivery, std::string_view account = {});

} // namespace garland::sdk::webhooks
