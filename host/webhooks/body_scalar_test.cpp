#include "host/webhooks/body_scalar.h"

#include "host/webhooks/webhooks.h"

#include <gtest/gtest.h>

namespace garland::webhooks {
namespace {

constexpr char const* kEvent =
    R"({"type":"paid","data":{"object":{"id":"pi_1","n":[7,{"id":"x"},-3]}},"id":"evt_1"})";

TEST(BodyScalar, ATextOrAWholeNumberIsFoundWhereverItStands) {
  EXPECT_EQ(bodyScalar(kEvent, "/id"), "evt_1");
  EXPECT_EQ(bodyScalar(kEvent, "/data/object/id"), "pi_1");
  EXPECT_EQ(bodyScalar("{\"id\":\"a\"} \r\n", "/id"), "a");
  EXPECT_EQ(bodyScalar(kEvent, "/data/object/n/0"), "7");
  EXPECT_EQ(bodyScalar(kEvent, "/data/object/n/1/id"), "x");
  EXPECT_EQ(bodyScalar(kEvent, "/data/object/n/2"), "-3");
  EXPECT_EQ(bodyScalar(R"({"a\u002fb":{"~":"tilde"}})", "/a~1b/~0"), "tilde");
  EXPECT_EQ(bodyScalar(R"({"id":"a\nb"})", "/id"), "a\nb");
  EXPECT_EQ(bodyScalar(R"({"id":18446744073709551615})", "/id"), "18446744073709551615");
}

TEST(BodyScalar, WhatIsMissingAmbiguousOrNoScalarIsNothing) {
  for (auto const* text :
       {R"({})", R"({"id":null})", R"({"id":true})", R"({"id":1.5})", R"({"id":{}})", R"({"id":["a"]})",
        R"({"id":"a","id":"b"})", R"({"x":{"id":"a"}})", R"([{"id":"a"}])", R"({"id":"a"} x)", R"({"id":"a")",
        "", "id", R"({"id":{},"id":"a"})"})
    EXPECT_EQ(bodyScalar(text, "/id"), std::nullopt) << text;
  EXPECT_EQ(bodyScalar(R"("a")", ""), std::nullopt);
  EXPECT_EQ(bodyScalar(R"({"id":"a"})", "id"), std::nullopt);
  EXPECT_EQ(bodyScalar(std::string(100, '['), "/id"), std::nullopt) << "too deep";
}

TEST(ValueAt, APlaceOfAManifestIsReadInARequest) {
  Request request;
  request.url = "https://x.example/hook?event=job.created&id=q%201";
  request.headers = {{"X-Delivery", "d1"}, {"X-List", "a=1,id=2"}};
  request.body = kEvent;
  auto const at = [&](char const* place) { return valueAt(parseJson(place).value(), request); };
  EXPECT_EQ(at(R"({"header":"x-delivery"})"), "d1");
  EXPECT_EQ(at(R"({"header":"X-List","split":",","member":"id"})"), "2");
  EXPECT_EQ(at(R"({"query":"id"})"), "q 1");
  EXPECT_EQ(at(R"({"body":"/data/object/id"})"), "pi_1");
  EXPECT_EQ(at(R"({"body":"/id","prefix":"evt_"})"), "1");
  EXPECT_EQ(at(R"({"body":"/none"})"), "");
  EXPECT_EQ(at(R"({"header":"none"})"), "");
  EXPECT_EQ(at("{}"), "");
  request.headers.emplace_back("x-delivery", "d2");
  EXPECT_EQ(at(R"({"header":"X-Delivery"})"), "") << "which of two counts is not for us to guess";
}

} // namespace
} // namespace garland::webhooks
