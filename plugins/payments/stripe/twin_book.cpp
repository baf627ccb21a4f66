#include "twin_book.h"

#include <functional>

namespace garland::stripe_twin {
namespace {

constexpr std::int64_t most = 99'999'999;
constexpr std::int64_t week = 7 * 86'400;

// What can be charged; "Stripe currently supports these currencies".
constexpr std::string_view currencies = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif "
                                        "bmd bnd bob brl bsd bwp byn bzd cad cdf chf "
                                        "clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel "
                                        "gip gmd gnf gtq gyd hkd hnl htg huf idr ils "
                                        "inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd "
                                        "lsl mad mdl mga mkd mmk mnt mop mur mvr mwk "
                                        "mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg "
                                        "qar ron rsd rub rwf sar sbd scr sek sgd shp "
                                        "sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs "
                                        "vnd vuv wst xaf xcd xof xpf yer zar zmw";
static_assert(currencies.size() % 4 == 3); // three letters and a blank each

bool wants(Row const& hook, std::string const& type) {
  for (auto const& wanted : hook.at("enabled_events").as_array())
    if (wanted == "*" || wanted == json::value(type)) return true;
  return false;
}

} // namespace

std::int64_t unixTime(TimePoint when) { return when.time_since_epoch().count() / 1000; }
std::int64_t numberIn(Row const& row, std::string_view member) {
  return row.at(member).to_number<std::int64_t>();
}
std::string_view textIn(Row const& row, std::string_view member) {
  auto const& value = row.at(member);
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

// ---- what is told of changes

void Book::changed(Account& where, Row const& row, std::string const& type) {
  auto const id = ids().text("evt_");
  Row event{{"id", id}, {"object", "event"}, {"api_version", "2023-08-16"}, {"created", unixTime(now())}};
  if (!where.id.empty()) event["account"] = where.id;
  event["data"] = json::object{{"object", row}};
  event["livemode"] = false;
  event["pending_webhooks"] = hooks_.size();
  event["request"] = nullptr;
  event["type"] = type;
  for (auto const* const hook : hooks_.all())
    if (wants(*hook, type)) tell(*hook, id, event);
  where.events.add(id, std::move(event));
  if (begun_) note(type, std::string(textIn(row, "id")), row);
}

void Book::tell(Row const& hook, std::string const& id, Row const& event) {
  Webhook notice;
  notice.id = id;
  notice.url = textIn(hook, "url");
  notice.body = json::serialize(event);
  notice.content_type = "application/json; charset=utf-8";
  notice.scheme = "stripe";
  notice.secret = secrets_.at(std::string(textIn(hook, "id")));
  deliver(std::move(notice));
}

std::string Book::book(Account& where, Booking const& booking) {
  auto const id = ids().text("txn_");
  Row line{{"id", id}, {"object", "balance_transaction"}, {"amount", booking.amount}, {"fee", booking.fee}};
  line["net"] = booking.amount - booking.fee;
  line["available_on"] = unixTime(now()) + (booking.at_once ? 0 : week);
  line["created"] = unixTime(now());
  line["currency"] = booking.currency;
  line["description"] = nullptr;
  line["exchange_rate"] = nullptr;
  auto& details = line["fee_details"].emplace_array();
  if (booking.fee > 0)
    details.push_back(json::object{{"amount", booking.fee},
                                   {"application", nullptr},
                                   {"currency", booking.currency},
                                   {"description", "Stripe processing fees"},
                                   {"type", "stripe_fee"}});
  line["reporting_category"] = booking.category.empty() ? booking.type : booking.category;
  line["source"] = booking.source;
  line["status"] = booking.at_once ? "available" : "pending";
  line["type"] = booking.type;
  where.funds[booking.currency] += booking.amount - booking.fee;
  where.balance.add(id, std::move(line));
  (booking.at_once ? where.available : where.pending).push_back(id);
  return id;
}

void Book::mature(Account& where) {
  for (; !where.pending.empty(); where.pending.pop_front()) {
    auto& line = *where.balance.find(where.pending.front());
    if (numberIn(line, "available_on") > unixTime(now())) break;
    line["status"] = "available";
    where.available.push_back(where.pending.front());
  }
}

// ---- customers

void Book::knowCustomer(Parameters const& given) {
  auto const id = given.text("customer");
  if (id && own().customers.find(*id) == nullptr)
    refuseWith(
        {.code = "resource_missing", .message = "No such customer: '" + *id + "'", .param = "customer"});
}

Response Book::createCustomer(Request const& request) {
  Parameters const given(request, {"name", "email", "phone", "description", "metadata"});
  auto const id = ids().text("cus_", 14);
  Row customer{{"id", id}, {"object", "customer"}, {"created", unixTime(now())}, {"livemode", false}};
  for (auto const* const name : {"address", "description", "email", "name", "phone", "shipping"})
    customer[name] = nullptr;
  for (auto const* const name : {"name", "email", "phone", "description"})
    if (auto const text = given.text(name)) customer[name] = *text;
  customer["balance"] = 0;
  customer["delinquent"] = false;
  customer["metadata"] = json::object();
  mergeMetadata(customer, given);
  auto const& row = own().customers.add(id, std::move(customer));
  changed(row, "customer.created");
  return {200, row};
}
Response Book::showCustomer(Request const& request) {
  return {200, find(own().customers, request.at("customer"), "customer")};
}

// ---- what happened, and the balance

Response Book::showEvent(Request const& request) {
  return {200, find(own().events, request.at("event"), "event")};
}
Response Book::listEvents(Request const& request) {
  return listed(request, own().events, {"type", "types"}, [](Row const& event, Parameters const& given) {
    auto types = given.list("types");
    if (auto const one = given.text("type")) types.push_back(json::value(*one));
    return types.empty() || std::ranges::find(types, event.at("type")) != types.end();
  });
}

Response Book::showLine(Request const& request) {
  mature(own());
  return {200, find(own().balance, request.at("line"), "balance transaction")};
}
Response Book::listLines(Request const& request) {
  mature(own());
  auto const filters = {std::string_view("type"), std::string_view("source"), std::string_view("currency"),
                        std::string_view("payout")};
  return listed(request, own().balance, filters, [this](Row const& line, Parameters const& given) {
    if (!equal(line, given, {"type", "source", "currency"})) return false;
    auto const payout = given.text("payout");
    if (!payout) return true;
    auto const paid = own().paid_by.find(std::string(textIn(line, "id")));
    return paid != own().paid_by.end() && paid->second == *payout;
  });
}

Response Book::createHook(Request const& request) {
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
Response Book::listHooks(Request const& request) { return listed(request, hooks_, {}); }
Response Book::deleteHook(Request const& request) {
  auto const id = std::string(textIn(find(hooks_, request.at("hook"), "webhook_endpoint"), "id"));
  hooks_.erase(id);
  note("webhook_endpoint.deleted", id);
  return {200, json::object{{"id", id}, {"object", "webhook_endpoint"}, {"deleted", true}}};
}

// ---- common

void Book::missing(std::string_view param) {
  refuseWith({.code = "parameter_missing",
              .message = "Missing required param: " + std::string(param) + ".",
              .param = param});
}
void Book::noSuch(std::string_view object, std::string const& id) {
  refuseWith({.status = 404,
              .code = "resource_missing",
              .message = "No such " + std::string(object) + ": '" + id + "'",
              .param = "id"});
}
Row& Book::find(Rows& rows, std::string const& id, std::string_view object) {
  auto* const row = rows.find(id);
  if (row == nullptr) noSuch(object, id);
  return *row;
}

void Book::mergeMetadata(Row& row, Parameters const& given) {
  auto const* const metadata = given.object("metadata");
  if (metadata == nullptr) return;
  auto& held = row["metadata"].as_object();
  for (auto const& [name, value] : *metadata)
    if (value == "")
      held.erase(name);
    else
      held[name] = value;
}

std::string Book::currencyOf(Parameters const& given) {
  auto currency = given.text("currency");
  if (!currency) missing("currency");
  std::ranges::transform(*currency, currency->begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (takes(*currency)) return *currency;
  std::string list;
  for (char const c : currencies) list += c == ' ' ? std::string(", ") : std::string(1, c);
  refuseWith(
      {.message = "Invalid currency: " + *currency + ". Stripe currently supports these currencies: " + list,
       .param = "currency"});
}

bool Book::takes(std::string_view currency) {
  auto const place = currencies.find(currency);
  return currency.size() == 3 && place != std::string_view::npos && place % 4 == 0;
}

std::int64_t Book::amountOf(Parameters const& given, std::string const& currency) {
  static std::set<std::string> const three_digits{"bhd", "jod", "kwd", "omr", "tnd"};
  auto const amount = given.number("amount");
  if (!amount) missing("amount");
  if (*amount < 1)
    refuseWith({.code = "parameter_invalid_integer",
                .message = "This value must be greater than or equal to 1.",
                .param = "amount"});
  if (*amount > most)
    refuseWith(
        {.code = "amount_too_large", .message = "Amount must be no more than 99999999", .param = "amount"});
  if (three_digits.contains(currency) && *amount % 10 != 0)
    refuseWith({.message = "Amounts in " + currency + " must end in 0.", .param = "amount"});
  return *amount;
}

bool Book::equal(Row const& row, Parameters const& given, std::initializer_list<std::string_view> members) {
  return std::ranges::all_of(members, [&](std::string_view member) {
    auto const wanted = given.text(member);
    return !wanted || textIn(row, member) == *wanted;
  });
}

bool Book::inRange(Row const& row, Parameters const& given) {
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
Response Book::page(Request const& request, Parameters const& given, std::vector<Row const*> rows) {
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
  return {200,
          json::object{
              {"object", "list"}, {"url", request.path}, {"has_more", page.more}, {"data", std::move(data)}}};
}

} // namespace garland::stripe_twin
