// What the tests of this room share: a moment, a secret, and schemes written in one line.
#pragma once

#include "host/webhooks/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::webhooks {

inline constexpr std::string_view kSecret = "salt-and-rosemary";
inline constexpr std::string_view kBody = R"({"event":"tasting.booked","guests":12})";
inline constexpr std::int64_t kNow = 1'790'000'000;

inline VirtualClock clockAt(std::int64_t seconds = kNow) {
  return VirtualClock(TimePoint(std::chrono::seconds(seconds)));
}

inline Scheme schemeOf(std::string_view text) {
  auto scheme = Scheme::read(parseJson(text).value());
  EXPECT_TRUE(scheme) << scheme.error().message;
  return std::move(*scheme);
}

inline Scheme signatureOf(std::string_view text) {
  return schemeOf(R"({"signature":)" + std::string(text) + "}");
}

inline Keys keysOf(std::vector<std::string_view> const& secrets = {kSecret}) {
  Keys keys;
  for (auto const secret : secrets) keys.secrets.emplace_back(std::string(secret));
  return keys;
}

inline Request requestOf(std::vector<std::pair<std::string, std::string>> headers,
                         std::string_view body = kBody, std::string url = "") {
  Request request;
  request.url = std::move(url);
  request.headers = std::move(headers);
  request.body = body;
  return request;
}

} // namespace garland::webhooks
