// `garland keys`, `garland sessions` and `garland roles`: what a person reads.
#include "host/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace garland::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Tell> std::string told(Tell tell, char const* text, bool json = false) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, json, false, false);
  tell(output, parseJson(text).value());
  return out.str();
}

constexpr auto kKey = R"({"id":"key_1","name":"the site","role":"vendor","vendor_id":"ven_1","state":"active",
  "created":"2026-01-01T00:00:00.000Z","expires":"2027-01-01T00:00:00.000Z","revoked":null,"last_used":null,
  "replaced_by":null)";

TEST(KeyCommand, TellsTheTextOfAKeyWhereItIsMadeAndOnlyThere) {
  auto const made = told(tellKey, (std::string(kKey) + R"(,"key":"gk_ve_x"})").c_str());
  EXPECT_THAT(made, HasSubstr("key_1 (the site): vendor ven_1, active\n"));
  EXPECT_THAT(made, HasSubstr("expires: 2027-01-01"));
  EXPECT_THAT(made, HasSubstr("the key is shown this once: gk_ve_x\n"));
  EXPECT_THAT(told(tellKey, (std::string(kKey) + "}").c_str()), Not(HasSubstr("shown this once")));
}

TEST(KeyCommand, OfARevokedKeyTellsTheOneThatTookItsPlaceAndGoesOn) {
  std::string rotated = std::string(kKey) + "}";
  rotated.replace(rotated.rfind("null"), 4, "\"key_2\"");
  EXPECT_THAT(told(tellRevoked, rotated.c_str()),
              AllOf(HasSubstr("rotated to key_2"), HasSubstr("garland keys revoke key_2\n")));
  EXPECT_EQ(parseJson(told(tellRevoked, rotated.c_str(), true)).value(), parseJson(rotated).value());
  EXPECT_THAT(told(tellRevoked, (std::string(kKey) + "}").c_str()), Not(HasSubstr("rotated")));
}

constexpr auto kSession =
    R"({"id":"ses_1","name":"rosa@studio.example","role":"auditor","vendor_id":null,
  "created":"2026-01-01T08:00:00.000Z","expires":"2026-01-01T16:00:00.000Z","last_used":"2026-01-01T09:00:00.000Z"})";

TEST(SessionCommand, TellsWhoWasPutOut) {
  EXPECT_THAT(told(tellSession, kSession), HasSubstr("ses_1 of rosa@studio.example is refused from now on"));
  EXPECT_EQ(parseJson(told(tellSession, kSession, true)).value(), parseJson(kSession).value());
}

constexpr auto kMatrix = R"({"roles":["operator","vendor"],"items":[
  {"operation_id":"getVault","method":"GET","path":"/vault","key":true,
   "roles":{"operator":"all","vendor":"none","partner":"none","reviewer":"none","auditor":"all"}},
  {"operation_id":"getHealth","method":"GET","path":"/health","key":false,
   "roles":{"operator":"all","vendor":"all","partner":"all","reviewer":"all","auditor":"all"}}]})";

TEST(RolesCommand, TellsWhatARoleMayNotByADash) {
  auto const table = told(tellMatrix, kMatrix);
  EXPECT_THAT(table, ::testing::ContainsRegex("/vault +all +- +- +- +all\n"));
  EXPECT_THAT(table, ::testing::ContainsRegex("/health +anyone +anyone"));
  EXPECT_EQ(parseJson(told(tellMatrix, kMatrix, true)).value(), parseJson(kMatrix).value());
}

TEST(RolesCommand, WritesThePageWithAColumnForEachRole) {
  auto const page = rolesPage(parseJson(kMatrix).value());
  EXPECT_THAT(page, HasSubstr("\n| route | operator | vendor |\n|---|---|---|\n| `GET /vault` | all | - |\n"
                              "| `GET /health` | anyone | anyone |\n"));
  EXPECT_THAT(page, HasSubstr(" 2 routes."));
}

} // namespace
} // namespace garland::cli
