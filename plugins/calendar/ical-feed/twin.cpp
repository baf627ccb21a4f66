// The twin of any program that publishes a calendar: one feed at /feeds/7f3a9c5e1b2d4a68.ics, and nothing
// else.
//
// `volume` is how many events there are to begin with: weddings on Saturdays from the twin's first day on, by
// turns in New York's time with its VTIMEZONE, in UTC and for the whole day; every tenth is a weekly series
// that has one occurrence taken out and one moved. It knows ETag and Last-Modified and answers 304.
//
// Edits (POST /_twin/edit), times as in iCalendar:
//   {"uid": "...", "set": {"summary", "location", "start", "end", "rule"}}   an event, made if it is not
//   there, or if no uid is said
//   {"uid": "...", "delete": true}             it is in the feed no more
//   {"uid": "...", "cancel": "20260613T140000"}   one occurrence of a series takes no place
//   {"refresh": "PT12H"}                       how long the publisher wants to be left alone
//   {"window": "20260601"}                     events that were over before that day are listed no more
//   {"text": "..."}                            the feed is this text now; "" ends that
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace garland::ical_feed {
namespace {

using namespace sdk::twin;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::string_view feed_path = "/feeds/7f3a9c5e1b2d4a68.ics";
constexpr std::string_view withdrawn_path = "/feeds/withdrawn.ics"; // an address that was taken back
constexpr std::string_view zone = "America/New_York";

struct Event {
  std::string summary;
  std::string location;
  std::string start; // "20260613T140000" in the zone, "20260613T140000Z", or "20260613" for the day
  std::string end;
  std::string rule;
  std::set<std::string> cancelled;          // starts of occurrences
  std::map<std::string, std::string> moved; // start of an occurrence -> what it is instead
  std::int64_t sequence = 0;
  TimePoint changed;
};

std::string day(sys_days date) {
  std::chrono::year_month_day const parts(date);
  char text[16];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(parts.year()),
                static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()));
  return text;
}

std::string utc(TimePoint when) {
  auto text = sdk::rfc3339(std::chrono::floor<std::chrono::seconds>(when));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string httpDate(TimePoint when) {
  static constexpr char const* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  static constexpr char const* names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  auto const date = std::chrono::floor<days>(when);
  std::chrono::year_month_day const parts(date);
  std::chrono::hh_mm_ss const clock(std::chrono::floor<std::chrono::seconds>(when - date));
  char text[40];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                names[std::chrono::weekday(date).c_encoding()], static_cast<unsigned>(parts.day()),
                months[static_cast<unsigned>(parts.month()) - 1], static_cast<int>(parts.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

// RFC 5545, 3.1: no line is longer than 75 octets.
void line(std::string& out, std::string const& text) {
  constexpr std::size_t longest = 75;
  for (std::size_t at = 0; at < text.size();) {
    if (at > 0) out += "\r\n ";
    auto end = std::min(text.size(), at + longest - (at > 0 ? 1 : 0));
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    out.append(text, at, end - at);
    at = end;
  }
  out += "\r\n";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

// "DTSTART;TZID=America/New_York:20260613T140000"
std::string timed(std::string_view name, std::string const& time) {
  std::string const property(name);
  if (time.size() == 8) return property + ";VALUE=DATE:" + time;
  return time.ends_with('Z') ? property + ":" + time : property + ";TZID=" + std::string(zone) + ":" + time;
}

void zoneText(std::string& out) {
  for (auto const* text :
       {"BEGIN:VTIMEZONE", "TZID:America/New_York", "BEGIN:DAYLIGHT", "DTSTART:20070311T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0400", "TZNAME:EDT",
        "END:DAYLIGHT", "BEGIN:STANDARD", "DTSTART:20071104T020000", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        "TZOFFSETFROM:-0400", "TZOFFSETTO:-0500", "TZNAME:EST", "END:STANDARD", "END:VTIMEZONE"})
    line(out, text);
}

class Publisher final : public Twin {
public:
  explicit Publisher(Settings const& settings) : Twin(settings), changed_(settings.start) {
    auto people = random().stream("people");
    auto saturday = std::chrono::floor<days>(settings.start);
    saturday += std::chrono::Saturday - std::chrono::weekday(saturday);
    for (std::int64_t i = 0; i < settings.volume; ++i, saturday += days(7)) {
      Event event = made(i, saturday);
      auto const first = person(people).first;
      event.summary = "Wedding of " + first + " & " + person(people).first;
      event.changed = settings.start;
      events_[ids().uuid() + "@publisher.example"] = std::move(event);
    }
  }

  Response serve(Request const& request) override {
    if (request.path == withdrawn_path) return refuse(410, "this feed is not published any more");
    if (request.path != feed_path) return refuse(404, "there is no such feed");
    if (request.method != "GET") return refuse(405, "a feed is only read");
    auto text = feed();
    auto const tag = "\"" + tagOf(text) + "\"";
    bool const same = request.header("if-none-match").empty()
                          ? request.header("if-modified-since") == httpDate(changed_)
                          : request.header("if-none-match") == tag;
    Response response;
    response.status = same ? 304 : 200;
    if (!same) response.body = std::move(text);
    return std::move(response)
        .with("Content-Type", "text/calendar; charset=utf-8")
        .with("ETag", tag)
        .with("Last-Modified", httpDate(changed_));
  }

  json::value edit(json::object const& change) override {
    changed_ = now();
    if (auto const* text = change.if_contains("text")) {
      instead_ = wordOf(*text, "text");
      note("feed.replaced", std::string(feed_path));
      return json::object();
    }
    if (auto const* refresh = change.if_contains("refresh")) return setting("refresh", refresh_, *refresh);
    if (auto const* window = change.if_contains("window")) return setting("window", window_, *window);
    auto uid = sdk::textOr(change, "/uid");
    if (uid.empty() && !change.contains("set"))
      throw Malformed("an edit has \"uid\", \"set\", \"text\", \"refresh\" or \"window\"");
    if (uid.empty()) uid = ids().uuid() + "@publisher.example";
    if (change.contains("delete")) return remove(uid);
    auto& event = events_[uid];
    ++event.sequence;
    event.changed = now();
    if (auto const* start = change.if_contains("cancel")) event.cancelled.insert(wordOf(*start, "cancel"));
    if (auto const* set = change.if_contains("set")) apply(event, *set);
    note("event.changed", uid, {{"summary", event.summary}, {"start", event.start}});
    return json::object{{"uid", uid}};
  }

  json::object state() const override {
    json::array uids;
    for (auto const& [uid, event] : events_) uids.emplace_back(uid);
    return {{"path", feed_path}, {"count", uids.size()}, {"events", std::move(uids)}};
  }

private:
  static std::string wordOf(json::value const& value, char const* what) {
    if (!value.is_string()) throw Malformed(std::string("\"") + what + "\" must be a string");
    return std::string(value.get_string());
  }

  json::value setting(char const* name, std::string& target, json::value const& value) {
    target = wordOf(value, name);
    note(std::string("feed.") + name, target);
    return json::object();
  }

  json::value remove(std::string const& uid) {
    if (events_.erase(uid) == 0) throw Malformed("there is no event " + uid);
    note("event.deleted", uid);
    return json::object();
  }

  static void apply(Event& event, json::value const& set) {
    auto const take = [&set](char const* name, std::string& target) {
      auto const* const found = set.is_object() ? set.get_object().if_contains(name) : nullptr;
      if (found != nullptr) target = wordOf(*found, name);
    };
    take("summary", event.summary);
    take("location", event.location);
    take("start", event.start);
    take("end", event.end);
    take("rule", event.rule);
  }

  static Event made(std::int64_t i, sys_days date) {
    Event event;
    event.location = "Hall " + std::to_string(1 + i % 5) + ", 12 Garden Road; Springfield";
    if (i % 10 == 9) {
      event.start = day(date) + "T090000";
      event.end = day(date) + "T100000";
      event.rule = "FREQ=WEEKLY;COUNT=8";
      event.cancelled = {day(date + days(7)) + "T090000"};
      event.moved = {{day(date + days(14)) + "T090000", day(date + days(15)) + "T110000"}};
      return event;
    }
    std::string const form = i % 3 == 0 ? "" : i % 3 == 1 ? "Z" : "date";
    event.start = day(date) + (form == "date" ? "" : "T140000" + form);
    event.end = form == "date" ? day(date + days(1)) : day(date) + "T220000" + form;
    return event;
  }

  std::string feed() const {
    if (!instead_.empty()) return instead_;
    std::string out;
    for (auto const* text : {"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Publisher//Bookings//EN",
                             "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "X-WR-CALNAME:Bookings\\, all rooms"})
      line(out, text);
    if (!refresh_.empty()) line(out, "REFRESH-INTERVAL;VALUE=DURATION:" + refresh_);
    if (!refresh_.empty()) line(out, "X-PUBLISHED-TTL:" + refresh_);
    zoneText(out);
    for (auto const& [uid, event] : events_)
      if (window_.empty() || !event.rule.empty() || event.end.substr(0, 8) >= window_) write(out, uid, event);
    line(out, "END:VCALENDAR");
    return out;
  }

  static void write(std::string& out, std::string const& uid, Event const& event) {
    begin(out, uid, event);
    line(out, timed("DTSTART", event.start));
    if (!event.end.empty()) line(out, timed("DTEND", event.end));
    if (!event.rule.empty()) line(out, "RRULE:" + event.rule);
    for (auto const& start : event.cancelled) line(out, timed("EXDATE", start));
    line(out, "SUMMARY:" + escaped(event.summary));
    line(out, "END:VEVENT");
    for (auto const& [occurrence, start] : event.moved) {
      begin(out, uid, event);
      line(out, timed("RECURRENCE-ID", occurrence));
      line(out, timed("DTSTART", start));
      line(out, "SUMMARY:" + escaped(event.summary + " (moved)"));
      line(out, "END:VEVENT");
    }
  }

  static void begin(std::string& out, std::string const& uid, Event const& event) {
    line(out, "BEGIN:VEVENT");
    line(out, "UID:" + uid);
    line(out, "DTSTAMP:" + utc(event.changed));
    line(out, "LAST-MODIFIED:" + utc(event.changed));
    line(out, "SEQUENCE:" + std::to_string(event.sequence));
    if (!event.location.empty()) line(out, "LOCATION:" + escaped(event.location));
  }

  // FNV-1a: the same text, the same tag.
  static std::string tagOf(std::string const& text) {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (char const c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    return std::to_string(hash);
  }

  std::map<std::string, Event> events_;
  TimePoint changed_;
  std::string refresh_ = "PT1H";
  std::string window_;
  std::string instead_;
};

} // namespace
} // namespace garland::ical_feed

GARLAND_TWIN(garland::ical_feed::Publisher)
