// Writing single records so that repeating it does it once.
#include <garland/sdk/fields.hpp>
#include <garland/sdk/form.hpp>
#include <garland/sdk/rest.hpp>

#include "hash.h"

#include <algorithm>

namespace garland::sdk::rest {
namespace {

std::string pathOf(Resource const& resource, std::string_view id) {
  return std::string(resource.path) + "/" + percentEncode(id);
}

json::value recordIn(Resource const& resource, json::value answer) {
  if (resource.record.empty()) return answer;
  auto const* record = find(answer, resource.record);
  return record == nullptr ? json::value() : *record;
}

Request writing(Resource const& resource, std::string_view method, std::string url,
                json::object const& body) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  bool const form = resource.writing.body == BodyForm::form;
  request.headers.push_back({"Content-Type", form ? std::string(form::content_type) : "application/json"});
  request.body = form ? form::encode(body) : json::serialize(body);
  return request;
}

void addKey(Resource const& resource, std::string_view key, Request& request) {
  auto const* header = std::get_if<HeaderKey>(&resource.writing.idempotency);
  if (header == nullptr) return;
  // That one is the host's to send.
  if (header->header == HeaderKey().header)
    request.idempotency_key = shortKey(key, header->longest);
  else
    request.headers.push_back({std::string(header->header), shortKey(key, header->longest)});
}

void addKey(Resource const& resource, std::string_view key, json::object& body) {
  if (auto const* member = std::get_if<BodyKey>(&resource.writing.idempotency))
    put(body, member->member, json::value(shortKey(key, member->longest)));
  auto const* lookup = std::get_if<LookupKey>(&resource.writing.idempotency);
  if (lookup == nullptr) return;
  auto const own = shortKey(key, lookup->longest);
  json::object entry;
  put(entry, lookup->id, json::value(own));
  if (!lookup->url.empty()) put(entry, lookup->url, json::value("urn:garland:" + own));
  json::array entries;
  if (auto const* held = find(body, lookup->entries); held != nullptr && held->is_array())
    entries = held->get_array();
  entries.push_back(std::move(entry));
  put(body, lookup->entries, std::move(entries));
}

// The record that an earlier try with this key has made.
class Finder {
public:
  Finder(Account& account, Resource const& resource, LookupKey const& lookup, std::string_view key)
      : account_(account), resource_(resource), lookup_(lookup), key_(shortKey(key, lookup.longest)) {}

  std::optional<json::value> find(json::value const& body) {
    if (!lookup_.parameter.empty()) return among({{std::string(lookup_.parameter), key_}}, {});
    auto const other = lookup_.by.empty() ? std::string() : textOr(body, lookup_.at);
    if (!other.empty()) return among({{std::string(lookup_.by), other}}, {});
    auto const* sorted = std::get_if<Descending>(&resource_.changes);
    if (sorted == nullptr) return among({}, {});
    return among({{std::string(sorted->parameter), std::string(sorted->value)}}, sorted->modified);
  }

private:
  // `modified`: where a record that is too old ends the search; empty: all are looked at.
  std::optional<json::value> among(Query query, std::string_view modified) {
    auto const oldest = account_.call().now() - lookup_.recent;
    Pages pages(account_, resource_, std::move(query));
    while (pages.next()) {
      for (auto const& record : pages.records()) {
        if (carriesKey(record)) return record;
        if (modified.empty()) continue;
        auto const when = parseRfc3339(textOr(record, modified));
        if (when && *when < oldest) return std::nullopt;
      }
    }
    return std::nullopt;
  }

  bool carriesKey(json::value const& record) const {
    auto const* entries = sdk::find(record, lookup_.entries);
    if (entries == nullptr || !entries->is_array()) return false;
    return std::ranges::any_of(
        entries->get_array(), [this](json::value const& entry) { return textOr(entry, lookup_.id) == key_; });
  }

  Account& account_;
  Resource const& resource_;
  LookupKey const& lookup_;
  std::string key_;
};

} // namespace

std::string shortKey(std::string_view key, std::size_t longest) {
  if (key.size() <= longest) return std::string(key);
  auto const tail = hashOf(key);
  return std::string(key.substr(0, longest - tail.size() - 1)) + "-" + tail;
}

json::value get(Account& account, Resource const& resource, std::string_view id) {
  Request request;
  request.url = pathOf(resource, id);
  return recordIn(resource, fetch(account, resource.errors, std::move(request)));
}

json::value create(Account& account, Resource const& resource, json::object body, std::string_view key) {
  auto const* lookup = std::get_if<LookupKey>(&resource.writing.idempotency);
  if (lookup != nullptr)
    if (auto found = Finder(account, resource, *lookup, key).find(body)) return std::move(*found);
  auto const looked_at = body;
  addKey(resource, key, body);
  auto request = writing(resource, "POST", std::string(resource.path), body);
  addKey(resource, key, request);
  json::value made;
  auto failure =
      attempt([&] { made = recordIn(resource, fetch(account, resource.errors, std::move(request))); });
  if (!failure) return made;
  // Perhaps it was done all the same.
  bool const in_doubt = failure->effect.value_or(account.call().effectSoFar()) != Effect::notApplied;
  if (lookup != nullptr && in_doubt) {
    std::optional<json::value> found;
    static_cast<void>(attempt([&] { found = Finder(account, resource, *lookup, key).find(looked_at); }));
    if (found) return std::move(*found);
  }
  throw std::move(*failure);
}

void update(Account& account, Resource const& resource, std::string_view id, json::value const& before,
            json::object const& after, std::string_view key) {
  auto old = before.is_object() ? before.get_object() : json::object();
  auto body = after;
  for (auto const member : resource.writing.read_only) {
    old.erase(member);
    body.erase(member);
  }
  if (body == old) return;
  if (!resource.writing.whole) body = fields::changes(old, body);
  auto request = writing(resource, resource.writing.update, pathOf(resource, id), body);
  addKey(resource, key, request);
  fetch(account, resource.errors, std::move(request));
}

void remove(Account& account, Resource const& resource, std::string_view id) {
  Request request;
  request.method = "DELETE";
  request.url = pathOf(resource, id);
  auto failure = attempt([&] { fetch(account, resource.errors, std::move(request)); });
  if (failure && failure->kind != Kind::notFound) throw std::move(*failure);
}

} // namespace garland::sdk::rest
