// The twin of Starter: one calendar, as its API behaves towards one vendor.
//
// Under /v1, "Authorization: Bearer twin-key" ("twin-read" may only read). `volume` is how many events there
// are to begin with. An event is a text of iCalendar, "ics", whose UID stands in the calendar once, and a
// "color". Where the provider's description is silent the twin is strict: a member that it does not know, or
// of another type, is refused.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <ranges>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

constexpr std::int64_t page_size = 50;
constexpr std::string_view members[] = {"ics", "color"};

// The parts "BEGIN:NAME" to "END:NAME" of a text, and all of them one after the other.
std::vector<std::string> partsOf(std::string_view text, std::string const& name) {
  std::vector<std::string> out;
  for (auto at = text.find("BEGIN:" + name); at != std::string_view::npos;) {
    auto const end = text.find("END:" + name, at);
    if (end == std::string_view::npos) return {};
    auto const next = std::min(text.find('\n', end), text.size() - 1) + 1;
    out.emplace_back(text.substr(at, next - at));
    at = text.find("BEGIN:" + name, next);
  }
  return out;
}
std::string calendarOf(std::string const& inside) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Starter//EN\r\n" + inside + "END:VCALENDAR\r\n";
}
// Of the first event; "" if it has no such line.
std::string lineIn(std::string_view text, std::string const& name) {
  auto const at = text.find("\n" + name + ":", std::min(text.find("BEGIN:VEVENT"), text.size()));
  if (at == std::string_view::npos) return {};
  auto const from = at + name.size() + 2;
  return std::string(text.substr(from, text.find_first_of("\r\n", from) - from));
}
std::string eventOf(std::string const& uid, std::string const& title, std::string const& times) {
  return calendarOf("BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:" + title +
                    "\r\n" + times + "END:VEVENT\r\n");
}
std::string dayOf(std::string const& date) { // "20260613" of "2026-06-13T..."
  return date.substr(0, 4) + date.substr(5, 2) + date.substr(8, 2);
}

class Calendar final : public Twin {
public:
  explicit Calendar(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    auto const today = std::chrono::floor<std::chrono::days>(settings.start);
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const day = dayOf(sdk::rfc3339(today + std::chrono::days(people.between(1, 500))));
      auto const times = i % 3 == 0 ? "DTSTART;VALUE=DATE:" + day + "\r\n"
                                    : "DTSTART:" + day + "T120000Z\r\nDTEND:" + day + "T203000Z\r\n";
      plant({{"ics", eventOf(ids().uuid(), "Wedding of " + person(people).last, times)}});
    }
  }

  Response serve(Request const& request) override {
    auto const key = request.bearer();
    bool const reader = key == "twin-read";
    if (key != "twin-key" && !reader) return error(401, "wrong_key", "the API key is not valid");
    if (auto const verdict = limit_.take(key, now()); !verdict.allowed)
      return error(429, "too_many_requests", "too many requests")
          .with("Retry-After", std::to_string((verdict.retry_after.count() + 999) / 1000));
    if (reader && request.method != "GET") return error(403, "read_only", "this key may only read");
    return once(request, key);
  }

  Response refuse(int status, std::string_view why) const override { return error(status, "refused", why); }

  // {"title": ..., "date": "2026-05-02"}: an event more; of one, {"id", "title"}, {"id", "color"} or {"id",
  // "delete": true}. {"text": "BEGIN:VCALENDAR..."}: the whole calendar is this one now, as imports have it.
  json::value edit(json::object const& change) override {
    if (auto const* const text = change.if_contains("text"); text != nullptr && text->is_string())
      return import(std::string(text->get_string()));
    auto const id = sdk::textOr(change, "/id");
    auto const title = sdk::textOr(change, "/title");
    auto const date = sdk::textOr(change, "/date");
    if (change.contains("delete")) return remove(id);
    if (change.contains("color")) return alter(id, {{"color", change.at("color")}});
    if (title.empty() || (id.empty() && date.size() != 10))
      throw Malformed(
          "an edit has \"text\", \"title\" and \"date\", or \"id\" and what happens to that event");
    if (id.empty())
      return create({{"ics", eventOf(ids().uuid(), title, "DTSTART;VALUE=DATE:" + dayOf(date) + "\r\n")}});
    auto text = sdk::textOr(find(id), "/ics");
    auto const before = "\nSUMMARY:" + lineIn(text, "SUMMARY");
    if (auto const at = text.find(before); at != std::string::npos)
      text.replace(at, before.size(), "\nSUMMARY:" + title);
    return alter(id, {{"ics", text}});
  }

  json::object state() const override {
    return {{"events", std::ranges::count_if(rows_, [](auto const& row) { return !isGone(row.second); })}};
  }

private:
  using Row = json::object;

  static Response error(int status, std::string_view code, std::string_view message) {
    return {status, json::object{{"error", json::object{{"code", code}, {"message", message}}}}};
  }
  static bool isGone(Row const& row) { return row.contains("deleted"); }

  // A key gives the first answer again for a day.
  Response once(Request const& request, std::string_view account) {
    std::string const header(request.header("idempotency-key"));
    if (header.empty() || request.method != "POST") return dispatch(routes, *this, request);
    auto const key = std::string(account) + " " + header;
    auto const seen = keys_.find(key, request.body, now());
    if (seen.seen == SeenKeys::Seen::otherRequest)
      return error(409, "key_used", "the key was used for another request");
    if (seen.seen == SeenKeys::Seen::same) return *seen.answer;
    auto answer = dispatch(routes, *this, request);
    if (answer.status < 300) keys_.keep(key, request.body, answer, now());
    return answer;
  }

  // ---- routes
  Response me(Request const&) { return {200, json::object{{"name", "Twin Studio"}}}; }

  // What was changed after a number, in the order of the changes, so nothing moves between two pages.
  Response index(Request const& request) {
    auto const since = request.parameterOr("since", "");
    auto const from = numberIn(since);
    auto const at = numberIn(request.parameterOr("cursor", since));
    if (from < 0 || at < 0 || from > changes_ || at > changes_)
      return error(410, "token_too_old", "this token is not known any more: read everything again");
    std::map<std::int64_t, Row const*> changed;
    for (auto const& [id, row] : rows_)
      if (order_.at(id) > at && (!since.empty() || !isGone(row))) changed[order_.at(id)] = &row;
    json::array items;
    std::int64_t last = at;
    for (auto const& [order, row] : changed) {
      if (std::ssize(items) == page_size) break;
      items.push_back(*row);
      last = order;
    }
    json::object answer{{"items", items}, {"next_since", "s" + std::to_string(changes_)}};
    if (std::ssize(changed) > page_size) answer["next_cursor"] = "s" + std::to_string(last);
    return {200, answer};
  }
  Response add(Request const& request) { return {201, create(request.bodyObject())}; }
  Response show(Request const& request) { return {200, find(request.at("id"))}; }
  Response change(Request const& request) { return {200, alter(request.at("id"), request.bodyObject())}; }
  Response take(Request const& request) {
    remove(request.at("id"));
    return Response::empty();
  }

  // ---- events
  static std::int64_t numberIn(std::string_view token) { // "s17"; -1: none of ours
    std::int64_t number = 0;
    if (token.empty()) return 0;
    if (!token.starts_with('s') || token.size() > 12 || token.size() < 2) return -1;
    for (char const c : token.substr(1)) {
      if (c < '0' || c > '9') return -1;
      number = number * 10 + (c - '0');
    }
    return number;
  }
  Row& find(std::string const& id) {
    auto const found = rows_.find(id);
    if (found == rows_.end() || isGone(found->second))
      throw Refusal(error(404, "not_found", "there is no event of this id"));
    return found->second;
  }
  [[noreturn]] static void invalid(std::string_view field, std::string_view why) {
    json::object what{{"code", "invalid"}, {"message", std::string(field) + " " + std::string(why)}};
    what["field"] = field;
    throw Refusal({422, json::object{{"error", what}}});
  }
  static void require(Row const& set) {
    for (auto const& [name, value] : set) {
      if (std::ranges::find(members, std::string_view(name)) == std::end(members))
        invalid(name, "is not known");
      if (!value.is_null() && !value.is_string()) invalid(name, "is of another type");
    }
  }
  Row const* withUid(std::string const& uid) const {
    auto const found = std::ranges::find_if(rows_, [&](auto const& row) {
      return !isGone(row.second) && lineIn(sdk::textOr(row.second, "/ics"), "UID") == uid;
    });
    return found == rows_.end() ? nullptr : &found->second;
  }
  // Each event of the text by itself, with the zones of all; what has none is kept as it is.
  json::value import(std::string const& text) {
    std::vector<std::string> ids_of_all;
    for (auto const& [id, row] : rows_)
      if (!isGone(row)) ids_of_all.push_back(id);
    for (auto const& id : ids_of_all) remove(id);
    std::string zones;
    for (auto const& part : partsOf(text, "VTIMEZONE")) zones += part;
    std::map<std::string, std::string> by_uid; // a series with its exceptions
    for (auto const& part : partsOf(text, "VEVENT")) by_uid[lineIn(part, "UID")] += part;
    for (auto const& [uid, events] : by_uid) plant({{"ics", calendarOf(zones + events)}});
    if (by_uid.empty()) plant({{"ics", text}});
    return json::object();
  }

  std::string plant(Row row) { // to begin with; it stands in no ledger
    auto const id = ids().text("ev_", 12);
    row["id"] = id;
    row["version"] = "1";
    row["updated_at"] = sdk::rfc3339(settings().start);
    order_[id] = ++changes_;
    rows_[id] = std::move(row);
    return id;
  }
  json::value create(Row const& set) {
    require(set);
    auto const uid = lineIn(sdk::textOr(set, "/ics"), "UID");
    if (uid.empty()) invalid("ics", "has no event with a UID");
    if (auto const* const there = withUid(uid)) { // the same event again is no other one
      if (there->at("ics") == set.at("ics")) return *there;
      throw Refusal(error(409, "uid_taken", "the calendar has another event of this UID"));
    }
    auto const id = plant(set);
    auto& row = find(id);
    row["updated_at"] = sdk::rfc3339(now());
    note("event.created", id, row);
    return row;
  }
  json::value alter(std::string const& id, Row const& set) {
    auto& row = find(id);
    require(set);
    for (auto const& [name, value] : set) {
      if (value.is_null())
        row.erase(name);
      else
        row[name] = value;
    }
    touch(row, id);
    note("event.changed", id, row);
    return row;
  }
  json::value remove(std::string const& id) {
    auto& row = find(id);
    row = {{"id", id}, {"version", row.at("version")}, {"deleted", true}};
    touch(row, id);
    note("event.deleted", id);
    return row;
  }
  void touch(Row& row, std::string const& id) {
    row["version"] = std::to_string(numberIn("s" + sdk::textOr(row, "/version")) + 1);
    row["updated_at"] = sdk::rfc3339(now());
    order_[id] = ++changes_;
  }

  static constexpr Route<Calendar> routes[] = {
      {"GET", "/v1/me", &Calendar::me},
      {"GET", "/v1/events", &Calendar::index},
      {"POST", "/v1/events", &Calendar::add},
      {"GET", "/v1/events/{id}", &Calendar::show},
      {"PATCH", "/v1/events/{id}", &Calendar::change},
      {"DELETE", "/v1/events/{id}", &Calendar::take},
  };

  std::map<std::string, Row> rows_;           // by id; what was deleted stays, marked
  std::map<std::string, std::int64_t> order_; // by id: its last change
  std::int64_t changes_ = 0;
  SeenKeys keys_;
  RateLimit limit_{600, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Calendar)
