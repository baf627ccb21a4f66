// A vendor whose account is connected, by way of the API.
#pragma once

#include "host/api/testing/harness.h"

#include <gtest/gtest.h>

#include <string>

namespace garland::api::testing {

inline constexpr char const* base = "/api/integrations";

inline std::string textOf(json::value const& value) { return std::string(value.as_string()); }

// A vendor with an enabled plugin and a connected account.
struct Connected {
  explicit Connected(Harness const& house) {
    vendor = textOf(
        house.ask("POST", std::string(base) + "/vendors", R"({"name":"Rosa Fotografie"})").json().at("id"));
    EXPECT_EQ(house.ask("PUT", std::string(base) + "/vendors/" + vendor + "/plugins/caldav").status, 204);
    auto const answer = house.ask("POST", std::string(base) + "/vendor/connect",
                                  R"({"vendor_id":")" + vendor + R"(","plugin":"caldav",
        "settings":{"url":"http://127.0.0.1:5232/"},"allow_private_network":true,
        "credentials":{"login":{"username":"rosa","password":"canary-0b7e"}}})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    connection = textOf(answer.json().at("id"));
  }
  std::string vendor;
  std::string connection;
};

} // namespace garland::api::testing
