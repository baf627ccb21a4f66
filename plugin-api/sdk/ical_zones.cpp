#include "ical_zones.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>
#include <array>

namespace garland::sdk::ical {
namespace {

constexpr std::string_view iana_names[] = {
#include "zone_names.inc"
};

struct WindowsZone {
  std::string_view name;
  std::string_view iana;
};
// What Outlook and Exchange call the zones in which most people live.
constexpr WindowsZone windows_zones[] = {
    {"AUS Central Standard Time", "Australia/Darwin"},
    {"AUS Eastern Standard Time", "Australia/Sydney"},
    {"Alaskan Standard Time", "America/Anchorage"},
    {"Arab Standard Time", "Asia/Riyadh"},
    {"Arabian Standard Time", "Asia/Dubai"},
    {"Argentina Standard Time", "America/Buenos_Aires"},
    {"Atlantic Standard Time", "America/Halifax"},
    {"Canada Central Standard Time", "America/Regina"},
    {"Cen. Australia Standard Time", "Australia/Adelaide"},
    {"Central America Standard Time", "America/Guatemala"},
    {"Central Europe Standard Time", "Europe/Budapest"},
    {"Central European Standard Time", "Europe/Warsaw"},
    {"Central Standard Time", "America/Chicago"},
    {"Central Standard Time (Mexico)", "America/Mexico_City"},
    {"China Standard Time", "Asia/Shanghai"},
    {"E. Africa Standard Time", "Africa/Nairobi"},
    {"E. Australia Standard Time", "Australia/Brisbane"},
    {"E. Europe Standard Time", "Europe/Chisinau"},
    {"E. South America Standard Time", "America/Sao_Paulo"},
    {"Eastern Standard Time", "America/New_York"},
    {"Egypt Standard Time", "Africa/Cairo"},
    {"FLE Standard Time", "Europe/Kiev"},
    {"GMT Standard Time", "Europe/London"},
    {"GTB Standard Time", "Europe/Bucharest"},
    {"Greenwich Standard Time", "Atlantic/Reykjavik"},
    {"Hawaiian Standard Time", "Pacific/Honolulu"},
    {"India Standard Time", "Asia/Calcutta"},
    {"Israel Standard Time", "Asia/Jerusalem"},
    {"Jordan Standard Time", "Asia/Amman"},
    {"Korea Standard Time", "Asia/Seoul"},
    {"Mountain Standard Time", "America/Denver"},
    {"Morocco Standard Time", "Africa/Casablanca"},
    {"New Zealand Standard Time", "Pacific/Auckland"},
    {"Newfoundland Standard Time", "America/St_Johns"},
    {"Pacific SA Standard Time", "America/Santiago"},
    {"Pacific Standard Time", "America/Los_Angeles"},
    {"Romance Standard Time", "Europe/Paris"},
    {"Russian Standard Time", "Europe/Moscow"},
    {"SA Pacific Standard Time", "America/Bogota"},
    {"SE Asia Standard Time", "Asia/Bangkok"},
    {"Singapore Standard Time", "Asia/Singapore"},
    {"South Africa Standard Time", "Africa/Johannesburg"},
    {"Taipei Standard Time", "Asia/Taipei"},
    {"Tasmania Standard Time", "Australia/Hobart"},
    {"Tokyo Standard Time", "Asia/Tokyo"},
    {"Turkey Standard Time", "Europe/Istanbul"},
    {"US Eastern Standard Time", "America/Indiana/Indianapolis"},
    {"US Mountain Standard Time", "America/Phoenix"},
    {"UTC", "Etc/UTC"},
    {"W. Australia Standard Time", "Australia/Perth"},
    {"W. Central Africa Standard Time", "Africa/Lagos"},
    {"W. Europe Standard Time", "Europe/Berlin"},
};

bool sameText(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view known(std::string_view name) {
  auto const* const found = std::find_if(std::begin(iana_names), std::end(iana_names),
                                         [&](auto one) { return sameText(one, name); });
  return found == std::end(iana_names) ? std::string_view() : *found;
}

std::string locationOf(icalcomponent* zone) {
  for (auto* property = icalcomponent_get_first_property(zone, ICAL_ANY_PROPERTY); property != nullptr;
       property = icalcomponent_get_next_property(zone, ICAL_ANY_PROPERTY)) {
    char const* name = icalproperty_get_property_name(property);
    char const* value = icalproperty_get_value_as_string(property);
    if (name != nullptr && value != nullptr && sameText(name, "X-LIC-LOCATION")) return value;
  }
  return {};
}

std::string textOf(icalcomponent* component) {
  char* text = icalcomponent_as_ical_string_r(component);
  std::string result = validUtf8(text != nullptr ? text : "");
  icalmemory_free_buffer(text);
  return result;
}

} // namespace

std::string ianaZone(std::string_view tzid) {
  if (tzid.size() >= 2 && tzid.front() == '"' && tzid.back() == '"') tzid = tzid.substr(1, tzid.size() - 2);
  if (auto const name = known(tzid); !name.empty()) return std::string(name);
  for (auto const& zone : windows_zones)
    if (sameText(zone.name, tzid)) return std::string(zone.iana);
  // The longest tail that is a name: "/example.org/2025a/America/Indiana/Knox".
  for (auto slash = tzid.find('/'); slash != std::string_view::npos; slash = tzid.find('/', slash + 1)) {
    auto const tail = tzid.substr(slash + 1);
    if (tail.find('/') == std::string_view::npos) break;
    if (auto const name = known(tail); !name.empty()) return std::string(name);
  }
  return {};
}

bool meansUtc(std::string_view zone) {
  return zone == "UTC" || zone == "Etc/UTC" || zone == "GMT" || zone == "Etc/GMT" || zone == "Zulu" ||
         zone == "Etc/Zulu" || zone == "UCT" || zone == "Etc/UCT";
}

ZoneNames::ZoneNames(icalcomponent* calendar) {
  for (auto* zone = icalcomponent_get_first_component(calendar, ICAL_VTIMEZONE_COMPONENT); zone != nullptr;
       zone = icalcomponent_get_next_component(calendar, ICAL_VTIMEZONE_COMPONENT)) {
    auto* id = icalcomponent_get_first_property(zone, ICAL_TZID_PROPERTY);
    char const* const tzid = id != nullptr ? icalproperty_get_tzid(id) : nullptr;
    if (tzid == nullptr) continue;
    auto iana = ianaZone(tzid);
    if (iana.empty()) iana = ianaZone(locationOf(zone));
    zones_.push_back({tzid, std::move(iana), zone});
  }
}

std::string ZoneNames::nameOf(std::string_view tzid) const {
  for (auto const& zone : zones_)
    if (zone.tzid == tzid) return zone.iana.empty() ? zone.tzid : zone.iana;
  auto iana = ianaZone(tzid);
  if (iana.empty())
    throw Failure(Kind::providerBug, "the time zone \"" + std::string(tzid.substr(0, 100)) +
                                         "\" is neither defined in the text nor known");
  return iana;
}

std::string ZoneNames::definitionOf(std::string_view name) const {
  for (auto const& zone : zones_)
    if (zone.iana.empty() && zone.tzid == name) return textOf(zone.component);
  return {};
}

std::string ZoneNames::tzidFor(std::string_view name) const {
  for (auto const& zone : zones_)
    if (zone.iana == name || (zone.iana.empty() && zone.tzid == name)) return zone.tzid;
  return {};
}

std::string zoneComponent(std::string_view text, std::string_view tzid) {
  if (text.size() > (64U << 10U)) return {};
  ComponentPtr const zone(icalparser_parse_string(std::string(text).c_str()));
  if (zone == nullptr || icalcomponent_isa(zone.get()) != ICAL_VTIMEZONE_COMPONENT) return {};
  if (icalcomponent_get_first_component(zone.get(), ICAL_ANY_COMPONENT) == nullptr) return {};
  auto* id = icalcomponent_get_first_property(zone.get(), ICAL_TZID_PROPERTY);
  if (id == nullptr) {
    id = icalproperty_new_tzid(std::string(tzid).c_str());
    icalcomponent_add_property(zone.get(), id);
  }
  icalproperty_set_tzid(id, std::string(tzid).c_str());
  icalcomponent_strip_errors(zone.get());
  return textOf(zone.get());
}

} // namespace garland::sdk::ical
