// Calendars: the canonical event as types, and the base of connectors that sync them.
// The contract is plugin-api/schemas/record.calendar.event.json and calendar.*.json.
#pragma once

#include <garland/sdk/connector.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::sdk::calendar {

// A time as calendars mean it. The texts are those of the contract; nothing is converted.
struct Time {
  enum class Form { date, local, utc };

  static Time date(std::string text) { return {Form::date, std::move(text), {}}; } // "2026-06-13"
  // "2026-06-13T14:00:00" in a zone (IANA name or key of zone_definitions); without: floating.
  static Time local(std::string text, std::string zone = {}) {
    return {Form::local, std::move(text), std::move(zone)};
  }
  static Time utc(std::string text) { return {Form::utc, std::move(text), {}}; } // "2026-06-13T12:00:00Z"

  Form form = Form::date;
  std::string text;
  std::string zone; // only with Form::local; empty: floating

  bool operator==(Time const&) const = default;
  json::value toJson() const;
  static Time fromJson(json::value const& value, Place const& place);
};

enum class Status { confirmed, tentative, cancelled };
GARLAND_WORDS(Status, confirmed, tentative, cancelled)

enum class Answer { accepted, declined, tentative, needs_action };
GARLAND_WORDS(Answer, accepted, declined, tentative, needs_action)

struct Person {
  std::string email = {}; // without "mailto:"
  std::optional<std::string> name = {};
  bool operator==(Person const&) const = default;
};
GARLAND_RECORD(Person, email, name)

struct Attendee {
  std::string email = {}; // without "mailto:"
  std::optional<std::string> name = {};
  std::optional<Answer> answer = {};
  bool operator==(Attendee const&) const = default;
};
GARLAND_RECORD(Attendee, email, name, answer)

struct Recurrence {
  std::vector<std::string> rules = {}; // RRULE values, "FREQ=WEEKLY;BYDAY=SA"
  std::vector<Time> dates = {};        // further starts
  std::vector<Time> except = {};       // starts that do not take place
  bool empty() const { return rules.empty() && dates.empty() && except.empty(); }
  bool operator==(Recurrence const&) const = default;
};

// One occurrence that differs; what is absent is as in the event.
struct Override {
  Time occurrence = {}; // the start that it would have had (RECURRENCE-ID)
  std::optional<bool> cancelled = {};
  std::optional<std::string> title = {};
  std::optional<std::string> description = {};
  std::optional<std::string> location = {};
  std::optional<Time> start = {};
  std::optional<Time> end = {};
  std::optional<Status> status = {};
  std::optional<bool> busy = {};
  bool operator==(Override const&) const = default;
};
GARLAND_RECORD(Override, occurrence, cancelled, title, description, location, start, end, status, busy)

struct Event {
  std::string uid = {};
  std::string title = {};       // may be empty
  std::string description = {}; // empty: none, as are location and url
  std::string location = {};
  std::string url = {};
  Status status = Status::confirmed;
  bool busy = true;
  Time start = {};
  std::optional<Time> end = {}; // exclusive
  Recurrence recurrence;
  std::vector<Override> overrides = {};
  std::optional<Person> organizer = {};
  std::vector<Attendee> attendees = {};
  std::vector<std::string> categories = {};
  std::map<std::string, std::string> zone_definitions = {}; // VTIMEZONE texts by name

  bool operator==(Event const&) const = default;
  // As in record.calendar.event.json: members without a value are absent.
  json::value toJson() const;
  static Event fromJson(json::value const& value, Place const& place = Place());
};

struct Calendar {
  std::string id = {}; // scope of its events
  std::string name = {};
  std::optional<std::string> color = {};
  std::optional<std::string> zone = {}; // IANA name
  bool writable = true;
};
GARLAND_RECORD(Calendar, id, name, color, zone, writable)

struct Discovery {
  std::string account = {};
  std::vector<Calendar> calendars = {};
};
GARLAND_RECORD(Discovery, account, calendars)

struct PullRequest {
  json::value cursor;                 // the last checkpoint's; null: everything
  std::vector<std::string> calendars; // ids; empty: all
  bool wants(std::string_view calendar) const;
};
GARLAND_RECORD(PullRequest, cursor, calendars)

struct UpsertRequest {
  std::string key;                    // repeating the call with the same key does it once
  std::optional<std::string> id;      // absent: create
  std::optional<std::string> version; // absent: in any case
  std::optional<std::string> scope;   // calendar to create it in
  Event data;
  std::optional<std::map<std::string, std::string>> zones; // VTIMEZONE texts by IANA name
};
GARLAND_RECORD(UpsertRequest, key, id, version, scope, data, zones)

struct StoredEvent {
  std::string id = {};
  std::string version = {}; // empty: the provider has none
  std::string scope = {};
  Event data = {}; // as read back
};
GARLAND_RECORD(StoredEvent, id, version, scope, data)

struct DeleteRequest {
  std::string key;
  std::string id;
  std::optional<std::string> version;
};
GARLAND_RECORD(DeleteRequest, key, id, version)

// What a pull brings. All [suspends] but progress.
class Feed {
public:
  explicit Feed(Call& call) : call_(call) {}

  void put(std::string_view id, std::string_view version, std::string_view scope, Event const& event);
  void gone(std::string_view id, std::string_view scope);
  // One item cannot be read; the rest goes on.
  void problem(std::string_view place, Failure const& failure) { call_.problem(place, failure); }
  // All ids that exist in a calendar: at the next checkpoint the host drops its others. Sent in parts.
  void listing(std::string_view scope, std::vector<std::string> const& ids);
  void checkpoint(json::value const& cursor) { call_.checkpoint(cursor); }
  void progress(std::uint64_t done, std::uint64_t total) { call_.progress(done, total, "events"); }
  // How long the provider asks to be left alone, unless a person wants a sync; at most a week.
  void leaveAlone(std::chrono::seconds span) { quiet_ = span; }
  std::chrono::seconds quiet() const { return quiet_; }
  Call& call() { return call_; }

private:
  Call& call_;
  std::chrono::seconds quiet_{0};
};

struct PullResult {
  std::optional<std::int64_t> quiet_seconds;
};
GARLAND_RECORD(PullResult, quiet_seconds)

// Calendars that can only be read: health.check/1, calendar.discover/1 and calendar.pull/1. Derive from it,
// name these in the manifest, and end the file with GARLAND_CONNECTOR(YourClass).
class CalendarReader : public Connector {
public:
  virtual HealthReport check(Account& account, Call& call) = 0;
  virtual Discovery discover(Account& account, Call& call) = 0;
  virtual void pull(Account& account, PullRequest const& request, Feed& feed) = 0;

  PullResult runPull(Account& account, PullRequest const& request, Feed& feed);
  static std::span<OperationEntry const> operations();
};

// Those that can be written, too: calendar.upsert/1 and calendar.delete/1 besides.
class CalendarConnector : public CalendarReader {
public:
  // With a version: Failure(conflict) with detail "current" if the provider's is another. The base's
  // answer, where a provider has only one of the two, is Failure(unsupported).
  virtual StoredEvent upsert(Account& account, UpsertRequest const& request, Call& call);
  // Gone already is success.
  virtual void remove(Account& account, DeleteRequest const& request, Call& call);

  static std::span<OperationEntry const> operations();
};

} // namespace garland::sdk::calendar
