// The content lines of an iCalendar text and the components that they form.
//
// Only lines are taken apart here: unfolding, BEGIN and END. What a line means is libical's business.
// Keeping the lines beside libical's tree lets an error name its place, and lets a text be changed in
// one property while everything else stays byte for byte.
#pragma once

#include <garland/sdk/error.hpp>

#include <libical/ical.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::ical {

struct Line {
  std::size_t number;   // in the text, from 1
  std::string_view raw; // as it stands, folds included, without the final line break
  std::string text;     // unfolded, valid UTF-8
  std::string name;     // of the property, in capitals, without a group
};

struct Component {
  std::string name;    // in capitals
  std::size_t begin;   // index of its BEGIN line
  std::size_t end = 0; // index of its END line
  std::optional<std::size_t> parent;
};

struct FreeComponent {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using ComponentPtr = std::unique_ptr<icalcomponent, FreeComponent>;
struct FreeProperty {
  void operator()(icalproperty* property) const { icalproperty_free(property); }
};
using PropertyPtr = std::unique_ptr<icalproperty, FreeProperty>;

struct LineError {
  std::size_t line;      // index
  std::size_t component; // index of the one that the line stands in
};

// One VEVENT, as lines and as libical's tree.
struct EventPart {
  std::size_t component;   // index into Document::components
  icalcomponent* tree;     // owned by the document
  icalcomponent* calendar; // the VCALENDAR around it
};

// Views into the text that it was read from.
class Document {
public:
  // Failure as parseEvents() says.
  static Document read(std::string_view text);

  std::vector<Line> lines;
  std::vector<Component> components;
  std::vector<LineError> errors;
  std::vector<ComponentPtr> calendars;

  std::vector<EventPart> events() const;
  // Index of the component that each line belongs to directly; of BEGIN and END lines the component itself.
  std::vector<std::size_t> owners() const;

private:
  void split(std::string_view text);
  void nest();
  void parse();
};

// What stands behind the colon.
std::string_view valueOf(Line const& line);

// Text as UTF-8: what is not UTF-8 is taken for Latin-1.
std::string validUtf8(std::string_view text);

} // namespace garland::sdk::ical
