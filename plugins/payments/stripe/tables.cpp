#include "tables.h"

namespace garland::stripe {
namespace {

namespace rest = sdk::rest;
using namespace sdk::fields;
using sdk::Effect;
using sdk::Kind;
using sdk::MinorDigits;
using sdk::errors::Detail;
using sdk::errors::Meaning;
using sdk::payments::Act;
using sdk::payments::Entity;
using sdk::payments::Filter;
using sdk::payments::Verb;

// ---- errors: {"error": {"type", "code", "decline_code", "param", "message"}}
constexpr Meaning meanings[] = {
    {401, "", Kind::authRevoked, Effect::notApplied}, // keys do not expire
    {402, "", Kind::invalidInput, Effect::notApplied, true},
    {403, "", Kind::forbidden, Effect::notApplied},
    // The key was used before, for something else or by a request that still runs: look what became of it.
    {0, "idempotency_error", Kind::conflict, Effect::unknown},
    {409, "", Kind::transient, Effect::unknown},
    {0, "lock_timeout", Kind::transient, Effect::notApplied},
    {429, "", Kind::rateLimited, Effect::notApplied},
    {0, "resource_missing", Kind::notFound, Effect::notApplied},
    {0, "payment_intent_unexpected_state", Kind::conflict, Effect::notApplied},
    {0, "charge_not_refundable", Kind::conflict, Effect::notApplied}, // it was not captured
    {0, "charge_already_refunded", Kind::conflict, Effect::notApplied},
    {0, "charge_already_captured", Kind::conflict, Effect::notApplied},
    {0, "charge_disputed", Kind::conflict, Effect::notApplied},
    {0, "balance_insufficient", Kind::quota, Effect::notApplied},
    {400, "", Kind::invalidInput, Effect::notApplied},
};
constexpr Detail details[] = {{"decline_code", "/error/decline_code"},
                              {"payment", "/error/payment_intent/id"},
                              {"payment_status", "/error/payment_intent/status"}};
// What a declined client can do. What is not named here is final: lost_card, fraudulent, do_not_try_again,
// and whatever comes up later.
constexpr sdk::payments::Decline all_declines[] = {{"approve_with_id", "retry"},
                                                   {"insufficient_funds", "retry"},
                                                   {"issuer_not_available", "retry"},
                                                   {"processing_error", "retry"},
                                                   {"reenter_transaction", "retry"},
                                                   {"try_again_later", "retry"},
                                                   {"authentication_required", "other_method"},
                                                   {"call_issuer", "other_method"},
                                                   {"card_not_supported", "other_method"},
                                                   {"card_velocity_exceeded", "other_method"},
                                                   {"currency_not_supported", "other_method"},
                                                   {"do_not_honor", "other_method"},
                                                   {"expired_card", "other_method"},
                                                   {"generic_decline", "other_method"},
                                                   {"incorrect_address", "other_method"},
                                                   {"incorrect_cvc", "other_method"},
                                                   {"incorrect_number", "other_method"},
                                                   {"incorrect_pin", "other_method"},
                                                   {"incorrect_zip", "other_method"},
                                                   {"invalid_account", "other_method"},
                                                   {"invalid_amount", "other_method"},
                                                   {"invalid_cvc", "other_method"},
                                                   {"invalid_expiry_month", "other_method"},
                                                   {"invalid_expiry_year", "other_method"},
                                                   {"invalid_number", "other_method"},
                                                   {"invalid_pin", "other_method"},
                                                   {"new_account_information_available", "other_method"},
                                                   {"no_action_taken", "other_method"},
                                                   {"not_permitted", "other_method"},
                                                   {"offline_pin_required", "other_method"},
                                                   {"online_or_offline_pin_required", "other_method"},
                                                   {"pin_try_exceeded", "other_method"},
                                                   {"service_not_allowed", "other_method"},
                                                   {"testmode_decline", "other_method"},
                                                   {"transaction_not_allowed", "other_method"},
                                                   {"withdrawal_count_limit_exceeded", "other_method"}};
constexpr sdk::errors::Mapper mapper{.code = "/error/code",
                                     .type = "/error/type",
                                     .message = "/error/message",
                                     .field = "/error/param",
                                     .meanings = meanings,
                                     .details = details,
                                     .retry = "Stripe-Should-Retry"};

// ---- amounts: in the smallest unit, but not always in that of ISO 4217
constexpr MinorDigits counted_otherwise[] = {{"ISK", 2}, {"MGA", 0}, {"UGX", 2}};
constexpr Amount money{
    .currency = "/currency", .lower_case = true, .exceptions = counted_otherwise, .whole_tens = true};
// In a currency that another record has.
constexpr Amount bare_money{.exceptions = counted_otherwise, .whole_tens = true};
constexpr Timestamp seconds{Timestamp::Form::seconds};

// ---- lists. The log holds records as they were in their account's own version: they are read again.
constexpr rest::StartingAfter pages;
constexpr rest::EventLog logOf(std::span<rest::Parameter const> types) {
  return {.query = types,
          .read_again = true,
          .since = "created[gte]",
          .keeps = std::chrono::hours(29 * 24)}; // Stripe keeps events for 30 days
}
constexpr rest::Resource resource(std::string_view path, rest::Changes changes) {
  return {
      .path = path, .records = "/data", .version = "", .paging = pages, .changes = changes, .errors = mapper};
}
constexpr std::string_view types = "types[]";
constexpr rest::Parameter payment_events[] = {
    {types, "payment_intent.created"},          {types, "payment_intent.processing"},
    {types, "payment_intent.requires_action"},  {types, "payment_intent.amount_capturable_updated"},
    {types, "payment_intent.partially_funded"}, {types, "payment_intent.payment_failed"},
    {types, "payment_intent.succeeded"},        {types, "payment_intent.canceled"}};
constexpr rest::Parameter refund_events[] = {{types, "refund.created"},
                                             {types, "refund.updated"},
                                             {types, "refund.failed"},
                                             {types, "charge.refund.updated"}};
constexpr rest::Parameter transfer_events[] = {
    {types, "transfer.created"}, {types, "transfer.updated"}, {types, "transfer.reversed"}};
constexpr rest::Parameter dispute_events[] = {{types, "charge.dispute.created"},
                                              {types, "charge.dispute.updated"},
                                              {types, "charge.dispute.closed"},
                                              {types, "charge.dispute.funds_reinstated"},
                                              {types, "charge.dispute.funds_withdrawn"}};
constexpr rest::Parameter payout_events[] = {
    {types, "payout.created"}, {types, "payout.updated"},  {types, "payout.paid"},
    {types, "payout.failed"},  {types, "payout.canceled"}, {types, "payout.reconciliation_completed"}};
constexpr rest::Resource payments = resource("payment_intents", logOf(payment_events));
constexpr rest::Resource refunds = resource("refunds", logOf(refund_events));
constexpr rest::Resource transfers = resource("transfers", logOf(transfer_events));
constexpr rest::Resource disputes = resource("disputes", logOf(dispute_events));
constexpr rest::Resource payouts = resource("payouts", logOf(payout_events));
// No event tells of them, but they never change once they are there.
constexpr rest::Resource transactions =
    resource("balance_transactions",
             rest::Since{"created[gte]", rest::Since::Form::seconds, std::chrono::minutes(10)});

// ---- records
constexpr std::string_view own_key = "/metadata/garland_key";
constexpr std::string_view own_reference = "/metadata/garland_reference";

constexpr Word payment_states[] = {{"unpaid", "requires_payment_method"},
                                   {"pending", "requires_confirmation"},
                                   {"pending", "processing"},
                                   {"action_required", "requires_action"},
                                   {"authorized", "requires_capture"},
                                   {"captured", "succeeded"},
                                   {"cancelled", "canceled"}};
constexpr Word reasons[] = {
    {"duplicate", "duplicate"}, {"fraudulent", "fraudulent"}, {"requested", "requested_by_customer"}};
constexpr Word cancel_reasons[] = {{"duplicate", "duplicate"},
                                   {"fraudulent", "fraudulent"},
                                   {"requested", "requested_by_customer"},
                                   {"abandoned", "abandoned"}};
constexpr Field payment[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/authorized", "/amount_capturable", money},
    {"/captured", "/amount_received", money},
    {"/status", "/status", Words{payment_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/cancelled", "/canceled_at", seconds},
    {"/cancel_reason", "/cancellation_reason", Words{cancel_reasons, "other"}},
    {"/method", "/payment_method"},
    {"/customer", "/customer"},
    {"/description", "/description"},
    {"/charge", "/latest_charge"},
    {"/group", "/transfer_group"},
    {"/split/destination", "/transfer_data/destination"},
    {"/split/fee", "/application_fee_amount", money},
    {"/action_url", "/next_action/redirect_to_url/url"},
    {"/decline/code", "/last_payment_error/code"},
    {"/decline/reason", "/last_payment_error/decline_code"},
    {"/decline/message", "/last_payment_error/message"},
    {"/reference", own_reference},
};

constexpr Word refund_states[] = {{"pending", "pending"},
                                  {"action_required", "requires_action"},
                                  {"succeeded", "succeeded"},
                                  {"failed", "failed"},
                                  {"cancelled", "canceled"}};
constexpr Field refund[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/status", "/status", Words{refund_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/payment", "/payment_intent"},
    {"/charge", "/charge"},
    {"/reason", "/reason", Words{reasons, "other"}},
    {"/failure", "/failure_reason"},
    {"/transaction", "/balance_transaction"},
    {"/reference", own_reference},
};

constexpr Field transfer[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/reversed", "/amount_reversed", money},
    {"/created", "/created", seconds},
    {"/destination", "/destination"},
    {"/source", "/source_transaction"},
    {"/group", "/transfer_group"},
    {"/description", "/description"},
    {"/transaction", "/balance_transaction"},
    {"/reference", own_reference},
};

constexpr Word dispute_states[] = {{"needs_response", "needs_response"},
                                   {"needs_response", "warning_needs_response"},
                                   {"under_review", "under_review"},
                                   {"under_review", "warning_under_review"},
                                   {"closed", "warning_closed"},
                                   {"won", "won"},
                                   {"lost", "lost"}};
constexpr Field dispute[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/status", "/status", Words{dispute_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/payment", "/payment_intent"},
    {"/charge", "/charge"},
    {"/reason", "/reason"},
    {"/due", "/evidence_details/due_by", seconds},
    {"/submissions", "/evidence_details/submission_count", Integer{}},
};

constexpr Word payout_states[] = {{"pending", "pending"},
                                  {"in_transit", "in_transit"},
                                  {"paid", "paid"},
                                  {"failed", "failed"},
                                  {"cancelled", "canceled"}};
constexpr Field payout[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/status", "/status", Words{payout_states, "other"}, Way::in, true},
    {"/created", "/created", seconds},
    {"/arrival", "/arrival_date", seconds},
    {"/automatic", "/automatic", Boolean{}},
    {"/destination", "/destination"},
    {"/description", "/description"},
    {"/failure", "/failure_code"},
    {"/transaction", "/balance_transaction"},
};

constexpr Field transaction[] = {
    {"/amount", "/amount", money, Way::in, true},
    {"/fee", "/fee", money, Way::in, true},
    {"/net", "/net", money, Way::in, true},
    {"/kind", "/reporting_category", Text{}, Way::in, true},
    {"/source", "/source"},
    {"/description", "/description"},
    {"/created", "/created", seconds},
    {"/available", "/available_on", seconds},
};

constexpr Entity all[] = {
    {"payments.payment", payments, payment},    {"payments.refund", refunds, refund},
    {"payments.transfer", transfers, transfer}, {"payments.dispute", disputes, dispute},
    {"payments.payout", payouts, payout},       {"payments.balance_transaction", transactions, transaction},
};
constexpr Entity const& a_payment = all[0];
constexpr Entity const& a_refund = all[1];
constexpr Entity const& a_transfer = all[2];
constexpr Entity const& a_dispute = all[3];
constexpr Entity const& a_transaction = all[5];

// ---- acts
constexpr Field authorization[] = {
    {"/amount", "/amount", money, Way::out, true},
    {"/method", "/payment_method", Text{}, Way::out, true},
    {"/customer", "/customer"},
    {"/description", "/description"},
    {"/receipt_email", "/receipt_email", Email{}},
    {"/statement", "/statement_descriptor_suffix"},
    {"/group", "/transfer_group"},
    {"/split/destination", "/transfer_data/destination"},
    {"/split/fee", "/application_fee_amount", bare_money},
    {"/off_session", "/off_session", Boolean{}},
    {"/return_url", "/return_url"},
    {"/reference", own_reference},
};
constexpr rest::Parameter held_at_once[] = {
    {"/capture_method", "manual"}, {"/confirm", "true"}, {"/payment_method_types/0", "card"}};
constexpr Field capture[] = {
    {"/amount", "/amount_to_capture", bare_money},
    {"/fee", "/application_fee_amount", bare_money},
};
constexpr Field cancellation[] = {{"/reason", "/cancellation_reason", Words{cancel_reasons}}};
constexpr Field giving_back[] = {
    {"/payment", "/payment_intent", Text{}, Way::out, true},
    {"/amount", "/amount", bare_money},
    {"/reason", "/reason", Words{reasons}},
    {"/reverse_transfer", "/reverse_transfer", Boolean{}},
    {"/return_fee", "/refund_application_fee", Boolean{}},
    {"/reference", own_reference},
};
constexpr Field passing_on[] = {
    {"/amount", "/amount", money, Way::out, true},
    {"/destination", "/destination", Text{}, Way::out, true},
    {"/source", "/source_transaction"},
    {"/group", "/transfer_group"},
    {"/description", "/description"},
    {"/reference", own_reference},
};
constexpr Field evidence[] = {
    {"/evidence/customer_name", "/evidence/customer_name"},
    {"/evidence/customer_email", "/evidence/customer_email_address", Email{}},
    {"/evidence/billing_address", "/evidence/billing_address"},
    {"/evidence/product", "/evidence/product_description"},
    {"/evidence/service_date", "/evidence/service_date"},
    {"/evidence/cancellation_policy", "/evidence/cancellation_policy_disclosure"},
    {"/evidence/cancellation_rebuttal", "/evidence/cancellation_rebuttal"},
    {"/evidence/refund_policy", "/evidence/refund_policy_disclosure"},
    {"/evidence/refund_refusal", "/evidence/refund_refusal_explanation"},
    {"/evidence/duplicate_explanation", "/evidence/duplicate_charge_explanation"},
    {"/evidence/access_log", "/evidence/access_activity_log"},
    {"/evidence/text", "/evidence/uncategorized_text"},
    {"/evidence/files/contract", "/evidence/customer_signature"},
    {"/evidence/files/communication", "/evidence/customer_communication"},
    {"/evidence/files/receipt", "/evidence/receipt"},
    {"/evidence/files/service", "/evidence/service_documentation"},
    {"/evidence/files/other", "/evidence/uncategorized_file"},
    {"/submit", "/submit", Boolean{}},
};

constexpr std::string_view created_since = "created[gte]";
constexpr Filter of_customer[] = {{"customer", "/customer"}};
constexpr Filter of_payment[] = {{"payment_intent", "/payment"}};
constexpr Filter of_destination[] = {{"destination", "/destination"}, {"transfer_group", "/group"}};
constexpr std::string_view held[] = {"authorized"};
constexpr std::string_view not_captured[] = {"unpaid", "pending", "action_required", "authorized"};
constexpr std::string_view in_dispute[] = {"needs_response", "under_review", "lost", "other"};
constexpr std::string_view open_disputes[] = {"needs_response", "under_review"};

constexpr Act all_acts[] = {
    {.verb = Verb::authorize,
     .entity = a_payment,
     .path = "payment_intents",
     .map = authorization,
     .always = held_at_once,
     .key = own_key,
     .filters = of_customer,
     .since = created_since,
     .refused = "unpaid"},
    {.verb = Verb::capture,
     .entity = a_payment,
     .path = "payment_intents/{payment}/capture",
     .map = capture,
     .key = "/metadata/garland_capture",
     .priced_by = {&a_payment, "payment"},
     .changes = "payment",
     .possible = held},
    {.verb = Verb::cancel, // its request takes no metadata
     .entity = a_payment,
     .path = "payment_intents/{payment}/cancel",
     .map = cancellation,
     .changes = "payment",
     .done = "cancelled",
     .possible = not_captured},
    {.verb = Verb::refund,
     .entity = a_refund,
     .path = "refunds",
     .map = giving_back,
     .key = own_key,
     .priced_by = {&a_payment, "payment"},
     .filters = of_payment,
     .since = created_since},
    {.verb = Verb::transfer,
     .entity = a_transfer,
     .path = "transfers",
     .map = passing_on,
     .key = own_key,
     .filters = of_destination,
     .since = created_since,
     .unless = {&a_dispute, "charge", "/source", in_dispute}},
    {.verb = Verb::dispute_evidence,
     .entity = a_dispute,
     .path = "disputes/{dispute}",
     .map = evidence,
     .key = "/metadata/garland_evidence",
     .changes = "dispute",
     .possible = open_disputes},
};

// ---- webhooks: the same events as in the log; a platform's address gets those of its connected accounts,
// too
constexpr std::string_view object = "/data/object/id";
constexpr sdk::webhooks::Event notices[] = {
    {"payment_intent.*", "payments.payment", object},     {"refund.*", "payments.refund", object},
    {"charge.refund.updated", "payments.refund", object}, {"transfer.*", "payments.transfer", object},
    {"charge.dispute.*", "payments.dispute", object},     {"payout.*", "payments.payout", object},
};

} // namespace

sdk::errors::Mapper const errors = mapper;
std::span<Entity const> const entities = all;
std::span<Act const> const acts = all_acts;
sdk::payments::Lines const lines{a_transaction, "payout"};
sdk::payments::Declines const declines{"decline_code", all_declines, "never"};
sdk::webhooks::Table const hooks{.account = "/account", .events = notices};

} // namespace garland::stripe
