// Starter: the events of one calendar, both ways.
//
// What is particular to this provider stands in tables: what its errors mean, where its list is. What a row
// means: garland/sdk/errors.hpp, rest.hpp. An event of the list holds its text in iCalendar, "/ics", which
// the SDK reads and writes (garland/sdk/ical.hpp): series, exceptions and zones are none of our concern.
#include <garland/sdk/ical.hpp>
#include <garland/sdk/rest.hpp>

namespace {

namespace sdk = garland::sdk;
namespace rest = sdk::rest;
namespace calendar = sdk::calendar;
namespace json = boost::json;
using sdk::Effect;
using sdk::Failure;
using sdk::Kind;

// ---- errors: {"error": {"code", "message", "field"}}
constexpr sdk::errors::Meaning meanings[] = {
    {401, "", Kind::authRevoked}, // keys do not expire
    {403, "", Kind::forbidden},
    {422, "", Kind::invalidInput, {}, true},
};
constexpr sdk::errors::Mapper errors{
    .code = "/error/code", .message = "/error/message", .field = "/error/field", .meanings = meanings};

// ---- the list: what changed since a token, page after page; what was deleted comes once more, marked
constexpr std::string_view set_by_provider[] = {"id", "version", "updated_at", "deleted"};
constexpr rest::Resource events{
    .path = "events",
    .records = "/items",
    .version = "/version",
    .deleted = "/deleted",
    .paging = rest::Cursor{.parameter = "cursor", .next = "/next_cursor"},
    .changes = rest::SyncToken{.parameter = "since", .next = "/next_since", .expired = 410},
    .writing = {.update = "PATCH",
                .whole = false,
                .read_only = set_by_provider,
                .idempotency = rest::HeaderKey{}},
    .errors = errors};

// ---- events
constexpr std::string_view the_calendar = "main"; // it has one

constexpr std::string_view text_of_event = "/ics";

calendar::Event read(json::value const& record) {
  auto const parsed = sdk::ical::parseEvents(sdk::textOr(record, text_of_event));
  if (parsed.events.size() == 1) return parsed.events.front();
  throw Failure(Kind::providerBug, parsed.problems.empty() ? "/ics: holds no event, or several"
                                                           : "/ics: " + parsed.problems.front().message);
}

// What the event's text does not map stays in it. It has no time of its own, so that a creation which is
// repeated is the same request.
json::object write(calendar::UpsertRequest const& request, json::value const& before) {
  auto out = before.is_object() ? before.get_object() : json::object();
  sdk::ical::WriteOptions options;
  options.existing = sdk::textOr(before, text_of_event);
  if (request.zones) options.zones = *request.zones;
  out["ics"] = sdk::ical::toIcs(request.data, options);
  return out;
}

calendar::StoredEvent stored(json::value const& record) {
  return {sdk::textOr(record, events.id), sdk::textOr(record, events.version), std::string(the_calendar),
          read(record)};
}

// What a pull brings, as the host wants it.
class Translator final : public rest::Receiver {
public:
  explicit Translator(calendar::Feed& feed) : feed_(feed) {}

  void take(json::value const& record) override {
    auto const id = sdk::textOr(record, events.id);
    auto const failure = sdk::attempt([&] {
      if (id.empty()) throw Failure(Kind::providerBug, "an event has no /id");
      if (sdk::find(record, events.deleted) != nullptr) return feed_.gone(id, the_calendar);
      feed_.put(id, sdk::textOr(record, events.version), the_calendar, read(record));
    });
    if (failure) feed_.problem(id, *failure);
  }
  void problem(std::string_view id, Failure const& failure) override { feed_.problem(id, failure); }
  void listing(std::vector<std::string> const& ids, bool last) override {
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    if (last) feed_.listing(the_calendar, ids_);
  }
  void checkpoint(json::value const& cursor) override { feed_.checkpoint(cursor); }

private:
  calendar::Feed& feed_;
  std::vector<std::string> ids_;
};

struct Settings {
  std::optional<std::string> url;
};
GARLAND_RECORD(Settings, url)

void begin(sdk::Account& account) {
  auto url = account.settingsAs<Settings>().url.value_or("https://api.starter.example/v1");
  if (!url.ends_with('/')) url += '/';
  account.setBase(std::move(url));
}

// Its name at the provider.
std::string nameOf(sdk::Account& account) {
  begin(account);
  sdk::Request request;
  request.url = "me";
  auto name = sdk::textOr(rest::fetch(account, errors, std::move(request)), "/name");
  if (name.empty()) throw Failure(Kind::providerBug, "the answer of /me: /name: is missing");
  return name;
}

void requireVersion(std::optional<std::string> const& version, json::value const& record) {
  auto const current = sdk::textOr(record, events.version);
  if (!version || version->empty() || *version == current) return;
  throw Failure(Kind::conflict, "the event was changed at the provider meanwhile")
      .withDetail("current", json::value(current))
      .withEffect(Effect::notApplied);
}

class Calendar final : public calendar::CalendarConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override { return {nameOf(account)}; }

  calendar::Discovery discover(sdk::Account& account, sdk::Call&) override {
    auto name = nameOf(account);
    return {name, {{.id = std::string(the_calendar), .name = name}}};
  }

  void pull(sdk::Account& account, calendar::PullRequest const& request, calendar::Feed& feed) override {
    if (!request.wants(the_calendar)) return;
    begin(account);
    Translator translator(feed);
    rest::pull(account, events, request.cursor, translator);
  }

  calendar::StoredEvent upsert(sdk::Account& account, calendar::UpsertRequest const& request,
                               sdk::Call&) override {
    begin(account);
    if (!request.id) {
      auto const made = rest::create(account, events, write(request, {}), request.key);
      return stored(rest::get(account, events, sdk::textOr(made, events.id)));
    }
    auto const before = rest::get(account, events, *request.id);
    requireVersion(request.version, before);
    rest::update(account, events, *request.id, before, write(request, before), request.key);
    return stored(rest::get(account, events, *request.id));
  }

  void remove(sdk::Account& account, calendar::DeleteRequest const& request, sdk::Call&) override {
    begin(account);
    if (request.version && !request.version->empty()) {
      json::value record;
      auto failure = sdk::attempt([&] { record = rest::get(account, events, request.id); });
      if (failure && failure->kind == Kind::notFound) return;
      if (failure) throw std::move(*failure);
      requireVersion(request.version, record);
    }
    rest::remove(account, events, request.id);
  }
};

} // namespace

GARLAND_CONNECTOR(Calendar)
