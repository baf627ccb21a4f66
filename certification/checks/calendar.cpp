// Checks of calendars: when somebody is busy, after zones, rules and exceptions; one slot for one hold; and
// nothing lost when notices or tokens are.
//
// A hold is an event (calendar.upsert/1), tentative, whose uid names the slot: two holds of one slot are two
// creations of one event. When its time is over the host deletes it, unless it was changed meanwhile. Busy
// times are worked out by the host (host/calendar) of what the connector pulled.
#include "certification/checks/calendar_oracle.h"
#include "certification/checks/pulls.h"

#include "host/calendar/calendar.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

namespace garland::certification {
namespace {

using namespace std::chrono;
constexpr char const* kEvent = "calendar.event";
constexpr char const* kHome = "Europe/Berlin"; // of floating times and whole days

std::string noPull(Subject const& subject) {
  return subject.offers("calendar.pull/1") ? "" : "the manifest does not name calendar.pull/1";
}
std::string noHolds(Subject const& subject) {
  if (!subject.offers("calendar.delete/1")) return "the manifest does not name calendar.delete/1";
  return subject.offers("calendar.upsert/1") ? "" : "the manifest does not name calendar.upsert/1";
}

World worldOf(Trial const& trial, std::int64_t volume) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  return world;
}

void fillText(json::value& value, std::string const& with) {
  if (auto* text = value.if_string(); text != nullptr && *text == "{ics}") value = with;
  if (auto* object = value.if_object())
    for (auto& member : *object) fillText(member.value(), with);
}

// The provider's calendar is this text now.
bool publish(Trial& trial, std::string const& ics) {
  auto const* edit = garland::find(trial.subject().brief.document, "/calendar/text");
  if (edit == nullptr) {
    trial.giveUp("certification.json: /calendar/text does not say how the twin takes a calendar");
    return false;
  }
  json::value filled = *edit;
  fillText(filled, ics);
  auto const done = trial.bench().edit(std::move(filled));
  if (!done) trial.giveUp("certification.json: /calendar/text: " + done.error().message);
  return done.has_value();
}

// ---- what the host makes of records
std::vector<oracle::Span> spansOf(json::value const& event, sys_seconds from, sys_seconds until,
                                  std::string& problem) {
  static std::mutex one_at_a_time; // the host's calendar belongs to one thread
  std::lock_guard const lock(one_at_a_time);
  auto const all = calendar::occurrences(event, TimePoint(from), TimePoint(until), kHome, 10'000);
  std::vector<oracle::Span> out;
  if (!all) problem = all.error().message;
  if (all)
    for (auto const& each : *all) out.push_back({floor<seconds>(each.start), floor<seconds>(each.end)});
  std::ranges::sort(out);
  return out;
}

bool takesTime(json::value const& event) {
  return boolOr(event, "/busy", false) && textOr(event, "/status", "") != "cancelled";
}

std::map<std::string, json::value> eventsByUid(Held const& held) {
  std::map<std::string, json::value> out;
  for (auto const& [id, record] : held.records())
    if (auto const* data = garland::find(record, "/data"); data != nullptr)
      out[textOr(*data, "/uid", "")] = *data;
  return out;
}

std::string shown(std::vector<oracle::Span> const& spans) {
  std::string out;
  for (std::size_t i = 0; i < spans.size() && i < 4; ++i)
    out += (i == 0 ? "" : ", ") + oracle::text(spans[i].begin) + " to " + oracle::text(spans[i].end);
  return out.empty() ? "never"
                     : out + (spans.size() > 4 ? ", ... (" + std::to_string(spans.size()) + ")" : "");
}

// The first in which the two differ, and what follows.
std::string difference(std::vector<oracle::Span> const& wanted, std::vector<oracle::Span> const& came) {
  auto const [one, other] = std::ranges::mismatch(wanted, came);
  return "it should take place " + shown({one, wanted.end()}) + ", and does " + shown({other, came.end()}) +
         " (what is equal left out)";
}

// Publishes the events, pulls, and compares when each takes place, and when somebody is busy.
void expectEqual(Trial& trial, std::vector<oracle::Event> const& events, sys_seconds from,
                 sys_seconds until) {
  trial.newBench(worldOf(trial, 0));
  if (!publish(trial, oracle::icsOf(events))) return;
  Held held;
  held.take(trial.mustRun(pullAsk(kEvent, nullptr), "pull"), kEvent);
  auto const came = eventsByUid(held);
  std::vector<oracle::Span> busy_wanted;
  std::vector<oracle::Span> busy_came;
  for (auto const& event : events) {
    auto const wanted = oracle::occurrencesOf(event, from, until, kHome);
    auto const found = came.find(event.uid);
    if (!trial.expect(found != came.end(), "an event did not come", event.uid)) continue;
    std::string problem;
    auto const spans = spansOf(found->second, from, until, problem);
    trial.expect(problem.empty(), "what came of it cannot be worked out: " + problem, event.uid);
    trial.expect(spans == wanted,
                 difference(wanted, spans) + "; it came as " + json::serialize(found->second), event.uid);
    if (event.busy && !event.cancelled) busy_wanted.insert(busy_wanted.end(), wanted.begin(), wanted.end());
    if (takesTime(found->second)) busy_came.insert(busy_came.end(), spans.begin(), spans.end());
  }
  auto const wanted = oracle::merged(std::move(busy_wanted));
  auto const busy = oracle::merged(std::move(busy_came));
  trial.expect(busy == wanted, "busy times differ: " + difference(wanted, busy), "all events");
}

constexpr sys_seconds at(int y, unsigned m, unsigned d) {
  return sys_days(year(y) / static_cast<int>(m) / static_cast<int>(d));
}

// ---- CAL-02
std::vector<std::string> sets(Subject const&, Profile profile) {
  std::vector<std::string> out;
  for (int i = 0; i < (profile == Profile::full ? 20 : 4); ++i) out.push_back("set-" + std::to_string(i));
  return out;
}

void busyWhenItSays(Trial& trial) {
  auto const number = static_cast<std::uint64_t>(std::atoll(trial.caseName().c_str() + 4));
  expectEqual(trial, oracle::someEvents(trial.seed() * 1000 + number, 30), at(2026, 2, 1), at(2027, 6, 1));
}

// ---- CAL-03
std::vector<std::string> zones(Subject const&, Profile) {
  return {"America/New_York",    "America/Chicago",  "America/Denver",   "America/Los_Angeles",
          "America/Anchorage",   "America/Halifax",  "America/St_Johns", "America/Havana",
          "America/Santiago",    "Atlantic/Azores",  "Europe/London",    "Europe/Lisbon",
          "Europe/Berlin",       "Europe/Paris",     "Europe/Athens",    "Europe/Helsinki",
          "Europe/Chisinau",     "Asia/Jerusalem",   "Australia/Sydney", "Australia/Adelaide",
          "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham",  "Atlantic/Bermuda"};
}

// Around one change of the clocks: over it, in what is skipped or comes twice, and a series that goes on.
void addAround(std::vector<oracle::Event>& events, std::string const& zone_name, oracle::Zone const& zone,
               sys_seconds change) {
  auto const before = zone.offsetAt(change - seconds(1));
  auto const after = zone.offsetAt(change);
  auto const local = [](sys_seconds when, seconds offset) {
    return local_seconds((when + offset).time_since_epoch());
  };
  auto const add = [&](char const* what, local_seconds start, seconds length) -> oracle::Event& {
    oracle::Event event;
    event.uid = std::string(what) + "-" + oracle::text(change).substr(0, 10) + "@zones.example";
    event.zone = zone_name;
    event.start = start;
    event.length = length;
    return events.emplace_back(std::move(event));
  };
  auto const begin = local(change - minutes(30), before);
  add("over", begin, local(change + minutes(90), after) - begin);
  auto const odd = local(change, std::min(before, after)) + abs(after - before) / 2;
  add("odd", odd, hours(3));
  add("before", local(change, before) - hours(5), hours(1));
  auto const day = floor<days>(local(change, before));
  auto& series = add("series", day - days(7) + hours(14), hours(2));
  series.rule = oracle::Rule{.every = oracle::Rule::Every::week, .count = 3};
  auto& nightly = add("daily", day - days(2) + hours(20), hours(10));
  nightly.rule = oracle::Rule{.every = oracle::Rule::Every::day, .count = 5};
}

void zonesChange(Trial& trial) {
  auto const zone = oracle::Zone::load(trial.caseName());
  if (!zone) return trial.giveUp("this machine has no /usr/share/zoneinfo/" + trial.caseName());
  auto changes = zone->changes(at(2026, 1, 1), at(2028, 1, 1));
  if (changes.size() > 4) changes.resize(4);
  std::vector<oracle::Event> events;
  for (auto const change : changes) addAround(events, trial.caseName(), *zone, change);
  oracle::Event plain;
  plain.uid = "plain@zones.example";
  plain.zone = trial.caseName();
  plain.start = local_days(year(2026) / 7 / 4) + hours(16);
  events.push_back(plain);
  expectEqual(trial, events, at(2025, 12, 1), at(2028, 2, 1));
}

// ---- CAP-16
void reckonsDays(Trial& trial) {
  using oracle::Rule;
  std::vector<oracle::Event> events;
  auto const add = [&](char const* uid, char const* zone, local_days day, seconds of_day,
                       seconds length) -> oracle::Event& {
    oracle::Event event;
    event.uid = std::string(uid) + "@days.example";
    event.zone = zone;
    event.start = day + of_day;
    event.length = length;
    return events.emplace_back(std::move(event));
  };
  auto const on = [](int y, unsigned m, unsigned d) {
    return local_days(year(y) / static_cast<int>(m) / static_cast<int>(d));
  };
  add("in-the-gap", "Europe/Berlin", on(2026, 3, 29), hours(2) + minutes(30), hours(2));
  add("twice", "Europe/Berlin", on(2026, 10, 25), hours(2) + minutes(30), hours(2));
  add("whole-night", "America/New_York", on(2026, 10, 31), hours(20), hours(12));
  add("whole-day", "", on(2026, 6, 13), seconds(0), days(1)).all_day = true;
  add("three-days", "", on(2026, 3, 28), seconds(0), days(3)).all_day = true;
  auto& by_duration = add("two-days-long", "", on(2026, 12, 31), seconds(0), days(2));
  by_duration.all_day = by_duration.by_duration = true;
  auto& leap = add("leap-day", "", on(2028, 2, 29), seconds(0), days(1));
  leap.all_day = true;
  leap.rule = Rule{.every = Rule::Every::year, .count = 3};
  auto& week53 = add("week-53", "Europe/Berlin", on(2026, 12, 14), hours(9), hours(1));
  week53.rule = Rule{.every = Rule::Every::week, .interval = 2, .weekdays = {1, 5}, .count = 8};
  auto& monthly = add("the-31st", "Europe/Berlin", on(2026, 1, 31), hours(10), hours(1));
  monthly.rule = Rule{.every = Rule::Every::month, .count = 6};
  auto& last = add("last-friday", "Europe/Berlin", on(2026, 1, 30), hours(18), hours(2));
  last.rule = Rule{.every = Rule::Every::month, .weekdays = {5}, .nth = -1, .count = 12};
  auto& floating = add("floating", "", on(2026, 3, 28), hours(21), hours(8));
  floating.rule = Rule{.every = Rule::Every::day, .count = 3};
  add("to-midnight", "UTC", on(2026, 12, 31), hours(22), hours(2));
  auto& until = add("until", "America/New_York", on(2026, 10, 1), hours(19), hours(1));
  until.rule = Rule{.every = Rule::Every::week, .until = on(2026, 11, 12) + hours(19)};
  expectEqual(trial, events, at(2025, 12, 1), at(2037, 1, 1));
}

// ---- CAL-04
struct Awkward {
  std::string_view name;
  char const* inside; // between BEGIN:VCALENDAR and its end; with "!" in front: the whole text
  char const* uid;    // of the event that has to come; null: it may be refused
  char const* start;  // its start, JSON
};

constexpr char const* kMyZone =
    "BEGIN:VTIMEZONE\r\nTZID:My Zone\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nTZNAME:MINE\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

constexpr Awkward kAwkward[] = {
    {"folded",
     "BEGIN:VEVENT\r\nUID:fold\r\n ed@x\r\nDTSTART;TZID=Europe/\r\n Berlin:20260613T1\r\n "
     "40000\r\nSUMMARY:Gr\r\n \xC3\xBC\xC3\x9F\x65\r\nEND:VEVENT\r\n",
     "folded@x", R"({"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"})"},
    {"line_feeds",
     "!BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:lf@x\nDTSTART:20260613T120000Z\nEND:VEVENT\nEND:"
     "VCALENDAR\n",
     "lf@x", R"({"utc":"2026-06-13T12:00:00Z"})"},
    {"byte_order_mark",
     "!\xEF\xBB\xBF"
     "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:bom@x\r\nDTSTART;VALUE=DATE:20260613\r\nEND:"
     "VEVENT\r\nEND:VCALENDAR\r\n",
     nullptr, nullptr},
    {"lower_case",
     "!begin:vcalendar\r\nversion:2.0\r\nbegin:vevent\r\nuid:lower@x\r\ndtstart:20260613T120000Z\r\nend:"
     "vevent\r\nend:vcalendar\r\n",
     nullptr, nullptr},
    {"quoted_zone",
     "BEGIN:VEVENT\r\nUID:quoted@x\r\nDTSTART;TZID=\"Europe/Berlin\":20260613T140000\r\nEND:VEVENT\r\n",
     "quoted@x", R"({"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"})"},
    {"zone_of_windows",
     "BEGIN:VEVENT\r\nUID:windows@x\r\nDTSTART;TZID=W. Europe Standard "
     "Time:20260613T140000\r\nEND:VEVENT\r\n",
     "windows@x", R"({"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"})"},
    {"alarms_and_strangers",
     "BEGIN:X-COMP\r\nX-P:1\r\nEND:X-COMP\r\nBEGIN:VJOURNAL\r\nUID:j@x\r\nEND:VJOURNAL\r\nBEGIN:"
     "VEVENT\r\nUID:alarm@x\r\n"
     "DTSTART:20260613T120000Z\r\nX-ODD;X-Q=\"a;b\":c\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-"
     "PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n",
     "alarm@x", R"({"utc":"2026-06-13T12:00:00Z"})"},
    {"detached",
     "BEGIN:VEVENT\r\nUID:detached@x\r\nRECURRENCE-ID:20260613T120000Z\r\nDTSTART:20260613T150000Z\r\nEND:"
     "VEVENT\r\n",
     "detached@x", nullptr},
    {"further_dates",
     "BEGIN:VEVENT\r\nUID:rdate@x\r\nDTSTART:20260613T120000Z\r\nDTEND:20260613T130000Z\r\nRDATE:"
     "20260620T120000Z,20260627T120000Z\r\nRDATE;VALUE=PERIOD:20260704T120000Z/"
     "PT2H\r\nEXDATE:20260620T120000Z\r\nEND:VEVENT\r\n",
     "rdate@x", R"({"utc":"2026-06-13T12:00:00Z"})"},
    {"escapes",
     "BEGIN:VEVENT\r\nUID:escapes@x\r\nDTSTART:20260613T120000Z\r\nSUMMARY:a\\, b\\; c\\\\ "
     "d\\ne\\N\r\nEND:VEVENT\r\n",
     "escapes@x", R"({"utc":"2026-06-13T12:00:00Z"})"},
    {"no_uid", "BEGIN:VEVENT\r\nDTSTART:20260613T120000Z\r\nSUMMARY:nobody\r\nEND:VEVENT\r\n", nullptr,
     nullptr},
    {"no_start", "BEGIN:VEVENT\r\nUID:nostart@x\r\nSUMMARY:when\r\nEND:VEVENT\r\n", nullptr, nullptr},
    {"bad_rule",
     "BEGIN:VEVENT\r\nUID:badrule@x\r\nDTSTART:20260613T120000Z\r\nRRULE:FREQ=SOMETIMES;BYDAY=XX\r\nEND:"
     "VEVENT\r\n",
     nullptr, nullptr},
    {"no_such_day", "BEGIN:VEVENT\r\nUID:feb30@x\r\nDTSTART:20260230T120000Z\r\nEND:VEVENT\r\n", nullptr,
     nullptr},
    {"end_before_start",
     "BEGIN:VEVENT\r\nUID:backwards@x\r\nDTSTART:20260613T120000Z\r\nDTEND:20260612T120000Z\r\nEND:"
     "VEVENT\r\n",
     nullptr, nullptr},
    {"cut_off", "!BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:cut@x\r\nDTSTART:20260613T12",
     nullptr, nullptr},
    {"a_web_page", "!<!doctype html><title>Sign in</title>", nullptr, nullptr},
    {"unbalanced", "BEGIN:VEVENT\r\nUID:open@x\r\nDTSTART:20260613T120000Z\r\nEND:VTODO\r\nEND:VEVENT\r\n",
     nullptr, nullptr},
};

std::vector<std::string> awkwardCases(Subject const&, Profile) {
  std::vector<std::string> out;
  for (auto const& each : kAwkward) out.emplace_back(each.name);
  out.emplace_back("zone_of_its_own");
  out.emplace_back("very_long");
  return out;
}

// One event that stands beside the awkward one and has nothing to do with it.
constexpr char const* kPlain = "BEGIN:VEVENT\r\nUID:plain@x\r\nDTSTART:20260501T100000Z\r\nDTEND:"
                               "20260501T110000Z\r\nSUMMARY:Plain\r\nEND:VEVENT\r\n";

std::string calendarOf(std::string const& inside) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Awkward//EN\r\n" + inside + kPlain +
         "END:VCALENDAR\r\n";
}

void expectAwkward(Trial& trial, std::string const& text, bool may_be_refused, std::string const& uid,
                   std::string const& start) {
  trial.newBench(worldOf(trial, 0));
  if (!publish(trial, text)) return;
  auto const journal = trial.run(pullAsk(kEvent, nullptr));
  if (journal.death != Death::none) return;
  trial.expect(journal.result || (may_be_refused && journal.result.error().kind == ErrorKind::providerBug),
               "it ended with: " + journal.ending(), "pull");
  if (!journal.result) return;
  Held held;
  held.take(journal, kEvent);
  auto const came = eventsByUid(held);
  auto const problems =
      std::ranges::count_if(journal.records, [](auto const& each) { return each.kind == "garland.problem"; });
  if (text.find("UID:plain@x") != std::string::npos)
    trial.expect(came.contains("plain@x"), "an event that has nothing to do with the awkward one is missing",
                 "pull");
  if (uid.empty()) {
    trial.expect(problems > 0 || !came.empty(), "what cannot be read is told to nobody", "pull");
    auto const strangers = came.size() - (came.contains("plain@x") ? 1U : 0U);
    trial.expect(problems > 0 || strangers > 0,
                 "an event is neither there nor told as one that cannot be read", "pull");
    return;
  }
  auto const found = came.find(uid);
  if (!trial.expect(found != came.end(), "an event that can be read did not come", uid)) return;
  auto const* told = garland::find(found->second, "/start");
  auto const wanted = parseJson(start);
  if (wanted)
    trial.expect(told != nullptr && canonicalJson(*told) == canonicalJson(*wanted),
                 "it should begin at " + start + ", and begins at " +
                     (told == nullptr ? "no time" : json::serialize(*told)),
                 uid);
}

void readsAwkwardTexts(Trial& trial) {
  if (trial.caseName() == "very_long") {
    std::string const words(200'000, 'w');
    return expectAwkward(trial,
                         calendarOf("BEGIN:VEVENT\r\nUID:long@x\r\nDTSTART:20260613T120000Z\r\nDESCRIPTION:" +
                                    words + "\r\nEND:VEVENT\r\n"),
                         false, "long@x", R"({"utc":"2026-06-13T12:00:00Z"})");
  }
  if (trial.caseName() == "zone_of_its_own")
    return expectAwkward(
        trial,
        calendarOf(
            kMyZone +
            std::string(
                "BEGIN:VEVENT\r\nUID:mine@x\r\nDTSTART;TZID=My Zone:20260613T140000\r\nEND:VEVENT\r\n")),
        false, "mine@x", R"({"local":"2026-06-13T14:00:00","zone":"My Zone"})");
  auto const found = std::ranges::find(kAwkward, std::string_view(trial.caseName()), &Awkward::name);
  std::string const inside = found->inside;
  auto const text = inside.starts_with('!') ? inside.substr(1) : calendarOf(inside);
  expectAwkward(trial, text, found->uid == nullptr, found->uid == nullptr ? "" : found->uid,
                found->start == nullptr ? "" : found->start);
}

// ---- CAL-05
std::vector<std::string> losses(Subject const& subject, Profile) {
  std::vector<std::string> out{"notice"};
  auto const* all = garland::find(subject.brief.document, "/calendar/forget");
  if (all != nullptr && all->is_array())
    for (auto const& each : all->get_array()) out.push_back(textOr(each, "/says", ""));
  return out;
}

void losesNothing(Trial& trial) {
  trial.newBench(worldOf(trial, 12));
  Held held;
  held.take(trial.mustRun(pullAsk(kEvent, nullptr), "first pull"), kEvent);
  std::vector<std::string> ids;
  for (auto const& [id, record] : held.records()) ids.push_back(id);
  if (ids.size() < 6) return trial.giveUp(std::string("the twin has less than six events") + kMoreVolume);
  trial.bench().wait(minutes(5));
  for (std::size_t i = 0; i < 3; ++i) editAs(trial, kEvent, "change", ids[i]);
  for (std::size_t i = 0; i < 3; ++i) editAs(trial, kEvent, "create");
  editAs(trial, kEvent, "delete", ids[4]);
  auto const* all = garland::find(trial.subject().brief.document, "/calendar/forget");
  if (all != nullptr && all->is_array())
    for (auto const& each : all->get_array())
      if (textOr(each, "/says", "") == trial.caseName())
        if (auto const done = trial.bench().edit(*garland::find(each, "/edit")); !done)
          return trial.giveUp("certification.json: /calendar/forget: " + done.error().message);
  trial.bench().wait(hours(25)); // no notice was sent of any of it
  auto const journal = trial.mustRun(pullAsk(kEvent, held.cursor()), "the pull after what was lost");
  if (!journal.ok()) return;
  held.take(journal, kEvent);
  auto ask = pullAsk(kEvent, nullptr);
  ask.account = "two";
  Held whole;
  whole.take(trial.mustRun(std::move(ask), "everything pulled"), kEvent);
  bool const keeps_past = boolOr(*trial.subject().brief.entity(kEvent), "/keeps_past", false);
  for (auto const& [id, record] : whole.records()) {
    auto const found = held.records().find(id);
    trial.expect(found != held.records().end() && canonicalJson(*garland::find(found->second, "/data")) ==
                                                      canonicalJson(*garland::find(record, "/data")),
                 "an edit of somebody else's did not arrive", trial.caseName());
  }
  trial.expect(keeps_past || held.records().size() == whole.records().size(),
               std::to_string(held.records().size()) + " events are held, and there are " +
                   std::to_string(whole.records().size()),
               trial.caseName());
  auto const once_more = trial.mustRun(pullAsk(kEvent, held.cursor()), "one more pull");
  trial.expect(once_more.ok(), "the pull after that fails", trial.caseName());
}

// ---- CAL-01, CAL-06: holds
json::object holdOf(std::string const& slot, std::string const& who) {
  return {{"uid", "hold-" + slot + "@calendar.example"},
          {"title", "Hold for " + who},
          {"status", "tentative"},
          {"busy", true},
          {"start", json::object{{"utc", slot}}},
          {"end", json::object{{"utc", slot.substr(0, 11) + "22:00:00Z"}}}};
}

Ask holdAsk(std::string const& slot, std::string const& who) {
  Ask ask;
  ask.operation = "calendar.upsert/1";
  ask.input = json::object{{"key", idNamed("op", "hold-" + who)}, {"data", holdOf(slot, who)}};
  return ask;
}

constexpr char const* kSlot = "2026-06-13T12:00:00Z";

void oneSlotOneHold(Trial& trial) {
  constexpr int couples = 100;
  trial.newBench(worldOf(trial, 0));
  trial.run(std::string(kNoOperation), json::object());
  std::vector<Ask> asks;
  for (int i = 0; i < couples; ++i) {
    asks.push_back(holdAsk(kSlot, "couple-" + std::to_string(i)));
    asks.back().account = "couple-" + std::to_string(i);
  }
  int held = 0;
  int refused = 0;
  std::string other;
  for (auto const& journal : trial.bench().runTogether(std::move(asks))) {
    if (journal.ok())
      ++held;
    else if (journal.result.error().kind == ErrorKind::conflict)
      ++refused;
    else
      other = journal.ending();
  }
  trial.expect(held == 1, std::to_string(held) + " of 100 holds of one slot were told that it is theirs",
               "calendar.upsert/1");
  trial.expect(held + refused == couples, "a hold of a slot that is taken ended with: " + other,
               "calendar.upsert/1");
  trial.expect(truthOf(trial, kEvent) == 1,
               "at the provider " + std::to_string(truthOf(trial, kEvent)) + " events stand in that slot",
               "calendar.upsert/1");
}

bool isTaken(Trial& trial, Held& held, std::string const& step) {
  held.take(trial.mustRun(pullAsk(kEvent, held.cursor()), step), kEvent);
  for (auto const& [uid, event] : eventsByUid(held)) {
    std::string problem;
    if (takesTime(event) &&
        !spansOf(event, at(2026, 6, 13) + hours(12), at(2026, 6, 13) + hours(22), problem).empty())
      return true;
  }
  return false;
}

Journal release(Trial& trial, Journal const& hold) {
  Ask ask;
  ask.operation = "calendar.delete/1";
  ask.input = json::object{{"key", idNamed("op", "release-1")},
                           {"id", textOr(*hold.result, "/id", "")},
                           {"version", textOr(*hold.result, "/version", "")}};
  return trial.run(std::move(ask));
}

std::vector<std::string> endings(Subject const&, Profile) { return {"expires", "was_confirmed"}; }

void holdsEnd(Trial& trial) {
  trial.newBench(worldOf(trial, 0));
  Held held;
  trial.expect(!isTaken(trial, held, "before the hold"), "an empty calendar is busy", "before the hold");
  auto const hold = trial.mustRun(holdAsk(kSlot, "ada"), "holding the slot");
  if (!hold.ok()) return;
  trial.expect(textOr(*hold.result, "/data/status", "") == "tentative",
               "the hold is stored as " + textOr(*hold.result, "/data/status", "nothing"),
               "calendar.upsert/1");
  trial.expect(isTaken(trial, held, "while it is held"), "the slot looks free while it is held",
               "while it is held");
  trial.bench().wait(minutes(30)); // the hold's time
  if (trial.caseName() == "expires") {
    auto const over = release(trial, hold);
    trial.expect(over.ok(), "ending the hold ended with: " + over.ending(), "calendar.delete/1");
    trial.expect(!isTaken(trial, held, "after its time"), "the slot is still taken after the hold's time",
                 "after its time");
    auto const twice = release(trial, hold);
    trial.expect(twice.ok(), "ending a hold that has ended, ended with: " + twice.ending(),
                 "calendar.delete/1");
    trial.expect(trial.run(holdAsk(kSlot, "bo")).ok(), "the slot cannot be held again", "calendar.upsert/1");
    return;
  }
  // Somebody has made a booking of it, in the provider's own calendar.
  editAs(trial, kEvent, "change", textOr(*hold.result, "/id", ""));
  auto const over = release(trial, hold);
  trial.expect(!over.result && over.result.error().kind == ErrorKind::conflict,
               "ending a hold that was changed meanwhile ended with: " + over.ending(), "calendar.delete/1");
  trial.expect(isTaken(trial, held, "after its time"), "a booking went with the hold that it was made of",
               "after its time");
}

constexpr Check kChecks[] = {
    {.id = "CAP-16", .run = reckonsDays, .skip = noPull},
    {.id = "CAL-01", .run = oneSlotOneHold, .skip = noHolds},
    {.id = "CAL-02", .run = busyWhenItSays, .skip = noPull, .cases = sets},
    {.id = "CAL-03", .run = zonesChange, .skip = noPull, .cases = zones},
    {.id = "CAL-04", .run = readsAwkwardTexts, .skip = noPull, .cases = awkwardCases},
    {.id = "CAL-05", .run = losesNothing, .skip = noPull, .cases = losses},
    {.id = "CAL-06", .run = holdsEnd, .skip = noHolds, .cases = endings},
};

} // namespace

std::span<Check const> calendarChecks() { return kChecks; }

} // namespace garland::certification
