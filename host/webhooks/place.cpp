#include "host/webhooks/place.h"

#include "host/webhooks/body_scalar.h"
#include "host/webhooks/scheme.h"

#include <boost/url/decode_view.hpp>
#include <boost/url/pct_string_view.hpp>

#include <algorithm>

namespace garland::webhooks {
namespace {

// No provider comes near; a longer one is there to make us work.
constexpr std::size_t kMostValueBytes = 16U << 10U;
constexpr std::size_t kMostItems = 64;
constexpr JsonLimits kBodyLimits{16U << 20U, 64};

Found<std::string> decoded(std::string_view text, std::string_view what) {
  auto const checked = boost::urls::make_pct_string_view({text.data(), text.size()});
  if (!checked)
    return Reject{Reason::malformed, std::string(what) + " has a % that no two hexadecimal digits follow"};
  boost::urls::encoding_opts options;
  options.space_as_plus = true;
  auto const view = boost::urls::decode_view(*checked, options);
  return std::string(view.begin(), view.end());
}

// Names of headers: ASCII, whatever the locale.
bool sameName(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  auto const blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the separators; the whole text if there is none.
std::vector<std::string_view> items(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> found;
  if (separator.empty()) return {text};
  while (true) {
    auto const end = text.find(separator);
    found.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return found;
    text.remove_prefix(end + separator.size());
  }
}

// The item without what marks it, or nothing if it is of another kind.
std::optional<std::string_view> unmarked(std::string_view item, Place const& place) {
  if (!place.member.empty()) {
    auto const equals = item.find('=');
    if (equals == std::string_view::npos || item.substr(0, equals) != place.member) return std::nullopt;
    item.remove_prefix(equals + 1);
  }
  if (!item.starts_with(place.prefix)) return std::nullopt;
  item.remove_prefix(place.prefix.size());
  return item;
}

Reject absent(Place const& place) { return {Reason::missing, place.words() + " is missing"}; }

Reject twice(Place const& place) {
  return {Reason::duplicated,
          place.words() + " is there more than once, so that nobody can say which counts"};
}

Found<std::string> scalar(json::value const& value, Place const& place) {
  if (auto const* text = value.if_string()) return std::string(*text);
  if (auto const* number = value.if_int64()) return std::to_string(*number);
  if (auto const* large = value.if_uint64()) return std::to_string(*large);
  return Reject{Reason::malformed, place.words() + " is neither a text nor a whole number"};
}

// Follows the pointer; "*" is every item of a list, and each must have what follows.
Found<void> collect(json::value const& value, std::string_view pointer, Place const& place,
                    std::vector<std::string>& out) {
  auto const star = pointer.find("/*");
  auto const* found = find(value, pointer.substr(0, star));
  if (found == nullptr || found->is_null()) return absent(place);
  if (star == std::string_view::npos) {
    TRY(text, scalar(*found, place));
    out.push_back(std::move(text));
    return {};
  }
  if (!found->is_array())
    return Reject{Reason::malformed, place.words() + " passes something that is no list"};
  for (auto const& item : found->get_array()) {
    TRY_VOID(collect(item, pointer.substr(star + 2), place, out));
  }
  return {};
}

} // namespace

std::string Place::words() const {
  std::string const where = in == In::header  ? "the header " + name
                            : in == In::query ? "the query's member " + name
                                              : "the body's " + name;
  return member.empty() ? where : "\"" + member + "=\" in " + where;
}

Found<Pairs> formPairs(std::string_view text, std::string_view what) {
  Pairs pairs;
  for (auto const item : items(text, "&")) {
    if (item.empty()) continue;
    auto const equals = std::min(item.find('='), item.size());
    TRY(name, decoded(item.substr(0, equals), what));
    TRY(value, decoded(item.substr(std::min(equals + 1, item.size())), what));
    pairs.emplace_back(std::move(name), std::move(value));
  }
  return pairs;
}

Found<json::value const*> RequestView::json() {
  if (!json_) {
    auto parsed = parseJson(request_.body, kBodyLimits);
    // The parser's sentence names a line and a column, never the text.
    if (parsed)
      json_.emplace(std::move(*parsed));
    else
      json_.emplace(Reject{Reason::malformed, "the body is not JSON: " + parsed.error().message});
  }
  if (!*json_) return json_->error();
  return &**json_;
}

Found<Pairs const*> RequestView::query() {
  if (!query_) {
    std::string_view text = request_.url;
    text = text.substr(0, text.find('#'));
    auto const mark = text.find('?');
    query_.emplace(formPairs(mark == std::string_view::npos ? "" : text.substr(mark + 1), "the URL's query"));
  }
  if (!*query_) return query_->error();
  return &**query_;
}

Found<std::vector<std::string>> RequestView::raw(Place const& place) {
  std::vector<std::string> values;
  if (place.in == Place::In::body) {
    TRY(document, json());
    TRY_VOID(collect(*document, place.name, place, values));
    if (values.empty()) return absent(place);
    return values;
  }
  if (place.in == Place::In::query) {
    TRY(pairs, query());
    for (auto const& [name, value] : *pairs)
      if (name == place.name) values.push_back(value);
  } else {
    for (auto const& [name, value] : request_.headers)
      if (sameName(name, place.name)) values.emplace_back(trimmed(value));
  }
  if (values.empty()) return absent(place);
  if (values.size() > 1) return twice(place);
  return values;
}

Found<std::vector<std::string>> RequestView::all(Place const& place) {
  TRY(values, raw(place));
  std::vector<std::string> found;
  std::size_t seen = 0;
  for (auto const& value : values) {
    if (value.size() > kMostValueBytes)
      return Reject{Reason::tooLarge,
                    place.words() + " is longer than " + std::to_string(kMostValueBytes) + " bytes"};
    auto const parts = items(value, place.split);
    seen += parts.size();
    if (place.in != Place::In::body && seen > kMostItems)
      return Reject{Reason::tooLarge,
                    place.words() + " lists more than " + std::to_string(kMostItems) + " items"};
    for (auto const item : parts)
      if (auto const text = unmarked(trimmed(item), place))
        found.emplace_back(*text);
      else if (place.in == Place::In::body)
        return Reject{Reason::unknownVersion, place.words() + " does not begin as it should"};
  }
  if (!found.empty()) return found;
  if (!place.member.empty() && place.prefix.empty()) return absent(place);
  return Reject{Reason::unknownVersion,
                place.words() + " holds nothing that begins with \"" + place.prefix + "\""};
}

Found<std::string> RequestView::one(Place const& place) {
  TRY(found, all(place));
  if (found.size() > 1) return twice(place);
  return std::move(found.front());
}

std::string valueAt(json::value const& from, Request const& request) {
  auto const place = readPlace(from);
  if (!place) return {};
  if (place->in != Place::In::body) {
    RequestView view(request);
    auto found = view.one(*place);
    return found ? std::move(*found) : std::string();
  }
  auto const value = bodyScalar(request.body, place->name);
  if (!value || value->size() > kMostValueBytes) return {};
  std::string found;
  int count = 0;
  for (auto const item : items(*value, place->split)) {
    auto const text = unmarked(trimmed(item), *place);
    if (!text) continue;
    found = *text;
    ++count;
  }
  return count == 1 ? found : std::string();
}

} // namespace garland::webhooks
