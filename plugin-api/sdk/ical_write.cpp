// Canonical events to iCalendar, as changes to the text that is stored.
#include "ical_edit.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Override;

// What a new event starts from. The UID is put in as a property, so it is escaped like any text.
constexpr std::string_view empty_calendar =
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Garland//Garland//EN\r\n"
    "BEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

// No calendar can hold a NUL, and a text is not stored as another one.
void refuseNul(std::string_view text, std::string const& field) {
  if (text.find('\0') == std::string_view::npos) return;
  throw Failure(Kind::invalidInput, field + ": has a NUL character, which a calendar cannot hold")
      .withField(field);
}

void refuseNuls(Event const& event) {
  refuseNul(event.uid, "/data/uid");
  refuseNul(event.title, "/data/title");
  refuseNul(event.description, "/data/description");
  refuseNul(event.location, "/data/location");
  refuseNul(event.url, "/data/url");
  for (std::size_t i = 0; i < event.categories.size(); ++i)
    refuseNul(event.categories[i], "/data/categories/" + std::to_string(i));
  for (std::size_t i = 0; i < event.overrides.size(); ++i) {
    auto const field = "/data/overrides/" + std::to_string(i);
    refuseNul(event.overrides[i].title.value_or(""), field + "/title");
    refuseNul(event.overrides[i].description.value_or(""), field + "/description");
    refuseNul(event.overrides[i].location.value_or(""), field + "/location");
  }
}

class Writer {
public:
  Writer(Event const& event, WriteOptions const& options)
      : event_(event), options_(options), text_(options.existing.empty() ? empty_calendar : options.existing),
        document_(Document::read(text_)), series_(findSeries()), zones_(series_.parts.front().calendar) {
    if (!options.existing.empty()) before_ = eventOf(series_);
  }

  std::string write() {
    if (before_ && *before_ == event_) return std::string(text_);
    editMaster();
    editOverrides();
    return apply();
  }

private:
  Series findSeries() const {
    auto all = seriesOf(document_);
    if (options_.existing.empty()) return all.at(0);
    auto const found =
        std::find_if(all.begin(), all.end(), [this](auto const& one) { return one.uid == event_.uid; });
    if (found == all.end())
      throw Failure(Kind::invalidInput,
                    "the stored text has no event with the UID \"" + event_.uid.substr(0, 200) + "\"")
          .withField("/data/uid");
    if (found->unreadable)
      throw Failure(Kind::providerBug,
                    "the stored text cannot be read, so it is not written over: " + *found->unreadable);
    return *found;
  }

  void editMaster() {
    PartEdit edit(document_, series_.parts.front().component);
    if (!before_) edit.setText(ICAL_UID_PROPERTY, event_.uid);
    auto const after = detailsOf(event_);
    std::optional<Details> details;
    if (before_) details = detailsOf(*before_);
    editDetails(edit, details ? &*details : nullptr, after, tzid());
    auto whole = event_;
    // Without a master the dates of the other occurrences are ours, not the text's.
    if (!series_.has_master && before_) whole.recurrence = before_->recurrence;
    editEvent(edit, before_ ? &*before_ : nullptr, whole, tzid());
    bool const moved = before_ && (before_->start != event_.start || before_->end != event_.end ||
                                   before_->recurrence != whole.recurrence);
    if (!edit.empty()) stamp(edit, options_.now, moved);
    edits_.push_back(std::move(edit));
  }

  void editOverrides() {
    std::vector<Override const*> written;
    for (std::size_t i = 1; i < series_.parts.size(); ++i) {
      auto const& part = series_.parts[i];
      auto const occurrence = occurrenceOf(part.tree, before_->start, zones_);
      auto const now = find(event_.overrides, occurrence);
      if (now == nullptr) {
        removed_.insert(part.component);
        continue;
      }
      written.push_back(now);
      PartEdit edit(document_, part.component);
      auto const old = detailsOf(*before_, *find(before_->overrides, occurrence));
      auto const after = detailsOf(event_, *now);
      editDetails(edit, &old, after, tzid());
      if (!edit.empty()) stamp(edit, options_.now, old.start != after.start || old.end != after.end);
      edits_.push_back(std::move(edit));
    }
    for (auto const& change : event_.overrides)
      if (std::find(written.begin(), written.end(), &change) == written.end()) addOverride(change);
  }

  void addOverride(Override const& change) {
    // An edit of a part without lines is a part of its own.
    auto const skeleton = Document::read(empty_calendar);
    PartEdit edit(skeleton, skeleton.events().front().component);
    edit.setText(ICAL_UID_PROPERTY, event_.uid);
    edit.add(timeProperty(ICAL_RECURRENCEID_PROPERTY, change.occurrence, tzid()));
    editDetails(edit, nullptr, detailsOf(event_, change), tzid());
    stamp(edit, options_.now, false);
    new_parts_ += "BEGIN:VEVENT\r\n" + edit.added() + "END:VEVENT\r\n";
  }

  static Override const* find(std::vector<Override> const& overrides, calendar::Time const& occurrence) {
    auto const found = std::find_if(overrides.begin(), overrides.end(),
                                    [&](Override const& one) { return one.occurrence == occurrence; });
    return found == overrides.end() ? nullptr : &*found;
  }

  TzidOf tzid() {
    return [this](std::string const& zone) { return tzidFor(zone); };
  }

  // The text's own name for the zone, or ours with a component that is added.
  std::string tzidFor(std::string const& zone) {
    if (auto known = zones_.tzidFor(zone); !known.empty()) return known;
    if (added_zones_.contains(zone)) return zone;
    auto const defined = event_.zone_definitions.find(zone);
    auto const given = options_.zones.find(zone);
    std::string text;
    if (defined != event_.zone_definitions.end())
      text = zoneComponent(defined->second, zone);
    else if (given != options_.zones.end())
      text = zoneComponent(given->second, zone);
    if (text.empty())
      throw Failure(Kind::invalidInput,
                    "there is no usable VTIMEZONE for the zone \"" + zone.substr(0, 100) + "\"")
          .withField("/zones");
    added_zones_.emplace(zone, std::move(text));
    return zone;
  }

  std::string apply() const {
    auto const& components = document_.components;
    auto const& calendar = components[*components[series_.parts.front().component].parent];
    auto const first_part = firstPart();
    std::string out;
    for (std::size_t i = 0; i < document_.lines.size(); ++i) {
      if (i == first_part)
        for (auto const& [name, text] : added_zones_) out += text;
      if (isRemoved(i)) continue;
      if (i == calendar.end) out += new_parts_;
      for (auto const& edit : edits_)
        if (i == insertionPoint(edit.component())) out += edit.added();
      bool const dropped = std::any_of(edits_.begin(), edits_.end(),
                                       [i](PartEdit const& edit) { return edit.dropped().contains(i); });
      if (!dropped) out += std::string(document_.lines[i].raw) + "\r\n";
    }
    return out;
  }

  // Zones stand before the first event that may name them.
  std::size_t firstPart() const {
    std::size_t line = document_.lines.size();
    for (auto const& part : series_.parts) line = std::min(line, document_.components[part.component].begin);
    return line;
  }

  // New properties stand before the first component within the event (its alarms), or before its end.
  std::size_t insertionPoint(std::size_t component) const {
    std::size_t line = document_.components[component].end;
    for (auto const& inner : document_.components)
      if (inner.parent == component) line = std::min(line, inner.begin);
    return line;
  }

  bool isRemoved(std::size_t line) const {
    return std::any_of(removed_.begin(), removed_.end(), [&](std::size_t component) {
      return line >= document_.components[component].begin && line <= document_.components[component].end;
    });
  }

  Event const& event_;
  WriteOptions const& options_;
  std::string_view text_;
  Document document_;
  Series series_;
  ZoneNames zones_;
  std::optional<Event> before_;
  std::vector<PartEdit> edits_;
  std::set<std::size_t> removed_; // components
  std::map<std::string, std::string> added_zones_;
  std::string new_parts_;
};

} // namespace

std::string toIcs(Event const& event, WriteOptions const& options) {
  refuseNuls(event);
  return Writer(event, options).write();
}

} // namespace garland::sdk::ical
