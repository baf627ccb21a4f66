// Checks of what comes back about money: books that agree to the cent, notices that overtake answers,
// disputes that have a day by which they must be answered.
#include "certification/checks/money.h"
#include "certification/checks/pulls.h"

#include <algorithm>
#include <random>

namespace garland::certification {
namespace {

constexpr std::chrono::hours kDay{24};

// ---- PAY-08
// What was done in the case, in euros and cents; the books have to tell the same.
struct Done {
  std::map<std::string, std::int64_t> taken; // by currency
  std::map<std::string, std::int64_t> given;
  std::map<std::string, std::int64_t> disputed;
};

void oneDay(Till& till, std::mt19937_64& random, Done& done) {
  auto const currency = random() % 3 == 0 ? "USD" : "EUR";
  auto const amount = static_cast<std::int64_t>(random() % 400'000 + 5'001);
  auto const payment = till.captured(amount, currency);
  if (payment.empty()) return;
  done.taken[currency] += amount;
  if (random() % 4 == 0) {
    auto const part = amount / 3;
    if (till.act("refund", {{"payment", payment}, {"amount", money(part, currency)}}).ok())
      done.given[currency] += part;
  } else if (amount < 60'000 && random() % 3 == 0) { // so that there is always something to pay out
    till.elsewhere("dispute", payment);
    done.disputed[currency] += amount;
  }
}

struct Books {
  std::map<std::string, std::map<std::string, std::int64_t>> by_kind; // kind, currency: sum of amounts
  std::map<std::string, json::value> lines;                           // by id
};

Books booksOf(Trial& trial) {
  Held held;
  auto const pulled = trial.mustRun(pullAsk("payments.balance_transaction", nullptr), "the balance's lines");
  held.take(pulled, "payments.balance_transaction");
  Books out;
  for (auto const& [id, record] : held.records()) {
    auto const* data = garland::find(record, "/data");
    if (data == nullptr) continue;
    out.by_kind[textOr(*data, "/kind", "")][textOr(*data, "/amount/currency", "")] +=
        integerOr(*data, "/amount/amount", 0);
    auto const net = integerOr(*data, "/net/amount", 0);
    auto const right = integerOr(*data, "/amount/amount", 0) - integerOr(*data, "/fee/amount", 0);
    trial.expect(net == right,
                 "a line's net is " + std::to_string(net) + ", its amount less its fee " +
                     std::to_string(right),
                 "balance line of kind " + textOr(*data, "/kind", ""));
    out.lines[id] = *data;
  }
  return out;
}

void expectSum(Trial& trial, Books const& books, std::string const& kind, std::string const& currency,
               std::int64_t right) {
  auto const at = books.by_kind.find(kind);
  std::int64_t sum = 0;
  if (at != books.by_kind.end())
    if (auto const of = at->second.find(currency); of != at->second.end()) sum = of->second;
  trial.expect(sum == right,
               "lines of kind " + kind + " in " + currency + " add up to " + std::to_string(sum) + ", not " +
                   std::to_string(right),
               "balance at the end");
}

// Everything that a payout consists of, its own line among it, adds up to nothing.
void expectSettled(Trial& trial, Books const& books, std::string const& payout, std::int64_t amount) {
  std::string after;
  std::int64_t sum = 0;
  std::int64_t own = 0;
  std::size_t lines = 0;
  do {
    json::object input{{"payout", payout}};
    if (!after.empty()) input["after"] = after;
    Ask ask;
    ask.operation = "payments.settlement/1";
    ask.input = std::move(input);
    auto const page = trial.mustRun(std::move(ask), "what a payout consists of");
    if (!page.ok()) return;
    after = textOr(*page.result, "/after", "");
    auto const* items = garland::find(*page.result, "/lines");
    if (items == nullptr || !items->is_array()) break;
    for (auto const& line : items->get_array()) {
      ++lines;
      auto const net = integerOr(line, "/data/net/amount", 0);
      sum += net;
      if (textOr(line, "/data/kind", "") == "payout") own += net;
      trial.expect(books.lines.contains(textOr(line, "/id", "")),
                   "a payout consists of a line that the balance does not have", "payments.settlement/1");
    }
  } while (!after.empty() && lines < 100'000);
  trial.expect(own == -amount,
               "the payout's own line is " + std::to_string(own) + ", it paid " + std::to_string(amount),
               "payments.settlement/1");
  trial.expect(sum == 0, "what a payout consists of adds up to " + std::to_string(sum) + " beside it",
               "payments.settlement/1");
}

void booksAgree(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.volume = 120; // more than a page is paid out at once
  trial.newBench(std::move(world));
  Till till(trial);
  auto const before = booksOf(trial);
  std::mt19937_64 random(trial.seed());
  Done done;
  int const days = trial.profile() == Profile::quick ? 30 : 90; // two payouts, or six
  for (int day = 0; day < days; ++day) {
    trial.bench().wait(kDay);
    if (day % 2 == 0) oneDay(till, random, done);
    if (day % 14 == 13) till.elsewhere("payout", "");
  }
  auto const after = booksOf(trial);
  auto const base = [&](std::string const& kind, std::string const& currency) {
    auto const at = before.by_kind.find(kind);
    return at == before.by_kind.end() || !at->second.contains(currency) ? 0 : at->second.at(currency);
  };
  auto const kinds =
      std::array{till.word("/kinds/taken"), till.word("/kinds/given"), till.word("/kinds/disputed")};
  for (auto const* currency : {"EUR", "USD"}) {
    expectSum(trial, after, kinds[0], currency, base(kinds[0], currency) + done.taken[currency]);
    expectSum(trial, after, kinds[1], currency, base(kinds[1], currency) - done.given[currency]);
    expectSum(trial, after, kinds[2], currency, base(kinds[2], currency) - done.disputed[currency]);
  }
  Held payouts;
  payouts.take(trial.mustRun(pullAsk("payments.payout", nullptr), "payouts"), "payments.payout");
  trial.expect(!payouts.records().empty(), "no payout came in", "payments.payout");
  for (auto const& [id, record] : payouts.records())
    expectSettled(trial, after, id, integerOr(record, "/data/amount/amount", 0));
}

// ---- PAY-09
void fillIn(std::string& text, std::string_view what, std::string const& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

bool names(json::value const& value, std::string const& id) {
  if (auto const* text = value.if_string()) return *text == id;
  if (auto const* list = value.if_array())
    return std::ranges::any_of(*list, [&](auto const& each) { return names(each, id); });
  if (auto const* object = value.if_object())
    return std::ranges::any_of(*object, [&](auto const& each) { return names(each.value(), id); });
  return false;
}

void oneTransition(Trial& trial) {
  Till till(trial);
  auto const* notice = till.said("/notice");
  if (notice == nullptr) return trial.giveUp("certification.json: /payments/notice is missing");
  json::object const input{{"amount", money(5'000, "EUR")}, {"method", till.word("/method")}};
  // Its answer gets lost; the provider's notice is there first.
  till.act("authorize", input, "overtaken-1", {faultNamed("timeout_after_send"), 0});
  auto const rows = till.told("authorized");
  if (!trial.expect(rows.size() == 1, "the payment was not made once", "payments.authorize/1")) return;
  auto const id = textOr(rows.front(), "/id", "");
  auto body = json::serialize(*notice);
  fillIn(body, "{id}", id);
  auto const hints = trial.run("webhooks.parse/1", json::object{{"headers", json::object()},
                                                                {"query", json::object()},
                                                                {"content_type", "application/json"},
                                                                {"body", body}});
  trial.expect(hints.ok() && names(*hints.result, id),
               "the notice does not lead to the payment: " +
                   (hints.ok() ? hints.result_text : hints.ending()),
               "webhooks.parse/1");
  auto const by_notice = till.record("payments.payment", id);
  auto const answer = till.act("authorize", input, "overtaken-1");
  if (!trial.expect(answer.ok(), "the repeated act ended with: " + answer.ending(), "payments.authorize/1"))
    return;
  trial.expect(idOf(answer) == id, "notice and answer are of two payments", "payments.authorize/1");
  trial.expect(dataOf(answer) == by_notice,
               "notice and answer lead to two states of one payment: " + json::serialize(by_notice) +
                   " and " + json::serialize(dataOf(answer)),
               "payments.authorize/1");
}

// ---- PAY-12
void tellsTheDay(Trial& trial) {
  Till till(trial);
  auto const payment = till.captured(20'000);
  if (payment.empty()) return;
  till.elsewhere("dispute", payment);
  auto const rows = till.told("disputed");
  if (rows.empty())
    return trial.giveUp("certification.json: /payments/edit/dispute: the twin tells of no dispute after it");
  auto const due = TimePoint(Milliseconds(1000 * integerOr(rows.back(), till.word("/due"), 0)));
  auto const id = textOr(rows.back(), "/id", "");
  Held held;
  held.take(trial.mustRun(pullAsk("payments.dispute", nullptr), "the dispute"), "payments.dispute");
  auto const at = held.records().find(id);
  if (!trial.expect(at != held.records().end(), "the dispute did not come in", "payments.pull/1")) return;
  auto const said = parseRfc3339(textOr(at->second, "/data/due", ""));
  trial.expect(said && *said == due, "nobody is told by when the dispute has to be answered, " + rfc3339(due),
               "payments.dispute /due");
  auto const answer = [&](bool submit) {
    return json::object{
        {"dispute", id}, {"evidence", json::object{{"text", "It was delivered."}}}, {"submit", submit}};
  };
  auto const draft = till.act("dispute_evidence", answer(false));
  trial.expect(draft.ok() && textOr(dataOf(draft), "/status", "") == "needs_response",
               "a draft was handed in, or it failed: " + draft.ending(),
               "payments.dispute_evidence/1, submit false");
  auto const final = till.act("dispute_evidence", answer(true));
  trial.expect(final.ok() && textOr(dataOf(final), "/status", "") == "under_review",
               "what was handed in is not under review: " + (final.ok() ? final.result_text : final.ending()),
               "payments.dispute_evidence/1, submit true");
  trial.expect(trial.bench().now() < due, "it was handed in too late", "payments.dispute_evidence/1");
}

constexpr Check kChecks[] = {
    {.id = "PAY-08", .run = booksAgree, .skip = noReconciliation},
    {.id = "PAY-09", .run = oneTransition, .skip = noPaymentNotices},
    {.id = "PAY-12", .run = tellsTheDay, .skip = noDisputes},
};

} // namespace

std::span<Check const> paymentBookChecks() { return kChecks; }

} // namespace garland::certification
