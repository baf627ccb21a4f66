// The twin of a CalDAV server: one account, "studio", with one calendar, /calendars/studio/main/.
//
// "studio" signs in with "twin-password"; with "twin-read-only" it may read. `volume` is how many events
// there are to begin with: weddings on Saturdays from the twin's first day on, by turns in New York's time,
// in UTC and for the whole day. It knows sync tokens, ETags and preconditions as RFC 4791, 6578 and 7232 say,
// and refuses what is no calendar or holds more than one UID. Under the name www.example.test it is
// somebody's web site, where there is no CalDAV.
//
// Edits (POST /_twin/edit), as somebody else makes them in another program:
//   {"id": URL, "set": {"SUMMARY": "..."}}   properties of an event; without "id" a new event is made
//   {"id": URL, "delete": true}
//   {"text": "..."}       the calendar is this text now: an item for each UID of it
//   {"forget": 410}       sync tokens given so far are refused from now on, with this status
#include "xml.h"

#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace garland::caldav {
namespace {

using namespace sdk::twin;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::string_view principal = "/principals/studio/";
constexpr std::string_view home = "/calendars/studio/";
constexpr std::string_view calendar = "/calendars/studio/main/";
constexpr std::string_view web_site = "www.example.test";
constexpr std::string_view token_head = "urn:twin:sync:";

struct Item {
  std::string text;
  std::int64_t revision = 0;
  bool gone = false;
};

std::string day(sys_days date) {
  std::chrono::year_month_day const parts(date);
  char text[16];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(parts.year()),
                static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()));
  return text;
}

// Folded lines are one, and end with a line feed.
std::string unfolded(std::string_view text) {
  std::string whole;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') continue;
    if (text[at] == '\n' && at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\t')) {
      ++at;
      continue;
    }
    whole += text[at];
  }
  return whole;
}

// The value of the first line of that name; empty if there is none.
std::string valueIn(std::string_view text, std::string_view name) {
  auto const whole = unfolded(text);
  auto const at = ("\n" + whole).find("\n" + std::string(name) + ":");
  if (at == std::string::npos) return {};
  auto const from = at + name.size() + 1;
  return whole.substr(from, whole.find('\n', from) - from);
}

// The parts "BEGIN:NAME" to "END:NAME" of a calendar.
std::vector<std::string> partsOf(std::string_view text, std::string const& name) {
  std::vector<std::string> out;
  auto const begin = "BEGIN:" + name;
  auto const end = "END:" + name;
  for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
    auto to = text.find(end, at);
    if (to == std::string_view::npos) return {};
    to = std::min(text.find('\n', to), text.size() - 1);
    out.emplace_back(text.substr(at, to + 1 - at));
  }
  return out;
}

// The first event's lines: what stands before the first colon, and behind it.
json::object linesIn(std::string const& text) {
  json::object out;
  auto const events = partsOf(text, "VEVENT");
  std::string const whole = events.empty() ? "" : unfolded(events.front());
  for (std::size_t at = 0; at < whole.size();) {
    auto const end = std::min(whole.find('\n', at), whole.size());
    auto const line = std::string_view(whole).substr(at, end - at);
    if (auto const colon = line.find(':'); colon != std::string_view::npos)
      out[line.substr(0, colon)] = line.substr(colon + 1);
    at = end + 1;
  }
  return out;
}

std::string calendarOf(std::string const& inside) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Twin//CalDAV//EN\r\n" + inside + "END:VCALENDAR\r\n";
}

std::string withProperty(std::string text, std::string const& name, std::string const& value) {
  auto const begin = text.find("BEGIN:VEVENT");
  auto at = text.find("\n" + name + ":", begin);
  if (at != std::string::npos) {
    auto const end = text.find('\n', at + 1);
    text.erase(at + 1, end - at);
  } else {
    at = text.find('\n', begin);
  }
  return text.insert(at + 1, name + ":" + value + "\r\n");
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    out += c;
  }
  return out;
}

constexpr std::string_view new_york =
    "BEGIN:VTIMEZONE\r\nTZID:America/New_York\r\nBEGIN:DAYLIGHT\r\nDTSTART:20070311T020000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nTZNAME:EDT\r\n"
    "END:DAYLIGHT\r\nBEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\n"
    "TZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nTZNAME:EST\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

Response multistatus(std::string const& inside) {
  return {207, "application/xml; charset=utf-8",
          "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<multistatus xmlns=\"DAV:\" "
          "xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:S=\"http://calendarserver.org/ns/\">" +
              inside + "</multistatus>\n"};
}

std::string described(std::string_view href, std::string const& properties) {
  return "<response><href>" + escapeXml(href) + "</href><propstat><prop>" + properties +
         "</prop><status>HTTP/1.1 200 OK</status></propstat></response>";
}

Response condition(int status, std::string const& name) {
  bool const of_dav = name == "valid-sync-token";
  return {status, "application/xml; charset=utf-8",
          "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<error xmlns=\"DAV:\" "
          "xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><" +
              std::string(of_dav ? "" : "C:") + name + "/></error>\n"};
}

class Server final : public Twin {
public:
  explicit Server(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    auto saturday = std::chrono::floor<days>(settings.start) + days(30);
    saturday += std::chrono::Saturday - std::chrono::weekday(saturday);
    for (std::int64_t i = 0; i < settings.volume; ++i, saturday += days(7)) {
      auto const first = person(people).first;
      auto const uid = ids().uuid();
      keep(uid + ".ics", wedding(uid, i % 3, saturday, first + " & " + person(people).first));
    }
    begun_ = true;
  }

  Response serve(Request const& request) override {
    if (request.header("host") == web_site)
      return {405, "text/html", "<!doctype html><title>A photographer</title>"};
    auto const login = request.basic();
    bool const reads_only = login && login->second == "twin-read-only";
    if (!login || login->first != "studio" || (!reads_only && login->second != "twin-password"))
      return Response(401, "text/plain", "sign in").with("WWW-Authenticate", "Basic realm=\"twin\"");
    if (reads_only && (request.method == "PUT" || request.method == "DELETE"))
      return condition(403, "need-privileges");
    auto const path = sdk::percentDecode(request.path);
    if (request.method == "PROPFIND") return propfind(path, request.header("depth") == "1");
    if (request.method == "REPORT" && path == calendar) return report(request);
    if (!path.starts_with(calendar) || path == calendar) return refuse(404, "there is nothing here");
    auto const file = path.substr(calendar.size());
    if (request.method == "GET") return get(file);
    if (request.method == "PUT") return put(request, file);
    if (request.method == "DELETE") return remove(request, file);
    return refuse(405, "this server does not know " + request.method);
  }

  json::value edit(json::object const& change) override {
    if (auto const* text = change.if_contains("text")) return publish(std::string(text->as_string()));
    if (auto const* status = change.if_contains("forget")) {
      forgotten_ = revision_;
      refusal_ = static_cast<int>(status->as_int64());
      return json::object();
    }
    auto file = fileOf(sdk::textOr(change, "/id"));
    if (change.contains("delete")) {
      takeAway(known(file) ? file : throw Malformed("there is no such event"));
      return json::object();
    }
    auto const* set = change.if_contains("set");
    if (set == nullptr || !set->is_object())
      throw Malformed("an edit has \"set\", \"delete\", \"text\" or \"forget\"");
    if (file.empty()) {
      auto const uid = ids().uuid();
      file = uid + ".ics";
      keep(file, wedding(uid, 1, std::chrono::floor<days>(now()) + days(100), "a new couple"));
    } else if (!known(file)) {
      throw Malformed("there is no event " + file);
    }
    auto text = items_.at(file).text;
    for (auto const& [name, value] : set->get_object())
      text = withProperty(std::move(text), std::string(name), escaped(std::string_view(value.as_string())));
    keep(file, std::move(text));
    return json::object{{"id", std::string(calendar) + file}};
  }

  json::object state() const override {
    json::array files;
    for (auto const& [file, item] : items_)
      if (!item.gone) files.emplace_back(file);
    return {{"events", files.size()}, {"files", files}, {"revision", revision_}};
  }

private:
  bool known(std::string const& file) const {
    auto const found = items_.find(file);
    return found != items_.end() && !found->second.gone;
  }
  static std::string fileOf(std::string const& url) {
    return sdk::percentDecode(url.substr(url.rfind('/') == std::string::npos ? 0 : url.rfind('/') + 1));
  }
  std::string token() const { return std::string(token_head) + std::to_string(revision_); }
  static std::string tag(Item const& item) { return "\"r" + std::to_string(item.revision) + "\""; }

  void keep(std::string const& file, std::string text) {
    bool const is_new = !known(file);
    items_[file] = {std::move(text), ++revision_, false};
    if (!begun_) return;
    auto const& kept = items_[file].text;
    note(is_new ? "event.created" : "event.changed", file,
         json::object{{"text", kept}, {"lines", linesIn(kept)}});
  }
  void takeAway(std::string const& file) {
    auto& item = items_.at(file);
    item = {"", ++revision_, true};
    note("event.deleted", file);
  }

  // What has no events that could be told apart is one item.
  json::value publish(std::string const& text) {
    for (auto& [file, item] : items_)
      if (!item.gone) takeAway(file);
    std::string zones;
    for (auto const& part : partsOf(text, "VTIMEZONE")) zones += part;
    std::map<std::string, std::string> by_uid;
    for (auto const& part : partsOf(text, "VEVENT")) by_uid[valueIn(part, "UID")] += part;
    int number = 0;
    for (auto const& [uid, events] : by_uid)
      keep("item-" + std::to_string(++number) + ".ics", calendarOf(zones + events));
    if (by_uid.empty()) keep("text.ics", text);
    return json::object();
  }

  static std::string wedding(std::string const& uid, std::int64_t form, sys_days date,
                             std::string const& who) {
    std::string const when = day(date);
    std::string const times =
        form == 0 ? "DTSTART;TZID=America/New_York:" + when +
                        "T140000\r\nDTEND;TZID=America/New_York:" + when + "T220000"
        : form == 1 ? "DTSTART:" + when + "T140000Z\r\nDTEND:" + when + "T220000Z"
                    : "DTSTART;VALUE=DATE:" + when + "\r\nDTEND;VALUE=DATE:" + day(date + days(1));
    return calendarOf((form == 0 ? std::string(new_york) : "") + "BEGIN:VEVENT\r\nUID:" + uid +
                      "\r\nDTSTAMP:20260101T000000Z\r\n" + times + "\r\nSUMMARY:Wedding of " + escaped(who) +
                      "\r\nLOCATION:Hall " + std::to_string(form + 1) + "\\, Garden Road\r\nEND:VEVENT\r\n");
  }

  // ---- reading
  Response propfind(std::string const& path, bool deep) const {
    std::string const to_principal =
        "<current-user-principal><href>" + std::string(principal) + "</href></current-user-principal>";
    std::string const to_home =
        "<C:calendar-home-set><href>" + std::string(home) + "</href></C:calendar-home-set>";
    if (path == "/" || path == "/.well-known/caldav") return multistatus(described(path, to_principal));
    if (path == principal)
      return multistatus(described(path, to_principal + to_home + "<displayname>Twin Studio</displayname>"));
    if (path == home)
      return multistatus(described(path, to_principal + "<resourcetype><collection/></resourcetype>") +
                         (deep ? ofCalendar() : ""));
    if (path == calendar) return multistatus(ofCalendar() + (deep ? listed(0) : ""));
    auto const file = path.starts_with(calendar) ? path.substr(calendar.size()) : std::string();
    if (!known(file)) return {404, "text/plain", "there is nothing here"};
    return multistatus(entry(file, items_.at(file), false));
  }

  std::string ofCalendar() const {
    return described(
        calendar, "<resourcetype><collection/><C:calendar/></resourcetype><displayname>Bookings</displayname>"
                  "<S:getctag>" +
                      std::to_string(revision_) + "</S:getctag><sync-token>" + token() +
                      "</sync-token><C:supported-calendar-component-set><C:comp name=\"VEVENT\"/>"
                      "</C:supported-calendar-component-set>");
  }

  static std::string entry(std::string const& file, Item const& item, bool with_text) {
    auto const href = std::string(calendar) + file;
    if (item.gone)
      return "<response><href>" + escapeXml(href) +
             "</href><status>HTTP/1.1 404 Not Found</status></response>";
    return described(
        href, "<getetag>" + escapeXml(tag(item)) + "</getetag>" +
                  (with_text ? "<C:calendar-data>" + escapeXml(item.text) + "</C:calendar-data>" : ""));
  }

  std::string listed(std::int64_t since) const {
    std::string out;
    for (auto const& [file, item] : items_)
      if (item.revision > since && !(since == 0 && item.gone)) out += entry(file, item, false);
    return out;
  }

  Response report(Request const& request) const {
    Element asked;
    if (auto const unread = sdk::attempt([&] { asked = parseXml(request.body); }))
      throw Malformed(unread->message);
    if (asked.name == "urn:ietf:params:xml:ns:caldav|calendar-multiget") return multiget(asked);
    if (asked.name != "DAV:|sync-collection") return condition(403, "supported-report");
    auto const given = asked.textOf("DAV:|sync-token");
    std::int64_t since = 0;
    if (!given.empty()) {
      since = given.starts_with(token_head) ? std::atoll(given.c_str() + token_head.size()) : -1;
      if (since < 0 || since < forgotten_ || since > revision_)
        return condition(forgotten_ > 0 ? refusal_ : 403, "valid-sync-token");
    }
    return multistatus(listed(since) + "<sync-token>" + token() + "</sync-token>");
  }

  Response multiget(Element const& asked) const {
    std::string out;
    for (auto const& child : asked.children) {
      if (child.name != "DAV:|href") continue;
      auto const file = fileOf(std::string(trimmed(child.text)));
      out += entry(file, known(file) ? items_.at(file) : Item{"", 0, true}, true);
    }
    return multistatus(out);
  }

  Response get(std::string const& file) const {
    if (!known(file)) return {404, "text/plain", "there is nothing here"};
    auto const& item = items_.at(file);
    return Response(200, "text/calendar; charset=utf-8", item.text).with("ETag", tag(item));
  }

  // ---- writing
  bool mayWrite(Request const& request, std::string const& file) const {
    if (request.header("if-none-match") == "*" && known(file)) return false;
    auto const match = request.header("if-match");
    return match.empty() || (known(file) && (match == "*" || match == tag(items_.at(file))));
  }

  Response put(Request const& request, std::string const& file) {
    if (!mayWrite(request, file)) return {412, "text/plain", "the precondition does not hold"};
    auto const events = partsOf(request.body, "VEVENT");
    auto const uid = valueIn(request.body, "UID");
    if (!request.body.starts_with("BEGIN:VCALENDAR") || events.empty() || uid.empty())
      return condition(403, "valid-calendar-data");
    for (auto const& event : events)
      if (valueIn(event, "UID") != uid) return condition(403, "valid-calendar-object-resource");
    for (auto const& [other, item] : items_)
      if (!item.gone && other != file && valueIn(item.text, "UID") == uid)
        return condition(403, "no-uid-conflict");
    bool const is_new = !known(file);
    keep(file, request.body);
    return Response::empty(is_new ? 201 : 204).with("ETag", tag(items_.at(file)));
  }

  Response remove(Request const& request, std::string const& file) {
    if (!known(file)) return {404, "text/plain", "there is nothing here"};
    if (!mayWrite(request, file)) return {412, "text/plain", "the precondition does not hold"};
    takeAway(file);
    return Response::empty(204);
  }

  std::map<std::string, Item> items_; // by file name; what is gone stays, for sync tokens
  std::int64_t revision_ = 0;
  std::int64_t forgotten_ = -1; // tokens before it are refused ...
  int refusal_ = 403;           // ... so
  bool begun_ = false;
};

} // namespace
} // namespace garland::caldav

GARLAND_TWIN(garland::caldav::Server)
