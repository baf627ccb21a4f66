// The twin of Stripe: payment intents with separate capture, refunds, and by its base classes transfers,
// disputes, payouts, events, webhook endpoints and balance transactions; idempotency keys, cursors and errors
// in Stripe's form. Each connected account has books of its own.
//
// Any secret key of test mode signs in, any account "acct_..." is connected. The payment method decides how a
// confirmation ends, by Stripe's own test names: see declines below; pm_card_authenticationRequired asks the
// customer, those in good_methods go well, and there are no others.
#include "twin_marketplace.h"

#include <span>

namespace {

using namespace garland::stripe_twin;

constexpr std::int64_t fee_per_mille = 29;
constexpr std::int64_t fee_fixed = 30;

struct Decline {
  std::string_view method;
  std::string_view code;
  std::string_view reason;
  std::string_view message;
};
constexpr Decline declines[] = {
    {"pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."},
    {"pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds",
     "Your card has insufficient funds."},
    {"pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "Your card has expired."},
};
// Which a cardholder's bank may name.
constexpr std::string_view dispute_reasons[] = {"bank_cannot_process",
                                                "check_returned",
                                                "credit_not_processed",
                                                "customer_initiated",
                                                "debit_not_authorized",
                                                "duplicate",
                                                "fraudulent",
                                                "general",
                                                "incorrect_account_details",
                                                "insufficient_funds",
                                                "noncompliant",
                                                "product_not_received",
                                                "product_unacceptable",
                                                "subscription_canceled",
                                                "unrecognized"};
constexpr std::string_view asks_customer = "pm_card_authenticationRequired";
constexpr std::string_view good_methods[] = {
    "pm_card_visa",    "pm_card_visa_debit", "pm_card_mastercard", "pm_card_mastercard_debit",
    "pm_card_amex",    "pm_card_discover",   "pm_card_diners",     "pm_card_jcb",
    "pm_card_unionpay"};

bool has(std::span<std::string_view const> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool isMethod(std::string_view name) {
  return name == asks_customer || has(good_methods, name) ||
         std::ranges::find(declines, name, &Decline::method) != std::end(declines);
}

class Stripe final : public Marketplace {
public:
  explicit Stripe(Settings const& settings) : Marketplace(settings) {
    auto amounts = random().stream("amounts");
    for (std::int64_t i = 0; i < settings.volume; ++i) {
      auto& intent = newIntent(amounts.between(5'000, 500'000), "eur", "automatic");
      intent["payment_method"] = "pm_card_visa";
      authorise(intent);
      settle(intent, numberIn(intent, "amount"));
    }
    begun();
  }

  Response serve(Request const& request) override {
    auto const basic = request.basic();
    auto const key = basic ? std::string_view(basic->first) : request.bearer();
    if (!key.starts_with("sk_test_") && !key.starts_with("rk_test_"))
      return stamped(errorAnswer({.status = 401, .message = "Invalid API Key provided."}));
    if (auto const verdict = limit_.take(key, now()); !verdict.allowed)
      return stamped(errorAnswer({.status = 429, .code = "rate_limit", .message = "Too many requests."}));
    std::string const account(request.header("stripe-account"));
    if (!account.empty() && !account.starts_with("acct_"))
      return stamped(errorAnswer({.status = 403,
                                  .code = "account_invalid",
                                  .message = "The provided key does not have access to account '" + account +
                                             "' (or that account does not exist)."}));
    use(account);
    return stamped(request.method == "POST" ? once(request, std::string(key) + " " + account)
                                            : perform(request));
  }

  // What happens elsewhere, on the dashboard or at a bank:
  // {"authorize":AMOUNT,"currency":CURRENCY}, {"id":PAYMENT,"capture":true}, {"id":PAYMENT,"cancel":true},
  // {"id":PAYMENT,"refund":AMOUNT}, {"id":PAYMENT,"dispute":REASON}, {"dispute":ID,"won":true},
  // {"payout":CURRENCY}; "account":ID for a connected account.
  json::value edit(json::object const& change) override {
    auto const text = [&](std::string_view name) {
      auto const* const found = change.if_contains(name);
      return found == nullptr || !found->is_string() ? std::string() : std::string(found->get_string());
    };
    requireKnown(change);
    use(text("account"));
    if (auto const currency = text("payout"); !currency.empty()) return payOut(currency);
    if (auto const* const amount = change.if_contains("authorize"); amount != nullptr && amount->is_int64())
      return authorisedElsewhere(amount->get_int64(), text("currency"));
    auto const id = text("id");
    if (auto const* const won = change.if_contains("won"); won != nullptr && id.empty())
      return decide(text("dispute"), *won == json::value(true));
    if (id.empty()) throw Malformed("an edit names the payment intent's \"id\", a dispute or a payout");
    auto& intent = find(own().intents, id, "payment_intent");
    if (auto const reason = text("dispute"); !reason.empty()) {
      if (!has(dispute_reasons, reason)) throw Malformed("\"dispute\" is none of Stripe's reasons for one");
      return dispute(intent, reason);
    }
    if (auto const* const amount = change.if_contains("refund"); amount != nullptr && amount->is_int64()) {
      auto& refund = refundOf(intent, {.amount = amount->get_int64()});
      changed(refund, "refund.created");
      return refund;
    }
    if (change.contains("capture")) {
      allow(intent, {"requires_capture"}, "capture");
      settle(intent, numberIn(intent, "amount_capturable"));
      return intent;
    }
    if (!change.contains("cancel"))
      throw Malformed("an edit has \"capture\", \"cancel\", \"refund\" or \"dispute\"");
    return cancelled(intent, "requested_by_customer");
  }

  // Of the platform's own account.
  json::object state() const override {
    auto const& own = platform();
    return {{"payment_intents", own.intents.size()},
            {"refunds", own.refunds.size()},
            {"transfers", own.transfers.size()},
            {"disputes", own.disputes.size()},
            {"payouts", own.payouts.size()},
            {"events", own.events.size()},
            {"balance_transactions", own.balance.size()}};
  }

  Response refuse(int status, std::string_view why) const override {
    return errorAnswer({.status = status == 405 ? 404 : status, .message = std::string(why)});
  }

private:
  static void requireKnown(json::object const& change) {
    static constexpr std::string_view texts[] = {"account", "currency", "dispute", "id", "payout"};
    static constexpr std::string_view amounts[] = {"authorize", "refund"};
    static constexpr std::string_view flags[] = {"cancel", "capture"};
    for (auto const& [name, value] : change) {
      bool const fits = has(texts, name)     ? value.is_string()
                        : has(amounts, name) ? value.is_int64()
                        : has(flags, name)   ? value == json::value(true)
                                             : name == "won" && value.is_bool();
      if (!fits)
        throw Malformed("\"" + std::string(std::string_view(name)) + "\" is not known, or not of its type");
    }
  }

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
    auto const currency = currencyOf(given);
    auto const amount = amountOf(given, currency);
    auto const capture = given.text("capture_method").value_or("automatic");
    if (capture != "automatic" && capture != "automatic_async" && capture != "manual")
      refuseWith({.message = "Invalid capture_method: must be one of automatic, automatic_async, or manual",
                  .param = "capture_method"});
    knowCustomer(given); // what is refused makes nothing
    methodIn(given);
    auto& intent = newIntent(amount, currency, capture);
    for (auto const* const name : {"customer", "description", "receipt_email", "transfer_group",
                                   "statement_descriptor", "statement_descriptor_suffix"})
      if (auto const text = given.text(name)) intent[name] = *text;
    mergeMetadata(intent, given);
    if (auto const* const transfer = given.object("transfer_data")) intent["transfer_data"] = *transfer;
    if (auto const fee = given.number("application_fee_amount")) intent["application_fee_amount"] = *fee;
    if (auto const types = given.list("payment_method_types"); !types.empty())
      intent["payment_method_types"] = types;
    changed(intent, "payment_intent.created");
    usePaymentMethod(intent, given);
    if (given.flag("confirm")) return confirmed(intent, request, given);
    return {200, intent};
  }

  Response confirmIntent(Request const& request) {
    Parameters const given(request, {"payment_method", "return_url", "off_session", "capture_method"});
    auto& intent = find(own().intents, request.at("intent"), "payment_intent");
    allow(intent, {"requires_payment_method", "requires_confirmation", "requires_action"}, "confirm");
    usePaymentMethod(intent, given);
    return confirmed(intent, request, given);
  }

  Response captureIntent(Request const& request) {
    Parameters const given(
        request, {"amount_to_capture", "application_fee_amount", "statement_descriptor", "metadata"});
    auto& intent = find(own().intents, request.at("intent"), "payment_intent");
    allow(intent, {"requires_capture"}, "capture");
    auto const most = numberIn(intent, "amount_capturable");
    auto const amount = given.number("amount_to_capture").value_or(most);
    if (amount < 1 || amount > most)
      refuseWith({.code = "amount_too_large",
                  .message = "Amount to capture must be at least 1 and no more than what was authorised.",
                  .param = "amount_to_capture"});
    mergeMetadata(intent, given);
    if (auto const fee = given.number("application_fee_amount")) intent["application_fee_amount"] = *fee;
    settle(intent, amount);
    return {200, intent};
  }

  Response cancelIntent(Request const& request) {
    Parameters const given(request, {"cancellation_reason"});
    auto& intent = find(own().intents, request.at("intent"), "payment_intent");
    return {200, cancelled(intent, given.text("cancellation_reason").value_or(""))};
  }

  Response showIntent(Request const& request) {
    return {200, find(own().intents, request.at("intent"), "payment_intent")};
  }
  Response listIntents(Request const& request) {
    knowCustomer(Parameters(request, {"customer", "limit", "starting_after", "ending_before", "created"}));
    return listed(request, own().intents, {"customer"});
  }

  Row& newIntent(std::int64_t amount, std::string const& currency, std::string_view capture) {
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
    intent["currency"] = currency;
    for (auto const* const name : {"application_fee_amount", "customer", "description", "last_payment_error",
                                   "latest_charge", "next_action", "payment_method", "receipt_email",
                                   "statement_descriptor", "statement_descriptor_suffix", "transfer_group"})
      intent[name] = nullptr;
    intent["livemode"] = false;
    intent["metadata"] = json::object();
    intent["payment_method_types"] = json::array{"card"};
    intent["status"] = "requires_payment_method";
    return own().intents.add(id, std::move(intent));
  }

  static std::optional<std::string> methodIn(Parameters const& given) {
    auto const method = given.text("payment_method");
    if (method && !isMethod(*method))
      refuseWith({.code = "resource_missing",
                  .message = "No such PaymentMethod: '" + *method + "'",
                  .param = "payment_method"});
    return method;
  }

  void usePaymentMethod(Row& intent, Parameters const& given) {
    auto const method = methodIn(given);
    if (!method) return;
    intent["payment_method"] = *method;
    intent["status"] = "requires_confirmation";
  }

  Response confirmed(Row& intent, Request const& request, Parameters const& given) {
    auto const method = textIn(intent, "payment_method");
    if (method.empty())
      refuseWith({.code = "payment_intent_unexpected_state",
                  .message = "You cannot confirm this PaymentIntent because it's missing a payment method."});
    for (auto const& decline : declines)
      if (method == decline.method) return declined(intent, decline);
    if (method == asks_customer) {
      intent["status"] = "requires_action";
      auto const back = given.text("return_url");
      if (back)
        intent["next_action"] =
            json::object{{"type", "redirect_to_url"},
                         {"redirect_to_url",
                          json::object{{"url", request.origin + "/authenticate"}, {"return_url", *back}}}};
      else
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

  Response declined(Row& intent, Decline const& decline) {
    Wrong const wrong{
        .status = 402, .type = "card_error", .code = decline.code, .message = std::string(decline.message)};
    intent["status"] = "requires_payment_method";
    intent["payment_method"] = nullptr;
    intent["last_payment_error"] = json::object{{"type", wrong.type},
                                                {"code", wrong.code},
                                                {"decline_code", decline.reason},
                                                {"message", wrong.message}};
    changed(intent, "payment_intent.payment_failed");
    return errorAnswer(wrong, json::object{{"decline_code", decline.reason}, {"payment_intent", intent}});
  }

  Row& authorisedElsewhere(std::int64_t amount, std::string const& currency) {
    if (amount < 1 || !takes(currency))
      throw Malformed("what is authorised is \"authorize\" in minor units and a \"currency\"");
    auto& intent = newIntent(amount, currency, "manual");
    intent["payment_method"] = "pm_card_visa";
    authorise(intent);
    changed(intent, "payment_intent.amount_capturable_updated");
    return intent;
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
    std::string const charge(textIn(intent, "latest_charge"));
    std::string const currency(textIn(intent, "currency"));
    book(own(), {.type = "charge",
                 .source = charge,
                 .currency = currency,
                 .amount = amount,
                 .fee = amount * fee_per_mille / 1000 + fee_fixed});
    if (auto const* const split = intent.if_contains("transfer_data"); split != nullptr)
      passOn({.amount = amount,
              .currency = currency,
              .destination = std::string(textIn(split->as_object(), "destination")),
              .source = charge,
              .fee = intent.at("application_fee_amount").is_null()
                         ? 0
                         : numberIn(intent, "application_fee_amount")});
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

  struct Returning {
    std::optional<std::int64_t> amount = {}; // none: all that is left
    std::optional<std::string> reason = {};
    bool reverse_transfer = false;
    bool return_fee = false;
  };

  Response createRefund(Request const& request) {
    Parameters const given(request, {"payment_intent", "charge", "amount", "reason", "metadata",
                                     "reverse_transfer", "refund_application_fee"});
    auto const intent_id = given.text("payment_intent");
    auto const charge = given.text("charge");
    if (!intent_id && !charge) missing("payment_intent");
    auto const found = own().intents.where([&](Row const& intent) {
      return intent_id ? textIn(intent, "id") == *intent_id : textIn(intent, "latest_charge") == *charge;
    });
    if (found.empty()) noSuch(intent_id ? "payment_intent" : "charge", intent_id ? *intent_id : *charge);
    auto& intent = *own().intents.find(textIn(*found.front(), "id"));
    auto& refund = refundOf(intent, {given.number("amount"), given.text("reason"),
                                     given.flag("reverse_transfer"), given.flag("refund_application_fee")});
    mergeMetadata(refund, given);
    changed(refund, "refund.created");
    return {200, refund};
  }

  // What can be given back of it, or the refusal.
  std::int64_t refundable(Row const& intent, std::string const& charge) {
    auto const received = numberIn(intent, "amount_received");
    if (received == 0)
      refuseWith({.code = "charge_not_refundable",
                  .message = "This PaymentIntent does not have a successful charge to refund."});
    auto const disputes = own().disputes.where([&](Row const& dispute) {
      return textIn(dispute, "charge") == charge && textIn(dispute, "status") != "won";
    });
    if (!disputes.empty())
      refuseWith({.code = "charge_disputed", .message = "Charge " + charge + " has been charged back."});
    auto const left = received - own().refunded[charge];
    if (left == 0)
      refuseWith(
          {.code = "charge_already_refunded", .message = "Charge " + charge + " has already been refunded."});
    return left;
  }

  Row& refundOf(Row& intent, Returning const& returning) {
    std::string const charge(textIn(intent, "latest_charge"));
    auto const left = refundable(intent, charge);
    auto const amount = returning.amount.value_or(left);
    if (amount < 1 || amount > left)
      refuseWith({.message = "Refund amount (" + std::to_string(amount) +
                             ") is greater than unrefunded amount on charge (" + std::to_string(left) + ")",
                  .param = "amount"});
    own().refunded[charge] += amount;
    std::string const currency(textIn(intent, "currency"));
    auto const id = ids().text("re_");
    Row refund{{"id", id},
               {"object", "refund"},
               {"amount", amount},
               {"charge", charge},
               {"created", unixTime(now())}};
    refund["currency"] = currency;
    refund["metadata"] = json::object();
    refund["payment_intent"] = intent["id"];
    refund["reason"] = returning.reason ? json::value(*returning.reason) : json::value();
    refund["status"] = "succeeded";
    refund["balance_transaction"] =
        book(own(), {.type = "refund", .source = id, .currency = currency, .amount = -amount});
    giveBackSplit(intent, amount, returning);
    return own().refunds.add(id, std::move(refund));
  }

  // What the connected account got of it.
  void giveBackSplit(Row const& intent, std::int64_t amount, Returning const& returning) {
    auto const* const split = intent.if_contains("transfer_data");
    if (split == nullptr) {
      if (returning.reverse_transfer || returning.return_fee)
        refuseWith({.message = "This charge has no transfer to reverse, and no fee to refund."});
      return;
    }
    std::string const currency(textIn(intent, "currency"));
    auto& other = account(std::string(textIn(split->as_object(), "destination")));
    if (returning.reverse_transfer) {
      book(own(),
           {.type = "transfer_refund", .source = ids().text("trr_"), .currency = currency, .amount = amount});
      book(other,
           {.type = "payment_refund", .source = ids().text("pyr_"), .currency = currency, .amount = -amount});
    }
    if (!returning.return_fee || intent.at("application_fee_amount").is_null()) return;
    auto const fee =
        numberIn(intent, "application_fee_amount") * amount / numberIn(intent, "amount_received");
    auto const source = ids().text("fr_");
    book(own(), {.type = "application_fee_refund", .source = source, .currency = currency, .amount = -fee});
    book(other, {.type = "application_fee_refund", .source = source, .currency = currency, .amount = fee});
  }

  Response showRefund(Request const& request) {
    return {200, find(own().refunds, request.at("refund"), "refund")};
  }
  Response listRefunds(Request const& request) {
    return listed(request, own().refunds, {"payment_intent", "charge"});
  }

  // ---- common

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

  static constexpr Route<Stripe> routes[] = {
      {"POST", "/v1/customers", &Stripe::createCustomer},
      {"GET", "/v1/customers/{customer}", &Stripe::showCustomer},
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
      {"GET", "/v1/balance_transactions", &Stripe::listLines},
      {"GET", "/v1/balance_transactions/{line}", &Stripe::showLine},
      {"POST", "/v1/transfers", &Stripe::createTransfer},
      {"GET", "/v1/transfers", &Stripe::listTransfers},
      {"GET", "/v1/transfers/{transfer}", &Stripe::showTransfer},
      {"GET", "/v1/disputes", &Stripe::listDisputes},
      {"GET", "/v1/disputes/{dispute}", &Stripe::showDispute},
      {"POST", "/v1/disputes/{dispute}", &Stripe::updateDispute},
      {"GET", "/v1/payouts", &Stripe::listPayouts},
      {"GET", "/v1/payouts/{payout}", &Stripe::showPayout},
      {"GET", "/v1/account", &Stripe::showAccount},
      {"POST", "/v1/webhook_endpoints", &Stripe::createHook},
      {"GET", "/v1/webhook_endpoints", &Stripe::listHooks},
      {"DELETE", "/v1/webhook_endpoints/{hook}", &Stripe::deleteHook},
  };

  SeenKeys keys_;
  RateLimit limit_{100, std::chrono::seconds(1)};
};

} // namespace

GARLAND_TWIN(Stripe)
