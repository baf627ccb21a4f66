// The twin of Starter: payments that are held, taken, cancelled and refunded, as its API behaves towards one
// vendor.
//
// Under /v1, "Authorization: Bearer sk_twin" ("sk_read" may only read); requests are forms. The means of
// payment "card_declined" is declined, "card_confirm" waits for its owner, every other one is good. `volume`
// is how many payments there are to begin with, every other one taken.
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/twin.hpp>

namespace {

namespace sdk = garland::sdk;
using namespace sdk::twin;

constexpr std::int64_t page_size = 50;
constexpr std::int64_t largest = 99'999'999;

class Bank final : public Twin {
public:
  explicit Bank(Settings const& settings) : Twin(settings) {
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto const amount = random().between(1'000, 900'000);
      auto& row =
          plant("payments", "pay_",
                {{"amount", amount}, {"currency", "EUR"}, {"method", "card_good"}, {"status", "held"}});
      row["held"] = i % 2 == 0 ? amount : 0;
      row["taken"] = amount - number(row, "held");
      row["status"] = i % 2 == 0 ? "held" : "taken";
    }
  }

  Response serve(Request const& request) override {
    auto const key = request.bearer();
    bool const reader = key == "sk_read";
    if (key != "sk_twin" && !reader) return error(401, "wrong_key", "the secret key is not valid");
    if (auto const verdict = limit_.take(key, now()); !verdict.allowed)
      return error(429, "too_many_requests", "too many requests")
          .with("Retry-After", std::to_string((verdict.retry_after.count() + 999) / 1000));
    if (reader && request.method != "GET") return error(403, "read_only", "this key may only read");
    return once(request, key);
  }

  Response refuse(int status, std::string_view why) const override { return error(status, "refused", why); }

  // {"payment": {"amount", "currency", "method"}}: a payment by other means than ours. Of one, on the
  // provider's own page: {"id", "take": true}, or {"id", "description"}.
  json::value edit(json::object const& change) override {
    if (auto const* const made = change.if_contains("payment"); made != nullptr && made->is_object())
      return hold(made->get_object());
    auto& row = find("payments", sdk::textOr(change, "/id"));
    if (change.contains("take")) return take(row, number(row, "held"));
    auto const* const words = change.if_contains("description");
    if (words == nullptr || !words->is_string())
      throw Malformed("an edit has \"payment\", or \"id\" and \"take\" or \"description\"");
    row["description"] = *words;
    return changed(row, "payment.described");
  }

  json::object state() const override {
    std::int64_t held = 0;
    std::int64_t taken = 0;
    for (auto const& [id, row] : rows_.at("payments")) {
      held += number(row, "held");
      taken += number(row, "taken");
    }
    return {{"payments", rows_.at("payments").size()},
            {"refunds", rows_.at("refunds").size()},
            {"held", held},
            {"taken", taken}};
  }

private:
  using Row = json::object;

  static Response error(int status, std::string_view code, std::string_view message,
                        std::string_view field = {}) {
    json::object what{{"code", code}, {"message", message}};
    if (!field.empty()) what["field"] = field;
    if (status == 402) what["decline_code"] = "do_not_honor";
    return {status, json::object{{"error", what}}};
  }
  [[noreturn]] static void invalid(std::string_view field, std::string_view why) {
    throw Refusal(error(422, "invalid", std::string(field) + " " + std::string(why), field));
  }
  static std::int64_t number(Row const& row, std::string_view name) {
    auto const* const value = row.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
  }

  // A key gives the first answer again for a day, refusals too.
  Response once(Request const& request, std::string_view account) {
    std::string const header(request.header("idempotency-key"));
    if (header.empty() || request.method != "POST") return dispatch(routes, *this, request);
    auto const key = std::string(account) + " " + header;
    auto const what = request.path + " " + request.body;
    auto const seen = keys_.find(key, what, now());
    if (seen.seen == SeenKeys::Seen::otherRequest)
      return error(409, "key_used", "the key was used for another request");
    if (seen.seen == SeenKeys::Seen::same) return *seen.answer;
    auto answer = dispatch(routes, *this, request);
    if (answer.status < 300) keys_.keep(key, what, answer, now());
    return answer;
  }

  // ---- reading
  Response me(Request const&) { return {200, json::object{{"name", "Twin Studio"}}}; }
  Response index(Request const& request) {
    if (!rows_.contains(request.at("list"))) return refuse(404, "there is no such list");
    auto const since = request.parameterOr("since", "");
    auto const from = numberIn(since);
    auto const at = numberIn(request.parameterOr("cursor", since));
    if (from < 0 || at < 0 || from > changes_ || at > changes_)
      return error(410, "token_too_old", "this token is not known any more: read everything again");
    auto const created = request.numberOr("created_from", 0);
    auto const payment = request.parameterOr("payment", "");
    std::map<std::int64_t, Row const*> changed;
    for (auto const& [id, row] : rows_.at(request.at("list")))
      if (order_.at(id) > at && number(row, "created") >= created &&
          (payment.empty() || sdk::textOr(row, "/payment") == payment))
        changed[order_.at(id)] = &row;
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
  Response show(Request const& request) { return {200, find(request.at("list"), request.at("id"))}; }
  static std::int64_t numberIn(std::string_view token) { // "s17"; -1: none of ours
    if (token.empty()) return 0;
    return token.starts_with('s') ? digits(token.substr(1)) : -1;
  }
  static std::int64_t digits(std::string_view text) {
    if (text.empty() || text.size() > 12) return -1;
    std::int64_t out = 0;
    for (char const c : text) {
      if (c < '0' || c > '9') return -1;
      out = out * 10 + (c - '0');
    }
    return out;
  }
  Row& find(std::string const& list, std::string const& id) {
    auto const rows = rows_.find(list);
    if (rows != rows_.end())
      if (auto const found = rows->second.find(id); found != rows->second.end()) return found->second;
    throw Refusal(error(404, "not_found", "there is nothing of this id"));
  }

  // ---- acting
  Response authorize(Request const& request) { return {201, hold(request.formObject())}; }
  Response capture(Request const& request) {
    auto& row = find("payments", request.at("id"));
    auto const form = request.formObject();
    requireHeld(row);
    auto const amount = form.contains("amount") ? amountIn(form) : number(row, "held");
    if (amount > number(row, "held")) invalid("amount", "is more than is held");
    keepMetadata(row, form);
    return {200, take(row, amount)};
  }
  Response cancel(Request const& request) {
    auto& row = find("payments", request.at("id"));
    requireHeld(row);
    row["held"] = 0;
    row["status"] = "cancelled";
    return {200, changed(row, "payment.cancelled")};
  }
  Response refund(Request const& request) {
    auto const form = request.formObject();
    auto& payment = find("payments", sdk::textOr(form, "/payment"));
    auto const left = number(payment, "taken") - number(payment, "refunded");
    auto const amount = form.contains("amount") ? amountIn(form) : left;
    if (amount == 0 || amount > left)
      return error(409, "too_much", "not so much of this payment is left to be refunded");
    payment["refunded"] = number(payment, "refunded") + amount;
    changed(payment, "payment.refunded");
    auto& row = plant("refunds", "ref_",
                      {{"amount", amount},
                       {"currency", payment.at("currency")},
                       {"payment", payment.at("id")},
                       {"status", "done"}});
    keepMetadata(row, form);
    row["created"] = unixNow();
    note("refund.created", sdk::textOr(row, "/id"), row);
    return {201, row};
  }

  json::value hold(json::object const& form) {
    auto const amount = amountIn(form);
    auto const currency = sdk::textOr(form, "/currency");
    auto const method = sdk::textOr(form, "/method");
    if (currency.size() != 3) invalid("currency", "must be a code of ISO 4217");
    if (method.empty()) invalid("method", "is missing");
    if (method == "card_declined") throw Refusal(error(402, "declined", "the card was declined"));
    bool const waits = method == "card_confirm";
    auto const fee = form.contains("fee") ? amountIn(form, "fee") : 0;
    if (fee > amount) invalid("fee", "is more than the amount");
    auto& row = plant("payments", "pay_",
                      {{"amount", amount},
                       {"currency", currency},
                       {"method", method},
                       {"held", waits ? 0 : amount},
                       {"taken", 0},
                       {"status", waits ? "to_confirm" : "held"}});
    if (waits) row["confirm_url"] = "https://pay.starter.example/confirm/" + sdk::textOr(row, "/id");
    if (fee > 0) row["fee"] = fee;
    for (auto const* const name : {"customer", "description", "split_to"})
      if (form.contains(name)) row[name] = form.at(name);
    keepMetadata(row, form);
    row["created"] = unixNow();
    note("payment.held", sdk::textOr(row, "/id"), row);
    return row;
  }
  json::value take(Row& row, std::int64_t amount) {
    requireHeld(row);
    row["taken"] = amount; // the rest is let go
    row["held"] = 0;
    row["status"] = "taken";
    return changed(row, "payment.taken");
  }
  static void requireHeld(Row const& row) {
    if (sdk::textOr(row, "/status") != "held")
      throw Refusal(error(409, "not_held", "this payment is not held any more"));
  }
  static std::int64_t amountIn(json::object const& form, std::string const& name = "amount") {
    auto const* const value = form.if_contains(name);
    auto const amount = value == nullptr    ? -1
                        : value->is_int64() ? value->get_int64()
                                            : digits(sdk::textOr(form, "/" + name));
    if (amount < 1 || amount > largest) invalid(name, "must be a whole number of minor units");
    return amount;
  }
  static void keepMetadata(Row& row, json::object const& form) {
    auto const* const given = form.if_contains("metadata");
    if (given == nullptr || !given->is_object()) return;
    auto& kept = row["metadata"];
    if (!kept.is_object()) kept = json::object();
    for (auto const& [name, value] : given->get_object()) kept.get_object()[name] = value;
  }

  std::int64_t unixNow() const {
    return std::chrono::floor<std::chrono::seconds>(now().time_since_epoch()).count();
  }
  Row& plant(std::string const& list, std::string_view prefix, Row row) { // it stands in no ledger
    auto const id = ids().text(prefix, 16);
    row["id"] = id;
    row["created"] = std::chrono::floor<std::chrono::seconds>(settings().start.time_since_epoch()).count();
    order_[id] = ++changes_;
    return rows_[list][id] = std::move(row);
  }
  json::value changed(Row& row, std::string what) {
    auto const id = sdk::textOr(row, "/id");
    order_[id] = ++changes_;
    note(std::move(what), id, row);
    return row;
  }

  static constexpr Route<Bank> routes[] = {
      {"GET", "/v1/me", &Bank::me},
      {"GET", "/v1/{list}", &Bank::index},
      {"POST", "/v1/payments", &Bank::authorize},
      {"POST", "/v1/refunds", &Bank::refund},
      {"GET", "/v1/{list}/{id}", &Bank::show},
      {"POST", "/v1/payments/{id}/capture", &Bank::capture},
      {"POST", "/v1/payments/{id}/cancel", &Bank::cancel},
  };

  std::map<std::string, std::map<std::string, Row>> rows_{{"payments", {}},
                                                          {"refunds", {}}}; // by list and id
  std::map<std::string, std::int64_t> order_;                               // by id: its last change
  std::int64_t changes_ = 0;
  SeenKeys keys_;
  RateLimit limit_{600, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Bank)
