// A twin as the host sees it: requests in, answers out, by the schemas of twin.serve/1.
#include <garland/sdk/json.hpp>
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

namespace garland::testing {
namespace {

using sdk::encode;

TEST(Twin, AnswersARequest) {
  FakeHost host(loadConnector(GARLAND_BINARY_DIR "/tests/twins/test.todo-twin/connector.so"),
                readFile(GARLAND_BINARY_DIR "/tests/twins/test.todo-twin/connector.json"));
  ASSERT_TRUE(host.open({{"seed", 7}, {"volume", 3}}).ok());
  json::object request{{"method", "GET"}, {"target", "/tasks?limit=2"}, {"now", "2026-06-01T00:00:00Z"}};
  request["headers"] = json::array{json::object{{"name", "authorization"}, {"value", "Bearer todo-key"}}};
  auto const outcome = host.run("twin.serve/1", request);
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result.at("status"), 200) << json::serialize(outcome.result);
}

} // namespace
} // namespace garland::testing
