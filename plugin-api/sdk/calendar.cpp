// The canonical event to and from JSON, and what calendar connectors share.
#include <garland/sdk/calendar.hpp>

#include <algorithm>

namespace garland::sdk::calendar {
namespace {

void putText(json::object& into, std::string_view member, std::string const& text) {
  if (!text.empty()) into[member] = text;
}

template <class List> void putList(json::object& into, std::string_view member, List const& list) {
  if (!list.empty()) into[member] = encode(list);
}

json::object toJson(Recurrence const& recurrence) {
  json::object out;
  putList(out, "rules", recurrence.rules);
  putList(out, "dates", recurrence.dates);
  putList(out, "except", recurrence.except);
  return out;
}

// Reads members of one object; absent and null leave the target as it is.
class Members {
public:
  Members(json::object const& object, Place const& place) : object_(object), place_(place) {}

  template <class T> void required(std::string_view name, T& target) const {
    if (!optional(name, target)) Place(place_, name).fail("is missing");
  }
  template <class T> bool optional(std::string_view name, T& target) const {
    auto const* value = object_.if_contains(name);
    if (value == nullptr || value->is_null()) return false;
    target = decode<T>(*value, Place(place_, name));
    return true;
  }

private:
  json::object const& object_;
  Place const& place_;
};

Recurrence recurrenceFrom(json::value const& value, Place const& place) {
  Recurrence out;
  Members const in(detail::objectAt(value, place), place);
  in.optional("rules", out.rules);
  in.optional("dates", out.dates);
  in.optional("except", out.except);
  return out;
}

} // namespace

json::value Time::toJson() const {
  json::object out;
  switch (form) {
  case Form::date: out["date"] = text; break;
  case Form::utc: out["utc"] = text; break;
  case Form::local:
    out["local"] = text;
    if (!zone.empty()) out["zone"] = zone;
    break;
  }
  return out;
}

Time Time::fromJson(json::value const& value, Place const& place) {
  Members const in(detail::objectAt(value, place), place);
  Time date_time;
  int forms = 0;
  for (auto const& [member, kind] :
       {std::pair{"date", Form::date}, {"local", Form::local}, {"utc", Form::utc}}) {
    if (!in.optional(member, date_time.text)) continue;
    date_time.form = kind;
    ++forms;
  }
  if (forms != 1) place.fail("must have exactly one of date, local, utc");
  if (in.optional("zone", date_time.zone) && date_time.form != Form::local)
    Place(place, "zone").fail("goes only with local");
  return date_time;
}

json::value Event::toJson() const {
  json::object out;
  out["uid"] = uid;
  out["title"] = title;
  putText(out, "description", description);
  putText(out, "location", location);
  putText(out, "url", url);
  out["status"] = encode(status);
  out["busy"] = busy;
  out["start"] = start.toJson();
  if (end) out["end"] = end->toJson();
  if (!recurrence.empty()) out["recurrence"] = calendar::toJson(recurrence);
  putList(out, "overrides", overrides);
  if (organizer) out["organizer"] = encode(*organizer);
  putList(out, "attendees", attendees);
  putList(out, "categories", categories);
  putList(out, "zone_definitions", zone_definitions);
  return out;
}

Event Event::fromJson(json::value const& value, Place const& place) {
  Members const in(detail::objectAt(value, place), place);
  Event out;
  in.required("uid", out.uid);
  in.required("title", out.title);
  in.optional("description", out.description);
  in.optional("location", out.location);
  in.optional("url", out.url);
  in.required("status", out.status);
  in.required("busy", out.busy);
  in.required("start", out.start);
  in.optional("end", out.end);
  if (auto const* recurrence = value.get_object().if_contains("recurrence"))
    out.recurrence = recurrenceFrom(*recurrence, Place(place, "recurrence"));
  in.optional("overrides", out.overrides);
  in.optional("organizer", out.organizer);
  in.optional("attendees", out.attendees);
  in.optional("categories", out.categories);
  in.optional("zone_definitions", out.zone_definitions);
  return out;
}

bool PullRequest::wants(std::string_view calendar) const {
  return calendars.empty() || std::ranges::find(calendars, calendar) != calendars.end();
}

void Feed::put(std::string_view id, std::string_view version, std::string_view scope, Event const& event) {
  json::object record;
  record["id"] = id;
  record["version"] = version;
  record["scope"] = scope;
  record["deleted"] = false;
  record["data"] = event.toJson();
  call_.emit("calendar.event", record);
}

void Feed::gone(std::string_view id, std::string_view scope) {
  json::object record;
  record["id"] = id;
  record["version"] = "";
  record["scope"] = scope;
  record["deleted"] = true;
  record["data"] = nullptr;
  call_.emit("calendar.event", record);
}

void Feed::listing(std::string_view scope, std::vector<std::string> const& ids) {
  constexpr std::size_t part = 500; // ids a record
  std::size_t from = 0;
  bool last = false;
  while (!last) {
    auto const until = std::min(from + part, ids.size());
    last = until == ids.size();
    json::object record;
    record["scope"] = scope;
    record["ids"] = json::array(ids.begin() + static_cast<std::ptrdiff_t>(from),
                                ids.begin() + static_cast<std::ptrdiff_t>(until));
    record["last"] = last;
    call_.emit("garland.listing", record);
    from = until;
  }
}

StoredEvent CalendarConnector::upsert(Account&, UpsertRequest const&, Call&) {
  throw Failure(Kind::unsupported, "this connector does not write events");
}

void CalendarConnector::remove(Account&, DeleteRequest const&, Call&) {
  throw Failure(Kind::unsupported, "this connector does not delete events");
}

PullResult CalendarReader::runPull(Account& account, PullRequest const& request, Feed& feed) {
  constexpr std::int64_t week = 7 * 24 * 3600;
  pull(account, request, feed);
  PullResult result;
  if (feed.quiet().count() > 0) result.quiet_seconds = std::min<std::int64_t>(feed.quiet().count(), week);
  return result;
}

std::span<OperationEntry const> CalendarReader::operations() {
  static constexpr OperationEntry table[] = {
      operation<&CalendarReader::check>("health.check/1"),
      operation<&CalendarReader::discover>("calendar.discover/1"),
      operation<&CalendarReader::runPull>("calendar.pull/1"),
  };
  return table;
}

std::span<OperationEntry const> CalendarConnector::operations() {
  static constexpr OperationEntry table[] = {
      operation<&CalendarReader::check>("health.check/1"),
      operation<&CalendarReader::discover>("calendar.discover/1"),
      operation<&CalendarReader::runPull>("calendar.pull/1"),
      operation<&CalendarConnector::upsert>("calendar.upsert/1"),
      operation<&CalendarConnector::remove>("calendar.delete/1"),
  };
  return table;
}

} // namespace garland::sdk::calendar
