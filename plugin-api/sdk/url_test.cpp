#include <garland/sdk/error.hpp>
#include <garland/sdk/url.hpp>

#include <gtest/gtest.h>

namespace garland::sdk {
namespace {

constexpr auto base = "https://cal.example.com:8443/dav/anna/?a=b";

TEST(Url, ReferencesAreResolvedAgainstTheirBase) {
  EXPECT_EQ(resolve(base, "/x/y"), "https://cal.example.com:8443/x/y");
  EXPECT_EQ(resolve(base, "home/1.ics"), "https://cal.example.com:8443/dav/anna/home/1.ics");
  EXPECT_EQ(resolve(base, "../ben/"), "https://cal.example.com:8443/dav/ben/");
  EXPECT_EQ(resolve(base, "http://other.example/z"), "http://other.example/z");
  EXPECT_EQ(resolve(base, "//other.example/z"), "https://other.example/z");
  EXPECT_EQ(resolve(base, ""), base);
}

// The examples of RFC 3986, 5.4.
TEST(Url, TheExamplesOfTheStandardHold) {
  constexpr auto from = "http://a/b/c/d;p?q";
  std::pair<char const*, char const*> const examples[] = {{"g", "http://a/b/c/g"},
                                                          {"./g", "http://a/b/c/g"},
                                                          {"g/", "http://a/b/c/g/"},
                                                          {"/g", "http://a/g"},
                                                          {"//g", "http://g"},
                                                          {"?y", "http://a/b/c/d;p?y"},
                                                          {"g?y", "http://a/b/c/g?y"},
                                                          {";x", "http://a/b/c/;x"},
                                                          {"g;x?y", "http://a/b/c/g;x?y"},
                                                          {"", "http://a/b/c/d;p?q"},
                                                          {".", "http://a/b/c/"},
                                                          {"./", "http://a/b/c/"},
                                                          {"..", "http://a/b/"},
                                                          {"../", "http://a/b/"},
                                                          {"../g", "http://a/b/g"},
                                                          {"../..", "http://a/"},
                                                          {"../../", "http://a/"},
                                                          {"../../g", "http://a/g"},
                                                          {"../../../g", "http://a/g"},
                                                          {"/./g", "http://a/g"},
                                                          {"/../g", "http://a/g"},
                                                          {"g.", "http://a/b/c/g."},
                                                          {"..g", "http://a/b/c/..g"},
                                                          {"./g/.", "http://a/b/c/g/"},
                                                          {"g/./h", "http://a/b/c/g/h"},
                                                          {"g/../h", "http://a/b/c/h"},
                                                          {"g?y/./x", "http://a/b/c/g?y/./x"},
                                                          {"g;x=1/../y", "http://a/b/c/y"},
                                                          {"g#s", "http://a/b/c/g"},
                                                          {"/a//b/", "http://a/a//b/"}};
  for (auto const& [reference, expected] : examples)
    EXPECT_EQ(resolve(from, reference), expected) << reference;
}

TEST(Url, EscapesThatAreThereStayAndIllegalCharactersAreEscaped) {
  EXPECT_EQ(resolve(base, "/a%20b%2Fc@d"), "https://cal.example.com:8443/a%20b%2Fc@d");
  EXPECT_EQ(resolve(base, "/a b/\xC3\xA9|100%.ics"),
            "https://cal.example.com:8443/a%20b/%C3%A9%7C100%25.ics");
}

TEST(Url, WhatCannotBeResolvedIsRefused) {
  EXPECT_EQ(attempt([] { resolve("not a url", "/x"); })->kind, Kind::invalidInput);
  EXPECT_EQ(attempt([] { resolve(base, "http://[::1"); })->kind, Kind::providerBug);
  EXPECT_EQ(attempt([] { resolve(base, "mailto:anna@example.com"); })->kind, Kind::providerBug);
}

TEST(Url, QueriesAreEncoded) {
  EXPECT_EQ(withQuery("/e", {}), "/e");
  EXPECT_EQ(withQuery("/e", {{"q", "a&b=c d"}, {"n", "1"}}), "/e?q=a%26b%3Dc%20d&n=1");
  EXPECT_EQ(withQuery("/e?x=1", {{"y", "2"}}), "/e?x=1&y=2");
}

TEST(Url, AMessageShowsNeitherQueryNorUserNorPassword) {
  EXPECT_EQ(shownUrl("https://rosa:secret@host:80/a@b?token=c#d"), "https://host:80/a@b");
  EXPECT_EQ(shownUrl("https://host/a"), "https://host/a");
  EXPECT_EQ(shownUrl("/a@b"), "/a@b");
  EXPECT_EQ(shownUrl("slot:feed"), "the secret address");
}

TEST(Url, PercentDecodingUndoesEncoding) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  EXPECT_EQ(percentDecode(percentEncode(every)), every);
  EXPECT_EQ(percentDecode("100%"), "100%");
  EXPECT_EQ(percentDecode("%zz%4"), "%zz%4");
}

} // namespace
} // namespace garland::sdk
