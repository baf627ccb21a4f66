#include "ical_edit.h"

#include <garland/sdk/recurrence.hpp>

#include <algorithm>
#include <charconv>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Time;

PropertyPtr textProperty(icalproperty_kind kind, std::string const& text) {
  PropertyPtr property(icalproperty_new(kind));
  // A URL is no TEXT: nothing in it is escaped, so a line break would end the property.
  std::string plain = text;
  std::erase_if(plain, [kind](char c) {
    return c == '\r' || (kind == ICAL_URL_PROPERTY && static_cast<unsigned char>(c) < ' ');
  });
  icalproperty_set_value(property.get(), kind == ICAL_URL_PROPERTY ? icalvalue_new_uri(plain.c_str())
                                                                   : icalvalue_new_text(plain.c_str()));
  return property;
}

PropertyPtr instantProperty(icalproperty_kind kind, TimePoint when) {
  return timeProperty(kind, Time::utc(rfc3339(std::chrono::floor<std::chrono::seconds>(when))),
                      [](std::string const&) { return std::string(); });
}

PropertyPtr statusProperty(calendar::Status status) {
  switch (status) {
  case calendar::Status::cancelled: return PropertyPtr(icalproperty_new_status(ICAL_STATUS_CANCELLED));
  case calendar::Status::tentative: return PropertyPtr(icalproperty_new_status(ICAL_STATUS_TENTATIVE));
  default: return PropertyPtr(icalproperty_new_status(ICAL_STATUS_CONFIRMED));
  }
}

PropertyPtr ruleProperty(std::string const& text, std::size_t index) {
  std::string const field = "/data/recurrence/rules/" + std::to_string(index);
  auto rule = icalrecurrencetype{};
  icalrecurrencetype_clear(&rule);
  if (recurrenceRuleProblem(text).empty()) rule = icalrecurrencetype_from_string(text.c_str());
  if (rule.freq == ICAL_NO_RECURRENCE)
    throw Failure(Kind::invalidInput, "the recurrence rule \"" + text.substr(0, 200) + "\" cannot be read")
        .withField(field);
  PropertyPtr property(icalproperty_new_rrule(rule));
  icalmemory_free_buffer(rule.rscale);
  return property;
}

// Parameter values are quoted by libical where they must be; a quote or a control cannot be inside.
std::string parameterText(std::string const& text) {
  std::string result;
  for (char const c : text)
    if (static_cast<unsigned char>(c) >= ' ') result += c == '"' ? '\'' : c;
  return result;
}

// "anna@example.com" -> "mailto:anna@example.com"; an address that is a URI already stays one.
std::string addressOf(std::string const& email) {
  auto const plain = parameterText(email);
  return plain.find(':') != std::string::npos || plain.starts_with('/') ? plain : "mailto:" + plain;
}

void setName(icalproperty* property, std::optional<std::string> const& name) {
  icalproperty_remove_parameter_by_kind(property, ICAL_CN_PARAMETER);
  if (name && !name->empty())
    icalproperty_add_parameter(property, icalparameter_new_cn(parameterText(*name).c_str()));
}

void setAnswer(icalproperty* property, calendar::Answer answer) {
  icalproperty_remove_parameter_by_kind(property, ICAL_PARTSTAT_PARAMETER);
  auto word = ICAL_PARTSTAT_NEEDSACTION;
  if (answer == calendar::Answer::accepted) word = ICAL_PARTSTAT_ACCEPTED;
  if (answer == calendar::Answer::declined) word = ICAL_PARTSTAT_DECLINED;
  if (answer == calendar::Answer::tentative) word = ICAL_PARTSTAT_TENTATIVE;
  icalproperty_add_parameter(property, icalparameter_new_partstat(word));
}

// Lines and attendees are in the same order, but for attendees without an address, which are not read.
// So a changed person is found by address in the line itself.
PropertyPtr lineOf(PartEdit& edit, Document const& document, std::string const& email) {
  for (auto const line : edit.linesNamed("ATTENDEE")) {
    auto const& text = document.lines[line].text;
    if (text.find(email) == std::string::npos) continue;
    edit.drop(line);
    return PropertyPtr(icalproperty_new_from_string(text.c_str()));
  }
  return nullptr;
}

} // namespace

PartEdit::PartEdit(Document const& document, std::size_t component)
    : document_(document), component_(component) {
  auto const& range = document.components[component];
  auto const owners = document.owners();
  for (auto line = range.begin + 1; line < range.end; ++line)
    if (owners[line] == component) own_lines_.push_back(line);
}

std::vector<std::size_t> PartEdit::linesNamed(std::string_view name) const {
  std::vector<std::size_t> found;
  for (auto const line : own_lines_)
    if (document_.lines[line].name == name) found.push_back(line);
  return found;
}

void PartEdit::drop(std::string_view name) {
  for (auto const line : linesNamed(name)) dropped_.insert(line);
}

void PartEdit::add(PropertyPtr property) {
  char* text = icalproperty_as_ical_string_r(property.get());
  if (text != nullptr) added_ += text;
  icalmemory_free_buffer(text);
}

// libical leaves a comma in CATEGORIES as it is, which would make two labels of one; in a DESCRIPTION it
// does not. The name to replace is the longer one, so no line gets too long.
void PartEdit::addLabel(std::string const& label) {
  auto const property = textProperty(ICAL_DESCRIPTION_PROPERTY, label);
  char* text = icalproperty_as_ical_string_r(property.get());
  constexpr std::string_view name = "DESCRIPTION";
  if (text != nullptr) added_ += "CATEGORIES" + std::string(text).substr(name.size());
  icalmemory_free_buffer(text);
}

void PartEdit::setText(icalproperty_kind kind, std::string const& text) {
  drop(icalproperty_kind_to_string(kind));
  if (!text.empty()) add(textProperty(kind, text));
}

void editDetails(PartEdit& edit, Details const* before, Details const& after, TzidOf const& tzid) {
  Details const nothing;
  auto const& old = before != nullptr ? *before : nothing;
  if (old.title != after.title) edit.setText(ICAL_SUMMARY_PROPERTY, after.title);
  if (old.description != after.description) {
    edit.setText(ICAL_DESCRIPTION_PROPERTY, after.description);
    edit.drop("X-ALT-DESC"); // the same text as HTML
  }
  if (old.location != after.location) {
    edit.setText(ICAL_LOCATION_PROPERTY, after.location);
    edit.drop("X-APPLE-STRUCTURED-LOCATION"); // the same place with its coordinates
  }
  if (before == nullptr || old.status != after.status) {
    edit.drop("STATUS");
    edit.add(statusProperty(after.status));
  }
  if (old.busy != after.busy) {
    edit.drop("TRANSP");
    edit.add(PropertyPtr(icalproperty_new_transp(after.busy ? ICAL_TRANSP_OPAQUE : ICAL_TRANSP_TRANSPARENT)));
  }
  if (before != nullptr && old.start == after.start && old.end == after.end) return;
  for (auto const* name : {"DTSTART", "DTEND", "DURATION"}) edit.drop(name);
  edit.add(timeProperty(ICAL_DTSTART_PROPERTY, after.start, tzid));
  if (after.end) edit.add(timeProperty(ICAL_DTEND_PROPERTY, *after.end, tzid));
}

namespace {

void editTimes(PartEdit& edit, icalproperty_kind kind, std::vector<Time> const& times, TzidOf const& tzid) {
  edit.drop(icalproperty_kind_to_string(kind));
  for (auto const& time : times) edit.add(timeProperty(kind, time, tzid));
}

void editAttendees(PartEdit& edit, Document const& document, std::vector<calendar::Attendee> const& before,
                   std::vector<calendar::Attendee> const& after) {
  auto const find = [](std::vector<calendar::Attendee> const& list, std::string const& email) {
    return std::find_if(list.begin(), list.end(), [&](auto const& one) { return one.email == email; });
  };
  for (auto const& old : before)
    if (find(after, old.email) == after.end()) lineOf(edit, document, old.email);
  for (auto const& person : after) {
    auto const old = find(before, person.email);
    if (old != before.end() && *old == person) continue;
    auto property = old != before.end() ? lineOf(edit, document, person.email) : nullptr;
    if (property == nullptr) property.reset(icalproperty_new_attendee(addressOf(person.email).c_str()));
    setName(property.get(), person.name);
    if (person.answer) setAnswer(property.get(), *person.answer);
    edit.add(std::move(property));
  }
}

void editOrganizer(PartEdit& edit, std::optional<calendar::Person> const& organizer) {
  edit.drop("ORGANIZER");
  if (!organizer) return;
  PropertyPtr property(icalproperty_new_organizer(addressOf(organizer->email).c_str()));
  setName(property.get(), organizer->name);
  edit.add(std::move(property));
}

} // namespace

void editEvent(PartEdit& edit, Event const* before, Event const& after, TzidOf const& tzid) {
  Event const nothing;
  auto const& old = before != nullptr ? *before : nothing;
  if (old.url != after.url) edit.setText(ICAL_URL_PROPERTY, after.url);
  if (old.recurrence.rules != after.recurrence.rules) {
    edit.drop("RRULE");
    for (std::size_t i = 0; i < after.recurrence.rules.size(); ++i)
      edit.add(ruleProperty(after.recurrence.rules[i], i));
  }
  if (old.recurrence.dates != after.recurrence.dates)
    editTimes(edit, ICAL_RDATE_PROPERTY, after.recurrence.dates, tzid);
  if (old.recurrence.except != after.recurrence.except)
    editTimes(edit, ICAL_EXDATE_PROPERTY, after.recurrence.except, tzid);
  if (old.organizer != after.organizer) editOrganizer(edit, after.organizer);
  if (old.attendees != after.attendees) editAttendees(edit, edit.document(), old.attendees, after.attendees);
  if (old.categories == after.categories) return;
  edit.drop("CATEGORIES");
  for (auto const& label : after.categories) edit.addLabel(label);
}

void stamp(PartEdit& edit, TimePoint now, bool moved) {
  edit.drop("DTSTAMP");
  edit.drop("LAST-MODIFIED");
  edit.add(instantProperty(ICAL_DTSTAMP_PROPERTY, now));
  edit.add(instantProperty(ICAL_LASTMODIFIED_PROPERTY, now));
  if (!moved) return;
  int sequence = 0;
  for (auto const line : edit.linesNamed("SEQUENCE")) {
    auto const& text = edit.document().lines[line].text;
    auto const* const end = text.data() + text.size();
    std::from_chars(text.data() + std::min(text.size(), text.find(':') + 1), end, sequence);
  }
  edit.drop("SEQUENCE");
  edit.add(
      PropertyPtr(icalproperty_new_sequence(sequence < 0 || sequence > 1'000'000'000 ? 1 : sequence + 1)));
}

} // namespace garland::sdk::ical
