// Checks of what is done with money: exact amounts, splits, the states of a payment, refunds, releases,
// refusals.
#include "certification/checks/money.h"
#include "certification/names.h"

#include <algorithm>
#include <random>
#include <set>

namespace garland::certification {
namespace {

constexpr auto kInvalid = ErrorKind::invalidInput;
constexpr auto kConflict = ErrorKind::conflict;

// ---- PAY-03
struct Currency {
  std::string_view code;
  int digits;
};
// Two, none and three by ISO 4217, and those in which providers count otherwise.
constexpr Currency kCurrencies[] = {{"EUR", 2}, {"USD", 2}, {"HUF", 2}, {"JPY", 0}, {"KRW", 0}, {"VND", 0},
                                    {"KWD", 3}, {"BHD", 3}, {"TND", 3}, {"ISK", 0}, {"UGX", 0}, {"MGA", 2}};

std::vector<std::string> currencyCases(Subject const&, Profile) {
  std::vector<std::string> out;
  for (auto const& currency : kCurrencies) out.emplace_back(currency.code);
  out.emplace_back("limits");
  return out;
}

// In the provider's units.
std::int64_t theirs(Till& till, Currency const& currency, std::int64_t amount) {
  auto const* table = till.said("/digits");
  auto digits = table == nullptr ? currency.digits
                                 : integerOr(*table, "/" + std::string(currency.code), currency.digits);
  for (; digits > currency.digits; --digits) amount *= 10;
  for (; digits < currency.digits; ++digits) amount /= 10;
  return amount;
}

void countsExactly(Trial& trial, Till& till, Currency const& currency) {
  auto const* tens = till.said("/whole_tens");
  bool const whole_tens = currency.digits == 3 && tens != nullptr && *tens == json::value(true);
  auto const unit = currency.digits == 3 ? std::int64_t{10} : currency.code == "MGA" ? 100 : 1;
  auto const least = std::string_view("ISK UGX").find(currency.code) == std::string_view::npos ? unit : 5;
  for (auto const amount : {least, 7 * unit, 1999 * unit, 12'051 * unit, 99'999 * unit}) {
    auto const step = std::to_string(amount) + " minor units of " + std::string(currency.code);
    auto const held =
        till.act("authorize", {{"amount", money(amount, currency.code)}, {"method", till.word("/method")}});
    if (!trial.expect(held.ok(), "it ended with: " + held.ending(), step)) continue;
    auto const* said = garland::find(dataOf(held), "/amount");
    trial.expect(said != nullptr && *said == json::value(money(amount, currency.code)),
                 "it answers another amount: " + (said != nullptr ? json::serialize(*said) : "none"), step);
    auto const rows = till.told("authorized");
    auto const booked = rows.empty() ? -1 : integerOr(rows.back(), till.word("/amount"), -1);
    trial.expect(booked == theirs(till, currency, amount),
                 "the provider holds " + std::to_string(booked) + " of its units, not " +
                     std::to_string(theirs(till, currency, amount)),
                 step);
  }
  if (!whole_tens) return;
  auto const finer =
      till.act("authorize", {{"amount", money(12'055, currency.code)}, {"method", till.word("/method")}});
  expectRefused(trial, finer, {kInvalid},
                "12055 of " + std::string(currency.code) + ", finer than can be held");
  trial.expect(finer.exchanges.empty(), "it asks the provider for what it cannot hold", "12055 minor units");
}

void keepsLimits(Trial& trial, Till& till) {
  auto const* most = till.said("/largest");
  if (most == nullptr || !most->is_int64())
    return trial.giveUp("certification.json: /payments/largest is missing");
  auto const largest = most->get_int64();
  trial.expect(!till.authorized(largest).empty(), "the largest amount cannot be held",
               std::to_string(largest));
  auto const before = till.told("authorized").size();
  // One more than 2^53: a double cannot hold it.
  for (auto const amount : {largest + 1, std::int64_t{9'007'199'254'740'993},
                            std::int64_t{9'223'372'036'854'775'807}, std::int64_t{0}, std::int64_t{-5}}) {
    auto const step = std::to_string(amount) + " cents";
    auto const refused =
        till.act("authorize", {{"amount", money(amount, "EUR")}, {"method", till.word("/method")}});
    expectRefused(trial, refused, {kInvalid}, step);
    for (auto const& exchange : refused.exchanges)
      trial.expect(exchange.ask.method == "GET" ||
                       exchange.ask.body.find(std::to_string(amount)) != std::string::npos,
                   "what it sends is another amount", step);
  }
  auto const wide = till.act(
      "authorize", {{"amount", money(9'223'372'036'854'775'807, "ISK")}, {"method", till.word("/method")}});
  expectRefused(trial, wide, {kInvalid}, "the largest integer in ISK");
  trial.expect(till.told("authorized").size() == before, "something was held of what was refused", "limits");
}

void isExact(Trial& trial) {
  Till till(trial);
  if (trial.caseName() == "limits") return keepsLimits(trial, till);
  auto const at = std::ranges::find(kCurrencies, std::string_view(trial.caseName()), &Currency::code);
  countsExactly(trial, till, *at);
}

// ---- PAY-04
std::vector<std::string> splitCases(Subject const&, Profile) { return {"EUR", "JPY", "ISK", "KWD"}; }

std::string noSplits(Subject const& subject) {
  if (auto why = noPaymentActions(subject); !why.empty()) return why;
  return {};
}

// What the host has divided arrives as it was divided: whole, and in the right place.
void splitsAddUp(Trial& trial) {
  Till till(trial);
  auto const currency = *std::ranges::find(kCurrencies, std::string_view(trial.caseName()), &Currency::code);
  std::mt19937_64 random(trial.seed());
  int const tries = trial.profile() == Profile::full ? 2500 : trial.profile() == Profile::standard ? 250 : 25;
  auto const unit = currency.digits == 3 ? 10U : 1U;
  for (int i = 0; i < tries; ++i) {
    auto const total = static_cast<std::int64_t>((random() % 90'000 + 1000) * unit);
    auto const fee =
        static_cast<std::int64_t>((random() % (static_cast<std::uint64_t>(total) / unit - 1) + 1) * unit);
    auto const step = std::to_string(fee) + " of " + std::to_string(total) + " " + std::string(currency.code);
    json::object split{{"destination", till.word("/destination")}};
    split["fee"] = money(fee, currency.code);
    auto const held = till.act(
        "authorize",
        {{"amount", money(total, currency.code)}, {"method", till.word("/method")}, {"split", split}});
    if (!trial.expect(held.ok(), "a split payment ended with: " + held.ending(), step)) return;
    auto const* said = garland::find(dataOf(held), "/split/fee");
    trial.expect(said != nullptr && *said == json::value(money(fee, currency.code)),
                 "it answers another part than was asked for", step);
    if (i % 50 != 0 && i + 1 != tries) continue; // the ledger grows, and holds every one until the end
    for (auto const& row : till.told("authorized")) {
      auto const part = integerOr(row, till.word("/fee"), -1);
      auto const whole = integerOr(row, till.word("/amount"), -1);
      trial.expect(part >= 0 && part <= whole, "the parts do not add up at the provider", step);
    }
    auto const rows = till.told("authorized");
    trial.expect(!rows.empty() &&
                     integerOr(rows.back(), till.word("/fee"), -1) == theirs(till, currency, fee) &&
                     integerOr(rows.back(), till.word("/amount"), -1) == theirs(till, currency, total),
                 "the provider keeps other parts than were asked for", step);
  }
}

// ---- PAY-05
struct Model {
  std::string id;
  std::int64_t held = 0;
  std::int64_t taken = 0;
  std::int64_t given = 0;
  bool cancelled = false;

  std::string status() const { return cancelled ? "cancelled" : taken > 0 ? "captured" : "authorized"; }
};

void expectModel(Trial& trial, Till& till, Model const& model, std::string const& step) {
  auto const record = till.record("payments.payment", model.id);
  trial.expect(textOr(record, "/status", "") == model.status(),
               "the payment's status is " + textOr(record, "/status", "none") + ", not " + model.status(),
               step);
  trial.expect(integerOr(record, "/captured/amount", 0) == model.taken,
               "captured is " + std::to_string(integerOr(record, "/captured/amount", 0)) + ", not " +
                   std::to_string(model.taken),
               step);
  auto const left = model.cancelled || model.taken > 0 ? 0 : model.held;
  trial.expect(integerOr(record, "/authorized/amount", 0) == left,
               "held is " + std::to_string(integerOr(record, "/authorized/amount", 0)) + ", not " +
                   std::to_string(left),
               step);
}

void capture(Trial& trial, Till& till, Model& model, std::int64_t amount, std::string const& step) {
  auto const journal = till.act("capture", {{"payment", model.id}, {"amount", money(amount, "EUR")}});
  if (model.taken > 0 || model.cancelled) return expectRefused(trial, journal, {kConflict}, step);
  if (amount > model.held) return expectRefused(trial, journal, {kInvalid, kConflict}, step);
  if (trial.expect(journal.ok(), "a capture of what is held ended with: " + journal.ending(), step))
    model.taken = amount;
}

void cancel(Trial& trial, Till& till, Model& model, std::string const& step) {
  auto const journal = till.act("cancel", {{"payment", model.id}});
  if (model.taken > 0 || model.cancelled) return expectRefused(trial, journal, {kConflict}, step);
  if (trial.expect(journal.ok(), "letting go what is held ended with: " + journal.ending(), step))
    model.cancelled = true;
}

void refund(Trial& trial, Till& till, Model& model, std::int64_t amount, std::string const& step) {
  auto const journal = till.act("refund", {{"payment", model.id}, {"amount", money(amount, "EUR")}});
  if (model.taken == 0 || model.given == model.taken) return expectRefused(trial, journal, {kConflict}, step);
  if (amount > model.taken - model.given) return expectRefused(trial, journal, {kInvalid, kConflict}, step);
  if (!trial.expect(journal.ok(), "a refund of what was taken ended with: " + journal.ending(), step)) return;
  trial.expect(integerOr(dataOf(journal), "/amount/amount", -1) == amount, "another amount was given back",
               step);
  model.given += amount;
}

void movesAsTheModel(Trial& trial) {
  Till till(trial);
  std::mt19937_64 random(trial.seed());
  auto const upTo = [&](std::int64_t most) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most)) + 1;
  };
  int const payments = trial.profile() == Profile::quick ? 4 : 12;
  for (int i = 0; i < payments; ++i) {
    Model model;
    model.held = upTo(90'000) + 1000;
    model.id = till.authorized(model.held);
    if (model.id.empty()) return;
    for (int move = 0; move < 8; ++move) {
      // Every payment begins with what is not possible yet, or with a capture of a part, or is let go.
      auto const which = move == 0 ? static_cast<std::uint64_t>(i) % 3 : random() % 4;
      auto const step =
          "payment " + std::to_string(i + 1) + ", move " + std::to_string(move + 1) + ", " + model.status();
      if (which == 0)
        refund(trial, till, model, upTo(std::max<std::int64_t>(model.taken, 1)), step + ": refund");
      else if (which == 1)
        capture(trial, till, model, upTo(model.held + model.held / 4), step + ": capture");
      else if (which == 2)
        cancel(trial, till, model, step + ": cancel");
      else
        refund(trial, till, model, std::max<std::int64_t>(model.taken - model.given, 1),
               step + ": refund of the rest");
      expectModel(trial, till, model, step);
    }
  }
}

// ---- PAY-06
// Five people at five desks, at the same moment.
void givesBackAtOnce(Trial& trial, Till& till) {
  auto const payment = till.captured(10'000);
  if (payment.empty()) return;
  auto const before = till.sum("refunded", "amount");
  std::vector<Ask> asks;
  for (int i = 0; i < 5; ++i) {
    auto& ask = asks.emplace_back();
    ask.operation = "payments.refund/1";
    ask.account = "desk-" + std::to_string(i);
    ask.input = json::object{{"payment", payment},
                             {"amount", money(4'000, "EUR")},
                             {"idempotency_key", keyNamed("at-once-" + std::to_string(i))}};
  }
  std::int64_t acknowledged = 0;
  for (auto const& journal : trial.bench().runTogether(std::move(asks)))
    if (journal.ok())
      acknowledged += integerOr(dataOf(journal), "/amount/amount", 0);
    else
      expectRefused(trial, journal, {kConflict, kInvalid}, "one of 5 refunds at the same moment");
  auto const booked = till.sum("refunded", "amount") - before;
  std::string const where = "5 refunds of 4000 at the same moment";
  trial.expect(acknowledged == 8'000,
               "of 10000 that were taken, it says that " + std::to_string(acknowledged) +
                   " were given back by refunds of 4000",
               where);
  trial.expect(booked == acknowledged,
               "it says that " + std::to_string(acknowledged) +
                   " were given back, the provider's ledger tells of " + std::to_string(booked),
               where);
}

void neverGivesBackMore(Trial& trial) {
  Till till(trial);
  constexpr std::int64_t taken = 10'000;
  auto const payment = till.captured(taken);
  if (payment.empty()) return;
  auto const input = json::object{{"payment", payment}, {"amount", money(4'000, "EUR")}};
  auto const cent = till.act("refund", {{"payment", payment}, {"amount", money(1, "EUR")}});
  if (!trial.expect(cent.ok(), "a refund of a cent ended with: " + cent.ending(), "payments.refund/1"))
    return;
  std::set<std::string> refunds{idOf(cent)};
  std::int64_t acknowledged = 1;
  // Five people click. The answers of the first two get lost, and everybody clicks again.
  for (int i = 0; i < 2; ++i)
    till.act("refund", input, "click-" + std::to_string(i),
             {faultNamed("timeout_after_send"), lastRequest(cent)});
  for (int i = 0; i < 5; ++i) {
    auto const journal = till.act("refund", input, "click-" + std::to_string(i));
    if (!journal.ok()) {
      expectRefused(trial, journal, {kConflict, kInvalid},
                    "refund " + std::to_string(i + 1) + " of 5, 4000 each");
      continue;
    }
    trial.expect(refunds.insert(idOf(journal)).second, "two requests were answered with the same refund",
                 "refund " + std::to_string(i + 1) + " of 5");
    acknowledged += integerOr(dataOf(journal), "/amount/amount", 0);
  }
  auto const booked = till.sum("refunded", "amount");
  trial.expect(acknowledged <= taken,
               "of 10000 that were taken, it says that " + std::to_string(acknowledged) + " were given back",
               "5 refunds");
  trial.expect(booked == acknowledged,
               "it says that " + std::to_string(acknowledged) +
                   " were given back, the provider's ledger tells of " + std::to_string(booked),
               "5 refunds");
  givesBackAtOnce(trial, till);
}

// ---- PAY-07
void releasesOnce(Trial& trial) {
  Till till(trial);
  auto const release = [&](std::string const& charge, std::int64_t amount = 9'000) {
    return json::object{
        {"amount", money(amount, "EUR")}, {"destination", till.word("/destination")}, {"source", charge}};
  };
  auto const chargeOf = [&](std::string const& payment) {
    return textOr(till.record("payments.payment", payment), "/charge", "");
  };
  auto const calm_payment = till.captured(10'000);
  auto const calm = chargeOf(calm_payment);
  auto const disputed_payment = till.captured(10'000);
  auto const disputed = chargeOf(disputed_payment);
  if (!trial.expect(!calm.empty() && !disputed.empty(), "a captured payment names no charge",
                    "payments.payment"))
    return;
  auto const part = till.act("transfer", release(calm, 100), "release-0");
  if (!trial.expect(part.ok(), "a release ended with: " + part.ending(), "payments.transfer/1")) return;
  till.act("transfer", release(calm), "release-1", {faultNamed("timeout_after_send"), lastRequest(part)});
  std::set<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    auto const again = till.act("transfer", release(calm), "release-1");
    trial.expect(again.ok(), "a release whose answer was lost cannot be repeated: " + again.ending(),
                 "release");
    ids.insert(idOf(again));
  }
  trial.expect(ids.size() == 1 && till.told("transferred").size() == 2,
               "one release was made " + std::to_string(till.told("transferred").size() - 1) + " times",
               "release");
  till.elsewhere("dispute", disputed_payment);
  auto const blocked = till.act("transfer", release(disputed), "release-2");
  expectRefused(trial, blocked, {kConflict, ErrorKind::forbidden}, "release of money that is in dispute");
  trial.expect(till.told("transferred").size() == 2, "money that is in dispute was released", "release");
  // What was released before the dispute stays so, whoever asks again.
  till.elsewhere("dispute", calm_payment);
  auto const earlier = till.act("transfer", release(calm), "release-1");
  trial.expect(earlier.ok() && ids.contains(idOf(earlier)),
               "a release from before the dispute is not told any more: " + earlier.ending(), "release");
}

// ---- PAY-10
std::vector<std::string> declineCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  auto const* codes = garland::find(subject.brief.document, "/payments/declines");
  if (codes != nullptr && codes->is_object())
    for (auto const& member : codes->get_object()) out.emplace_back(member.key());
  out.emplace_back("a_code_that_is_new");
  return out;
}

// A twelfth of the corpus at a time: a worker for each code would take longer than what it is asked.
std::vector<std::string> declineShares(Subject const& subject, Profile profile) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, declineCases(subject, profile).size()); ++i)
    out.push_back("share-" + std::to_string(i + 1));
  return out;
}

void replaceCode(json::value& value, std::string const& code) {
  if (auto* text = value.if_string(); text != nullptr && *text == "{code}") value = code;
  if (auto* object = value.if_object())
    for (auto& member : *object) replaceCode(member.value(), code);
}

void sortsOne(Trial& trial, Till& till, std::string const& code, std::string* body) {
  auto answer = *till.said("/decline/body");
  replaceCode(answer, code);
  *body = json::serialize(answer);
  auto const refused = till.act(
      "authorize", {{"amount", money(5'000, "EUR")}, {"method", till.word("/method")}}, "decline-" + code);
  expectRefused(trial, refused, {kInvalid}, "declined with " + code);
  if (refused.result) return;
  auto const* expected = till.said("/declines/" + code);
  auto const wanted = expected != nullptr ? std::string(expected->as_string()) : "never";
  auto const said = textOr(refused.result.error().detail, "/decline_class", "");
  trial.expect(said == wanted,
               "a decline \"" + code + "\" is sorted into \"" + said + "\" (/detail/decline_class), not \"" +
                   wanted + "\"",
               "declined with " + code);
}

void sortsDeclines(Trial& trial) {
  Till till(trial);
  auto const status = till.said("/decline/status");
  if (status == nullptr || till.said("/decline/body") == nullptr)
    return trial.giveUp("certification.json: /payments/decline is missing");
  auto const body = std::make_shared<std::string>();
  World world;
  world.seed = trial.seed();
  world.intercepts.request = [body, number = status->to_number<int>()](runtime::HttpAsk const&) {
    runtime::HttpAnswer answer;
    answer.status = number;
    answer.headers = {{"content-type", "application/json"}};
    answer.body = *body;
    answer.effect = Effect::notApplied;
    return std::optional<Result<runtime::HttpAnswer>>(std::move(answer));
  };
  trial.newBench(std::move(world));
  auto const all = declineCases(trial.subject(), trial.profile());
  auto const share = static_cast<std::size_t>(trial.caseName().back() - '1');
  for (std::size_t i = share; i < all.size(); i += 4) sortsOne(trial, till, all[i], body.get());
}

// ---- PAY-11
// Numbers for tests that every card scheme publishes; none is anybody's.
constexpr std::string_view kCards[] = {"4242424242424242", "5555555555554444", "378282246310005"};

std::vector<std::string> formsOf(std::string const& number) {
  std::string spaced;
  std::string dashed;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (i > 0 && i % 4 == 0) spaced += ' ', dashed += '-';
    spaced += number[i];
    dashed += number[i];
  }
  return {number, spaced, dashed};
}

bool holds(std::string const& text, std::string const& number) {
  std::string digits;
  for (char const c : text)
    if (c >= '0' && c <= '9') digits += c;
  return digits.find(number) != std::string::npos;
}

void expectNoNumber(Trial& trial, Journal const& journal, std::string const& number,
                    std::string const& step) {
  for (auto const& exchange : journal.exchanges)
    trial.expect(!holds(exchange.ask.url, number) && !holds(exchange.ask.body, number),
                 "a card number is sent to the provider", step);
  for (auto const& line : journal.logs)
    trial.expect(!holds(line.text, number), "a card number is logged", step);
  for (auto const& [key, value] : journal.stored)
    trial.expect(!holds(key + value, number), "a card number is stored", step);
  for (auto const& record : journal.records)
    trial.expect(!holds(record.text, number), "a card number stands in a record", step);
  if (journal.result)
    trial.expect(!holds(journal.result_text, number), "a card number stands in the result", step);
  if (!journal.result)
    trial.expect(!holds(journal.result.error().message + journal.result.error().user_message +
                            json::serialize(journal.result.error().detail),
                        number),
                 "a card number stands in an error", step);
}

void takesNoCards(Trial& trial) {
  Till till(trial);
  for (auto const card : kCards)
    for (auto const& form : formsOf(std::string(card))) {
      for (auto const* member : {"method", "description", "reference"}) {
        json::object input{{"amount", money(5'000, "EUR")}, {"method", till.word("/method")}};
        input[member] = std::string_view(member) == "method" ? form : "pay with " + form + " please";
        auto const step = "payments.authorize/1 with a card number as /" + std::string(member);
        auto const journal = till.act("authorize", input);
        expectRefused(trial, journal, {kInvalid}, step);
        expectNoNumber(trial, journal, std::string(card), step);
      }
    }
  trial.expect(till.told("authorized").empty(), "something was held by a card number",
               "payments.authorize/1");
  World world;
  world.seed = trial.seed();
  world.intercepts.answer = [](runtime::HttpAsk const&, runtime::HttpAnswer& answer) {
    auto document = parseJson(answer.body);
    if (!document || !document->is_object()) return;
    document->get_object()["card"] = json::object{{"number", kCards[0]}, {"cvc", "314"}};
    answer.body = json::serialize(*document);
  };
  trial.newBench(std::move(world));
  auto const held =
      till.act("authorize", {{"amount", money(5'000, "EUR")}, {"method", till.word("/method")}});
  trial.expect(held.ok(), "it ended with: " + held.ending(), "an answer that holds a card number");
  expectNoNumber(trial, held, std::string(kCards[0]), "an answer that holds a card number");
}

// ---- PAY-13
void asksForTheClient(Trial& trial) {
  Till till(trial);
  auto const method = till.word("/authentication");
  auto const journal = till.act("authorize", {{"amount", money(5'000, "EUR")},
                                              {"method", method},
                                              {"return_url", "https://studio.example.test/back"}});
  std::string const step = "a means of payment whose owner has to confirm";
  if (!trial.expect(journal.ok(), "that is no error, and it ended with: " + journal.ending(), step)) return;
  trial.expect(textOr(dataOf(journal), "/status", "") == "action_required",
               "the payment's status is \"" + textOr(dataOf(journal), "/status", "") +
                   "\", not action_required",
               step);
  trial.expect(textOr(dataOf(journal), "/action_url", "").starts_with("https://"),
               "nobody learns where the client has to go (/action_url)", step);
  trial.expect(integerOr(dataOf(journal), "/captured/amount", 0) == 0, "it counts as taken", step);
}

constexpr Check kChecks[] = {
    {.id = "PAY-03", .run = isExact, .skip = noPaymentActions, .cases = currencyCases},
    {.id = "PAY-04", .run = splitsAddUp, .skip = noSplits, .cases = splitCases},
    {.id = "PAY-05", .run = movesAsTheModel, .skip = noPaymentActions},
    {.id = "PAY-06", .run = neverGivesBackMore, .skip = noPaymentActions},
    {.id = "PAY-07", .run = releasesOnce, .skip = noEscrow},
    {.id = "PAY-10",
     .run = sortsDeclines,
     .skip = noPaymentActions,
     .cases = declineShares,
     .brief = "/payments/declines"},
    {.id = "PAY-11", .run = takesNoCards, .skip = noPaymentActions},
    {.id = "PAY-13", .run = asksForTheClient, .skip = noPaymentActions},
};

} // namespace

std::span<Check const> paymentActChecks() { return kChecks; }

} // namespace garland::certification
