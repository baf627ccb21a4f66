// The headers by which a webhook of the harness's connector is genuine.
#pragma once

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/vault/vault.h"

#include <string>
#include <string_view>

namespace garland::api::testing {

inline std::string signatureLines(std::string_view secret, std::string_view body, TimePoint at) {
  auto const time = std::to_string(at.time_since_epoch().count() / 1000);
  auto const signature = hex(vault::hmacSha256(secret, time + "." + std::string(body)));
  return "X-Time: " + time + "\r\nX-Signature: " + signature + "\r\n";
}

} // namespace garland::api::testing
