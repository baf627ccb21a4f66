// The twin of VSCO Workspace: one studio with its contacts, jobs, events, orders, payments and notes.
//
// The API is under /api/v2, "X-API-KEY: twin-key" ("twin-read-only" may read). `volume` is how many jobs
// there are to begin with, each with a client, an event, a note and, if booked, an order and a payment. What
// it does as the public facts say: pages, sortBy, filters, whole objects by PUT, external mappings, errors,
// unsigned hooks for creations and booked orders. Where they are silent it is strict: a member or a filter
// that nobody documented, or of another type, is a validation error, and so is what a hook shall be limited
// to.
#include "twin_members.h"

#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <ranges>
#include <tuple>

namespace garland::tave {
namespace {

using namespace sdk::twin;
using twin_of::List;

constexpr std::string_view root = "/api/v2/";
constexpr std::string_view letters = "0123456789abcdefghjkmnpqrstvwxyz"; // of a ULID

bool hasWord(std::string_view words, std::string_view word) {
  for (auto const part : words | std::views::split(' '))
    if (std::string_view(part.begin(), part.end()) == word) return true;
  return false;
}

// The type of a member, "text!"; empty if the list has none of that name.
std::string_view typeOf(List const& list, std::string_view name) {
  for (auto const part : list.members | std::views::split(' ')) {
    std::string_view const member(part.begin(), part.end());
    if (member.starts_with(name) && member.substr(name.size()).starts_with(':'))
      return member.substr(name.size() + 1);
  }
  return {};
}

// What is wrong with a value; empty: nothing.
std::string wrongWith(std::string_view type, json::value const& value) {
  bool const text = value.is_string();
  auto const written = text ? std::string(std::string_view(value.get_string())) : std::string();
  if (value.is_null() || type == "any") return {};
  if (type == "boolean") return value.is_bool() ? "" : "must be true or false";
  if (type == "integer" || type == "money") return value.is_int64() ? "" : "must be an integer";
  if (type == "array") return value.is_array() ? "" : "must be an array";
  if (type == "object") return value.is_object() ? "" : "must be an object";
  if (!text) return "must be a string";
  if (type == "date" && !sdk::parseRfc3339(written + "T00:00:00Z")) return "must be a date";
  if (type == "time" && !sdk::parseRfc3339("2000-01-01T" + written + (written.size() == 5 ? ":00Z" : "Z")))
    return "must be a time";
  if (type == "email" && !written.empty() && written.find('@') == std::string::npos)
    return "must be an e-mail address";
  if (type.starts_with("one(")) {
    auto words = std::string(type.substr(4, type.size() - 5));
    std::ranges::replace(words, '|', ' ');
    if (!hasWord(words, written)) return "must be one of " + words;
  }
  return {};
}

class Studio final : public Twin {
public:
  explicit Studio(Settings const& settings) : Twin(settings) {
    for (auto const& list : twin_of::lists) rows_[std::string(list.path)];
    seed(settings.volume);
  }

  Response serve(Request const& request) override {
    auto const key = request.header("x-api-key");
    bool const reader = key == "twin-read-only";
    if (key != "twin-key" && !reader) return refuse(401, "the API key is missing or wrong");
    if (auto const verdict = limit_.take(key, now()); !verdict.allowed)
      return refuse(429, "too many requests")
          .with("Retry-After", std::to_string((verdict.retry_after.count() + 999) / 1000));
    if (reader && request.method != "GET") return refuse(403, "this API key may only read");
    return dispatch(routes, *this, request);
  }

  Response refuse(int status, std::string_view why) const override {
    auto const type = status == 429 ? "quota-limit" : status == 405 ? "not-implemented" : "unknown";
    return {status, json::object{{"type", type}, {"title", why}, {"detail", why}, {"status", status}}};
  }

  // {"list": "job", "id": ..., "set": {...}} or "delete": true; without "id" it is created. With "into", the
  // id of another contact, what belongs to this one belongs to that one from then on, and this one is gone.
  json::value edit(json::object const& change) override {
    auto const& list = listOf(sdk::textOr(change, "/list"));
    auto const id = sdk::textOr(change, "/id");
    auto const* set = change.if_contains("set");
    if (auto const into = sdk::textOr(change, "/into"); !into.empty()) return merge(list, id, into);
    if (auto const* gone = change.if_contains("delete")) {
      if (*gone != json::value(true)) throw Malformed("\"delete\" can only be true");
      take(list, id);
      return json::object();
    }
    if (set == nullptr || !set->is_object()) throw Malformed("an edit has \"set\" or \"delete\"");
    requireFit(list, set->get_object());
    if (id.empty()) return create(list, set->get_object());
    auto record = find(list, id);
    for (auto const& [name, value] : set->get_object()) record[name] = value;
    return keep(list, std::move(record), "changed");
  }

  json::object state() const override {
    json::object sizes;
    for (auto const& [list, rows] : rows_) sizes[list] = rows.size();
    return sizes;
  }

private:
  using Rows = std::map<std::string, json::object, std::less<>>;

  // ---- routes
  Response studio(Request const&) {
    return {200, json::object{{"name", "Twin Studio"}, {"currencyCode", "USD"}, {"timezoneId", zone_}}};
  }
  Response zone(Request const& request) {
    if (request.at("id") != zone_) return refuse(404, "there is no such time zone");
    return {200, json::object{{"id", zone_}, {"name", "America/New_York"}, {"displayName", "Eastern Time"}}};
  }
  Response index(Request const& request) {
    auto const& list = listOf(request.at("list"));
    for (auto const& parameter : request.parameters)
      if (!hasWord("page pageSize sortBy", parameter.first) && !hasWord(list.filters, parameter.first))
        return invalid(parameter.first.c_str(), "is not known");
    auto const size = request.numberOr("pageSize", 100);
    auto const page = request.numberOr("page", 1);
    if (size < 10 || size > 100) return invalid("pageSize", "must be between 10 and 100");
    if (page < 1) return invalid("page", "must be at least 1");
    auto const all = chosen(list, request);
    auto const part =
        pageAt(all, static_cast<std::size_t>((page - 1) * size), static_cast<std::size_t>(size));
    json::array items;
    for (auto const* record : part.items) items.push_back(*record);
    auto const pages = (static_cast<std::int64_t>(part.total) + size - 1) / size;
    json::object const meta{
        {"currentPage", page}, {"totalPages", pages}, {"totalItems", part.total}, {"rows", items.size()}};
    return {200,
            json::object{{"type", std::string(list.path) + "-collection"}, {"items", items}, {"meta", meta}}};
  }
  Response add(Request const& request) {
    auto const& list = listOf(request.at("list"));
    auto const body = request.bodyObject();
    if (auto wrong = wrongIn(list, body); !wrong.empty()) return invalid(wrong);
    return {201, create(list, body)};
  }
  Response show(Request const& request) { return {200, find(listOf(request.at("list")), request.at("id"))}; }
  Response replace(Request const& request) {
    auto const& list = listOf(request.at("list"));
    auto const& old = find(list, request.at("id"));
    auto const body = request.bodyObject();
    if (auto wrong = wrongIn(list, body); !wrong.empty()) return invalid(wrong);
    // What the request does not name is gone, but for what the studio's software sets.
    json::object record{{"id", old.at("id")}, {"created", old.at("created")}};
    for (auto const& [name, value] : old)
      if (typeOf(list, name).ends_with('!')) record[name] = value;
    for (auto const& [name, value] : body)
      if (!isOwn(list, name)) record[name] = value;
    return {200, keep(list, std::move(record), "changed")};
  }
  Response remove(Request const& request) {
    take(listOf(request.at("list")), request.at("id"));
    return Response::empty();
  }

  // ---- lists
  List const& listOf(std::string_view path) const {
    for (auto const& list : twin_of::lists)
      if (list.path == path) return list;
    throw Refusal(refuse(404, "there is nothing at " + std::string(root) + std::string(path)));
  }
  json::object const& find(List const& list, std::string_view id) const {
    auto const& rows = rows_.at(std::string(list.path));
    auto const found = rows.find(id);
    if (found == rows.end())
      throw Refusal(refuse(404, "there is no " + std::string(list.path) + " of this id"));
    return found->second;
  }
  std::vector<json::object const*> chosen(List const& list, Request const& request) const {
    auto const sort = request.parameterOr("sortBy", "created asc");
    auto const pointer = "/" + sort.substr(0, std::min(sort.find(' '), sort.size()));
    std::vector<std::tuple<std::string, std::string_view, json::object const*>> found;
    for (auto const& [id, record] : rows_.at(std::string(list.path)))
      if (isChosen(record, request)) found.emplace_back(sdk::textOr(record, pointer), id, &record);
    std::ranges::sort(found);
    if (sort.ends_with(" desc")) std::ranges::reverse(found);
    std::vector<json::object const*> out;
    for (auto const& one : found) out.push_back(std::get<2>(one));
    return out;
  }
  static bool isChosen(json::object const& record, Request const& request) {
    auto const is = [&](char const* member) {
      auto const* value = record.if_contains(member);
      return value != nullptr && *value == json::value(true);
    };
    if (is("hidden") && request.parameterOr("includeHidden", "false") != "true") return false;
    if (is("closed") && request.parameterOr("includeClosed", "false") != "true") return false;
    for (auto const* name : {"email", "jobId", "contactId"})
      if (auto const wanted = request.parameter(name))
        if (sdk::textOr(record, "/" + std::string(name)) != *wanted) return false;
    auto const key = request.parameter("externalMappingId");
    if (!key) return true;
    auto const* mappings = record.if_contains("externalMappings");
    return mappings != nullptr && mappings->is_array() &&
           std::ranges::any_of(mappings->get_array(),
                               [&](json::value const& one) { return sdk::textOr(one, "/id") == *key; });
  }

  // ---- records
  // What somebody at the studio sets has the types that a request's has.
  static void requireFit(List const& list, json::object const& set) {
    for (auto const& [name, value] : set) {
      auto const place = "\"set\": " + std::string(std::string_view(name)) + " ";
      if (hasWord("id created modified links", name)) throw Malformed(place + "cannot be set");
      auto type = typeOf(list, name);
      if (type.ends_with('!')) type.remove_suffix(1);
      if (type.empty()) throw Malformed(place + "is not known");
      if (auto const said = wrongWith(type, value); !said.empty()) throw Malformed(place + said);
    }
  }
  static bool isOwn(List const& list, std::string_view name) {
    return hasWord("id created modified links", name) || typeOf(list, name).ends_with('!');
  }
  // By member; empty: nothing is wrong.
  json::object wrongIn(List const& list, json::object const& body) const {
    json::object wrong;
    if (!list.creates) wrong["/"] = "this list can only be read here";
    for (auto const& [name, value] : body) {
      if (isOwn(list, name)) continue;
      auto const type = typeOf(list, name);
      auto said = type.empty() ? "is not known" : wrongWith(type, value);
      if (said.empty() && name == "externalMappings") said = wrongMappings(value);
      if (said.empty() && name == "limitTo" && !value.is_null())
        said = "what it holds is not public, so this twin limits no hook; leave it out";
      if (!said.empty()) wrong[name] = said;
    }
    for (auto const part : list.required | std::views::split(' ')) {
      std::string_view const name(part.begin(), part.end());
      if (!name.empty() && sdk::find(body, "/" + std::string(name)) == nullptr) wrong[name] = "is missing";
    }
    return wrong;
  }
  static std::string wrongMappings(json::value const& value) {
    if (!value.is_array()) return {};
    for (auto const& one : value.get_array()) {
      auto const id = sdk::textOr(one, "/id");
      auto const url = sdk::textOr(one, "/url");
      if (id.empty() || id.size() > 64) return "an id has 1 to 64 characters";
      if (url.size() < 12 || url.size() > 255) return "a url has 12 to 255 characters";
    }
    return {};
  }
  Response invalid(json::object const& detail) const {
    return {400,
            json::object{
                {"type", "validation-error"}, {"title", "Validation"}, {"detail", detail}, {"status", 400}}};
  }
  Response invalid(char const* name, char const* what) const { return invalid(json::object{{name, what}}); }

  json::object create(List const& list, json::object const& body) {
    json::object record;
    for (auto const& [name, value] : body)
      if (!isOwn(list, name)) record[name] = value;
    if (list.path == "job" && !record.contains("stage"))
      record["stage"] = "lead"; // each job is at some stage
    record["id"] = ulid();
    record["created"] = sdk::rfc3339(second(now()));
    return keep(list, std::move(record), "created");
  }
  json::object keep(List const& list, json::object record, std::string const& what) {
    record["modified"] = sdk::rfc3339(second(now()));
    if (list.path == "address-book" && record.contains("firstName"))
      record["name"] = sdk::textOr(record, "/firstName") + " " + sdk::textOr(record, "/lastName");
    auto const id = std::string(std::string_view(record.at("id").get_string()));
    note(std::string(list.path) + "." + what, id, record);
    auto& kept = rows_.at(std::string(list.path))[id];
    bool const was_booked = !sdk::textOr(kept, "/bookedOn").empty();
    kept = std::move(record);
    bool const booked = list.path == "order" && !was_booked && !sdk::textOr(kept, "/bookedOn").empty();
    if (booked) tellHooks("order.booked", kept);
    if (what == "created") tellHooks(eventOfNew(list), kept);
    return kept;
  }
  void take(List const& list, std::string const& id) {
    find(list, id);
    rows_.at(std::string(list.path)).erase(id);
    note(std::string(list.path) + ".deleted", id);
  }
  json::value merge(List const& list, std::string const& id, std::string const& into) {
    auto kept = find(list, into);
    for (auto const& other : twin_of::lists) {
      auto const rows = rows_.at(std::string(other.path));
      for (auto const& [row_id, row] : rows) {
        auto moved = row;
        for (auto const* member : {"contactId", "recipientId", "payerId"})
          if (sdk::textOr(row, "/" + std::string(member)) == id) moved[member] = into;
        if (moved != row) keep(other, std::move(moved), "changed");
      }
    }
    take(list, id);
    return keep(list, std::move(kept), "changed");
  }
  static std::string_view eventOfNew(List const& list) {
    if (list.path == "job") return "job.created";
    if (list.path == "address-book") return "contact.created";
    return list.path == "payment" ? "payment.created" : "";
  }
  void tellHooks(std::string_view event, json::object const& made) {
    for (auto const& [id, hook] : rows_.at("rest-hook")) {
      if (sdk::textOr(hook, "/event") != event) continue;
      Webhook notice;
      notice.id = ids().text("hook_");
      notice.url = sdk::textOr(hook, "/url");
      notice.body = json::serialize(made);
      deliver(std::move(notice));
    }
  }

  std::string ulid() { return "01" + random().text(24, letters); }
  static TimePoint second(TimePoint when) { return std::chrono::floor<std::chrono::seconds>(when); }

  // ---- what there is to begin with; it stands in no ledger
  std::string plant(char const* list, json::object record, std::int64_t minutes_ago) {
    auto const id = ulid();
    auto const when = sdk::rfc3339(second(settings().start) - std::chrono::minutes(minutes_ago));
    record["id"] = id;
    record["created"] = when;
    record["modified"] = when;
    rows_.at(list)[id] = std::move(record);
    return id;
  }
  void seed(std::int64_t volume);

  static constexpr Route<Studio> routes[] = {
      {"GET", "/api/v2/studio/me", &Studio::studio},      {"GET", "/api/v2/timezone/{id}", &Studio::zone},
      {"GET", "/api/v2/{list}", &Studio::index},          {"POST", "/api/v2/{list}", &Studio::add},
      {"GET", "/api/v2/{list}/{id}", &Studio::show},      {"PUT", "/api/v2/{list}/{id}", &Studio::replace},
      {"DELETE", "/api/v2/{list}/{id}", &Studio::remove},
  };

  std::map<std::string, Rows> rows_; // by list
  std::string zone_ = "01tw1n00000000000000z0ne00";
  RateLimit limit_{600, std::chrono::seconds(10)};
};

void Studio::seed(std::int64_t volume) {
  static constexpr std::string_view stages[] = {"lead", "booked", "fulfillment", "completed"};
  for (std::int64_t i = 0; i < volume; ++i) {
    auto const who = person(random());
    auto const age = (volume - i) * 7;
    auto const day =
        std::chrono::floor<std::chrono::days>(settings().start) + std::chrono::days(random().below(500));
    auto const date = sdk::rfc3339(day).substr(0, 10);
    auto const client = plant("address-book",
                              {{"kind", "person"},
                               {"firstName", who.first},
                               {"lastName", who.last},
                               {"name", who.first + " " + who.last},
                               {"email", who.email},
                               {"cellPhone", who.phone},
                               {"hidden", false},
                               {"externalMappings", json::array()}},
                              age);
    auto const stage = std::string(random().pick(stages));
    auto const price = random().between(50'000, 900'000);
    auto const job = plant("job",
                           {{"name", who.last + " wedding"},
                            {"stage", stage},
                            {"eventDate", date},
                            {"closed", false},
                            {"guestCount", random().between(20, 300)},
                            {"totalRevenue", stage == "lead" ? 0 : price},
                            {"customFields", json::array()},
                            {"externalMappings", json::array()}},
                           age - 1);
    plant("job-contact",
          {{"jobId", job}, {"contactId", client}, {"client", true}, {"jobRoles", json::array()}}, age - 1);
    plant("event",
          {{"name", "Wedding"},
           {"jobId", job},
           {"allDay", false},
           {"channel", "InPerson"},
           {"confirmed", stage != "lead"},
           {"startDate", date},
           {"startTime", "14:00:00"},
           {"endDate", date},
           {"endTime", "23:00:00"},
           {"timezoneName", "America/New_York"}},
          age - 1);
    plant("note",
          {{"jobId", job},
           {"contactId", client},
           {"contentHtml", "<p>Asked by telephone.</p>"},
           {"date", date}},
          age - 1);
    if (stage == "lead") continue;
    plant("order",
          {{"jobId", job},
           {"recipientId", client},
           {"name", "Wedding day"},
           {"status", "open"},
           {"total", price},
           {"balance", price - price / 2},
           {"bookedOn", date}},
          age - 2);
    plant("payment",
          {{"jobId", job},
           {"payerId", client},
           {"status", "posted"},
           {"amount", price / 2},
           {"refundedAmount", 0},
           {"received", date}},
          age - 3);
  }
}

} // namespace
} // namespace garland::tave

GARLAND_TWIN(garland::tave::Studio)
