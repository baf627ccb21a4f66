// Changes to the lines of one component, gathered and then applied to the whole text at once.
#pragma once

#include "ical_document.h"
#include "ical_facts.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace garland::sdk::ical {

using TzidOf = std::function<std::string(std::string const& zone)>;

// The lines that stand directly in one VEVENT, and what is to become of them.
class PartEdit {
public:
  PartEdit(Document const& document, std::size_t component);

  // Takes out every line of that name.
  void drop(std::string_view name);
  void drop(std::size_t line) { dropped_.insert(line); }
  // Adds a property, "NAME:value" with CRLF.
  void add(PropertyPtr property);
  // Adds one CATEGORIES property.
  void addLabel(std::string const& label);
  // drop(), then add a text property unless the text is empty.
  void setText(icalproperty_kind kind, std::string const& text);

  std::vector<std::size_t> linesNamed(std::string_view name) const;
  Document const& document() const { return document_; }
  bool empty() const { return dropped_.empty() && added_.empty(); }
  std::set<std::size_t> const& dropped() const { return dropped_; }
  std::string const& added() const { return added_; }
  std::size_t component() const { return component_; }

private:
  Document const& document_;
  std::size_t component_;
  std::vector<std::size_t> own_lines_;
  std::set<std::size_t> dropped_;
  std::string added_;
};

// What differs between the two is written; `before` absent: everything that is no default.
void editDetails(PartEdit& edit, Details const* before, Details const& after, TzidOf const& tzid);
// The members that only the event as a whole has.
void editEvent(PartEdit& edit, calendar::Event const* before, calendar::Event const& after,
               TzidOf const& tzid);
// Marks a changed component as changed: DTSTAMP, LAST-MODIFIED, and SEQUENCE if its time moved.
void stamp(PartEdit& edit, TimePoint now, bool moved);

} // namespace garland::sdk::ical
