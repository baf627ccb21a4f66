// The twin of Starter: mails that are sent and delivered, as its API behaves towards one vendor.
//
// Under /v1, "Authorization: Bearer twin-key" ("twin-read" may only read). A second after it is sent a mail
// is delivered; to an address that begins with "bounced" it bounces, and one that begins with "optout" is
// refused. `volume` is how many mails there are to begin with.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

#include <ranges>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

constexpr std::int64_t page_size = 50;

class Post final : public Twin {
public:
  explicit Post(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const whom = person(people);
      plant({{"from", "Studio <studio@example.com>"},
             {"to", {whom.first + " <" + whom.email + ">"}},
             {"subject", "Your wedding, no. " + std::to_string(i + 1)},
             {"status", "delivered"},
             {"created_at", sdk::rfc3339(settings.start)}});
    }
  }

  Response serve(Request const& request) override {
    happen();
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

  // {"id": ..., "status": "opened"}: what happens to a mail.
  json::value edit(json::object const& change) override {
    happen();
    auto& row = find(sdk::textOr(change, "/id"));
    auto const status = sdk::textOr(change, "/status");
    if (status.empty()) throw Malformed("an edit has \"id\" and \"status\"");
    become(row, status);
    return row;
  }

  json::object state() const override { return {{"messages", rows_.size()}}; }

private:
  using Row = json::object;

  static Response error(int status, std::string_view code, std::string_view message,
                        std::string_view field = {}) {
    json::object what{{"code", code}, {"message", message}};
    if (!field.empty()) what["field"] = field;
    return {status, json::object{{"error", what}}};
  }

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

  Response index(Request const& request) {
    if (request.parameterOr("order", "") == "newest") return newestFirst(request);
    auto const since = request.parameterOr("since", "");
    auto const from = numberIn(since);
    auto const at = numberIn(request.parameterOr("cursor", since));
    if (from < 0 || at < 0 || from > changes_ || at > changes_)
      return error(410, "token_too_old", "this token is not known any more: read everything again");
    std::map<std::int64_t, Row const*> changed;
    for (auto const& [id, row] : rows_)
      if (order_.at(id) > at) changed[order_.at(id)] = &row;
    json::array items;
    std::int64_t last = at;
    for (auto const& [order, row] : changed) {
      if (std::ssize(items) == page_size) break;
      items.push_back(listed(*row));
      last = order;
    }
    json::object answer{{"items", items}, {"next_since", "s" + std::to_string(changes_)}};
    if (std::ssize(changed) > page_size) answer["next_cursor"] = "s" + std::to_string(last);
    return {200, answer};
  }
  // Behind the mail of that number, in the order they were sent.
  Response newestFirst(Request const& request) {
    auto const before = numberIn(request.parameterOr("cursor", "s" + std::to_string(made_.size())));
    json::array items;
    auto at = std::min<std::int64_t>(before, std::ssize(made_));
    while (at > 0 && std::ssize(items) < page_size)
      items.push_back(listed(rows_.at(made_[static_cast<std::size_t>(--at)])));
    json::object answer{{"items", items}};
    if (at > 0) answer["next_cursor"] = "s" + std::to_string(at);
    return {200, answer};
  }
  static Row listed(Row row) { // lists leave these out
    for (auto const* const name : {"text", "html", "tags"}) row.erase(name);
    return row;
  }
  Response show(Request const& request) { return {200, find(request.at("id"))}; }

  Response send(Request const& request) {
    auto row = request.bodyObject();
    for (auto const* const name : {"from", "subject"})
      if (sdk::textOr(row, "/" + std::string(name)).empty())
        return error(422, "invalid", std::string(name) + " is missing", name);
    auto const* const to = row.if_contains("to");
    if (to == nullptr || !to->is_array() || to->get_array().empty())
      return error(422, "invalid", "to is missing", "to");
    for (auto const& one : to->get_array())
      if (addressOf(one).starts_with("optout"))
        return error(422, "opted_out", "the recipient does not want any mails", "to");
    row["status"] = "queued";
    row["created_at"] = sdk::rfc3339(now());
    auto& kept = plant(std::move(row));
    note("message.created", sdk::textOr(kept, "/id"), kept);
    become(kept, "sent");
    bool const bounces = addressOf(recipientsOf(kept).front()).starts_with("bounced");
    due_.emplace(now() + std::chrono::seconds(1),
                 std::pair(sdk::textOr(kept, "/id"), std::string(bounces ? "bounced" : "delivered")));
    return {201, json::object{{"id", kept.at("id")}}};
  }

  // ---- mails
  static json::array const& recipientsOf(Row const& row) { return row.at("to").get_array(); }
  static std::string addressOf(json::value const& text) { // "Ada <ada@example.com>" or the address alone
    auto const whole = sdk::textOr(text, "");
    auto const open = whole.rfind('<');
    return open == std::string::npos ? whole : whole.substr(open + 1, whole.size() - open - 2);
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
  Row& find(std::string const& id) {
    auto const found = rows_.find(id);
    if (found == rows_.end()) throw Refusal(error(404, "not_found", "there is no message of this id"));
    return found->second;
  }
  Row& plant(Row row) { // it stands in no ledger
    auto const id = ids().uuid();
    row["id"] = id;
    order_[id] = ++changes_;
    made_.push_back(id);
    return rows_[id] = std::move(row);
  }
  void become(Row& row, std::string const& status) {
    auto const id = sdk::textOr(row, "/id");
    row["status"] = status;
    order_[id] = ++changes_;
    note("message." + status, id);
  }
  // Everything that is due by now.
  void happen() {
    while (!due_.empty() && due_.begin()->first <= now()) {
      auto const what = due_.begin()->second;
      due_.erase(due_.begin());
      become(find(what.first), what.second);
    }
  }

  static constexpr Route<Post> routes[] = {
      {"GET", "/v1/me", &Post::me},
      {"GET", "/v1/messages", &Post::index},
      {"POST", "/v1/messages", &Post::send},
      {"GET", "/v1/messages/{id}", &Post::show},
  };

  std::map<std::string, Row> rows_;                                   // by id
  std::map<std::string, std::int64_t> order_;                         // by id: its last change
  std::vector<std::string> made_;                                     // ids, the newest last
  std::multimap<TimePoint, std::pair<std::string, std::string>> due_; // id, what becomes of it
  std::int64_t changes_ = 0;
  SeenKeys keys_;
  RateLimit limit_{600, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Post)
