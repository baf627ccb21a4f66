#include "twin_marketplace.h"

namespace garland::stripe_twin {
namespace {

constexpr std::int64_t dispute_fee = 1'500;
constexpr std::int64_t day = 86'400;

constexpr std::string_view kinds_of_evidence[] = {
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
};

json::value orNull(std::optional<std::string> const& text) {
  return text ? json::value(*text) : json::value();
}

} // namespace

// ---- transfers

Row& Marketplace::passOn(Transfer const& transfer) {
  auto const id = ids().text("tr_");
  auto const payment = ids().text("py_");
  Row row{{"id", id}, {"object", "transfer"}, {"amount", transfer.amount}, {"amount_reversed", 0}};
  row["balance_transaction"] = book(
      own(), {.type = "transfer", .source = id, .currency = transfer.currency, .amount = -transfer.amount});
  row["created"] = unixTime(now());
  row["currency"] = transfer.currency;
  row["description"] = orNull(transfer.description);
  row["destination"] = transfer.destination;
  row["destination_payment"] = payment;
  row["livemode"] = false;
  row["metadata"] = json::object();
  row["reversals"] = json::object{{"object", "list"},
                                  {"data", json::array()},
                                  {"has_more", false},
                                  {"url", "/v1/transfers/" + id + "/reversals"}};
  row["reversed"] = false;
  row["source_transaction"] = orNull(transfer.source);
  row["source_type"] = "card";
  row["transfer_group"] = orNull(transfer.group);
  book(account(transfer.destination), {.type = "payment",
                                       .source = payment,
                                       .currency = transfer.currency,
                                       .amount = transfer.amount,
                                       .fee = transfer.fee});
  if (transfer.fee > 0)
    book(own(), {.type = "application_fee",
                 .category = "platform_earning",
                 .source = ids().text("fee_"),
                 .currency = transfer.currency,
                 .amount = transfer.fee});
  return own().transfers.add(id, std::move(row));
}

Response Marketplace::createTransfer(Request const& request) {
  Parameters const given(request, {"amount", "currency", "destination", "description", "metadata",
                                   "source_transaction", "transfer_group"});
  auto const currency = currencyOf(given);
  Transfer transfer{.amount = amountOf(given, currency), .currency = currency, .destination = ""};
  auto const destination = given.text("destination");
  if (!destination) missing("destination");
  if (!destination->starts_with("acct_")) noSuch("destination", *destination);
  transfer.destination = *destination;
  transfer.source = given.text("source_transaction");
  transfer.group = given.text("transfer_group");
  transfer.description = given.text("description");
  if (transfer.source && !transfer.source->starts_with("ch_")) noSuch("charge", *transfer.source);
  if (transfer.amount > own().funds[currency])
    refuseWith({.code = "balance_insufficient",
                .message = "You have insufficient funds in your Stripe account for this transfer."});
  auto& row = passOn(transfer);
  mergeMetadata(row, given);
  changed(row, "transfer.created");
  return {200, row};
}

Response Marketplace::showTransfer(Request const& request) {
  return {200, find(own().transfers, request.at("transfer"), "transfer")};
}
Response Marketplace::listTransfers(Request const& request) {
  return listed(request, own().transfers, {"destination", "transfer_group"});
}

// ---- disputes

Row& Marketplace::dispute(Row const& intent, std::string const& reason) {
  auto const amount = numberIn(intent, "amount_received");
  if (amount == 0) throw Malformed("only a payment that was captured can be disputed");
  auto const id = ids().text("dp_");
  Row row{{"id", id}, {"object", "dispute"}, {"amount", amount}, {"created", unixTime(now())}};
  auto const line = book(own(), {.type = "adjustment",
                                 .category = "dispute",
                                 .source = id,
                                 .currency = std::string(textIn(intent, "currency")),
                                 .amount = -amount,
                                 .fee = dispute_fee,
                                 .at_once = true});
  row["balance_transactions"] = json::array{*own().balance.find(line)};
  row["charge"] = intent.at("latest_charge");
  row["currency"] = intent.at("currency");
  auto& evidence = row["evidence"].emplace_object();
  for (auto const kind : kinds_of_evidence) evidence[kind] = nullptr;
  row["evidence_details"] = json::object{{"due_by", unixTime(now()) + 9 * day},
                                         {"has_evidence", false},
                                         {"past_due", false},
                                         {"submission_count", 0}};
  row["is_charge_refundable"] = false;
  row["livemode"] = false;
  row["metadata"] = json::object();
  row["payment_intent"] = intent.at("id");
  row["reason"] = reason;
  row["status"] = "needs_response";
  auto& added = own().disputes.add(id, std::move(row));
  changed(added, "charge.dispute.created");
  changed(added, "charge.dispute.funds_withdrawn");
  return added;
}

Row& Marketplace::decide(std::string const& id, bool won) {
  auto& row = find(own().disputes, id, "dispute");
  row["status"] = won ? "won" : "lost";
  if (won) {
    auto const line = book(own(), {.type = "adjustment",
                                   .category = "dispute_reversal",
                                   .source = id,
                                   .currency = std::string(textIn(row, "currency")),
                                   .amount = numberIn(row, "amount"),
                                   .fee = -dispute_fee,
                                   .at_once = true});
    row["balance_transactions"].as_array().push_back(*own().balance.find(line));
    changed(row, "charge.dispute.funds_reinstated");
  }
  changed(row, "charge.dispute.closed");
  return row;
}

Response Marketplace::showDispute(Request const& request) {
  return {200, find(own().disputes, request.at("dispute"), "dispute")};
}
Response Marketplace::listDisputes(Request const& request) {
  return listed(request, own().disputes, {"payment_intent", "charge"});
}

Response Marketplace::updateDispute(Request const& request) {
  Parameters const given(request, {"evidence", "metadata", "submit"});
  auto& row = find(own().disputes, request.at("dispute"), "dispute");
  bool const submit = given.text("submit").value_or("true") == "true";
  auto const* const evidence = given.object("evidence");
  if ((submit || evidence != nullptr) && textIn(row, "status") != "needs_response")
    refuseWith({.message = "This dispute takes no more evidence."});
  auto& held = row["evidence"].as_object();
  auto& details = row["evidence_details"].as_object();
  if (evidence != nullptr) {
    for (auto const& [kind, text] : *evidence)
      if (!held.contains(kind))
        refuseWith({.code = "parameter_unknown",
                    .message = "Received unknown parameter: evidence[" + std::string(kind) + "]",
                    .param = "evidence"});
    for (auto const& [kind, text] : *evidence) held[kind] = text;
    details["has_evidence"] = true;
  }
  mergeMetadata(row, given);
  if (submit) {
    row["status"] = "under_review";
    details["submission_count"] = numberIn(details, "submission_count") + 1;
  }
  changed(row, "charge.dispute.updated");
  return {200, row};
}

// ---- payouts

Row& Marketplace::payOut(std::string const& currency) {
  mature(own());
  auto const id = ids().text("po_");
  std::int64_t sum = 0;
  std::erase_if(own().available, [&](std::string const& line) {
    auto const& row = *own().balance.find(line);
    if (textIn(row, "currency") != currency) return false;
    sum += numberIn(row, "net");
    own().paid_by[line] = id;
    return true;
  });
  if (sum <= 0) throw Malformed("there is nothing available to pay out in " + currency);
  auto const line =
      book(own(), {.type = "payout", .source = id, .currency = currency, .amount = -sum, .at_once = true});
  own().paid_by[line] = id;
  own().available.pop_back(); // that line itself
  Row row{{"id", id}, {"object", "payout"}, {"amount", sum}, {"arrival_date", unixTime(now()) + 2 * day}};
  row["automatic"] = true;
  row["balance_transaction"] = line;
  row["created"] = unixTime(now());
  row["currency"] = currency;
  row["description"] = "STRIPE PAYOUT";
  row["destination"] = "ba_twin";
  for (auto const* const name : {"failure_balance_transaction", "failure_code", "failure_message",
                                 "original_payout", "reversed_by", "statement_descriptor"})
    row[name] = nullptr;
  row["livemode"] = false;
  row["metadata"] = json::object();
  row["method"] = "standard";
  row["reconciliation_status"] = "completed";
  row["source_type"] = "card";
  row["status"] = "paid";
  row["type"] = "bank_account";
  auto& added = own().payouts.add(id, std::move(row));
  for (auto const* const type : {"payout.created", "payout.paid", "payout.reconciliation_completed"})
    changed(added, type);
  return added;
}

Response Marketplace::showPayout(Request const& request) {
  return {200, find(own().payouts, request.at("payout"), "payout")};
}
Response Marketplace::listPayouts(Request const& request) {
  return listed(request, own().payouts, {"status", "destination"});
}

Response Marketplace::showAccount(Request const& request) {
  Parameters const given(request, {});
  return {200, json::object{{"id", own().id.empty() ? "acct_twin" : own().id},
                            {"object", "account"},
                            {"country", "DE"},
                            {"default_currency", "eur"},
                            {"email", "studio@example.com"},
                            {"charges_enabled", true},
                            {"payouts_enabled", true},
                            {"details_submitted", true},
                            {"metadata", json::object()},
                            {"type", "standard"}}};
}

} // namespace garland::stripe_twin
