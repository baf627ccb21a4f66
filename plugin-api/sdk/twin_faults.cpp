#include "twin_faults.h"

#include <algorithm>
#include <array>

namespace garland::sdk::twin {
namespace {

constexpr std::size_t kMaxOrders = 1000;
constexpr std::int64_t kMostBytes = 1LL << 30;
constexpr std::int64_t kMostDelay = 600'000;

// What becomes of the answer that the twin gave, or of an empty one if it was not asked.
using Spoil = Answered (*)(FaultOrder const&, Response);

Answered sentAs(Response response, std::string kind, std::int64_t bytes = 0, std::int64_t delay_ms = 0) {
  return {std::move(response), Transport{std::move(kind), bytes, delay_ms}};
}

Answered otherAnswer(FaultOrder const& order, Response) {
  Response response;
  response.status = order.status.value_or(500);
  if (order.body && order.body->is_string()) {
    response = Response(response.status, "text/plain; charset=utf-8", std::string(order.body->get_string()));
  } else if (order.body) {
    response = Response(response.status, *order.body);
  }
  if (order.headers)
    for (auto const& [name, value] : *order.headers) response.headers.push_back({name, value});
  return {std::move(response), std::nullopt};
}

Answered html(FaultOrder const& order, Response) {
  std::string page = "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>Bad "
                     "gateway</h1></body></html>\n";
  return {Response(order.status.value_or(200), "text/html; charset=utf-8", std::move(page)), std::nullopt};
}

Answered malformedJson(FaultOrder const& order, Response) {
  return {Response(order.status.value_or(200), "application/json", "{\"data\": [1, 2,}, \"more\": tru"),
          std::nullopt};
}

Answered deepNesting(FaultOrder const& order, Response) {
  constexpr std::size_t depth = 10'000;
  return {Response(order.status.value_or(200), "application/json",
                   std::string(depth, '[') + std::string(depth, ']')),
          std::nullopt};
}

// Latin-1 that says it is JSON in UTF-8.
Answered wrongCharset(FaultOrder const& order, Response) {
  return {Response(order.status.value_or(200), "application/json; charset=utf-8",
                   "{\"name\":\"Caf\xE9 \xFF\xFE\"}"),
          std::nullopt};
}

// Whole as HTTP, half as JSON.
Answered truncated(FaultOrder const&, Response response) {
  response.body.resize(response.body.size() / 2);
  return {std::move(response), std::nullopt};
}

// The object that holds what `pointer` names, and the name of it there; nothing if there is no such object.
std::pair<json::object*, std::string> holder(json::value& document, std::string_view pointer) {
  auto const slash = pointer.rfind('/');
  if (slash == std::string_view::npos) return {nullptr, {}};
  json::error_code failed;
  auto* const parent = document.find_pointer(pointer.substr(0, slash), failed);
  std::string name(pointer.substr(slash + 1));
  for (auto at = name.find('~'); at != std::string::npos; at = name.find('~', at + 1))
    name.replace(at, 2, name.substr(at, 2) == "~1" ? "/" : "~");
  return {parent != nullptr ? parent->if_object() : nullptr, std::move(name)};
}

Answered change(FaultOrder const& order, Response response) {
  json::error_code failed;
  auto document = json::parse(response.body, failed);
  if (failed) return {std::move(response), std::nullopt};
  for (auto const& member : order.set.value_or(json::object()))
    if (auto const [object, name] = holder(document, member.key()); object != nullptr)
      (*object)[name] = member.value();
  for (auto const& pointer : order.remove.value_or(std::vector<std::string>()))
    if (auto const [object, name] = holder(document, pointer); object != nullptr) object->erase(name);
  response.body = json::serialize(document);
  return {std::move(response), std::nullopt};
}

Answered reset(FaultOrder const&, Response response) { return sentAs(std::move(response), "reset"); }
Answered noAnswer(FaultOrder const&, Response response) { return sentAs(std::move(response), "no_answer"); }
Answered resetAfterHeaders(FaultOrder const&, Response response) {
  return sentAs(std::move(response), "reset_after_headers");
}
Answered resetMidBody(FaultOrder const& order, Response response) {
  auto const half = static_cast<std::int64_t>(response.body.size() / 2);
  return sentAs(std::move(response), "reset_mid_body", order.bytes.value_or(half));
}
Answered slowBody(FaultOrder const& order, Response response) {
  return sentAs(std::move(response), "slow_body", order.bytes.value_or(1), order.delay_ms.value_or(1000));
}
Answered zipBomb(FaultOrder const& order, Response) {
  return sentAs(Response(order.status.value_or(200), "application/json", {}), "zip_bomb",
                order.bytes.value_or(std::int64_t{256} << 20));
}

struct Row {
  std::string_view name;
  Spoil spoil;
  bool applied; // if the order does not say; those that spoil the twin's own answer need it
  bool needs_answer;
};
constexpr std::array<Row, 13> rows{{
    {"answer", &otherAnswer, false, false},
    {"html", &html, false, false},
    {"malformed_json", &malformedJson, false, false},
    {"deep_nesting", &deepNesting, false, false},
    {"wrong_charset", &wrongCharset, false, false},
    {"truncated", &truncated, true, true},
    {"change", &change, true, true},
    {"reset", &reset, false, false},
    {"no_answer", &noAnswer, false, false},
    {"reset_after_headers", &resetAfterHeaders, true, true},
    {"reset_mid_body", &resetMidBody, true, true},
    {"slow_body", &slowBody, true, true},
    {"zip_bomb", &zipBomb, false, false},
}};

Row const* rowOf(std::string_view name) {
  auto const* const found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? nullptr : found;
}

// "*" stands for any characters.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('*') == std::string_view::npos;
}

// A misspelt "applied" would be another fault than the one that was meant.
void refuseUnknownMembers(json::value const& order) {
  auto const* const object = order.if_object();
  if (object == nullptr) return; // decoding it says so
  using Members = boost::describe::describe_members<FaultOrder, boost::describe::mod_public>;
  std::vector<std::string> names;
  boost::mp11::mp_for_each<Members>([&](auto const& member) { names.emplace_back(member.name); });
  std::string listed;
  for (auto const& name : names) listed += (listed.empty() ? "" : ", ") + name;
  for (auto const& member : *object)
    if (std::ranges::find(names, std::string(member.key())) == names.end())
      throw Failure(Kind::invalidInput, "/" + std::string(member.key()) +
                                            ": is not a member of a fault; the members are: " + listed);
}

void check(FaultOrder const& order) {
  auto const wrong = [](std::string const& what) { throw Failure(Kind::invalidInput, what); };
  auto const* const row = rowOf(order.fault);
  if (row == nullptr) {
    std::string names;
    for (auto const& known : rows) names += (names.empty() ? "" : ", ") + std::string(known.name);
    wrong("/fault: must be one of " + names);
  } else if (row->needs_answer && !order.applied.value_or(true)) {
    wrong("/applied: \"" + order.fault +
          "\" spoils the answer of a request that took effect, so it must be true");
  }
  auto const inRange = [](std::optional<std::int64_t> value, std::int64_t least, std::int64_t most) {
    return !value || (*value >= least && *value <= most);
  };
  if (!inRange(order.times, 1, 1'000'000)) wrong("/times: must be between 1 and 1000000");
  if (!inRange(order.skip, 0, 1'000'000)) wrong("/skip: must be between 0 and 1000000");
  if (!inRange(order.bytes, 1, kMostBytes)) wrong("/bytes: must be between 1 and 1073741824");
  if (!inRange(order.delay_ms, 0, kMostDelay)) wrong("/delay_ms: must be between 0 and 600000");
  if (!inRange(order.status, 200, 599)) wrong("/status: must be between 200 and 599");
}

} // namespace

void Faults::add(json::value const& order) {
  refuseUnknownMembers(order);
  auto wanted = decode<FaultOrder>(order, Kind::invalidInput);
  check(wanted);
  if (orders_.size() == kMaxOrders)
    throw Failure(Kind::invalidInput, "there are 1000 faults already; DELETE /_twin/fault forgets them");
  wanted.times = wanted.times.value_or(1);
  wanted.skip = wanted.skip.value_or(0);
  orders_.push_back(std::move(wanted));
}

json::array Faults::list() const {
  json::array out;
  for (auto const& order : orders_) out.push_back(encode(order));
  return out;
}

// The first order that meets this request; what it counts is counted.
FaultOrder* Faults::due(Request const& request) {
  for (auto& order : orders_) {
    if (*order.times == 0) continue;
    if (order.method && *order.method != request.method) continue;
    if (order.path && !matches(*order.path, request.path)) continue;
    if (*order.skip > 0) {
      --*order.skip;
      continue;
    }
    --*order.times;
    return &order;
  }
  return nullptr;
}

Answered Faults::answer(Request const& request, std::function<Response()> const& serve) {
  auto const* const found = due(request);
  if (found == nullptr) return {serve(), std::nullopt};
  auto const order = *found;
  std::erase_if(orders_, [](FaultOrder const& any) { return *any.times == 0; });
  auto const& row = *rowOf(order.fault);
  return row.spoil(order, order.applied.value_or(row.applied) ? serve() : Response());
}

} // namespace garland::sdk::twin
