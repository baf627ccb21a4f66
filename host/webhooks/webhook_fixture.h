// What the tests of this room share: a moment, a secret, and schemes written in one line.
#pragma once

#include "host/webhooks/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::webhooks {

inline constexpr std::string_view kSecret = "salt-and-rosemary";
inline constexpr std::string_view kBody = R"({"event":"tasting.booked","guests":12})";
inline constexpr std::int64_t kNow = 1'790'000'000;
// Of nobody: its other half has signed what the tests of public keys verify.
inline constexpr auto kRsaKey = "-----BEGIN PUBLIC KEY-----\n"
                                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtCNqjLK4Ai9huccRhNJA\n"
                                "4J+79kDZK3exXFJUGaFGjs5UPchkmAAs04/ZGrDp/W5dzu3qYxif9vk9rmtY13EP\n"
                                "n+emLiMTYl5kFOrjUBn6x1osGHjawnUuRZAuc3voJILzqV5fA1pW3AWFrl1Iq56Z\n"
                                "ZZs7YexQaAuKHIIoebFH+n7pRPWXVIsEL0B/kRy5VHdJMbibtbmZe6Pk5hxZNiL9\n"
                                "jJ+P+4tj8P8nLCXEdoglEb8LdHh96ujsurr6hK1taeEfOxz+7M/uT8+lZviShvoa\n"
                                "iSJQMSG/leeM5mVQFRuPurmAxq8h6r1FYlIc3YbWHpAe6YXmwyPhU0qQBZC1CRNQ\n"
                                "gQIDAQAB\n"
                                "-----END PUBLIC KEY-----\n";

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
