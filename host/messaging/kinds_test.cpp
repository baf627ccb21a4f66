#include "host/messaging/messaging.h"

#include "host/base/schema.h"

#include <gtest/gtest.h>

namespace garland::messaging {
namespace {

TEST(MessagingKinds, EachHasASchemaThatCompilesAndNamesItselfToTheConnector) {
  ASSERT_EQ(kinds().size(), 2U);
  for (auto const& kind : kinds()) {
    EXPECT_TRUE(Schema::compile(kind.schema)) << kind.name;
    EXPECT_NE(find(kind.schema, "/properties/from"), nullptr) << kind.name << " has no schema file";
    EXPECT_EQ(textOr(json::value(kind.input), "/entity", ""), kind.name);
    EXPECT_EQ(kind.pull_operation, "messaging.pull/1");
  }
}

TEST(MessagingKinds, NothingIsWrittenAsARecord) {
  for (auto const& kind : kinds()) {
    EXPECT_EQ(kind.upsert_operation, "") << kind.name;
    EXPECT_EQ(kind.delete_operation, "") << kind.name;
  }
}

TEST(MessagingKinds, AMessageIsAnotherOneWhenItsStatusIs) {
  auto const project = kinds().at(0).project;
  json::value const sent{{"from", "a@example.com"}, {"status", "sent"}};
  json::value const more{{"from", "a@example.com"}, {"status", "sent"}, {"colour", "red"}};
  json::value const delivered{{"from", "a@example.com"}, {"status", "delivered"}};
  EXPECT_EQ(project(sent), project(more));
  EXPECT_NE(project(sent), project(delivered));
}

} // namespace
} // namespace garland::messaging
