// What was noted and is not written yet. Equal events are one, with their number. All of them are kept, until
// a database that takes nothing has left more of them here than memory should hold; then they are counted.
// [loop thread]
#pragma once

#include "host/audit/audit.h"

namespace garland::audit {

class Notes {
public:
  void add(Event event);
  // All of them, each with the fact "times" if it was noted more than once.
  std::vector<Event> take();
  // Of take(), in front of what has come since.
  void putBack(std::vector<Event> events);

private:
  struct Noted {
    Event event;
    std::int64_t times = 1;
  };
  std::map<std::string, std::size_t> places_; // by what is equal
  std::vector<Noted> noted_;
  std::int64_t too_many_ = 0;
};

} // namespace garland::audit
