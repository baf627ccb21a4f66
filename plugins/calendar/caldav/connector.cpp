// CalDAV: the calendars of any server that speaks RFC 4791, both ways.
//
// This file says what the connector offers. Where the calendars are: discovery.cpp; what changed in
// them: listing.cpp and pull.cpp; writing: write.cpp. Signing in is the host's.
#include "discovery.h"
#include "pull.h"
#include "write.h"

#include <garland/sdk/calendar.hpp>

namespace garland::caldav {
namespace {

struct Settings {
  std::string url;
};
GARLAND_RECORD(Settings, url)

std::string urlOf(sdk::Account const& account) { return account.settingsAs<Settings>().url; }

class CalDav final : public sdk::calendar::CalendarConnector {
public:
  sdk::HealthReport check(sdk::Account& account, sdk::Call&) override {
    Dav dav(account, urlOf(account));
    return {locate(dav, urlOf(account)).account};
  }

  sdk::calendar::Discovery discover(sdk::Account& account, sdk::Call&) override {
    Dav dav(account, urlOf(account));
    auto const place = locate(dav, urlOf(account));
    sdk::calendar::Discovery found{place.account, {}};
    for (auto const& calendar : listCalendars(dav, place)) {
      sdk::calendar::Calendar entry{calendar.url, calendar.name, {}, {}, calendar.writable};
      if (!calendar.color.empty()) entry.color = calendar.color;
      if (!calendar.zone.empty()) entry.zone = calendar.zone;
      found.calendars.push_back(std::move(entry));
    }
    return found;
  }

  void pull(sdk::Account& account, sdk::calendar::PullRequest const& request,
            sdk::calendar::Feed& feed) override {
    caldav::pull(account, urlOf(account), request, feed);
  }

  sdk::calendar::StoredEvent upsert(sdk::Account& account, sdk::calendar::UpsertRequest const& request,
                                    sdk::Call& call) override {
    return caldav::upsert(account, urlOf(account), request, call);
  }

  void remove(sdk::Account& account, sdk::calendar::DeleteRequest const& request, sdk::Call&) override {
    caldav::remove(account, urlOf(account), request);
  }
};

} // namespace
} // namespace garland::caldav

GARLAND_CONNECTOR(garland::caldav::CalDav)
