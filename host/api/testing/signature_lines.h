// The headers by which a webhook of the harness's connector is genuine.
#pragma once

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/vault/vault.h"

#include <string>
#include <string_view>
#include <utility>

namespace garland::api::testing {

// What X-Time and X-Signature hold.
inline std::pair<std::string, std::string> timeAndSignature(std::string_view secret, std::string_view body,
                                                            TimePoint at) {
  auto time = std::to_string(at.time_since_epoch().count() / 1000);
  auto signature = hex(vault::hmacSha256(secret, time + "." + std::string(body)));
  return {std::move(time), std::move(signature)};
}

inline std::string signatureLines(std::string_view secret, std::string_view body, TimePoint at) {
  auto const [time, signature] = timeAndSignature(secret, body, at);
  return "X-Time: " + time + "\r\nX-Signature: " + signature + "\r\n";
}

} // namespace garland::api::testing
