#include "host/cli/refused_webhooks.h"

#include <array>
#include <string_view>

namespace garland::cli {
namespace {

struct Advice {
  std::string_view reason;
  std::string_view why;
  std::string_view fix; // CONNECTION stands for its id
};

constexpr std::string_view kSecret =
    "take the secret that the provider shows: garland connections webhook CONNECTION --secret";

constexpr std::array kAdvice{
    Advice{"mismatch", "they are signed with another secret, or were altered on the way", kSecret},
    Advice{"no_secret", "there is nothing to verify them with", kSecret},
    Advice{"bad_key", "what is kept to verify them with cannot be used", kSecret},
    Advice{"missing", "they bear no signature",
           "have the provider sign them; a proxy in front must pass every header on"},
    Advice{"wrong_value", "they are not about what was agreed on with the provider",
           "garland connections webhook CONNECTION --set NAME=VALUE, with the provider's value"},
    Advice{"too_old", "they are signed, and from too long ago",
           "set this machine's clock: timedatectl set-ntp true; or have the provider send them again"},
    Advice{"too_new", "they are signed, and from the future",
           "set this machine's clock: timedatectl set-ntp true"},
    Advice{"seen_before", "they came a second time", "nothing, unless the provider says otherwise"},
    Advice{"packed", "what is in them could not be unpacked",
           "have the provider send them as they are, or in gzip or deflate"},
    Advice{"unknown_endpoint", "nobody has the address that was called",
           "if one of your accounts should have it: garland connections webhook CONNECTION prints the right "
           "one"},
};

// What is not in the list is the provider's doing, or a forger's.
Advice adviceOn(std::string_view reason) {
  for (auto const& advice : kAdvice)
    if (advice.reason == reason) return advice;
  return {reason, reason, "see the daemon's log, and garland webhooks verify --help"};
}

std::string filled(std::string_view text, std::string const& connection) {
  constexpr std::string_view word = "CONNECTION";
  std::string out(text);
  if (auto const at = out.find(word); at != std::string::npos && !connection.empty())
    out.replace(at, word.size(), connection);
  return out;
}

} // namespace

RefusedWords refusedWords(json::value const& line) {
  auto const count = integerOr(line, "/count", 0);
  auto const system = textOr(line, "/system", "none");
  auto const connection = textOr(line, "/connection_id", "");
  auto const reason = textOr(line, "/reason", "?"); // advice may look into it
  auto const advice = adviceOn(reason);
  RefusedWords out;
  out.nothing_comes = !connection.empty() && !boolOr(line, "/taken_since", false);
  auto const whose = system == "none" ? std::string("no connector that is installed") : system;
  out.message = std::to_string(count) + (count == 1 ? " webhook of " : " webhooks of ") + whose +
                (connection.empty() ? "" : ", " + connection + ",") + (count == 1 ? " was" : " were") +
                " refused within the hour: " + std::string(advice.why);
  if (!connection.empty() && !out.nothing_comes) out.message += "; genuine ones have come since";
  out.fix = filled(advice.fix, connection);
  return out;
}

} // namespace garland::cli
