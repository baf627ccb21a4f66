// The twin of Starter: a list of weddings in lines, as its API behaves towards one vendor. It is C++, as
// every twin; the connector needs none of it.
//
// Under /v1, "Authorization: Bearer twin-key". `volume` is how many weddings there are to begin with.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

struct Wedding {
  std::string date;
  std::string title;
  std::int64_t version = 1;
  std::int64_t order = 0; // of its last change
  bool gone = false;
};

class Weddings final : public Twin {
public:
  explicit Weddings(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    auto const today = std::chrono::floor<std::chrono::days>(settings.start);
    for (std::int64_t i = 0; i < settings.volume; ++i)
      add({.date = sdk::rfc3339(today + std::chrono::days(people.between(1, 500))).substr(0, 10),
           .title = "Wedding of " + person(people).last});
  }

  Response serve(Request const& request) override {
    if (request.bearer() != "twin-key") return refuse(401, "the API key is not valid");
    if (auto const verdict = limit_.take("key", now()); !verdict.allowed)
      return refuse(429, "too many requests")
          .with("Retry-After", std::to_string((verdict.retry_after.count() + 999) / 1000));
    return dispatch(routes, *this, request);
  }

  Response refuse(int status, std::string_view why) const override {
    return {status, "text/plain", std::string(why) + "\n"};
  }

  // {"id": ..., "title": ...}, or "delete": true; with "date" and without "id" it is created.
  json::value edit(json::object const& change) override {
    auto id = sdk::textOr(change, "/id");
    auto const title = sdk::textOr(change, "/title");
    if (id.empty()) {
      auto const date = sdk::textOr(change, "/date");
      if (date.empty() || title.empty()) throw Malformed("an edit has \"id\", or \"date\" and \"title\"");
      id = add({.date = date, .title = title});
      note("wedding.created", id);
      return json::object{{"id", id}};
    }
    auto const found = rows_.find(id);
    if (found == rows_.end() || found->second.gone) throw Malformed("there is no wedding of this id");
    found->second.gone = change.contains("delete");
    if (!title.empty()) found->second.title = title;
    ++found->second.version;
    found->second.order = ++changes_;
    note(found->second.gone ? "wedding.deleted" : "wedding.changed", id);
    return json::object{{"id", id}};
  }

  json::object state() const override {
    std::int64_t count = 0;
    for (auto const& [id, row] : rows_) count += row.gone ? 0 : 1;
    return {{"weddings", count}};
  }

private:
  Response me(Request const&) { return {200, "text/plain", "account;Twin Studio\n"}; }

  Response index(Request const& request) {
    auto const since = request.parameterOr("since", "");
    auto const from = numberIn(since);
    if (from < 0 || from > changes_) return refuse(410, "this token is not known any more");
    std::map<std::int64_t, std::string> lines; // in the order of their changes
    for (auto const& [id, row] : rows_) {
      if (row.order <= from || (row.gone && since.empty())) continue;
      lines[row.order] =
          row.gone ? "gone;" + id
                   : "row;" + id + ";" + std::to_string(row.version) + ";" + row.date + ";" + row.title;
    }
    std::string body = "weddings 1\n";
    for (auto const& [order, line] : lines) body += line + "\n";
    return {200, "text/plain", body + "end s" + std::to_string(changes_) + "\n"};
  }

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

  std::string add(Wedding wedding) {
    auto id = ids().text("w", 10);
    wedding.order = ++changes_;
    rows_[id] = std::move(wedding);
    return id;
  }

  static constexpr Route<Weddings> routes[] = {
      {"GET", "/v1/me.txt", &Weddings::me},
      {"GET", "/v1/weddings.txt", &Weddings::index},
  };

  std::map<std::string, Wedding> rows_; // what was deleted stays, marked
  std::int64_t changes_ = 0;
  RateLimit limit_{600, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Weddings)
