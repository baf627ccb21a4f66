// Deliveries of webhooks, read by a table.
#include <garland/sdk/form.hpp>
#include <garland/sdk/pointer.hpp>
#include <garland/sdk/webhooks.hpp>

#include <algorithm>

namespace garland::sdk::webhooks {
namespace {

// As far as the contract lets an id and a name be long.
constexpr std::size_t longest_id = 400;
constexpr std::size_t longest_event = 200;

bool isForm(std::string type) {
  for (auto& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return type.starts_with(form::content_type);
}

json::value documentOf(Delivery const& delivery) {
  if (isForm(delivery.content_type)) return form::decode(delivery.body, Kind::providerBug);
  auto document = sdk::parse(delivery.body);
  if (!document.is_object()) Place().fail("must be an object");
  return document;
}

std::string valueIn(std::map<std::string, std::string> const& texts, std::string_view name) {
  auto const found = texts.find(std::string(name));
  return found == texts.end() ? std::string() : found->second;
}

std::string textAt(At const& at, Delivery const& delivery, json::value const& document) {
  if (!at.header.empty()) return valueIn(delivery.headers, at.header);
  if (!at.query.empty()) return valueIn(delivery.query, at.query);
  return at.body.empty() ? std::string() : textOr(document, at.body);
}

std::string wordsFor(At const& at) {
  if (!at.header.empty()) return "the header " + std::string(at.header);
  if (!at.query.empty()) return "the parameter " + std::string(at.query) + " of its address";
  return std::string(at.body);
}

bool fits(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

[[noreturn]] void refuse(std::string const& what) {
  throw Failure(Kind::providerBug, "a webhook cannot be read: " + what);
}

Hint hintOf(Event const& row, std::string const& event, json::value const& document) {
  auto id = textOr(document, row.record);
  if (id.empty()) refuse(event + ": " + std::string(row.record) + ": is missing");
  return {std::string(row.kind), std::move(id)};
}

} // namespace

Parsed parse(Table const& table, Delivery const& delivery, std::string_view account) {
  json::value document;
  if (auto failure = attempt([&] { document = documentOf(delivery); })) refuse(failure->message);
  Parsed parsed{.event = textAt(table.event, delivery, document)};
  if (parsed.event.empty()) refuse(wordsFor(table.event) + ": is missing, which should name the event");
  if (parsed.event.size() > longest_event) refuse(wordsFor(table.event) + ": is too long");
  if (auto id = textAt(table.id, delivery, document); !id.empty() && id.size() <= longest_id)
    parsed.id = parsed.dedupe_key = std::move(id);
  if (!table.account.empty() && textOr(document, table.account) != account) return parsed;
  for (auto const& row : table.events) {
    if (!fits(row.name, parsed.event)) continue;
    auto hint = hintOf(row, parsed.event, document);
    auto const same = [&](Hint const& other) {
      return other.kind == hint.kind && other.external_id == hint.external_id;
    };
    if (std::ranges::none_of(parsed.hints, same)) parsed.hints.push_back(std::move(hint));
  }
  return parsed;
}

} // namespace garland::sdk::webhooks
