// The smallest connector in C++: a provider that lists an account's bookings as JSON.
//   GET /me        {"email":"anna@example.com"}
//   GET /bookings  {"bookings":[{"id":"7","couple":"Ada & Ben","date":"2026-06-13","state":"booked"}]}
// Signing in, limits and retries are the host's, by connector.json.
#include <garland/sdk/calendar.hpp>

using namespace garland::sdk;
using namespace garland::sdk::calendar;

namespace {

struct Settings {
  std::string url;
};
GARLAND_RECORD(Settings, url)

struct Me {
  std::string email;
};
GARLAND_RECORD(Me, email)

enum class State { booked, cancelled };
GARLAND_WORDS(State, booked, cancelled)

struct Booking {
  std::string id;
  std::string couple;
  std::string date;
  State state{};
  std::optional<std::string> place;
};
GARLAND_RECORD(Booking, id, couple, date, state, place)

struct Bookings {
  std::vector<json::value> bookings; // decoded one by one: a bad one does not spoil the rest
};
GARLAND_RECORD(Bookings, bookings)

Event eventOf(Booking const& booking) {
  Event event;
  event.uid = booking.id + "@bookings.example";
  event.title = "Wedding of " + booking.couple;
  event.location = booking.place.value_or("");
  event.status = booking.state == State::booked ? Status::confirmed : Status::cancelled;
  event.start = Time::date(booking.date);
  return event;
}

class Smallest final : public CalendarReader {
public:
  HealthReport check(Account& account, Call&) override {
    account.setBase(account.settingsAs<Settings>().url);
    return {account.get<Me>("/me").email};
  }

  Discovery discover(Account& account, Call& call) override {
    Calendar const only{.id = "bookings", .name = "Bookings", .writable = false};
    return {check(account, call).account, {only}};
  }

  void pull(Account& account, PullRequest const&, Feed& feed) override {
    account.setBase(account.settingsAs<Settings>().url);
    auto const list = account.get<Bookings>("/bookings").bookings;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto const bad = attempt([&] {
        auto const booking = decode<Booking>(list[i]);
        feed.put(booking.id, "", "bookings", eventOf(booking));
        ids.push_back(booking.id);
      });
      if (bad) feed.problem(account.base() + "#bookings/" + std::to_string(i), *bad);
    }
    // The provider lists everything, so what is not in the list is gone: unless one could not be read.
    if (ids.size() == list.size()) feed.listing("bookings", ids);
    feed.progress(list.size(), list.size());
    feed.checkpoint(nullptr);
  }
};

} // namespace

GARLAND_CONNECTOR(Smallest)
