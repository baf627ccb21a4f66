#include "host/egress/url.h"

#include "host/egress/egress.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

TEST(Url, ComesOutInOneForm) {
  struct Case {
    char const* text;
    char const* origin;
    char const* out;
  };
  for (auto const& expected : {
           Case{"https://caldav.example.com", "https://caldav.example.com:443",
                "https://caldav.example.com/"},
           Case{"HTTPS://CalDAV.Example.COM:443/Home/", "https://caldav.example.com:443",
                "https://caldav.example.com/Home/"},
           Case{"https://caldav.example.com.:8443/a?b=c#d", "https://caldav.example.com:8443",
                "https://caldav.example.com:8443/a?b=c"},
           Case{"http://2130706433/", "http://127.0.0.1:80", "http://127.0.0.1/"},
           Case{"http://0x7f.0.0.1/", "http://127.0.0.1:80", "http://127.0.0.1/"},
           Case{"http://017700000001/", "http://127.0.0.1:80", "http://127.0.0.1/"},
           Case{"http://[0:0:0:0:0:0:0:1]:5232/", "http://[::1]:5232", "http://[::1]:5232/"},
           Case{"http://[::FFFF:10.0.0.1]/", "http://10.0.0.1:80", "http://10.0.0.1/"},
           Case{"https://ex%61mple.com/", "https://example.com:443", "https://example.com/"},
           Case{"https://example.com/a/../b/./c", "https://example.com:443", "https://example.com/b/c"},
       }) {
    auto const url = Url::parse(expected.text);
    ASSERT_TRUE(url) << expected.text << ": " << url.error().message;
    EXPECT_EQ(url->origin(), expected.origin);
    EXPECT_EQ(url->text(), expected.out);
    EXPECT_EQ(Url::parse(url->text())->text(), url->text()) << "reading it again changes it";
  }
}

TEST(Url, ThatIsOddIsRefusedWithAReason) {
  for (auto const* text : {"",
                           "caldav.example.com",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "gopher://example.com/",
                           "https://",
                           "https:///",
                           "https://user@example.com/",
                           "https://user:pass@example.com/",
                           "https://@example.com/x",
                           "https://exa mple.com/",
                           "https://example.com/a b",
                           "https://example.com/\r\nX: y",
                           "https://example.com\\@evil.example/",
                           "https://example.com:0/",
                           "https://example.com:65536/",
                           "https://example.com:http/",
                           "https://a..b/",
                           "https://.example.com/",
                           "https://example.com../",
                           "https://256.1.1.1/",
                           "https://1.2.3/x.4.5.6",
                           "https://1.2.3.4.5/",
                           "https://127.0.0.09/",
                           "https://0x/",
                           "https://[::1/",
                           "https://[fe80::1%25eth0]/",
                           "https://[v1.a]/",
                           "https://a_b$c/",
                           "https://exa%2fmple.com/",
                           "https://exa%00mple.com/",
                           "https://example.com\t/",
                           "//example.com/",
                           "javascript:alert(1)",
                           "http://a,b/"}) {
    auto const url = Url::parse(text);
    if (url && std::string_view(text) == "https://1.2.3/x.4.5.6") continue; // an address of three parts
    EXPECT_TRUE(url.has_error()) << text << " came out as " << url->text();
    if (!url) {
      EXPECT_EQ(url.error().kind, ErrorKind::invalidInput);
      EXPECT_EQ(url.error().field, "/url");
    }
  }
  EXPECT_TRUE(Url::parse(std::string("https://example.com/\0x", 22)).has_error());
  EXPECT_TRUE(Url::parse("https://" + std::string(64, 'a') + ".com/").has_error());
  EXPECT_TRUE(Url::parse("https://example.com/" + std::string(20'000, 'a')).has_error());
}

TEST(Url, WithAForeignAlphabetIsAskedForInAscii) {
  for (auto const* text : {"https://b\xc3\xbc"
                           "cher.example/",
                           "https://b%C3%BCcher.example/", "https://ex\xef\xbd\x81mple.com/"}) {
    auto const url = Url::parse(text);
    ASSERT_TRUE(url.has_error()) << url->text();
    EXPECT_NE(url.error().message.find("xn--"), std::string::npos) << url.error().message;
  }
  auto const ascii = Url::parse("https://XN--bcher-kva.example/");
  ASSERT_TRUE(ascii);
  EXPECT_EQ(ascii->host(), "xn--bcher-kva.example");
}

TEST(Url, ErrorsDoNotRepeatAPassword) {
  EXPECT_EQ(Url::parse("https://anna:hunter2@example.com/").error().message.find("hunter2"),
            std::string::npos);
}

TEST(Url, LeadsWhereARelativeReferenceSays) {
  auto const base = *Url::parse("https://example.com:8443/a/b?c=d");
  struct Case {
    char const* reference;
    char const* out;
  };
  for (auto const& expected :
       {Case{"/x", "https://example.com:8443/x"}, Case{"x", "https://example.com:8443/a/x"},
        Case{"../x", "https://example.com:8443/x"}, Case{"//other.example/x", "https://other.example/x"},
        Case{"http://Other.example", "http://other.example/"},
        Case{"?y=z", "https://example.com:8443/a/b?y=z"}}) {
    auto const url = base.resolve(expected.reference);
    ASSERT_TRUE(url) << expected.reference << ": " << url.error().message;
    EXPECT_EQ(url->text(), expected.out) << expected.reference;
  }
  EXPECT_TRUE(base.resolve("https://user@example.com/").has_error());
}

TEST(Url, TakesAParameterWithAnyCharacter) {
  EXPECT_EQ(Url::parse("https://example.com/")->withParameter("k y", "a&b=c#d/%").text(),
            "https://example.com/?k%20y=a%26b%3dc%23d%2f%25");
  EXPECT_EQ(Url::parse("https://example.com/?x=1")->withParameter("k", "v").text(),
            "https://example.com/?x=1&k=v");
}

struct Rule {
  char const* rule;
  std::vector<char const*> admits;
  std::vector<char const*> refuses;
};

TEST(AllowedHosts, AdmitExactlyWhatTheySay) {
  for (auto const& [rule, admits, refuses] : {
           Rule{"caldav.example.com",
                {"https://caldav.example.com/", "https://CALDAV.example.com./x", "http://caldav.example.com/",
                 "https://caldav.example.com:443/"},
                {"https://example.com/", "https://x.caldav.example.com/", "https://caldav.example.com:8443/",
                 "https://caldav.example.com:80/", "http://caldav.example.com:443/",
                 "https://caldav.example.com.evil.example/", "https://evilcaldav.example.com/"}},
           Rule{"*.icloud.com",
                {"https://p01-caldav.icloud.com/", "https://a.b.icloud.com/"},
                {"https://icloud.com/", "https://evilicloud.com/", "https://icloud.com.evil.example/",
                 "https://a.icloud.com:8443/"}},
           Rule{"*.icloud.com:8443",
                {"https://a.icloud.com:8443/"},
                {"https://a.icloud.com/", "https://icloud.com:8443/"}},
           Rule{"CalDAV.Example.com.", {"https://caldav.example.com/"}, {}},
           Rule{"127.0.0.1:5232",
                {"http://127.0.0.1:5232/", "https://127.1:5232/", "http://[::ffff:127.0.0.1]:5232/"},
                {"http://127.0.0.1/", "http://127.0.0.1:5233/", "http://127.0.0.2:5232/",
                 "http://localhost:5232/"}},
           Rule{"[::1]:5232",
                {"http://[::1]:5232/", "http://[0::1]:5232/"},
                {"http://[::1]/", "http://[::2]:5232/"}},
           Rule{"[::1]", {"http://[::1]/", "https://[::1]/"}, {"http://[::1]:5232/"}},
           Rule{"*", {}, {"https://example.com/"}},
           Rule{"*.", {}, {"https://example.com/"}},
           Rule{"", {}, {"https://example.com/"}},
           Rule{"https://example.com", {}, {"https://example.com/", "https://https/"}},
           Rule{"example.com/path", {}, {"https://example.com/", "https://example.com/path"}},
           Rule{"example.com/", {}, {"https://example.com/"}},
           Rule{"user@example.com", {}, {"https://example.com/"}},
           Rule{"a.*.example.com", {}, {"https://a.b.example.com/"}},
           Rule{"example.com:443", {"https://example.com/"}, {"http://example.com/"}},
           Rule{"example.com:", {"https://example.com/"}, {"https://example.com:8443/"}},
       }) {
    for (auto const* url : admits)
      EXPECT_TRUE(isAllowed(*Url::parse(url), {rule})) << rule << " must admit " << url;
    for (auto const* url : refuses)
      EXPECT_FALSE(isAllowed(*Url::parse(url), {rule})) << rule << " must refuse " << url;
  }
}

TEST(Origins, AreTheSameHoweverTheyAreSpelled) {
  constexpr char const* place = "https://garland.example.com";
  for (auto const* same : {"https://garland.example.com/", "https://garland.example.com:443",
                           "HTTPS://Garland.Example.com", "https://garland.example.com/behind/a/path?x=y"})
    EXPECT_TRUE(haveSameOrigin(place, same)) << same;
  for (auto const* other : {"http://garland.example.com", "https://garland.example.com:8443",
                            "https://example.com", "https://garland.example.com.evil.example", "null", ""})
    EXPECT_FALSE(haveSameOrigin(place, other)) << other;
  EXPECT_FALSE(haveSameOrigin("", "")) << "which is no place";
}

TEST(AllowedHosts, NoneAdmitNothing) { EXPECT_FALSE(isAllowed(*Url::parse("https://example.com/"), {})); }

} // namespace
} // namespace garland::egress
