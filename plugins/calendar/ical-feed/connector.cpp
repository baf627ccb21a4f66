// Calendar feeds: the events of an .ics address, in one direction. The address is the credential, so it is
// never seen here. What a pull does: pull.cpp; when an event is over: ends.cpp.
#include "pull.h"

#include <garland/sdk/calendar.hpp>

namespace garland::ical_feed {
namespace {

struct Settings {
  std::string name;
};
GARLAND_RECORD(Settings, name)

std::string nameOf(sdk::Account const& account) { return account.settingsAs<Settings>().name; }

class IcalFeed final : public sdk::calendar::CalendarReader {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    static_cast<void>(fetch(account));
    return {nameOf(account)};
  }

  sdk::calendar::Discovery discover(sdk::Account& account, sdk::Call&) override {
    auto const calendar = fetch(account);
    sdk::calendar::Calendar entry{
        calendar_id, calendar.name.empty() ? nameOf(account) : calendar.name, {}, {}, false};
    return {nameOf(account), {std::move(entry)}};
  }

  void pull(sdk::Account& account, sdk::calendar::PullRequest const& request,
            sdk::calendar::Feed& feed) override {
    ical_feed::pull(account, request, feed);
  }
};

} // namespace
} // namespace garland::ical_feed

GARLAND_CONNECTOR(garland::ical_feed::IcalFeed)
