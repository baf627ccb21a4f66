#include "discovery.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>
#include <array>

namespace garland::caldav {
namespace {

constexpr std::string_view where_properties =
    "<d:current-user-principal/><c:calendar-home-set/><d:resourcetype/><d:displayname/>";
constexpr std::string_view calendar_properties =
    "<d:resourcetype/><d:displayname/><d:current-user-privilege-set/><d:sync-token/><s:getctag/>"
    "<c:supported-calendar-component-set/><c:calendar-timezone-id/><a:calendar-color/>";

bool isCalendar(Resource const& resource) {
  auto const* type = resource.properties.child(names::resource_type);
  return type != nullptr && type->has(names::calendar);
}

bool takesEvents(Resource const& resource) {
  auto const* components = resource.properties.child(names::components);
  if (components == nullptr || components->children.empty()) return true;
  return std::any_of(components->children.begin(), components->children.end(),
                     [](Element const& component) { return component.attribute("name") == "VEVENT"; });
}

bool isWritable(Resource const& resource) {
  auto const* set = resource.properties.child(names::privileges);
  if (set == nullptr || set->children.empty()) return true;
  constexpr std::array<std::string_view, 4> writing{"DAV:|write", "DAV:|write-content", "DAV:|bind",
                                                    "DAV:|all"};
  return std::any_of(set->children.begin(), set->children.end(), [&](Element const& privilege) {
    return std::any_of(writing.begin(), writing.end(), [&](auto name) { return privilege.has(name); });
  });
}

// The URLs inside of a property; `base` is the resource that has it.
std::vector<std::string> urlsIn(Resource const& resource, std::string_view property) {
  std::vector<std::string> urls;
  auto const* element = resource.properties.child(property);
  if (element == nullptr) return urls;
  for (auto const& inner : element->children)
    if (inner.name == names::href && !trimmed(inner.text).empty())
      urls.push_back(canonicalUrl(resource.url, trimmed(inner.text)));
  return urls;
}

// "Anna (cal.example.com/users/anna)": names the account and no other, whatever address was typed.
std::string accountName(Resource const& principal) {
  auto name = principal.text(names::display_name);
  auto path = pathOf(principal.url);
  while (path.ends_with('/')) path.pop_back();
  if (name.empty()) name = sdk::percentDecode(path.substr(path.rfind('/') + 1));
  auto const host = hostOf(principal.url);
  return name.empty() ? host : name + " (" + host + path + ")";
}

// A passing failure must not look like "nothing here": another address would be taken for the account's,
// and the calendars of the right one for deleted.
bool isFailure(int status) { return concernsEverything(status) || status >= 500; }

class Locator {
public:
  Locator(Dav& dav, std::string url) : dav_(dav), url_(std::move(url)) {}

  Place locate() {
    if (auto const typed = look(url_)) {
      if (isCalendar(*typed)) return {accountName(principalOf(*typed)), {typed->url}};
      if (auto place = fromPrincipal(*typed)) return *place;
    }
    auto const well_known = canonicalUrl(url_, "/.well-known/caldav");
    if (auto const found = look(well_known))
      if (auto place = fromPrincipal(*found)) return *place;
    // A server without principals: the address may be the home itself.
    auto const answer = dav_.propfind(url_, "1", where_properties);
    if (answer.multistatus) {
      auto const& all = answer.multistatus->resources;
      if (std::any_of(all.begin(), all.end(), isCalendar)) return {hostOf(url_), {url_}};
    }
    // A page with a status of success comes from a proxy or a sign-in in between as well: nobody can say that
    // the address is wrong.
    bool const is_page = answer.ok() && !answer.multistatus;
    if (isFailure(answer.status) || answer.status == 403 || is_page) dav_.fail("PROPFIND", url_, answer);
    throw sdk::Failure(sdk::Kind::invalidInput, "there is no CalDAV server at " + url_ +
                                                    "; check the address (status " +
                                                    std::to_string(answer.status) + ")")
        .withField("/url")
        .withHttpStatus(answer.status);
  }

private:
  // What the server says of a URL; nothing if there is nothing of WebDAV.
  std::optional<Resource> look(std::string const& url) {
    auto const answer = dav_.propfind(url, "0", where_properties);
    if (isFailure(answer.status)) dav_.fail("PROPFIND", url, answer);
    if (!answer.multistatus || answer.multistatus->resources.empty()) return std::nullopt;
    return answer.multistatus->resources.front();
  }

  Resource principalOf(Resource const& resource) {
    auto const urls = urlsIn(resource, names::principal);
    if (urls.empty()) return resource;
    return look(urls.front()).value_or(resource);
  }

  std::optional<Place> fromPrincipal(Resource const& resource) {
    // The address may be a principal already.
    auto const principal = urlsIn(resource, names::home_set).empty() ? principalOf(resource) : resource;
    auto homes = urlsIn(principal, names::home_set);
    if (homes.empty()) return std::nullopt;
    return Place{accountName(principal), std::move(homes)};
  }

  Dav& dav_;
  std::string url_;
};

// A calendar that the server could not describe just now may not be taken for deleted.
void requireDescribed(Resource const& resource) {
  bool const gone = resource.status == 404 || resource.status == 410;
  bool const refused = resource.status >= 400 && !gone;
  bool const untold = resource.property_status >= 500 && !resource.properties.has(names::resource_type);
  if (!refused && !untold) return;
  auto const status = refused ? resource.status : resource.property_status;
  throw sdk::Failure(sdk::Kind::transient, "the server did not say what " + resource.url + " is (status " +
                                               std::to_string(status) +
                                               "); the calendars are listed again with the next sync")
      .withHttpStatus(status);
}

} // namespace

Place locate(Dav& dav, std::string const& url) { return Locator(dav, canonicalUrl(url, "")).locate(); }

std::vector<Calendar> listCalendars(Dav& dav, Place const& place) {
  std::vector<Calendar> calendars;
  for (auto const& home : place.homes) {
    auto const answer = dav.propfind(home, "1", calendar_properties);
    auto const& found = dav.require("PROPFIND", home, answer);
    // An answer without even the home itself is no answer: "no calendars" would delete everything.
    if (found.resources.empty())
      throw sdk::Failure(sdk::Kind::providerBug, "PROPFIND " + home + " was answered with an empty list");
    for (auto const& resource : found.resources) {
      requireDescribed(resource);
      if (!isCalendar(resource) || !takesEvents(resource)) continue;
      auto const zone = resource.text(names::zone_id);
      calendars.push_back({resource.url, resource.text(names::display_name), resource.text(names::color),
                           sdk::ical::ianaZone(zone), isWritable(resource), resource.text(names::ctag),
                           resource.text(names::sync_token)});
    }
  }
  std::sort(calendars.begin(), calendars.end(), [](auto const& a, auto const& b) { return a.url < b.url; });
  auto const same = [](auto const& a, auto const& b) { return a.url == b.url; };
  calendars.erase(std::unique(calendars.begin(), calendars.end(), same), calendars.end());
  return calendars;
}

} // namespace garland::caldav
