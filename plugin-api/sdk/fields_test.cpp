// Field maps: every converter both ways, and what they do with bad values.
#include <garland/sdk/fields.hpp>
#include <garland/sdk/pointer.hpp>

#include <gmock/gmock.h>

namespace garland::sdk::fields {
namespace {

using ::testing::HasSubstr;

json::value parsed(std::string_view text) { return parse(text); }

// Reads `theirs` by one row to "/x", as JSON text; a Failure's message if there is one.
std::string readBy(Field row, std::string_view theirs, Context const& context = {}) {
  row.ours = "/x";
  row.theirs = "/y";
  std::string text;
  auto const failure = attempt([&] {
    auto const record = read({&row, 1}, parsed(theirs), context);
    auto const* value = find(record, "/x");
    text = value == nullptr ? "none" : json::serialize(*value);
  });
  return failure ? failure->message : text;
}
std::string readBy(Form form, std::string_view theirs, Context const& context = {}) {
  return readBy(Field{"", "", form}, theirs, context);
}

// Writes {"x": ours} over `theirs`; a Failure's message if there is one.
std::string writeBy(Form form, std::string_view ours, std::string_view theirs, Context const& context = {}) {
  Field const row{"/x", "/y", form};
  std::string text;
  auto const failure =
      attempt([&] { text = json::serialize(write({&row, 1}, parsed(ours), parsed(theirs), context)); });
  return failure ? failure->message : text;
}

TEST(Fields, TextsAreTrimmedAndIdsMayBeNumbers) {
  EXPECT_EQ(readBy(Text{}, R"({"y": "  Anna "})"), R"("Anna")");
  EXPECT_EQ(readBy(Text{}, R"({"y": 18446744073709551615})"), R"("18446744073709551615")");
  for (auto const* none : {R"({"y": ""})", R"({"y": null})", "{}"}) EXPECT_EQ(readBy(Text{}, none), "none");
  EXPECT_EQ(readBy(Text{}, R"({"y": {}})"), "/y: must be text");
}

TEST(Fields, ARequiredValueThatIsMissingIsNamed) {
  EXPECT_EQ(readBy(Field{"", "", Text{}, Way::both, true}, "{}"), "/y: is missing");
}

TEST(Fields, NumbersMayBeTextsButNotGuesses) {
  EXPECT_EQ(readBy(Integer{}, R"({"y": "-12"})"), "-12");
  EXPECT_EQ(readBy(Integer{}, R"({"y": 3.0})"), "3");
  for (auto const* bad :
       {R"({"y": "12a"})", R"({"y": 1.5})", R"({"y": 1e300})", R"({"y": "9223372036854775808"})"})
    EXPECT_EQ(readBy(Integer{}, bad), "/y: must be an integer") << bad;
  EXPECT_EQ(readBy(Boolean{}, R"({"y": "true"})"), "true");
  EXPECT_EQ(readBy(Boolean{}, R"({"y": 0})"), "false");
  EXPECT_EQ(readBy(Boolean{}, R"({"y": "yes"})"), "/y: must be true or false");
}

TEST(Fields, DatesAreDaysThatExist) {
  EXPECT_EQ(readBy(Date{}, R"({"y": "2028-02-29"})"), R"("2028-02-29")");
  EXPECT_EQ(readBy(Date{}, R"({"y": "2026-06-13T23:30:00-05:00"})"), R"("2026-06-13")");
  EXPECT_THAT(readBy(Date{}, R"({"y": "2026-02-29"})"), HasSubstr("must be a date"));
  EXPECT_THAT(readBy(Date{}, R"({"y": "13.06.2026"})"), HasSubstr("must be a date"));
}

TEST(Fields, TimestampsAreUtc) {
  EXPECT_EQ(readBy(Timestamp{}, R"({"y": "2026-06-13T14:00:00+02:00"})"), R"("2026-06-13T12:00:00Z")");
  EXPECT_EQ(readBy(Timestamp{Timestamp::Form::seconds}, R"({"y": 1781352000})"), R"("2026-06-13T12:00:00Z")");
  EXPECT_THAT(readBy(Timestamp{Timestamp::Form::seconds}, R"({"y": 1781352000000})"),
              HasSubstr("of this age"));
  EXPECT_EQ(writeBy(Timestamp{Timestamp::Form::milliseconds}, R"({"x": "2026-06-13T12:00:00Z"})", "{}"),
            R"({"y":1781352000000})");
}

TEST(Fields, ATimeIsWrittenInItsZone) {
  When const when{"/time", "/zone", "/utc", "/all_day"};
  EXPECT_EQ(writeBy(when, R"({"x": {"local": "2026-06-13T14:00:00", "zone": "Europe/Berlin"}})", "{}",
                    {.zone = "America/New_York"}),
            R"({"y":"2026-06-13","time":"14:00:00","all_day":false,"zone":"Europe/Berlin"})");
  EXPECT_EQ(writeBy(when, R"({"x": {"date": "2026-06-13"}})", R"({"y": "2026-06-13", "time": "14:00"})"),
            R"({"y":"2026-06-13","time":null,"all_day":true})");
  EXPECT_THAT(writeBy(when, R"({"x": {"utc": "2026-06-13T12:00:00Z"}})", "{}"),
              HasSubstr("clock time in a zone"));
  EXPECT_THAT(readBy(when, R"({"y": "2026-06-13", "time": "25:00"})"),
              HasSubstr("/time: must be a time of day"));
}

TEST(Fields, PhoneNumbersAreE164IfTheCountryIsKnown) {
  Context const usa{.calling_code = "1"};
  Context const britain{.calling_code = "44"};
  EXPECT_EQ(readBy(Phone{}, R"({"y": "+49 (30) 12-34"})"), R"("+49301234")");
  EXPECT_EQ(readBy(Phone{}, R"({"y": "0049 30 1234"})", usa), R"("+49301234")");
  EXPECT_EQ(readBy(Phone{}, R"({"y": "555.010.0199 ext. 12"})", usa), R"("+15550100199;ext=12")");
  EXPECT_EQ(readBy(Phone{}, R"({"y": "1-555-010-0199"})", usa), R"("+15550100199")");
  EXPECT_EQ(readBy(Phone{}, R"({"y": "020 7946 0000"})", britain), R"("+442079460000")");
  EXPECT_EQ(readBy(Phone{}, R"({"y": "020 7946 0000"})"), R"("02079460000")");
  for (auto const* bad : {"n/a", "12", "+1234567890123456", "call me"})
    EXPECT_EQ(readBy(Phone{}, std::string(R"({"y": ")") + bad + "\"}"), "/y: must be a phone number") << bad;
}

TEST(Fields, AddressesAreInLowerCase) {
  EXPECT_EQ(readBy(Email{}, R"({"y": " Anna@Example.COM "})"), R"("anna@example.com")");
  for (auto const* bad : {"anna", "@example.com", "anna@", "a b@example.com", "a@x.com,b@x.com"})
    EXPECT_EQ(readBy(Email{}, std::string(R"({"y": ")") + bad + "\"}"), "/y: must be an e-mail address")
        << bad;
}

constexpr Word words[] = {{"booked", "won"}, {"lead", "open"}};

TEST(Fields, WordsGoByTheTable) {
  EXPECT_EQ(readBy(Words{words}, R"({"y": "won"})"), R"("booked")");
  EXPECT_EQ(readBy(Words{words}, R"({"y": "lost"})"), "/y: must be one of won, open");
  EXPECT_EQ(readBy(Words{words, "other"}, R"({"y": "lost"})"), R"("other")");
  EXPECT_EQ(writeBy(Words{words}, R"({"x": "lead"})", R"({"y": "won"})"), R"({"y":"open"})");
  EXPECT_EQ(writeBy(Words{words, "other"}, R"({"x": "other"})", R"({"y": "won"})"), R"({"y":"won"})");
  EXPECT_THAT(writeBy(Words{words}, R"({"x": "done"})", "{}"), HasSubstr("no counterpart"));
}

TEST(Fields, AmountsAreMinorUnitsAndNeverRounded) {
  Context const euro{.currency = "EUR"};
  EXPECT_EQ(readBy(Amount{}, R"({"y": 12050})", euro), R"({"amount":12050,"currency":"EUR"})");
  EXPECT_EQ(readBy(Amount{AmountForm::major}, R"({"y": 120})", euro), R"({"amount":12000,"currency":"EUR"})");
  EXPECT_EQ(readBy(Amount{AmountForm::text}, R"({"y": "120.5"})", euro),
            R"({"amount":12050,"currency":"EUR"})");
  EXPECT_EQ(readBy(Amount{AmountForm::number}, R"({"y": 0.29})", euro), R"({"amount":29,"currency":"EUR"})");
  EXPECT_EQ(readBy(Amount{AmountForm::number}, R"({"y": 1145.15})", euro),
            R"({"amount":114515,"currency":"EUR"})");
  EXPECT_EQ(readBy(Amount{AmountForm::text}, R"({"y": "-0.001"})", {.currency = "KWD"}),
            R"({"amount":-1,"currency":"KWD"})");
  EXPECT_EQ(readBy(Amount{AmountForm::text}, R"({"y": "500"})", {.currency = "JPY"}),
            R"({"amount":500,"currency":"JPY"})");
  for (auto const* bad : {R"({"y": "1.005"})", R"({"y": "1,000.00"})", R"({"y": ""})", R"({"y": "1."})",
                          R"({"y": "92233720368547758.08"})", R"({"y": true})"})
    EXPECT_NE(readBy(Amount{AmountForm::text}, bad, euro).substr(0, 1), "{") << bad;
  EXPECT_THAT(readBy(Amount{AmountForm::number}, R"({"y": 0.291})", euro),
              HasSubstr("must be an amount of EUR"));
  EXPECT_EQ(readBy(Amount{}, R"({"y": "12050"})", euro), R"({"amount":12050,"currency":"EUR"})");
  EXPECT_THAT(readBy(Amount{}, R"({"y": "10.00"})", euro), HasSubstr("must be an amount of EUR"));
  EXPECT_THAT(readBy(Amount{}, R"({"y": 1})"), HasSubstr("must be a currency code"));
}

TEST(Fields, AProviderMayCountACurrencyInItsOwnUnit) {
  static constexpr MinorDigits exceptions[] = {{"MGA", 0}, {"UGX", 2}};
  Amount const form{.currency = "/currency", .lower_case = true, .exceptions = exceptions};
  EXPECT_EQ(readBy(form, R"({"y": 7, "currency": "mga"})"), R"({"amount":700,"currency":"MGA"})");
  EXPECT_EQ(readBy(form, R"({"y": 700, "currency": "ugx"})"), R"({"amount":7,"currency":"UGX"})");
  EXPECT_THAT(readBy(form, R"({"y": 750, "currency": "ugx"})"), HasSubstr("must be an amount of UGX"));
  EXPECT_EQ(writeBy(form, R"({"x": {"amount": 7, "currency": "UGX"}})", "{}"),
            R"({"y":700,"currency":"ugx"})");
  EXPECT_THAT(writeBy(form, R"({"x": {"amount": 750, "currency": "MGA"}})", "{}"), HasSubstr("finer"));
  Amount const tens{.currency = "/currency", .whole_tens = true};
  EXPECT_EQ(writeBy(tens, R"({"x": {"amount": 12050, "currency": "KWD"}})", "{}"),
            R"({"y":12050,"currency":"KWD"})");
  EXPECT_THAT(writeBy(tens, R"({"x": {"amount": 12055, "currency": "KWD"}})", "{}"),
              HasSubstr("of KWD it takes 2 digits behind the point, such as 12050, which is 12.050"));
  EXPECT_EQ(writeBy(tens, R"({"x": {"amount": 12055, "currency": "EUR"}})", "{}"),
            R"({"y":12055,"currency":"EUR"})");
  EXPECT_EQ(writeBy(Amount{AmountForm::text}, R"({"x": {"amount": -5, "currency": "EUR"}})", "{}",
                    {.currency = "EUR"}),
            R"({"y":"-0.05"})");
  EXPECT_THAT(writeBy(Amount{}, R"({"x": {"amount": 1, "currency": "USD"}})", "{}", {.currency = "EUR"}),
              HasSubstr("is in USD, where EUR is counted"));
}

TEST(Fields, NamesAreSplitAndJoined) {
  Field const join{"/name", "/first", JoinName{"/last"}};
  EXPECT_EQ(json::serialize(read({&join, 1}, parsed(R"({"first": "Anna", "last": " Berg"})"), {})),
            R"({"name":"Anna Berg"})");
  EXPECT_EQ(json::serialize(write({&join, 1}, parsed(R"({"name": "Anna Maria Berg"})"), {}, {})),
            R"({"first":"Anna Maria","last":"Berg"})");
  Field const split{"/first", "/name", SplitName{"/last"}};
  EXPECT_EQ(json::serialize(read({&split, 1}, parsed(R"({"name": "Anna Maria Berg"})"), {})),
            R"({"first":"Anna Maria","last":"Berg"})");
  EXPECT_EQ(json::serialize(write({&split, 1}, parsed(R"({"first": "Anna", "last": "Berg"})"), {}, {})),
            R"({"name":"Anna Berg"})");
  // Split otherwise, but the same name: nothing is written.
  EXPECT_EQ(json::serialize(write({&join, 1}, parsed(R"({"name": "Anna de la Cruz"})"),
                                  parsed(R"({"first": "Anna", "last": "de la Cruz"})"), {})),
            R"({"first":"Anna","last":"de la Cruz"})");
}

TEST(Fields, PairsKeepWhatElseAnEntryHolds) {
  EXPECT_EQ(readBy(Pairs{"/k", "/v"},
                   R"({"y": [{"k": "a", "v": "1"}, {"k": "b", "v": null}, {"k": "c", "v": 2}]})"),
            R"({"a":"1","c":"2"})");
  EXPECT_EQ(writeBy(Pairs{"/k", "/v"}, R"({"x": {"a": "2", "d": "4"}})",
                    R"({"y": [{"k": "a", "v": "1", "id": 7}, {"k": "gone", "v": "x"}]})"),
            R"({"y":[{"k":"a","v":"2","id":7},{"k":"d","v":"4"}]})");
  EXPECT_EQ(readBy(Pairs{"/k", "/v"}, R"({"y": [{"v": "1"}]})"), "/y/-/k: is missing");
}

TEST(Fields, WritingTouchesOnlyWhatDiffers) {
  static constexpr Field map[] = {{"/email", "/Email", fields::Email{}},
                                  {"/phone", "/Phone", fields::Phone{}},
                                  {"/note", "/deep/note"},
                                  {"/only_read", "/ReadOnly", Text{}, Way::in}};
  auto const theirs = parsed(R"({"Email": "Anna@X.com", "Phone": "(555) 010", "Foreign": [1, {"a": null}],
                                 "deep": {"note": "old", "other": 1}, "ReadOnly": "r"})");
  auto const same =
      parsed(R"({"email": "anna@x.com", "phone": "555010", "note": "old", "only_read": "changed"})");
  EXPECT_EQ(json::value(write(map, same, theirs, {})), theirs);
  auto const changed =
      write(map, parsed(R"({"email": "anna@x.com", "phone": "555010", "note": "new"})"), theirs, {});
  EXPECT_EQ(json::serialize(changes(theirs, changed)), R"({"deep":{"note":"new","other":1}})");
  auto const cleared = write(map, parsed(R"({"phone": "555010"})"), theirs, {});
  EXPECT_EQ(json::serialize(changes(theirs, cleared)), R"({"Email":null,"deep":{"note":null,"other":1}})");
}

TEST(Fields, ABadValueOfOursNamesItsField) {
  Field const row{"/x", "/y", fields::Email{}};
  auto const failure = attempt([&] { write({&row, 1}, parsed(R"({"x": "nobody"})"), {}, {}); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::invalidInput);
  EXPECT_EQ(failure->field, "/data/x");
  EXPECT_EQ(failure->effect, Effect::notApplied);
}

TEST(Fields, ABadValueOfTheirsIsOverwritten) {
  EXPECT_EQ(writeBy(Email{}, R"({"x": "a@x.com"})", R"({"y": "n/a"})"), R"({"y":"a@x.com"})");
}

TEST(Pointer, MembersAreMadeOnTheWay) {
  json::object document{{"a", 1}};
  put(document, "/a/b~1c", 2);
  EXPECT_EQ(json::serialize(document), R"({"a":{"b/c":2}})");
  EXPECT_EQ(*find(document, "/a/b~1c"), json::value(2));
  EXPECT_EQ(find(document, "/a/x/y"), nullptr);
  erase(document, "/a/b~1c");
  erase(document, "/x/y");
  EXPECT_EQ(json::serialize(document), R"({"a":{}})");
}

} // namespace
} // namespace garland::sdk::fields
