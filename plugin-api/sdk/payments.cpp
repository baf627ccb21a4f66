// How a table of acts is worked off: sending one, and finding again one whose answer was lost.
#include <garland/sdk/form.hpp>
#include <garland/sdk/payments.hpp>

#include <algorithm>

namespace garland::sdk::payments {
namespace {

constexpr std::size_t longest_key = 255;
// Who waits longer for an answer finds it out sooner by looking.
constexpr auto answers_within = std::chrono::seconds(30);
// A request that has not arrived after so long does not arrive any more.
constexpr auto settled_after = std::chrono::minutes(10);
// Where nobody says when an act was sent, it is looked for among the records of so long.
constexpr auto recent = std::chrono::hours(48);
constexpr auto clock_skew = std::chrono::minutes(5);

// `path` with the members of the input that it names.
std::string filled(std::string_view path, json::value const& input) {
  std::string out;
  while (!path.empty()) {
    auto const open = std::min(path.find('{'), path.size());
    out += path.substr(0, open);
    if (open == path.size()) break;
    auto const close = path.find('}', open);
    std::string const member(path.substr(open + 1, close - open - 1));
    auto const text = textOr(input, "/" + member);
    if (text.empty())
      throw Failure(Kind::invalidInput, "/" + member + ": is missing").withField("/" + member);
    out += percentEncode(text);
    path.remove_prefix(close + 1);
  }
  return out;
}

json::value recordAt(Account& account, Entity const& entity, json::value const& input,
                     std::string_view member) {
  return rest::get(account, entity.resource, textOr(input, "/" + std::string(member)));
}

Done answer(Entity const& entity, json::value const& record) {
  return {std::string(entity.name), records::idOf(entity.resource, record),
          fields::read(records::mapOf(entity, record), record, {})};
}

// Does the input hold an amount whose row names no currency of its own?
bool borrowsCurrency(fields::Map map, json::value const& input) {
  return std::ranges::any_of(map, [&](fields::Field const& row) {
    auto const* amount = std::get_if<fields::Amount>(&row.form);
    return amount != nullptr && amount->currency.empty() && sdk::find(input, row.ours) != nullptr;
  });
}

json::object bodyOf(Account& account, Act const& act, json::value const& input) {
  fields::Context context{.currency = textOr(input, "/amount/currency")};
  if (act.priced_by.entity != nullptr && borrowsCurrency(act.map, input)) {
    auto const& [entity, member] = act.priced_by;
    context.currency =
        textOr(answer(*entity, recordAt(account, *entity, input, member)).data, "/amount/currency");
  }
  json::object body;
  auto wrong = attempt([&] { body = fields::write(act.map, input, {}, context); });
  if (wrong && wrong->field.starts_with("/data")) wrong->field.erase(0, 5); // here the input is the record
  if (wrong) throw std::move(*wrong);
  for (auto const& [pointer, text] : act.always) put(body, pointer, json::value(text));
  return body;
}

std::string keyOf(json::value const& input) {
  auto key = textOr(input, "/idempotency_key");
  if (key.empty())
    throw Failure(Kind::invalidInput, "/idempotency_key: is missing").withField("/idempotency_key");
  return rest::shortKey(key, longest_key);
}

bool isAmong(std::span<std::string_view const> words, std::string const& word) {
  return std::ranges::find(words, word) != words.end();
}

// Digits that pass the check of card numbers, blanks and dashes between them left out.
bool holdsCardNumber(std::string_view text) {
  constexpr std::size_t shortest = 13;
  constexpr std::size_t longest = 19;
  std::string digits;
  auto const isCard = [&] {
    if (digits.size() < shortest || digits.size() > longest) return false;
    int sum = 0;
    bool twice = false;
    for (auto at = digits.rbegin(); at != digits.rend(); ++at, twice = !twice) {
      int const digit = twice ? 2 * (*at - '0') : *at - '0';
      sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
  };
  for (char const c : text) {
    if (c >= '0' && c <= '9')
      digits += c;
    else if (c != ' ' && c != '-') {
      if (isCard()) return true;
      digits.clear();
    }
  }
  return isCard();
}

// A number in the message would stand in a log: only the place is told.
void refuseCardNumbers(json::value const& value, std::string const& pointer) {
  if (auto const* text = value.if_string(); text != nullptr && holdsCardNumber(*text))
    throw Failure(Kind::invalidInput,
                  pointer + ": holds a card number; name the means of payment by the provider's token")
        .withField(pointer)
        .withEffect(Effect::notApplied);
  if (auto const* list = value.if_array())
    for (std::size_t i = 0; i < list->size(); ++i)
      refuseCardNumbers((*list)[i], pointer + "/" + std::to_string(i));
  if (auto const* object = value.if_object())
    for (auto const& member : *object)
      if (member.key() != "idempotency_key")
        refuseCardNumbers(member.value(), pointer + "/" + std::string(member.key()));
}

void sort(Declines const& declines, json::object& detail) {
  auto const* word = declines.member.empty() ? nullptr : detail.if_contains(declines.member);
  if (word == nullptr || !word->is_string()) return;
  auto const row = std::ranges::find(declines.rows, std::string_view(word->get_string()), &Decline::word);
  auto const into = row == declines.rows.end() ? declines.otherwise : row->into;
  detail["decline_class"] = into;
}

// What the act's failure would have told, of the record that stands for it.
Refusal refusalOf(Declines const& declines, Done const& done) {
  Refusal refusal;
  refusal.message = done.entity + " " + done.id + " was refused";
  auto const said = textOr(done.data, "/decline/message");
  if (!said.empty()) {
    refusal.message += ": " + said;
    refusal.user_message = said;
  }
  if (auto code = textOr(done.data, "/decline/code"); !code.empty()) refusal.code = std::move(code);
  refusal.detail["record"] = done.id;
  auto const reason = textOr(done.data, "/decline/reason");
  if (!reason.empty() && !declines.member.empty()) refusal.detail[declines.member] = reason;
  sort(declines, refusal.detail);
  return refusal;
}

std::string operationOf(Verb verb) {
  return "payments." + std::string(boost::describe::enum_to_string(verb, "")) + "/1";
}

// Looks for an act that may have been carried out.
class Finder {
public:
  Finder(Account& account, Act const& act, FindRequest const& request, Declines const& declines)
      : account_(account), act_(act), request_(request), declines_(declines),
        key_(rest::shortKey(request.idempotency_key, longest_key)) {}

  Found run() { return act_.changes.empty() ? amongNew() : inChanged(); }

private:
  // Too long ago to be still on its way.
  bool settled() const {
    return request_.sent_at && account_.call().now() - *request_.sent_at > settled_after;
  }
  Found found(Done done) const {
    auto const status = textOr(done.data, "/status");
    Found found;
    found.found = true;
    found.final = status != "pending";
    if (!act_.refused.empty() && status == act_.refused) found.refused = refusalOf(declines_, done);
    found.output = std::move(done);
    return found;
  }

  Found amongNew() {
    auto const from = request_.sent_at.value_or(account_.call().now() - recent) - clock_skew;
    Query query;
    if (!act_.since.empty())
      query.emplace_back(act_.since, std::to_string(from.time_since_epoch().count() / 1000));
    for (auto const& filter : act_.filters)
      if (auto value = textOr(request_.input, filter.at); !value.empty())
        query.emplace_back(filter.parameter, std::move(value));
    rest::Pages pages(account_, act_.entity.resource, std::move(query));
    while (pages.next())
      for (auto const& record : pages.records())
        if (textOr(record, act_.key) == key_) return found(answer(act_.entity, record));
    return notFound(settled());
  }
  static Found notFound(bool final) {
    Found none;
    none.final = final;
    return none;
  }

  Found inChanged() {
    json::value record;
    auto refused = attempt([&] { record = recordAt(account_, act_.entity, request_.input, act_.changes); });
    if (refused && refused->kind == Kind::notFound) return notFound(true);
    if (refused) throw std::move(*refused);
    auto done = answer(act_.entity, record);
    auto const status = textOr(done.data, "/status");
    if (act_.key.empty() ? status == act_.done : textOr(record, act_.key) == key_)
      return found(std::move(done));
    return notFound(settled() || !isAmong(act_.possible, status));
  }

  Account& account_;
  Act const& act_;
  FindRequest const& request_;
  Declines declines_;
  std::string key_;
};

// Refuses what must not be done while such a record is there, unless it was done before: then that is the
// answer.
std::optional<Done> blockedOrDone(Account& account, Act const& act, json::value const& input) {
  auto const& unless = act.unless;
  auto value = unless.entity != nullptr ? textOr(input, unless.at) : std::string();
  if (value.empty()) return std::nullopt;
  rest::Pages pages(account, unless.entity->resource, {{std::string(unless.parameter), std::move(value)}});
  while (pages.next())
    for (auto const& record : pages.records()) {
      auto const there = answer(*unless.entity, record);
      if (!isAmong(unless.statuses, textOr(there.data, "/status"))) continue;
      FindRequest const request{keyOf(input), operationOf(act.verb), input, {}};
      if (auto before = Finder(account, act, request, {}).run(); before.found)
        return std::move(before.output);
      throw Failure(Kind::conflict,
                    std::string(unless.at) + ": is blocked by " + there.entity + " " + there.id)
          .withField(std::string(unless.at))
          .withEffect(Effect::notApplied);
    }
  return std::nullopt;
}

} // namespace

Act const& TableConnector::actOf(std::string_view operation) const {
  for (auto const& act : acts())
    if (operationOf(act.verb) == operation) return act;
  throw Failure(Kind::unsupported, "this connector has no " + std::string(operation)).withField("/operation");
}

void TableConnector::pull(Account& account, PullRequest const& request) {
  begin(account);
  records::pull(account, records::find(entities(), request.entity), request.cursor, {});
}

Done TableConnector::act(Account& account, Verb verb, json::value const& input) {
  auto const& act = actOf(operationOf(verb));
  refuseCardNumbers(input, "");
  begin(account);
  auto const key = keyOf(input);
  if (auto done = blockedOrDone(account, act, input)) return std::move(*done);
  auto body = bodyOf(account, act, input);
  if (!act.key.empty()) put(body, act.key, json::value(key));
  Request request;
  request.method = "POST";
  request.url = filled(act.path, input);
  request.headers.push_back({"Content-Type", std::string(form::content_type)});
  request.body = form::encode(body);
  request.idempotency_key = key;
  request.timeout = answers_within;
  json::value made;
  auto refused =
      attempt([&] { made = rest::fetch(account, act.entity.resource.errors, std::move(request)); });
  if (refused) sort(declines(), refused->detail);
  if (refused) throw std::move(*refused);
  return answer(act.entity, made);
}

Found TableConnector::find(Account& account, FindRequest const& request) {
  auto const& act = actOf(request.operation);
  begin(account);
  return Finder(account, act, request, declines()).run();
}

Settlement TableConnector::settlement(Account& account, SettlementRequest const& request) {
  begin(account);
  auto const& [entity, parameter] = lines();
  rest::Pages pages(account, entity.resource, {{std::string(parameter), request.payout}},
                    request.after.value_or(""));
  Settlement settlement;
  if (!pages.next()) return settlement;
  for (auto const& record : pages.records()) settlement.lines.push_back(answer(entity, record));
  if (!pages.position().empty()) settlement.after = pages.position();
  return settlement;
}

void TableConnector::get(Account& account, records::GetRequest const& request) {
  begin(account);
  records::get(account, records::find(entities(), request.entity), request.ids, {});
}

webhooks::Parsed TableConnector::hints(Account& account, webhooks::Delivery const& delivery) {
  return webhooks::parse(hooks(), delivery, hookAccount(account));
}

std::span<OperationEntry const> TableConnector::operations() {
  using Self = TableConnector;
  static constexpr OperationEntry table[] = {
      operation<&Self::check>("health.check/1"),
      operation<&Self::pull>("payments.pull/1"),
      operation<&Self::perform<Verb::authorize>>("payments.authorize/1"),
      operation<&Self::perform<Verb::capture>>("payments.capture/1"),
      operation<&Self::perform<Verb::cancel>>("payments.cancel/1"),
      operation<&Self::perform<Verb::refund>>("payments.refund/1"),
      operation<&Self::perform<Verb::transfer>>("payments.transfer/1"),
      operation<&Self::perform<Verb::dispute_evidence>>("payments.dispute_evidence/1"),
      operation<&Self::find>("payments.find/1"),
      operation<&Self::settlement>("payments.settlement/1"),
      operation<&Self::get>("records.get/1"),
      operation<&Self::hints>("webhooks.parse/1"),
  };
  return table;
}

} // namespace garland::sdk::payments
