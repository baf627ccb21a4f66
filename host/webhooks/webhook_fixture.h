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

// Of "hooks.studio.test", good in September 2026; and RSA with SHA-256 by its key over kNow and kBody.
inline constexpr auto kCertificate = "-----BEGIN CERTIFICATE-----\n"
                                     "MIICrDCCAZQCAQcwDQYJKoZIhvcNAQELBQAwHDEaMBgGA1UEAwwRaG9va3Muc3R1\n"
                                     "ZGlvLnRlc3QwHhcNMjYwOTAxMDAwMDAwWhcNMjYxMDAxMDAwMDAwWjAcMRowGAYD\n"
                                     "VQQDDBFob29rcy5zdHVkaW8udGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
                                     "AQoCggEBALQjaoyyuAIvYbnHEYTSQOCfu/ZA2St3sVxSVBmhRo7OVD3IZJgALNOP\n"
                                     "2Rqw6f1uXc7t6mMYn/b5Pa5rWNdxD5/npi4jE2JeZBTq41AZ+sdaLBh42sJ1LkWQ\n"
                                     "LnN76CSC86leXwNaVtwFha5dSKuemWWbO2HsUGgLihyCKHmxR/p+6UT1l1SLBC9A\n"
                                     "f5EcuVR3STG4m7W5mXuj5OYcWTYi/Yyfj/uLY/D/JywlxHaIJRG/C3R4fero7Lq6\n"
                                     "+oStbWnhHzsc/uzP7k/PpWb4kob6GokiUDEhv5XnjOZlUBUbj7q5gMavIeq9RWJS\n"
                                     "HN2G1h6QHumF5sMj4VNKkAWQtQkTUIECAwEAATANBgkqhkiG9w0BAQsFAAOCAQEA\n"
                                     "i9vhb/N5kfD+P+qROreDKg2so8BuWQfOh8FWK1WMBtvmR3lTX3sA03GJhEznz3f5\n"
                                     "uT/iWS9SCPC0zDF7egHjvdMUvNnIxMTfKO1zHYQ6vKbvC+WCBbJb4Y5qoAXis+ee\n"
                                     "wbgON0yL9qOhHEyMNCDeZcA10NrYuXRDks/dIPQvgG9XGKrkXrcT52D60DQpjEsc\n"
                                     "ACRl4zeF19eOCwaMUyuEXh9qobQYSL6zFy1jZJyb4wn+2kZS6ste/O84J+FQczJl\n"
                                     "ScXIgNCUFNyIFYh6QqLoiapNX8q005h6SdPXvDG9PMT/yIVbE6zeIr3BLuu0KSne\n"
                                     "un4a/B9eC5xOaB8e/UDa5A==\n"
                                     "-----END CERTIFICATE-----\n";
inline constexpr auto kRsaSha256 =
    "r0a8AI51902oN3G0+hS79txQvAHbLDTlu/d0ykzKpwe1D7B6/JtJyMdoH99U2hIM2Bb4/qqaQciAxcZ0U742nbb+VX29hnQmp4I/"
    "FqbxvW0nPU9zCrgT8nOoKt1IDKt1mnlWEUP6AmmTT6qGaXwuDDNMgJcTcTCAJSoK3o4vIy7DO+cCaEF3CofIYPj5kuRNGX92v6rT"
    "rrwYJumPDotxwa8CXMWEMKlt9lLzIzeupcDtThce1G66Ua3ENUPc2qTftb2MS1y3OE6KwhChphaxlL1W7arv4iEOEj9AIUM0aecR"
    "0L6YUr9PdJ00CfSOK85jBFFxqtLgdRrmpL5ZMCmG1A==";

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
