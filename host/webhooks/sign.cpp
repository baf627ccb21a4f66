// Signing as a provider does, for twins: whatever verify.cpp reads is put in its place first, so that both
// sides take the signed text from the same request.
#include "host/base/clock.h"
#include "host/webhooks/crypto.h"
#include "host/webhooks/request_values.h"

#include <algorithm>

namespace garland::webhooks {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

Error cannot(std::string_view what) {
  return Error(ErrorKind::unsupported, "notices of this scheme cannot be signed here: " + std::string(what));
}

// Puts a value where the scheme looks for it, behind what stands there already.
Result<void> place(Place const& at, std::string const& value, Headers& headers) {
  if (at.in != Place::In::header) return cannot(at.words() + " is not a header");
  auto const item = (at.member.empty() ? "" : at.member + "=") + at.prefix + value;
  auto const held = std::find_if(headers.begin(), headers.end(),
                                 [&](auto const& header) { return header.first == at.name; });
  if (held == headers.end())
    headers.emplace_back(at.name, item);
  else
    held->second += at.split + item;
  return {};
}

std::string shown(TimePoint at, TimeFormat format) {
  auto const milliseconds = at.time_since_epoch().count();
  if (format == TimeFormat::rfc3339) return rfc3339(at);
  return std::to_string(format == TimeFormat::seconds ? milliseconds / 1000 : milliseconds);
}

Result<void> placeValues(Signature const& how, std::string_view id, TimePoint at, Headers& headers) {
  auto const written = [](Place const& where) { return where.in == Place::In::body; }; // by the twin itself
  if (how.timestamp && !written(*how.timestamp)) {
    TRY_VOID(place(*how.timestamp, shown(at, how.time_format), headers));
  }
  for (auto const& [name, where] : how.values) {
    if (written(where)) continue;
    if (name != "id") return cannot("nobody says what its \"" + name + "\" is");
    TRY_VOID(place(where, std::string(id), headers));
  }
  return {};
}

} // namespace

Result<Headers> sign(Scheme const& scheme, Request const& request, std::string_view id, Secret const& secret,
                     TimePoint at) {
  auto const& how = scheme.data().signature;
  if (!how.algorithm || !isHmac(*how.algorithm) || how.body_digest || !how.require.empty())
    return cannot("it is more than an HMAC");
  Headers headers;
  TRY_VOID(placeValues(how, id, at, headers));

  auto whole = request;
  whole.headers.insert(whole.headers.end(), headers.begin(), headers.end());
  RequestView view(whole);
  Keys const keys;
  RequestValues values({view, how.values, keys, how.members ? &*how.members : nullptr,
                        how.timestamp ? &*how.timestamp : nullptr});
  auto const text = values.render(how.signed_text);
  if (!text) return cannot(text.error().sentence);

  auto key = secret.reveal();
  if (key.starts_with(how.key_prefix)) key.remove_prefix(how.key_prefix.size());
  auto const bytes = decoded(how.key_encoding, key);
  if (!bytes || bytes->empty()) return cannot("the secret is no key of this scheme");
  TRY_VOID(place(how.at, encoded(how.encoding, hmac(*how.algorithm, *bytes, *text)), headers));
  return headers;
}

} // namespace garland::webhooks
