// REST resources as data: where the records of an answer are, how pages follow each other, how a pull
// tells what changed, how a write is made safe to repeat.
//
//   constexpr rest::Resource jobs{
//       .path = "job", .records = "/items", .paging = rest::PageNumber{.last = "/meta/totalPages"},
//       .changes = rest::Descending{.parameter = "sortBy", .value = "modified desc", .total =
//       "/meta/totalItems"}};
//   rest::Pages pages(account, jobs);
//   while (pages.next())
//     for (auto const& job : pages.records()) ...
//
// Paths are relative to Account::base, which ends in "/". All functions here [suspend].
#pragma once

#include <garland/sdk/account.hpp>
#include <garland/sdk/errors.hpp>
#include <garland/sdk/pointer.hpp>

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace garland::sdk::rest {

struct Parameter {
  std::string_view name;
  std::string_view value;
};

// ---- how pages follow each other. Pointers are into the answer.
struct OnePage {};
struct PageNumber { // ends with the page that `last` names, or with one that is not full
  std::string_view page = "page";
  std::string_view size = "pageSize";
  int per_page = 100;
  int first = 1;
  std::string_view last = {}; // number of the last page
};
struct Offset { // ends with a page that is not full
  std::string_view offset = "offset";
  std::string_view limit = "limit";
  int per_page = 100;
};
struct Cursor { // ends when `next` has no value
  std::string_view parameter = "cursor";
  std::string_view next = "/next_cursor";
};
struct NextLink { // a URL, ends when it has no value
  std::string_view next = "/next";
};
struct LinkHeader {};  // RFC 8288, rel="next"
struct StartingAfter { // the last record's id; ends when `more` is not true
  std::string_view parameter = "starting_after";
  std::string_view more = "/has_more";
  std::string_view limit = "limit";
  int per_page = 100;
};
using Paging = std::variant<OnePage, PageNumber, Offset, Cursor, NextLink, LinkHeader, StartingAfter>;

// ---- how a pull tells what changed
struct Everything {}; // reads all, each time
// A filter "modified since". The moment is that of the provider's own clock when the last pull began.
struct Since {
  enum class Form { rfc3339, seconds };
  std::string_view parameter;
  Form form = Form::rfc3339;
  Milliseconds overlap = std::chrono::minutes(2);
};
// A list that is sorted by its last modification, the newest first: read until it is older than what is
// known. Needs PageNumber or Offset, and `total`, by which records that move up between two pages, because
// one before them was deleted, are noticed. What is modified meanwhile is read by another walk.
struct Descending {
  std::string_view parameter;
  std::string_view value;
  std::string_view modified = "/modified";     // in a record: RFC 3339
  std::string_view total = "/total";           // in an answer: how many records there are
  std::string_view created = {};               // in a record: RFC 3339; shows that fewer came than went
  Milliseconds sweep = std::chrono::hours(24); // all ids are listed again after that, to see deletions
};
struct SyncToken { // refused with `expired`: everything is read again
  std::string_view parameter = "syncToken";
  std::string_view next = "/nextSyncToken";
  int expired = 410;
};
struct DeltaLink {
  std::string_view next = "/@odata.deltaLink";
  int expired = 410;
};
// A log of events, the newest first, each with the record that it is about.
struct EventLog {
  std::string_view path = "events";
  std::string_view records = "/data";
  std::string_view id = "/id";
  std::string_view object = "/data/object"; // in an event: the record
  std::string_view newer_than = "ending_before";
  std::string_view more = "/has_more";
  std::string_view limit = "limit";
  int per_page = 100;
  int expired = 404;
  std::span<Parameter const> query = {}; // which events
  // Takes the records as they are now, each read by its id, not as they were when the event came about.
  bool read_again = false;
  std::string_view since = {}; // parameter by which a log that was empty is asked: Unix seconds
  Milliseconds keeps{0};       // how far back the log reaches; 0: it says so by `expired`
};
// A list with the newest first by creation, of records that change for a while after it and then never:
// read until one was created longer than `window` before the newest of the last pull. Deletions are not seen.
struct Recent {
  std::string_view created = "/created_at"; // in a record: RFC 3339
  Milliseconds window = std::chrono::minutes(10);
  // The list holds less than the record itself: each is read by its id. One that cannot be is told, and
  // comes later only by records.get/1.
  bool read_again = false;
  // Some change later still, as what is scheduled does: once a day the list is read back so far. 0: none do.
  Milliseconds late{0};
};
using Changes = std::variant<Everything, Since, Descending, SyncToken, DeltaLink, EventLog, Recent>;

// ---- how a write is made safe to repeat
struct NoKey {};
struct HeaderKey {
  std::string_view header = "Idempotency-Key";
  std::size_t longest = 255; // longer keys are shortened, with a hash
};
struct BodyKey {
  std::string_view member = "/idempotency_key"; // pointer into the body
  std::size_t longest = 45;
};
// The record carries our key, and is looked for before it is created.
struct LookupKey {
  std::string_view entries = "/externalMappings"; // in a record: an array of objects
  std::string_view id = "/id";                    // in an entry: our key
  std::string_view url = {};                      // in an entry: "urn:garland:" and our key, if asked for
  std::string_view parameter = {};                // filters the list by our key, or else ...
  std::string_view by = {};                       // ... this one, by the body's text at `at`, or else ...
  std::string_view at = {};
  Milliseconds recent = std::chrono::hours(48); // ... the list is read back to here (needs Descending)
  std::size_t longest = 64;
};
using Idempotency = std::variant<NoKey, HeaderKey, BodyKey, LookupKey>;

enum class BodyForm { json, form };

struct Writing {
  BodyForm body = BodyForm::json;
  std::string_view update = "PUT";
  bool whole = true; // an update replaces the object; false: the body is only what changes
  std::span<std::string_view const> read_only = {}; // members that are not sent back, nor compared
  Idempotency idempotency = NoKey{};
};

struct Resource {
  std::string_view path;
  std::string_view records = "/items"; // in an answer: the array; empty: the answer is the array
  std::string_view id = "/id";         // in a record
  std::string_view version = "/modified";
  std::string_view deleted = {}; // in a record: true, or any text, if it is gone
  std::string_view record = {};  // in the answer to a request for one: the record
  std::span<Parameter const> query = {};
  Paging paging = OnePage{};
  Changes changes = Everything{};
  Writing writing = {};
  errors::Mapper errors = {};
};

// Sends, expects success by the mapper, and parses. HTML instead of JSON is Failure(providerBug).
// `answer`, if asked for, is the answer itself.
json::value fetch(Account& account, errors::Mapper const& errors, Request request,
                  Response* answer = nullptr);

// Does `work`, which only reads, again for as long as it is refused for coming too fast and the provider
// asks for a short wait.
void patiently(Call& call, std::function<void()> const& work);

// One list, page after page. Failure(providerBug) if the pages lead in a circle, or are all the same.
class Pages {
public:
  // `position` of an earlier object goes on after the pages it had read.
  Pages(Account& account, Resource const& resource, Query query = {}, std::string position = {});

  // Reads the next page; false if there is none.
  bool next();
  json::array const& records() const { return *records_; }
  json::value const& document() const { return document_; }
  Response const& response() const { return response_; }
  // Where the next page begins; empty: there is none.
  std::string const& position() const { return position_; }
  // So many pages back, at most to the first one. Only with PageNumber and Offset.
  void back(std::int64_t pages);
  bool atFirst() const;                                // was the page just read the first one?
  std::uint64_t received() const { return received_; } // bytes

private:
  Request request() const;
  void read();
  std::string printOf() const; // of the page just read: its ids
  void advance();
  void refuseCircle(std::string const& from);

  Account& account_;
  Resource const& resource_;
  Query query_;
  std::string position_;
  std::string current_; // of the page just read
  bool done_ = false;
  Response response_;
  json::value document_;
  json::array const* records_ = nullptr;
  std::set<std::string> been_;
  std::string print_; // of the page just read: its ids
  std::uint64_t received_ = 0;
};

// Where a pull's results go.
class Receiver {
public:
  Receiver() = default;
  Receiver(Receiver const&) = delete;
  Receiver& operator=(Receiver const&) = delete;
  virtual ~Receiver() = default;
  // One record, as it is now; may be one that was given before.
  virtual void take(json::value const& record) = 0;
  // One record that cannot be read by its id; the rest goes on.
  virtual void problem(std::string_view id, Failure const& failure) = 0;
  // All ids that exist, in parts.
  virtual void listing(std::vector<std::string> const& ids, bool last) = 0;
  // Everything given so far, with where to go on.
  virtual void checkpoint(json::value const& cursor) = 0;
};

// What changed since `cursor` (null: everything), by the resource's strategy. Checkpoints after every page
// that a later pull could go on from.
void pull(Account& account, Resource const& resource, json::value const& cursor, Receiver& receiver);

// ---- single records
json::value get(Account& account, Resource const& resource, std::string_view id);
// Creates it once for `key`, also if an earlier try is in doubt; what the provider answered, or holds.
json::value create(Account& account, Resource const& resource, json::object body, std::string_view key);
// Sends what is to be there instead of `before`; does nothing if that is the same.
void update(Account& account, Resource const& resource, std::string_view id, json::value const& before,
            json::object const& after, std::string_view key);
// Gone already is success.
void remove(Account& account, Resource const& resource, std::string_view id);

// A key of at most `longest` bytes that is another for every other key.
std::string shortKey(std::string_view key, std::size_t longest);

} // namespace garland::sdk::rest
