// What is looked for is held against what tests look for, which is written apart from it.
#include "host/base/secret_forms.h"

#include "host/base/log.h"
#include "host/base/test_spellings.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

constexpr std::string_view kSecret = "canary-9f8e/7d6c+5b4a\"3210\xC3\xBF\n end";

TEST(SecretForms, AreAllThatATestLooksFor) {
  SecretForms const forms(kSecret);
  for (auto const& spelling : spellingsOf(kSecret))
    EXPECT_NE(std::ranges::find(forms.all(), spelling), forms.all().end()) << spelling;
}

TEST(SecretForms, AreEachThereOnceAndTheQuotedOnesFirst) {
  SecretForms const plain("hunter22");
  EXPECT_EQ(plain.quoted().size(), 1U) << "nothing in it is written in another way";
  for (auto const& form : plain.all()) EXPECT_EQ(std::ranges::count(plain.all(), form), 1) << form;
  SecretForms const odd("a/b\"c d");
  EXPECT_EQ(odd.quoted().size(), 5U);
  EXPECT_EQ(odd.quoted().front(), "a/b\"c d");
  EXPECT_TRUE(SecretForms("").all().empty());
}

TEST(SecretForms, InLogsStandsNoneOfThem) {
  Redactor redactor;
  redactor.add(kSecret);
  for (auto const& spelling : spellingsOf(kSecret))
    EXPECT_EQ(spellingIn(redactor.scrub("before " + spelling + " behind"), kSecret), "") << spelling;
  for (std::string const before : {"", "a", "ab", "anna:"}) {
    auto const whole = before + std::string(kSecret) + "!";
    EXPECT_EQ(spellingIn(redactor.scrub(base64(whole)), kSecret), "") << whole;
    EXPECT_EQ(spellingIn(redactor.scrub(base64Url(whole)), kSecret), "") << whole;
  }
  redactor.remove(kSecret);
  for (auto const& spelling : spellingsOf(kSecret)) EXPECT_EQ(redactor.scrub(spelling), spelling);
}

} // namespace
} // namespace garland
