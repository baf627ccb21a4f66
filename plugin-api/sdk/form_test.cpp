// Forms and multipart bodies, as official client libraries write them.
#include <garland/sdk/form.hpp>

#include <gmock/gmock.h>

namespace garland::sdk {
namespace {

using ::testing::HasSubstr;

json::object parsed(char const* text) { return parse(text).as_object(); }

TEST(Form, IsWrittenAsTheOfficialLibrariesDo) {
  EXPECT_EQ(form::encode(parsed(R"({"amount": 250000, "currency": "usd", "metadata": {"wedding": "w1"},
      "payment_method_types": ["card"], "transfer_data": {"destination": "acct_1"}, "application_fee_amount": 2500})")),
            "amount=250000&currency=usd&metadata[wedding]=w1&payment_method_types[0]=card&"
            "transfer_data[destination]=acct_1&application_fee_amount=2500");
  EXPECT_EQ(form::encode(parsed(R"({"evidence": {"customer_name": "Ann & Bo"}, "submit": true})")),
            "evidence[customer_name]=Ann%20%26%20Bo&submit=true");
  EXPECT_EQ(form::encode(parsed(R"({"To": "whatsapp:+15005550006", "ContentVariables": "{\"1\":\"A\"}"})")),
            "To=whatsapp%3A%2B15005550006&ContentVariables=%7B%221%22%3A%22A%22%7D");
}

TEST(Form, WhatHasNoValueIsEmpty) {
  EXPECT_EQ(form::encode(parsed(R"({"a": null, "b": {}, "c": [], "d": "", "e": [{"f": null}]})")),
            "a=&b=&c=&d=&e[0][f]=");
  EXPECT_EQ(form::encode(json::object()), "");
}

TEST(Form, IsReadBack) {
  auto const document = parsed(R"({"a": "1 & 2", "b": {"c": ["x", {"d e": "y"}]}, "f": ""})");
  EXPECT_EQ(form::decode(form::encode(document)), document);
  EXPECT_EQ(form::decode("a[]=1&a[]=2&b%5Bc%5D=a+b&&d"),
            parsed(R"({"a": ["1", "2"], "b": {"c": "a b"}, "d": ""})"));
  EXPECT_EQ(form::decode("a[1]=x&b[0]=y&b[2]=z&c[=1&a]=2"),
            parsed(R"({"a": {"1": "x"}, "b": {"0": "y", "2": "z"}, "c[": "1", "a]": "2"})"));
}

TEST(Form, ContradictionsAndDepthAreRefused) {
  EXPECT_THROW(form::decode("a=1&a[b]=2"), Failure);
  EXPECT_THROW(form::decode("a[b]=2&a=1"), Failure);
  std::string deep = "a";
  for (int i = 0; i < 10'000; ++i) deep += "[b]";
  auto const failure = attempt([&] { form::decode(deep + "=1", Kind::providerBug); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::providerBug);
  EXPECT_THAT(failure->message, HasSubstr("deeper than 32"));
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += "a" + std::to_string(i) + "=1&";
  EXPECT_THROW(form::decode(many), Failure);
}

} // namespace
} // namespace garland::sdk
