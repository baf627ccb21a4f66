// Intake: what comes in by itself, from providers without an API. A hook that somebody calls, a mail, rows of
// a CSV file. Other rooms come here through sync.h.
//
// An item is durable before its sender is told so; the same item again is told so too, and not doubled. Then
// the connection's connector reads it (intake.parse/1), and the records that it finds become durable together
// with the mark on the item. What nobody could read waits for a person: an item is never dropped unseen.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/secret.h"
#include "host/base/task.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

enum class IntakeSource { hook, mail, csv };
std::string_view name(IntakeSource source); // "hook"
std::optional<IntakeSource> intakeSourceNamed(std::string_view name);

enum class IntakeState {
  waiting,   // the connector has not read it yet; it is given to it at next_attempt
  taken,     // its records are stored
  ignored,   // the connector understood that there is nothing to keep, or it had come before; see reason
  review,    // nobody could read all of it: see reason; `retry` or `dismiss` it, or say that it is genuine
  dismissed, // a person said that it needs nothing
};
std::string_view name(IntakeState state); // "waiting"
std::optional<IntakeState> intakeStateNamed(std::string_view name);

struct IntakeItem {
  std::string id;
  std::string vendor_id;
  std::string connection_id;
  IntakeSource source = IntakeSource::hook;
  std::string dedupe_key; // unique per connection
  std::string summary;    // one line for lists: a subject, a file and its rows
  std::int64_t bytes = 0; // what is kept of it, content and raw
  TimePoint received;
  IntakeState state = IntakeState::waiting;
  std::string reason;        // one sentence; "" while it waits untried, and mostly when it is taken
  std::int64_t attempts = 0; // calls of intake.parse/1
  std::int64_t records = 0;  // that it brought, last time
  std::int64_t revision = 0; // grows by one with each change
  std::optional<TimePoint> next_attempt;
  std::optional<TimePoint> finished; // when it was taken, ignored or dismissed
  // In review: it is understood, and nothing is missing but a proof of who sent it, for which a person's word
  // is enough. What else makes an item wait nobody's word mends (IntakeRunner::review says all of it).
  bool acceptable = false;
  std::string accepted_by; // who said that it is genuine; "": nobody did
  std::optional<TimePoint> accepted;
};

// What it says, as intake.parse/1 gets it under the name of its source, and the bytes as they came.
struct IntakeContent {
  json::value content;
  std::string raw;
};

// What would come of a delivery, of which nothing was kept.
struct Rehearsal {
  IntakeState state = IntakeState::taken; // that an item of it would have: taken, ignored or review
  std::string reason;
  std::map<std::string, std::int64_t> records; // good ones, by kind
};

// What a listener hands over.
struct Delivery {
  std::string connection_id;
  IntakeSource source = IntakeSource::hook;
  // What makes it the same delivery again: a message id, a webhook id, else a digest of the bytes. 1 to 500
  // bytes.
  std::string dedupe_key;
  // How long that key stands for one delivery; zero: for ever. Where the key is a digest, the same bytes
  // may come again one day and mean something new.
  Milliseconds same_for{0};
  std::string summary;
  json::value content; // conforms to the member of intake.parse.1.in.json that bears the source's name
  std::string raw;     // may be empty, if the content says all
};

struct AcceptedItem {
  std::string id;
  bool known = false; // it had come before
};

struct IntakeQuery {
  std::string vendor_id;            // "" = all
  std::string connection_id;        // "" = all
  std::optional<IntakeState> state; // none = all
  std::string after_id;             // page cursor: items with id > after_id
  int limit = 100;                  // 1..1000
};

struct IntakeCounts {
  std::int64_t waiting = 0, review = 0;
  std::optional<TimePoint> oldest_review, oldest_waiting;
};

// The address of a connection for one source: a secret part of a URL or of a mail address, 52 characters of
// a-z and 2-7, which is 256 random bits. Kept as a hash; whoever has it may hand in items.
struct IntakeDoor {
  std::string vendor_id;
  std::string connection_id;
  std::string plugin_id;
  IntakeSource source = IntakeSource::hook;
  TimePoint created;
  // How its requests are signed, as a manifest's "webhooks" says it; null: they are not.
  json::value signing;
};
struct OpenedDoor {
  IntakeDoor door;
  Secret token; // shown once; empty: it is there already, and only rotating gives another
};

// [loop thread]
class Intake {
public:
  virtual ~Intake() = default;

  // Answers when the item is durable. invalidInput: the content is none, or the connector takes nothing of
  // this source; quota: too much waits for this connection; notFound.
  virtual Task<AcceptedItem> accept(Delivery delivery) = 0;
  // What the connector makes of it, without keeping anything. Errors as of `accept`, and the connector's own.
  virtual Task<Rehearsal> rehearse(Delivery delivery) = 0;

  virtual Task<IntakeItem> one(std::string id) = 0;
  virtual Task<IntakeContent> contentOf(std::string id) = 0;
  virtual Task<std::vector<IntakeItem>> list(IntakeQuery query) = 0; // by id, which is by age
  virtual Task<IntakeCounts> counts(std::string connection_id) = 0;  // "" = all
  // Gives it to the connector again, now. `conflict` if it is taken or being read.
  virtual Task<IntakeItem> retry(std::string id) = 0;
  // The same for every item of a connection that waits for a person; how many.
  virtual Task<std::int64_t> retryAll(std::string connection_id) = 0;
  // `who` looked at it and says that it is genuine: its connector reads it once more, now, and asks for no
  // proof. In the audit trail. `conflict` unless it is in review and `acceptable`.
  virtual Task<IntakeItem> acceptAsGenuine(std::string id, std::string who) = 0;
  // It needs nothing. `conflict` if it is taken or being read.
  virtual Task<IntakeItem> dismiss(std::string id, std::string why) = 0;

  // Makes the connection's door, or with `rotate` another one in its place: the old token ends at once.
  // invalidInput if the connector takes nothing of this source.
  virtual Task<OpenedDoor> openDoor(std::string connection_id, IntakeSource source, bool rotate) = 0;
  // How its requests are to be signed, and with what; null and empty: not. notFound if there is no door.
  virtual Task<IntakeDoor> sign(std::string connection_id, json::value scheme, Secret secret) = 0;
  // Whose token this is; nothing if it is nobody's. Time tells nothing about tokens that there are.
  virtual std::optional<IntakeDoor> findDoor(IntakeSource source, std::string_view token) = 0;
  // What its requests are signed with.
  virtual Task<Secret> signingSecret(IntakeDoor door) = 0;
};

} // namespace garland::sync
