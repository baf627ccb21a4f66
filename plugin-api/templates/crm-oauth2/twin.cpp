// The twin of Starter: a CRM with clients and projects, as its API behaves towards one vendor.
//
// Under /v1, "Authorization: Bearer twin-access" ("twin-read" may only read, "twin-expired" has expired).
// `volume` is how many clients there are to begin with, each with a project. Where the provider's description
// is silent the twin is strict: a member that it does not know, or of another type, is refused.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <ranges>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

constexpr std::int64_t page_size = 50;

struct Member {
  std::string_view name;
  char type; // t text, b boolean, i integer
};
struct List {
  std::string_view path;
  std::string_view one; // what the ledger calls a record
  std::vector<Member> members;
  std::string_view required;
};
List const lists[] = {
    {"clients",
     "client",
     {{"type", 't'},
      {"name", 't'},
      {"company", 't'},
      {"position", 't'},
      {"email", 't'},
      {"mobile", 't'},
      {"born_on", 't'},
      {"hobby", 't'}},
     "name"},
    {"projects",
     "project",
     {{"title", 't'},
      {"stage", 't'},
      {"archived", 'b'},
      {"event_on", 't'},
      {"guests", 'i'},
      {"notes", 't'},
      {"total", 'i'},
      {"currency", 't'},
      {"client_id", 't'},
      {"color", 't'}},
     "title"},
};

class Studio final : public Twin {
public:
  explicit Studio(Settings const& settings) : Twin(settings) {
    static constexpr std::string_view stages[] = {"inquiry", "won", "in_progress", "done"};
    auto people = random().stream("people");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const who = person(people);
      auto const day = settings.start + std::chrono::hours(24 * people.between(1, 500));
      auto const client = plant(lists[0], {{"type", "person"},
                                           {"name", who.first + " " + who.last},
                                           {"email", who.email},
                                           {"mobile", who.phone}});
      plant(lists[1], {{"title", who.last + " wedding"},
                       {"stage", people.pick(stages)},
                       {"event_on", sdk::rfc3339(day).substr(0, 10)},
                       {"guests", people.between(20, 300)},
                       {"total", people.between(50'000, 900'000)},
                       {"currency", "EUR"},
                       {"client_id", client}});
    }
  }

  Response serve(Request const& request) override {
    auto const token = request.bearer();
    if (token == "twin-expired") return error(401, "token_expired", "the access token has expired");
    bool const reader = token == "twin-read";
    if (token != "twin-access" && !reader)
      return error(401, "token_revoked", "the access token is not valid");
    if (auto const verdict = limit_.take(token, now()); !verdict.allowed)
      return error(429, "too_many_requests", "too many requests")
          .with("Retry-After", std::to_string((verdict.retry_after.count() + 999) / 1000));
    if (reader && request.method != "GET")
      return error(403, "missing_scope", "this token may only read", "write");
    return once(request, token);
  }

  Response refuse(int status, std::string_view why) const override { return error(status, "refused", why); }

  // {"list": "clients", "id": ..., "set": {...}}, or "delete": true; without "id" it is created.
  json::value edit(json::object const& change) override {
    auto const& list = listOf(sdk::textOr(change, "/list"));
    auto const id = sdk::textOr(change, "/id");
    if (change.contains("delete")) return remove(list, id);
    auto const* const set = change.if_contains("set");
    if (set == nullptr || !set->is_object()) throw Malformed("an edit has \"set\" or \"delete\"");
    return id.empty() ? create(list, set->get_object()) : alter(list, id, set->get_object());
  }

  json::object state() const override {
    json::object sizes;
    for (auto const& [path, rows] : rows_)
      sizes[path] = std::ranges::count_if(rows, [](auto const& row) { return !isGone(row.second); });
    return sizes;
  }

private:
  using Row = json::object;

  static Response error(int status, std::string_view code, std::string_view message,
                        std::string_view scope = {}) {
    json::object what{{"code", code}, {"message", message}};
    if (!scope.empty()) what["scope"] = scope;
    return {status, json::object{{"error", what}}};
  }
  static bool isGone(Row const& row) { return row.contains("deleted"); }

  // A key gives the first answer of its list again for a day.
  Response once(Request const& request, std::string_view token) {
    std::string const header(request.header("idempotency-key"));
    if (header.empty() || request.method != "POST") return dispatch(routes, *this, request);
    auto const key = std::string(token) + " " + request.path + " " + header;
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
    auto const& list = listOf(request.at("list"));
    auto const since = request.parameterOr("since", "");
    auto const from = numberIn(since);
    auto const at = numberIn(request.parameterOr("cursor", since));
    if (from < 0 || at < 0 || from > changes_ || at > changes_)
      return error(410, "token_too_old", "this token is not known any more: read everything again");
    std::map<std::int64_t, Row const*> changed;
    for (auto const& [id, row] : rows_[std::string(list.path)])
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
  Response add(Request const& request) {
    return {201, create(listOf(request.at("list")), request.bodyObject())};
  }
  Response show(Request const& request) { return {200, find(listOf(request.at("list")), request.at("id"))}; }
  Response change(Request const& request) {
    return {200, alter(listOf(request.at("list")), request.at("id"), request.bodyObject())};
  }
  Response take(Request const& request) {
    remove(listOf(request.at("list")), request.at("id"));
    return Response::empty();
  }

  // ---- records
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
  List const& listOf(std::string_view path) const {
    for (auto const& list : lists)
      if (list.path == path) return list;
    throw Refusal(error(404, "not_found", "there is nothing of this name"));
  }
  Row& find(List const& list, std::string const& id) {
    auto& rows = rows_[std::string(list.path)];
    auto const found = rows.find(id);
    if (found == rows.end() || isGone(found->second))
      throw Refusal(error(404, "not_found", "there is no " + std::string(list.one) + " of this id"));
    return found->second;
  }
  [[noreturn]] static void invalid(std::string_view field, std::string_view why) {
    json::object what{{"code", "invalid"}, {"message", std::string(field) + " " + std::string(why)}};
    what["field"] = field;
    throw Refusal({422, json::object{{"error", what}}});
  }
  static void require(List const& list, Row const& set) {
    for (auto const& [name, value] : set) {
      auto const member = std::ranges::find(list.members, std::string_view(name), &Member::name);
      if (member == list.members.end()) invalid(name, "is not known");
      bool const fits = value.is_null() || (member->type == 't' && value.is_string()) ||
                        (member->type == 'b' && value.is_bool()) || (member->type == 'i' && value.is_int64());
      if (!fits) invalid(name, "is of another type");
    }
  }

  std::string plant(List const& list, Row row) { // to begin with; it stands in no ledger
    auto const id = ids().text("", 12);
    row["id"] = id;
    row["version"] = "1";
    row["created_at"] = sdk::rfc3339(settings().start);
    row["updated_at"] = row["created_at"];
    order_[id] = ++changes_;
    rows_[std::string(list.path)][id] = std::move(row);
    return id;
  }
  json::value create(List const& list, Row const& set) {
    require(list, set);
    if (sdk::textOr(set, "/" + std::string(list.required)).empty()) invalid(list.required, "is missing");
    auto const id = plant(list, set);
    auto& row = find(list, id);
    row["created_at"] = sdk::rfc3339(now());
    row["updated_at"] = row["created_at"];
    note(std::string(list.one) + ".created", id, row);
    return row;
  }
  json::value alter(List const& list, std::string const& id, Row const& set) {
    auto& row = find(list, id);
    require(list, set);
    for (auto const& [name, value] : set) {
      if (value.is_null())
        row.erase(name);
      else
        row[name] = value;
    }
    touch(row, id);
    note(std::string(list.one) + ".changed", id, row);
    return row;
  }
  json::value remove(List const& list, std::string const& id) {
    auto& row = find(list, id);
    row = {{"id", id}, {"version", row.at("version")}, {"deleted", true}};
    touch(row, id);
    note(std::string(list.one) + ".deleted", id);
    return row;
  }
  void touch(Row& row, std::string const& id) {
    row["version"] = std::to_string(numberIn("s" + sdk::textOr(row, "/version")) + 1);
    row["updated_at"] = sdk::rfc3339(now());
    order_[id] = ++changes_;
  }

  static constexpr Route<Studio> routes[] = {
      {"GET", "/v1/me", &Studio::me},
      {"GET", "/v1/{list}", &Studio::index},
      {"POST", "/v1/{list}", &Studio::add},
      {"GET", "/v1/{list}/{id}", &Studio::show},
      {"PATCH", "/v1/{list}/{id}", &Studio::change},
      {"DELETE", "/v1/{list}/{id}", &Studio::take},
  };

  std::map<std::string, std::map<std::string, Row>> rows_; // by list and id; what was deleted stays, marked
  std::map<std::string, std::int64_t> order_;              // by id: its last change
  std::int64_t changes_ = 0;
  SeenKeys keys_;
  RateLimit limit_{600, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Studio)
