#include <garland/sdk/json.hpp>

#include <gmock/gmock.h>

namespace garland::sdk {
namespace {

using ::testing::HasSubstr;

enum class State { active, default_ };
GARLAND_WORDS(State, active, default_)

struct Room {
  std::string name;
  std::optional<std::int32_t> seats;
};
GARLAND_RECORD(Room, name, seats)

struct Booking {
  std::string id;
  State state{};
  bool paid = false;
  std::int64_t cents = 0;
  double share = 0;
  TimePoint at{};
  std::vector<Room> rooms;
  std::map<std::string, std::string> notes;
  std::optional<std::string> class_;
};
GARLAND_RECORD(Booking, id, state, paid, cents, share, at, rooms, notes, class_)

json::object complete() {
  return parse(R"({"id":"7","state":"active","paid":true,"cents":12050,"share":0.5,
                   "at":"2026-06-13T14:00:00+02:00","rooms":[{"name":"Barn","seats":120},{"name":"Loft"}],
                   "notes":{"dj":"no"},"class":"gold","unknown":[1,2]})")
      .get_object();
}

Failure failureOf(json::value const& value, Kind kind = Kind::providerBug) {
  auto failure = attempt([&] { decode<Booking>(value, kind); });
  if (!failure) throw std::logic_error("it was decoded");
  return *failure;
}

TEST(Decode, ACompleteRecordIsRead) {
  auto const booking = decode<Booking>(complete());
  EXPECT_EQ(booking.id, "7");
  EXPECT_EQ(booking.state, State::active);
  EXPECT_TRUE(booking.paid);
  EXPECT_EQ(booking.cents, 12050);
  EXPECT_EQ(rfc3339(booking.at), "2026-06-13T12:00:00Z");
  ASSERT_EQ(booking.rooms.size(), 2U);
  EXPECT_EQ(booking.rooms[0].seats, 120);
  EXPECT_EQ(booking.rooms[1].seats, std::nullopt);
  EXPECT_EQ(booking.notes.at("dj"), "no");
  EXPECT_EQ(booking.class_, "gold");
}

TEST(Decode, AMissingMemberIsToldByItsPlace) {
  auto value = complete();
  value.erase("state");
  auto const failure = failureOf(value);
  EXPECT_EQ(failure.kind, Kind::providerBug);
  EXPECT_EQ(failure.message, "/state: is missing");
}

TEST(Decode, NullIsAbsentForAnOptionalAndWrongForARequiredMember) {
  auto value = complete();
  value["class"] = nullptr;
  EXPECT_EQ(decode<Booking>(value).class_, std::nullopt);
  value["id"] = nullptr;
  EXPECT_EQ(failureOf(value).message, "/id: must be a string");
}

TEST(Decode, AMistakeDeepInsideIsToldByItsPlace) {
  auto value = complete();
  value["rooms"].as_array()[1].as_object()["seats"] = "many";
  EXPECT_EQ(failureOf(value).message, "/rooms/1/seats: must be an integer");
  value = complete();
  value["notes"] = {{"a/b~c", 1}};
  EXPECT_EQ(failureOf(value).message, "/notes/a~1b~0c: must be a string");
}

TEST(Decode, AWordOutsideItsListIsRefusedWithTheList) {
  auto value = complete();
  value["state"] = "gone";
  EXPECT_EQ(failureOf(value).message, "/state: must be one of active, default");
  value["state"] = "default";
  EXPECT_EQ(decode<Booking>(value).state, State::default_);
}

TEST(Decode, ANumberThatDoesNotFitIsRefused) {
  auto value = complete();
  value["rooms"].as_array()[0].as_object()["seats"] = 3'000'000'000;
  EXPECT_THAT(failureOf(value).message, HasSubstr("/rooms/0/seats: must be between"));
  value = complete();
  value["cents"] = 1.5;
  EXPECT_EQ(failureOf(value).message, "/cents: must be an integer");
  value["cents"] = 3.0;
  EXPECT_EQ(decode<Booking>(value).cents, 3);
  value["cents"] = 1e300;
  EXPECT_EQ(failureOf(value).message, "/cents: must be an integer");
}

TEST(Decode, AMistakeInTheInputNamesItsField) {
  auto value = complete();
  value["at"] = "tomorrow";
  auto const failure = failureOf(value, Kind::invalidInput);
  EXPECT_EQ(failure.kind, Kind::invalidInput);
  EXPECT_EQ(failure.field, "/at");
  EXPECT_EQ(failureOf(json::value(3), Kind::invalidInput).message, "the document must be an object");
}

TEST(Encode, WhatWasDecodedComesBackWithoutAbsentMembers) {
  auto value = complete();
  value.erase("unknown");
  value["at"] = "2026-06-13T12:00:00Z";
  EXPECT_EQ(encode(decode<Booking>(value)), json::value(value));
  value.erase("class");
  EXPECT_EQ(encode(decode<Booking>(value)), json::value(value));
}

TEST(Parse, WhatIsNotJsonIsRefusedWithItsPlace) {
  for (auto const* bad : {"", "{", "{\"a\":1,}", "{} {}", "{\"a\":nul}"}) {
    auto const failure = attempt([&] { parse(bad); });
    ASSERT_TRUE(failure) << bad;
    EXPECT_EQ(failure->kind, Kind::providerBug);
    EXPECT_THAT(failure->message, HasSubstr("at byte")) << bad;
  }
}

TEST(Attempt, CancellationGoesOnUp) {
  EXPECT_EQ(attempt([] { throw Failure(Kind::notFound, "x"); })->kind, Kind::notFound);
  EXPECT_THROW(attempt([] { throw Failure(Kind::cancelled, "x"); }), Failure);
  EXPECT_FALSE(attempt([] {}));
}

} // namespace
} // namespace garland::sdk
