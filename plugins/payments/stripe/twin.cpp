// The twin of Stripe: payment intents with separate capture, refunds, events, webhook endpoints, balance
// transactions; idempotency keys, cursors and errors in Stripe's form.
//
// Any secret key of test mode signs in. The payment method decides how a confirmation ends, by Stripe's own
// test names: pm_card_visa goes well, pm_card_chargeDeclined is declined, pm_card_authenticationRequired asks
// the customer. Not here: connected accounts, transfers, disputes, payouts.
#include "twin_request.h"

#include <garland/sdk/twin.hpp>

namespace {

using namespace garland::stripe_twin;

constexpr std::int64_t kMostAmount = 99'999'999;
constexpr std::int64_t kFeePerMille = 29;
constexpr std::int64_t kFeeFixed = 30;

std::int64_t unixTime(TimePoint when) { return when.time_since_epoch().count() / 1000; }

using Row = json::object;
using Rows = Table<Row>;

std::int64_t numberIn(Row const& row, std::string_view member) {
  return row.at(member).to_number<std::int64_t>();
}
std::string_view textIn(Row const& row, std::string_view member) {
  auto const& value = row.at(member);
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

class Stripe final : public Twin {
public:
  explicit Stripe(Settings const& settings) : Twin(settings) {
    auto amounts = random().stream("amounts");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto& intent = newIntent(amounts.between(5'000, 500'000), "eur", "automatic");
      intent["payment_method"] = "pm_card_visa";
      authorise(intent);
      settle(intent, numberIn(intent, "amount"));
    }
    seeded_ = true;
  }

  Response serve(Request const& request) override {
    auto const basic = request.basic();
    auto const key = basic ? std::string_view(basic->first) : request.bearer();
    if (!key.starts_with("sk_test_") && !key.starts_with("rk_test_"))
      return stamped(errorAnswer({.status = 401, .message = "Invalid API Key provided."}));
    if (auto const verdict = limit_.take(key, now()); !verdict.allowed)
      return stamped(errorAnswer({.status = 429, .code = "rate_limit", .message = "Too many requests."}));
    return stamped(request.method == "POST" ? once(request, std::string(key)) : perform(request));
  }

  // {"id":ID,"cancel":true}: the vendor cancels it on Stripe's dashboard.
  // {"id":ID,"refund":AMOUNT}: or gives money back there.
  json::value edit(json::object const& change) override {
    auto const* const id = change.if_contains("id");
    if (id == nullptr || !id->is_string()) throw Malformed("an edit names the payment intent's \"id\"");
    auto& intent = find(intents_, std::string(id->get_string()), "payment_intent");
    if (auto const* const amount = change.if_contains("refund"); amount != nullptr && amount->is_int64())
      return refundOf(intent, amount->get_int64(), json::object());
    if (change.if_contains("cancel") == nullptr) throw Malformed("an edit has \"cancel\" or \"refund\"");
    return cancelled(intent, "requested_by_customer");
  }

  json::object state() const override {
    return {{"payment_intents", intents_.size()}, {"refunds", refunds_.size()}, {"events", events_.size()}};
  }

  Response refuse(int status, std::string_view why) const override {
    return errorAnswer({.status = status == 405 ? 404 : status, .message = std::string(why)});
  }

private:
  Response perform(Request const& request) { return dispatch(routes, *this, request); }

  Response stamped(Response answer) {
    return std::move(answer).with("request-id", ids().text("req_", 14)).with("stripe-version", "2023-08-16");
  }

  // A key gives the first answer again for a day, once the request was carried out.
  Response once(Request const& request, std::string const& account) {
    std::string const header(request.header("idempotency-key"));
    if (header.empty()) return perform(request);
    auto const key = account + " " + header;
    auto const what = request.path + "?" + request.body;
    auto const seen = keys_.find(key, what, now());
    if (seen.seen == SeenKeys::Seen::otherRequest)
      return errorAnswer({.type = "idempotency_error",
                          .message =
                              "Keys for idempotent requests can only be used with the same parameters they "
                              "were first used with."});
    if (seen.seen == SeenKeys::Seen::same) {
      Response again = *seen.answer;
      return std::move(again).with("idempotent-replayed", "true");
    }
    auto answer = perform(request);
    if (answer.status < 300 || answer.status == 402) keys_.keep(key, what, answer, now());
    return answer;
  }

  // ---- payment intents

  Response createIntent(Request const& request) {
    Parameters const given(request, {"amount", "currency", "capture_method", "confirm", "confirmation_method",
                                     "payment_method", "payment_method_types", "automatic_payment_methods",
                                     "customer", "description", "metadata", "receipt_email", "transfer_group",
                                     "return_url", "off_session", "transfer_data", "application_fee_amount",
                                     "statement_descriptor", "statement_descriptor_suffix"});
    auto const amount = given.number("amount");
    auto const currency = given.text("currency");
    if (!amount) missing("amount");
    if (!currency) missing("currency");
    if (*amount < 1)
      refuseWith({.code = "parameter_invalid_integer",
                  .message = "This value must be greater than or equal to 1.",
                  .param = "amount"});
    if (*amount > kMostAmount)
      refuseWith(
          {.code = "amount_too_large", .message = "Amount must be no more than 99999999", .param = "amount"});
    if (currency->size() != 3) refuseWith({.message = "Invalid currency: " + *currency, .param = "currency"});
    auto const capture = given.text("capture_method").value_or("automatic");
    if (capture != "automatic" && capture != "automatic_async" && capture != "manual")
      refuseWith({.message = "Invalid capture_method: must be one of automatic, automatic_async, or manual",
                  .param = "capture_method"});
    auto& intent = newIntent(*amount, *currency, capture);
    for (auto const* const name : {"customer", "description", "receipt_email", "transfer_group",
                                   "statement_descriptor", "statement_descriptor_suffix"})
      if (auto const text = given.text(name)) intent[name] = *text;
    if (auto const* const metadata = given.object("metadata")) intent["metadata"] = *metadata;
    if (auto const* const transfer = given.object("transfer_data")) intent["transfer_data"] = *transfer;
    if (auto const fee = given.number("application_fee_amount")) intent["application_fee_amount"] = *fee;
    if (auto const types = given.list("payment_method_types"); !types.empty())
      intent["payment_method_types"] = types;
    changed(intent, "payment_intent.created");
    usePaymentMethod(intent, given);
    if (given.flag("confirm")) return confirmed(intent);
    return {200, intent};
  }

  Response confirmIntent(Request const& request) {
    Parameters const given(request, {"payment_method", "return_url", "off_session", "capture_method"});
    auto& intent = find(intents_, request.at("intent"), "payment_intent");
    allow(intent, {"requires_payment_method", "requires_confirmation", "requires_action"}, "confirm");
    usePaymentMethod(intent, given);
    return confirmed(intent);
  }

  Response captureIntent(Request const& request) {
    Parameters const given(
        request, {"amount_to_capture", "application_fee_amount", "statement_descriptor", "metadata"});
    auto& intent = find(intents_, request.at("intent"), "payment_intent");
    allow(intent, {"requires_capture"}, "capture");
    auto const most = numberIn(intent, "amount_capturable");
    auto const amount = given.number("amount_to_capture").value_or(most);
    if (amount < 1 || amount > most)
      refuseWith({.code = "amount_too_large",
                  .message = "Amount to capture must be at least 1 and no more than what was authorised.",
                  .param = "amount_to_capture"});
    settle(intent, amount);
    return {200, intent};
  }

  Response cancelIntent(Request const& request) {
    Parameters const given(request, {"cancellation_reason"});
    auto& intent = find(intents_, request.at("intent"), "payment_intent");
    return {200, cancelled(intent, given.text("cancellation_reason").value_or(""))};
  }

  Response showIntent(Request const& request) {
    return {200, find(intents_, request.at("intent"), "payment_intent")};
  }
  Response listIntents(Request const& request) {
    Parameters const given(request, {"limit", "starting_after", "ending_before", "created", "customer"});
    auto const customer = given.text("customer");
    return listed(request, given, intents_.where([&](Row const& intent) {
      return inRange(intent, given) && (!customer || textIn(intent, "customer") == *customer);
    }));
  }

  Row& newIntent(std::int64_t amount, std::string currency, std::string_view capture) {
    auto const id = ids().text("pi_");
    Row intent;
    intent["id"] = id;
    intent["object"] = "payment_intent";
    intent["amount"] = amount;
    intent["amount_capturable"] = 0;
    intent["amount_received"] = 0;
    intent["canceled_at"] = nullptr;
    intent["cancellation_reason"] = nullptr;
    intent["capture_method"] = capture;
    intent["client_secret"] = ids().text(id + "_secret_");
    intent["confirmation_method"] = "automatic";
    intent["created"] = unixTime(now());
    std::ranges::transform(currency, currency.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    intent["currency"] = currency;
    for (auto const* const name :
         {"customer", "description", "last_payment_error", "latest_charge", "next_action", "payment_method",
          "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"})
      intent[name] = nullptr;
    intent["livemode"] = false;
    intent["metadata"] = json::object();
    intent["payment_method_types"] = json::array{"card"};
    intent["status"] = "requires_payment_method";
    return intents_.add(id, std::move(intent));
  }

  void usePaymentMethod(Row& intent, Parameters const& given) {
    auto const method = given.text("payment_method");
    if (!method) return;
    if (!method->starts_with("pm_"))
      refuseWith({.code = "resource_missing",
                  .message = "No such PaymentMethod: '" + *method + "'",
                  .param = "payment_method"});
    intent["payment_method"] = *method;
    intent["status"] = "requires_confirmation";
  }

  Response confirmed(Row& intent) {
    auto const method = textIn(intent, "payment_method");
    if (method.empty())
      refuseWith({.code = "payment_intent_unexpected_state",
                  .message = "You cannot confirm this PaymentIntent because it's missing a payment method."});
    if (method == "pm_card_chargeDeclined") return declined(intent);
    if (method == "pm_card_authenticationRequired") {
      intent["status"] = "requires_action";
      intent["next_action"] = json::object{{"type", "use_stripe_sdk"}, {"use_stripe_sdk", json::object()}};
      changed(intent, "payment_intent.requires_action");
      return {200, intent};
    }
    authorise(intent);
    if (textIn(intent, "capture_method") == "manual")
      changed(intent, "payment_intent.amount_capturable_updated");
    else
      settle(intent, numberIn(intent, "amount"));
    return {200, intent};
  }

  Response declined(Row& intent) {
    Wrong const wrong{
        .status = 402, .type = "card_error", .code = "card_declined", .message = "Your card was declined."};
    intent["status"] = "requires_payment_method";
    intent["payment_method"] = nullptr;
    intent["last_payment_error"] = json::object{{"type", wrong.type},
                                                {"code", wrong.code},
                                                {"decline_code", "generic_decline"},
                                                {"message", wrong.message}};
    changed(intent, "payment_intent.payment_failed");
    return errorAnswer(wrong, json::object{{"decline_code", "generic_decline"}, {"payment_intent", intent}});
  }

  void authorise(Row& intent) {
    intent["status"] = "requires_capture";
    intent["amount_capturable"] = intent["amount"];
    intent["latest_charge"] = ids().text("ch_");
  }

  void settle(Row& intent, std::int64_t amount) {
    intent["status"] = "succeeded";
    intent["amount_capturable"] = 0;
    intent["amount_received"] = amount;
    book("charge", std::string(textIn(intent, "latest_charge")), intent, amount,
         amount * kFeePerMille / 1000 + kFeeFixed);
    changed(intent, "payment_intent.succeeded");
  }

  Row& cancelled(Row& intent, std::string const& reason) {
    allow(intent, {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"},
          "cancel");
    intent["status"] = "canceled";
    intent["amount_capturable"] = 0;
    intent["canceled_at"] = unixTime(now());
    if (!reason.empty()) intent["cancellation_reason"] = reason;
    changed(intent, "payment_intent.canceled");
    return intent;
  }

  // ---- refunds

  Response createRefund(Request const& request) {
    Parameters const given(request, {"payment_intent", "charge", "amount", "reason", "metadata"});
    auto const intent_id = given.text("payment_intent");
    auto const charge = given.text("charge");
    if (!intent_id && !charge) missing("payment_intent");
    auto const found = intents_.where([&](Row const& intent) {
      return intent_id ? textIn(intent, "id") == *intent_id : textIn(intent, "latest_charge") == *charge;
    });
    if (found.empty()) noSuch(intent_id ? "payment_intent" : "charge", intent_id ? *intent_id : *charge);
    auto& intent = *intents_.find(textIn(*found.front(), "id"));
    auto const* const metadata = given.object("metadata");
    return {200, refundOf(intent, given.number("amount"), metadata != nullptr ? *metadata : json::object(),
                          given.text("reason"))};
  }

  Row& refundOf(Row& intent, std::optional<std::int64_t> asked, json::object metadata,
                std::optional<std::string> reason = {}) {
    std::string const charge(textIn(intent, "latest_charge"));
    auto const left = numberIn(intent, "amount_received") - refunded_[charge];
    if (numberIn(intent, "amount_received") == 0)
      refuseWith({.code = "charge_not_refundable",
                  .message = "This PaymentIntent does not have a successful charge to refund."});
    if (left == 0)
      refuseWith(
          {.code = "charge_already_refunded", .message = "Charge " + charge + " has already been refunded."});
    auto const amount = asked.value_or(left);
    if (amount < 1 || amount > left)
      refuseWith({.message = "Refund amount (" + std::to_string(amount) +
                             ") is greater than unrefunded amount on charge (" + std::to_string(left) + ")",
                  .param = "amount"});
    refunded_[charge] += amount;
    auto const id = ids().text("re_");
    Row refund{{"id", id},
               {"object", "refund"},
               {"amount", amount},
               {"charge", charge},
               {"created", unixTime(now())}};
    refund["currency"] = intent["currency"];
    refund["metadata"] = std::move(metadata);
    refund["payment_intent"] = intent["id"];
    refund["reason"] = reason ? json::value(*reason) : json::value();
    refund["status"] = "succeeded";
    refund["balance_transaction"] = book("refund", id, intent, -amount, 0);
    auto& row = refunds_.add(id, std::move(refund));
    changed(row, "refund.created");
    return row;
  }

  Response showRefund(Request const& request) {
    return {200, find(refunds_, request.at("refund"), "refund")};
  }
  Response listRefunds(Request const& request) {
    Parameters const given(
        request, {"limit", "starting_after", "ending_before", "created", "payment_intent", "charge"});
    auto const intent = given.text("payment_intent");
    auto const charge = given.text("charge");
    return listed(request, given, refunds_.where([&](Row const& refund) {
      return inRange(refund, given) && (!intent || textIn(refund, "payment_intent") == *intent) &&
             (!charge || textIn(refund, "charge") == *charge);
    }));
  }

  // ---- what is told of changes: events, webhooks, balance transactions

  void changed(Row const& row, std::string const& type) {
    auto const id = ids().text("evt_");
    Row event{{"id", id}, {"object", "event"}, {"api_version", "2023-08-16"}, {"created", unixTime(now())}};
    event["data"] = json::object{{"object", row}};
    event["livemode"] = false;
    event["pending_webhooks"] = hooks_.size();
    event["request"] = nullptr;
    event["type"] = type;
    for (auto const* const hook : hooks_.all())
      if (wants(*hook, type)) tell(*hook, id, event);
    events_.add(id, std::move(event));
    if (seeded_) note(type, std::string(textIn(row, "id")), row);
  }

  static bool wants(Row const& hook, std::string const& type) {
    for (auto const& wanted : hook.at("enabled_events").as_array())
      if (wanted == "*" || wanted == json::value(type)) return true;
    return false;
  }

  void tell(Row const& hook, std::string const& id, Row const& event) {
    Webhook notice;
    notice.id = id;
    notice.url = textIn(hook, "url");
    notice.body = json::serialize(event);
    notice.content_type = "application/json; charset=utf-8";
    notice.scheme = "stripe";
    notice.secret = secrets_.at(std::string(textIn(hook, "id")));
    deliver(std::move(notice));
  }

  std::string book(std::string_view type, std::string source, Row const& intent, std::int64_t amount,
                   std::int64_t fee) {
    auto const id = ids().text("txn_");
    Row line{{"id", id},
             {"object", "balance_transaction"},
             {"amount", amount},
             {"fee", fee},
             {"net", amount - fee}};
    line["available_on"] = unixTime(now()) + 7 * 86'400;
    line["created"] = unixTime(now());
    line["currency"] = intent.at("currency");
    line["description"] = nullptr;
    line["exchange_rate"] = nullptr;
    auto& details = line["fee_details"].emplace_array();
    if (fee > 0)
      details.push_back(json::object{{"amount", fee},
                                     {"application", nullptr},
                                     {"currency", intent.at("currency")},
                                     {"description", "Stripe processing fees"},
                                     {"type", "stripe_fee"}});
    line["reporting_category"] = type;
    line["source"] = std::move(source);
    line["status"] = "pending";
    line["type"] = type;
    balance_.add(id, std::move(line));
    return id;
  }

  Response showEvent(Request const& request) { return {200, find(events_, request.at("event"), "event")}; }
  Response listEvents(Request const& request) {
    Parameters const given(request, {"limit", "starting_after", "ending_before", "created", "type", "types"});
    auto types = given.list("types");
    if (auto const one = given.text("type")) types.push_back(json::value(*one));
    return listed(request, given, events_.where([&](Row const& event) {
      return inRange(event, given) &&
             (types.empty() || std::ranges::find(types, event.at("type")) != types.end());
    }));
  }
  Response listBalance(Request const& request) {
    Parameters const given(request,
                           {"limit", "starting_after", "ending_before", "created", "type", "source"});
    auto const type = given.text("type");
    auto const source = given.text("source");
    return listed(request, given, balance_.where([&](Row const& line) {
      return inRange(line, given) && (!type || textIn(line, "type") == *type) &&
             (!source || textIn(line, "source") == *source);
    }));
  }

  Response createHook(Request const& request) {
    Parameters const given(request,
                           {"url", "enabled_events", "description", "metadata", "api_version", "connect"});
    auto const url = given.text("url");
    auto const events = given.list("enabled_events");
    if (!url) missing("url");
    if (events.empty()) missing("enabled_events");
    if (!url->starts_with("http://") && !url->starts_with("https://"))
      refuseWith({.code = "url_invalid", .message = "Invalid URL: " + *url, .param = "url"});
    auto const id = ids().text("we_");
    Row hook{{"id", id}, {"object", "webhook_endpoint"}, {"created", unixTime(now())}, {"livemode", false}};
    hook["api_version"] = nullptr;
    hook["application"] = nullptr;
    hook["description"] = nullptr;
    hook["enabled_events"] = events;
    hook["metadata"] = json::object();
    hook["status"] = "enabled";
    hook["url"] = *url;
    auto const& row = hooks_.add(id, std::move(hook));
    note("webhook_endpoint.created", id, row);
    secrets_[id] = ids().text("whsec_", 32);
    Row shown = row;
    shown["secret"] = secrets_[id]; // told once
    return {200, shown};
  }
  Response listHooks(Request const& request) {
    Parameters const given(request, {"limit", "starting_after", "ending_before"});
    return listed(request, given, hooks_.all());
  }
  Response deleteHook(Request const& request) {
    auto const id = std::string(textIn(find(hooks_, request.at("hook"), "webhook_endpoint"), "id"));
    hooks_.erase(id);
    note("webhook_endpoint.deleted", id);
    return {200, json::object{{"id", id}, {"object", "webhook_endpoint"}, {"deleted", true}}};
  }

  // ---- common

  [[noreturn]] static void missing(std::string_view param) {
    refuseWith({.code = "parameter_missing",
                .message = "Missing required param: " + std::string(param) + ".",
                .param = param});
  }
  [[noreturn]] static void noSuch(std::string_view object, std::string const& id) {
    refuseWith({.status = 404,
                .code = "resource_missing",
                .message = "No such " + std::string(object) + ": '" + id + "'",
                .param = "id"});
  }
  static Row& find(Rows& rows, std::string const& id, std::string_view object) {
    auto* const row = rows.find(id);
    if (row == nullptr) noSuch(object, id);
    return *row;
  }
  static void allow(Row const& intent, std::initializer_list<std::string_view> states,
                    std::string_view verb) {
    auto const status = textIn(intent, "status");
    if (std::ranges::find(states, status) != states.end()) return;
    throw Refusal(errorAnswer({.code = "payment_intent_unexpected_state",
                               .message = "You cannot " + std::string(verb) +
                                          " this PaymentIntent because it has a status of " +
                                          std::string(status) + "."},
                              json::object{{"payment_intent", intent}}));
  }

  static bool inRange(Row const& row, Parameters const& given) {
    auto const* const range = given.object("created");
    if (range == nullptr) return true;
    auto const created = numberIn(row, "created");
    auto const holds = [&](std::string_view bound, auto compare) {
      auto const* const text = range->if_contains(bound);
      if (text == nullptr || !text->is_string()) return true;
      std::int64_t limit = 0;
      std::string const digits(text->get_string());
      std::from_chars(digits.data(), digits.data() + digits.size(), limit);
      return compare(created, limit);
    };
    return holds("gte", std::greater_equal<>()) && holds("gt", std::greater<>()) &&
           holds("lte", std::less_equal<>()) && holds("lt", std::less<>());
  }

  // Newest first; starting_after goes back in time, ending_before forward.
  static Response listed(Request const& request, Parameters const& given, std::vector<Row const*> rows) {
    auto const limit = given.number("limit").value_or(10);
    if (limit < 1 || limit > 100)
      refuseWith({.code = "parameter_invalid_integer",
                  .message = "This value must be between 1 and 100.",
                  .param = "limit"});
    auto const count = static_cast<std::size_t>(limit);
    auto const after = given.text("starting_after");
    auto const before = given.text("ending_before");
    if (!before) std::ranges::reverse(rows);
    auto page = pageAt(rows, 0, count);
    if (auto const& cursor = before ? before : after) {
      auto found = pageAfter(rows, [&](Row const* row) { return textIn(*row, "id") == *cursor; }, count);
      if (!found) noSuch("object", *cursor);
      page = std::move(*found);
    }
    if (before) std::ranges::reverse(page.items);
    json::array data;
    for (auto const* const row : page.items) data.push_back(*row);
    return {200, json::object{{"object", "list"},
                              {"url", request.path},
                              {"has_more", page.more},
                              {"data", std::move(data)}}};
  }

  static constexpr Route<Stripe> routes[] = {
      {"POST", "/v1/payment_intents", &Stripe::createIntent},
      {"GET", "/v1/payment_intents", &Stripe::listIntents},
      {"GET", "/v1/payment_intents/{intent}", &Stripe::showIntent},
      {"POST", "/v1/payment_intents/{intent}/confirm", &Stripe::confirmIntent},
      {"POST", "/v1/payment_intents/{intent}/capture", &Stripe::captureIntent},
      {"POST", "/v1/payment_intents/{intent}/cancel", &Stripe::cancelIntent},
      {"POST", "/v1/refunds", &Stripe::createRefund},
      {"GET", "/v1/refunds", &Stripe::listRefunds},
      {"GET", "/v1/refunds/{refund}", &Stripe::showRefund},
      {"GET", "/v1/events", &Stripe::listEvents},
      {"GET", "/v1/events/{event}", &Stripe::showEvent},
      {"GET", "/v1/balance_transactions", &Stripe::listBalance},
      {"POST", "/v1/webhook_endpoints", &Stripe::createHook},
      {"GET", "/v1/webhook_endpoints", &Stripe::listHooks},
      {"DELETE", "/v1/webhook_endpoints/{hook}", &Stripe::deleteHook},
  };

  Rows intents_, refunds_, events_, balance_, hooks_;
  std::map<std::string, std::int64_t> refunded_; // by charge
  std::map<std::string, std::string> secrets_;   // by webhook endpoint
  SeenKeys keys_;
  RateLimit limit_{100, std::chrono::seconds(1)};
  bool seeded_ = false;
};

} // namespace

GARLAND_TWIN(Stripe)
