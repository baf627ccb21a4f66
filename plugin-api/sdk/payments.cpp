// How a table of acts is worked off: sending one, and finding again one whose answer was lost.
#include <garland/sdk/form.hpp>
#include <garland/sdk/payments.hpp>

#include <algorithm>

namespace garland::sdk::payments {
namespace {

constexpr std::size_t longest_key = 255;
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

std::string operationOf(Verb verb) {
  return "payments." + std::string(boost::describe::enum_to_string(verb, "")) + "/1";
}

// Looks for an act that may have been carried out.
class Finder {
public:
  Finder(Account& account, Act const& act, FindRequest const& request)
      : account_(account), act_(act), request_(request),
        key_(rest::shortKey(request.idempotency_key, longest_key)) {}

  Found run() { return act_.changes.empty() ? amongNew() : inChanged(); }

private:
  // Too long ago to be still on its way.
  bool settled() const {
    return request_.sent_at && account_.call().now() - *request_.sent_at > settled_after;
  }
  static Found found(Done done) {
    bool const pending = textOr(done.data, "/status") == "pending";
    return {true, std::move(done), !pending};
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
    return {false, {}, settled()};
  }

  Found inChanged() {
    json::value record;
    auto refused = attempt([&] { record = recordAt(account_, act_.entity, request_.input, act_.changes); });
    if (refused && refused->kind == Kind::notFound) return {false, {}, true};
    if (refused) throw std::move(*refused);
    auto done = answer(act_.entity, record);
    auto const status = textOr(done.data, "/status");
    if (act_.key.empty() ? status == act_.done : textOr(record, act_.key) == key_)
      return found(std::move(done));
    return {false, {}, settled() || !isAmong(act_.possible, status)};
  }

  Account& account_;
  Act const& act_;
  FindRequest const& request_;
  std::string key_;
};

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
  begin(account);
  auto const key = keyOf(input);
  auto body = bodyOf(account, act, input);
  if (!act.key.empty()) put(body, act.key, json::value(key));
  Request request;
  request.method = "POST";
  request.url = filled(act.path, input);
  request.headers.push_back({"Content-Type", std::string(form::content_type)});
  request.body = form::encode(body);
  request.idempotency_key = key;
  return answer(act.entity, rest::fetch(account, act.entity.resource.errors, std::move(request)));
}

Found TableConnector::find(Account& account, FindRequest const& request) {
  auto const& act = actOf(request.operation);
  begin(account);
  return Finder(account, act, request).run();
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
