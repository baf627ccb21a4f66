// Starter: payments that are held first and taken later, and refunds.
//
// What is particular to this provider stands in tables: what its errors mean, where its lists are, which of
// its members is which of ours, what can be done. What a row means: garland/sdk/errors.hpp, rest.hpp,
// fields.hpp, payments.hpp. An act is sent with its key, so repeating it does it once; one whose answer was
// lost is found by that key, which stands in the record.
#include <garland/sdk/payments.hpp>

namespace {

namespace sdk = garland::sdk;
namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::Effect;
using sdk::Kind;
using sdk::payments::Act;
using sdk::payments::Entity;
using sdk::payments::Filter;
using sdk::payments::Verb;

// ---- errors: {"error": {"code", "message", "field"}}
constexpr sdk::errors::Meaning meanings[] = {
    {401, "", Kind::authRevoked},            // keys do not expire
    {402, "", Kind::invalidInput, {}, true}, // the means of payment was declined
    {403, "", Kind::forbidden},
    // The key was used before, for something else: look what became of it.
    {0, "key_used", Kind::conflict, Effect::unknown},
    {409, "", Kind::conflict}, // the payment is not in that state any more
    {422, "", Kind::invalidInput},
};
constexpr sdk::errors::Detail details[] = {{"decline_code", "/error/decline_code"}};
// What a client whose means of payment was declined can do; a code that is new is never tried again.
constexpr sdk::payments::Decline decline_codes[] = {
    {"insufficient_funds", "retry"}, {"do_not_honor", "other_method"}, {"expired_card", "other_method"}};
constexpr sdk::errors::Mapper errors{.code = "/error/code",
                                     .message = "/error/message",
                                     .field = "/error/field",
                                     .meanings = meanings,
                                     .details = details};

// ---- lists: what changed since a token, page after page
constexpr rest::Resource resource(std::string_view path) {
  return {.path = path,
          .records = "/items",
          .version = "",
          .paging = rest::Cursor{.parameter = "cursor", .next = "/next_cursor"},
          .changes = rest::SyncToken{.parameter = "since", .next = "/next_since", .expired = 410},
          .errors = errors};
}
constexpr rest::Resource payments = resource("payments");
constexpr rest::Resource refunds = resource("refunds");

// ---- records: ours, theirs, how it is written, which way, required. Amounts are integers in minor units.
constexpr Amount money{.currency = "/currency"};
constexpr Amount bare_money{}; // in the currency of another record
constexpr Timestamp seconds{Timestamp::Form::seconds};
constexpr std::string_view own_key = "/metadata/garland_key";
constexpr std::string_view own_reference = "/metadata/garland_reference";

constexpr Word payment_states[] = {{"action_required", "to_confirm"},
                                   {"authorized", "held"},
                                   {"captured", "taken"},
                                   {"cancelled", "cancelled"},
                                   {"unpaid", "declined"}};
constexpr Field payment[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/authorized", "/held", money},
    {"/captured", "/taken", money},
    {"/status", "/status", Words{payment_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/method", "/method"},
    {"/customer", "/customer"},
    {"/description", "/description"},
    {"/split/destination", "/split_to"},
    {"/split/fee", "/fee", money},
    {"/action_url", "/confirm_url"},
    {"/reference", own_reference},
};
constexpr Word refund_states[] = {{"succeeded", "done"}, {"pending", "pending"}, {"failed", "failed"}};
constexpr Field refund[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/status", "/status", Words{refund_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/payment", "/payment"},
    {"/reference", own_reference},
};
constexpr Entity all[] = {{"payments.payment", payments, payment}, {"payments.refund", refunds, refund}};
constexpr Entity const& a_payment = all[0];
constexpr Entity const& a_refund = all[1];

// ---- acts: from the input to the request's form
constexpr Field authorization[] = {
    {"/amount", "/amount", money, Way::out, true},
    {"/method", "/method", Text{}, Way::out, true},
    {"/customer", "/customer"},
    {"/description", "/description"},
    {"/split/destination", "/split_to"},
    {"/split/fee", "/fee", bare_money},
    {"/return_url", "/return_url"},
    {"/reference", own_reference},
};
constexpr Field capture[] = {{"/amount", "/amount", bare_money}};
constexpr Field giving_back[] = {
    {"/payment", "/payment", Text{}, Way::out, true},
    {"/amount", "/amount", bare_money},
    {"/reference", own_reference},
};
constexpr std::string_view created_since = "created_from";
constexpr Filter of_payment[] = {{"payment", "/payment"}};
constexpr std::string_view held[] = {"authorized"};

constexpr Act all_acts[] = {
    {.verb = Verb::authorize,
     .entity = a_payment,
     .path = "payments",
     .map = authorization,
     .key = own_key,
     .since = created_since,
     .refused = "unpaid"},
    {.verb = Verb::capture,
     .entity = a_payment,
     .path = "payments/{payment}/capture",
     .map = capture,
     .key = "/metadata/garland_capture",
     .priced_by = {&a_payment, "payment"},
     .changes = "payment",
     .possible = held},
    {.verb = Verb::cancel,
     .entity = a_payment,
     .path = "payments/{payment}/cancel",
     .changes = "payment",
     .done = "cancelled",
     .possible = held},
    {.verb = Verb::refund,
     .entity = a_refund,
     .path = "refunds",
     .map = giving_back,
     .key = own_key,
     .priced_by = {&a_payment, "payment"},
     .filters = of_payment,
     .since = created_since},
};

// ---- what no table says
struct Settings {
  std::optional<std::string> url;
};
GARLAND_RECORD(Settings, url)

class Payments final : public sdk::payments::TableConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    begin(account);
    sdk::Request request;
    request.url = "me";
    auto name = sdk::textOr(rest::fetch(account, errors, std::move(request)), "/name");
    if (name.empty()) throw sdk::Failure(Kind::providerBug, "the answer of /me: /name: is missing");
    return {std::move(name)};
  }

  // As in the manifest.
  static std::span<sdk::OperationEntry const> operations() {
    static constexpr sdk::OperationEntry table[] = {
        sdk::operation<&Payments::check>("health.check/1"),
        sdk::operation<&Payments::pull>("payments.pull/1"),
        sdk::operation<&Payments::perform<Verb::authorize>>("payments.authorize/1"),
        sdk::operation<&Payments::perform<Verb::capture>>("payments.capture/1"),
        sdk::operation<&Payments::perform<Verb::cancel>>("payments.cancel/1"),
        sdk::operation<&Payments::perform<Verb::refund>>("payments.refund/1"),
        sdk::operation<&Payments::find>("payments.find/1"),
        sdk::operation<&Payments::get>("records.get/1"),
    };
    return table;
  }

protected:
  std::span<Entity const> entities() const override { return all; }
  std::span<Act const> acts() const override { return all_acts; }
  sdk::payments::Declines declines() const override { return {"decline_code", decline_codes}; }
  sdk::payments::Lines lines() const override { return {a_payment, ""}; } // it offers no settlement

  void begin(sdk::Account& account) override {
    auto url = account.settingsAs<Settings>().url.value_or("https://api.starter.example/v1");
    if (!url.ends_with('/')) url += '/';
    account.setBase(std::move(url));
  }
};

} // namespace

GARLAND_CONNECTOR(Payments)
