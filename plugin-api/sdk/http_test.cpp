#include <garland/sdk/http.hpp>

#include <gtest/gtest.h>

namespace garland::sdk {
namespace {

Kind meaning(int status) {
  Response response;
  response.status = status;
  return failureOf({.method = "GET", .url = "https://a.example/x?token=s"}, response).kind;
}

TEST(HttpFailure, EveryStatusHasItsMeaning) {
  EXPECT_EQ(meaning(401), Kind::authExpired);
  EXPECT_EQ(meaning(402), Kind::quota);
  EXPECT_EQ(meaning(403), Kind::forbidden);
  EXPECT_EQ(meaning(404), Kind::notFound);
  EXPECT_EQ(meaning(410), Kind::notFound);
  EXPECT_EQ(meaning(409), Kind::conflict);
  EXPECT_EQ(meaning(412), Kind::conflict);
  EXPECT_EQ(meaning(429), Kind::rateLimited);
  EXPECT_EQ(meaning(408), Kind::transient);
  EXPECT_EQ(meaning(500), Kind::transient);
  EXPECT_EQ(meaning(503), Kind::transient);
  EXPECT_EQ(meaning(599), Kind::transient);
  EXPECT_EQ(meaning(501), Kind::unsupported);
  EXPECT_EQ(meaning(507), Kind::quota);
  EXPECT_EQ(meaning(400), Kind::invalidInput);
  EXPECT_EQ(meaning(422), Kind::invalidInput);
  EXPECT_EQ(meaning(418), Kind::providerBug);
  EXPECT_EQ(meaning(302), Kind::providerBug);
}

TEST(HttpFailure, TheDelayIsKeptAndTheQueryIsNotShown) {
  Response response;
  response.status = 429;
  response.retry_after = std::chrono::seconds(30);
  auto const failure = failureOf({.method = "GET", .url = "https://a.example/x?token=s"}, response);
  EXPECT_EQ(failure.retry_after, std::chrono::seconds(30));
  EXPECT_EQ(failure.http_status, 429);
  EXPECT_EQ(failure.message, "GET https://a.example/x was answered with status 429");
}

TEST(HttpFailure, SuccessIsNone) {
  Response response;
  for (response.status = 200; response.status < 300; ++response.status)
    EXPECT_NO_THROW(expectSuccess({}, response));
  EXPECT_THROW(expectSuccess({}, response), Failure);
}

TEST(HttpResponse, HeadersAreFoundWithoutCase) {
  Response response;
  response.headers = {{"ETag", "\"1\""}, {"etag", "\"2\""}};
  EXPECT_EQ(response.header("etag"), "\"1\"");
  EXPECT_EQ(response.header("DAV"), "");
}

} // namespace
} // namespace garland::sdk
