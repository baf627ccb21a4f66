#include "host/egress/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace garland::egress {
namespace {

AddressKind kindOfText(std::string const& text) {
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
  } else {
    storage = {};
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &six->sin6_addr), 1) << text;
    six->sin6_family = AF_INET6;
  }
  EXPECT_EQ(textOf(reinterpret_cast<sockaddr const&>(storage)), text);
  return kindOf(reinterpret_cast<sockaddr const&>(storage));
}

TEST(Address, OfThePublicInternetIsOutside) {
  for (auto const* text : {"1.1.1.1",         "8.8.8.8",          "9.255.255.255",        "11.0.0.0",
                           "100.63.255.255",  "100.128.0.0",      "126.255.255.255",      "128.0.0.0",
                           "169.253.255.255", "169.255.0.0",      "172.15.255.255",       "172.32.0.0",
                           "192.0.1.0",       "192.167.255.255",  "192.169.0.0",          "198.17.255.255",
                           "198.20.0.0",      "203.0.112.255",    "203.0.114.0",          "223.255.255.255",
                           "2606:4700::1111", "2a00::1",          "2001:4860:4860::8888", "2001:200::",
                           "2001:db9::",      "64:ff9b::808:808", "2002:808:808::1",      "::ffff:8.8.8.8"})
    EXPECT_EQ(kindOfText(text), AddressKind::outside) << text;
}

TEST(Address, OfAPrivateNetworkIsInsideHoweverItIsWrapped) {
  for (auto const* text : {"10.0.0.0",
                           "10.255.255.255",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.0.0",
                           "169.254.169.254",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.168.0.0",
                           "192.168.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "::1",
                           "fc00::",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "::ffff:10.0.0.1",
                           "::ffff:127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b::a00:1",
                           "2002:a00:1::",
                           "2002:7f00:1::1",
                           "2002:c0a8:101::"})
    EXPECT_EQ(kindOfText(text), AddressKind::inside) << text;
}

TEST(Address, ThatNoServerHasIsUnusable) {
  for (auto const* text :
       {"0.0.0.0",         "0.1.2.3",      "192.0.0.1",   "192.0.2.1", "192.88.99.1",     "198.18.0.1",
        "198.19.255.255",  "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::",           "::127.0.0.1", "ff02::1",   "2001:db8::1",     "2001::1",
        "2001:1ff::",      "3fff::1",      "100::1",      "4000::1",   "64:ff9b:1::1",    "::ffff:0.0.0.0",
        "64:ff9b::e000:1", "2002:e000:1::"})
    EXPECT_EQ(kindOfText(text), AddressKind::unusable) << text;
}

TEST(Address, OfAnotherFamilyIsUnusable) {
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_EQ(kindOf(other), AddressKind::unusable);
  EXPECT_EQ(textOf(other), "an unknown address");
}

} // namespace
} // namespace garland::egress
