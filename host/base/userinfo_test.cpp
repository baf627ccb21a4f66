#include "host/base/userinfo.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

TEST(Userinfo, IsFoundAndLeftOut) {
  struct Case {
    char const* url;
    char const* shown;
  };
  for (auto const& with : {Case{"http://rosa:secret@host:80/a@b?c#d", "http://host:80/a@b?c#d"},
                           Case{"https://rosa@host", "https://host"}, Case{"https://@host/", "https://host/"},
                           Case{"https://rosa:p@ss@host/", "https://host/"},
                           Case{"HTTPS://rosa:secret@host?x=y@z", "HTTPS://host?x=y@z"}}) {
    EXPECT_TRUE(hasUserinfo(with.url)) << with.url;
    EXPECT_EQ(withoutUserinfo(with.url), with.shown);
  }
}

TEST(Userinfo, WhatHasNoneStaysAsItIs) {
  for (auto const* without : {"https://host/rosa@example.com", "https://host?mail=rosa@example.com",
                              "https://host", "", "//", "https://[::1]:80/", "plain text"}) {
    EXPECT_FALSE(hasUserinfo(without)) << without;
    EXPECT_EQ(withoutUserinfo(without), without);
  }
}

TEST(Userinfo, IsLeftOutOfAHostWithoutScheme) {
  EXPECT_FALSE(hasUserinfo("rosa@example.com")) << "an e-mail address is no URL";
  EXPECT_EQ(withoutUserinfo("rosa:secret@host:80"), "host:80");
}

} // namespace
} // namespace garland
