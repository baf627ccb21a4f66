#include "host/notify/message.h"

#include "host/base/bytes.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace garland::notify {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMostEvents = 50;
constexpr std::size_t kMostEvent = 100;
constexpr std::array<std::string_view, 3> kActions = {"created", "updated", "deleted"};

bool wants(std::string_view event, std::string_view type) {
  if (event.ends_with(".*")) event.remove_suffix(2);
  if (!type.starts_with(event)) return false;
  return type.size() == event.size() || type[event.size()] == '.';
}

// Of some kind, or of some area of kinds.
bool happens(std::string_view event, std::vector<std::string> const& kinds) {
  return std::ranges::any_of(kinds, [event](std::string const& kind) {
    return std::ranges::any_of(
        kActions, [&](std::string_view action) { return wants(event, kind + "." + std::string(action)); });
  });
}

std::string_view charactersOf(std::string_view id) { return id.substr(id.find('_') + 1); }

} // namespace

std::string typeOf(sync::Change const& change) { return change.kind + "." + change.action; }

std::string bodyOf(sync::Change const& change) {
  json::object data{{"vendor_id", change.vendor_id}, {"sequence", change.sequence},
                    {"record_id", change.record_id}, {"kind", change.kind},
                    {"action", change.action},       {"version", change.record_version},
                    {"origin", change.origin}};
  data["wedding"] = change.wedding.empty() ? json::value() : json::value(change.wedding);
  json::object body;
  body["type"] = typeOf(change);
  body["timestamp"] = rfc3339(change.at);
  body["data"] = std::move(data);
  return json::serialize(body);
}

std::string idOf(std::string_view endpoint_id, std::int64_t sequence) {
  return "msg_" + std::string(charactersOf(endpoint_id)) + "_" + std::to_string(sequence);
}

std::optional<std::int64_t> sequenceOf(std::string_view endpoint_id, std::string_view id) {
  auto const digits = id.substr(id.rfind('_') + 1);
  std::int64_t sequence = 0;
  auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  if (read.ec != std::errc() || idOf(endpoint_id, sequence) != id) return std::nullopt;
  return sequence;
}

bool wants(std::vector<std::string> const& events, std::string_view type) {
  return events.empty() ||
         std::ranges::any_of(events, [type](std::string const& event) { return wants(event, type); });
}

Result<void> checkEvents(std::vector<std::string> const& events, std::vector<std::string> const& kinds) {
  if (events.size() > kMostEvents)
    return Error(ErrorKind::invalidInput,
                 "an endpoint names at most 50 events; crm.* stands for all of an area", "/events");
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].empty() && events[i].size() <= kMostEvent && happens(events[i], kinds)) continue;
    return Error(
        ErrorKind::invalidInput,
        "nothing of this name happens: events are such as calendar.event, calendar.event.deleted and crm.*",
        "/events/" + std::to_string(i));
  }
  return {};
}

Secret newSecret(Random& random) {
  std::array<std::byte, kSecretBytes> bytes{};
  random.fill(bytes);
  Secret made(std::string(kSecretPrefix) +
              base64({reinterpret_cast<char const*>(bytes.data()), bytes.size()}));
  wipe(bytes.data(), bytes.size());
  return made;
}

Result<std::string> sign(Secret const& secret, std::string_view id, TimePoint at, std::string_view body) {
  auto const text = secret.reveal();
  auto decoded = fromBase64(text.substr(std::min(text.size(), kSecretPrefix.size())));
  if (!text.starts_with(kSecretPrefix) || !decoded)
    return Error(ErrorKind::invalidInput, "the endpoint's secret cannot be used: rotate it");
  Secret const key(*std::move(decoded));
  auto const signed_text = std::string(id) + "." + secondsOf(at) + "." + std::string(body);
  return "v1," + base64(vault::hmacSha256(key.reveal(), signed_text));
}

std::string secondsOf(TimePoint at) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
}

} // namespace garland::notify
