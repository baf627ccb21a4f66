// Reading a calendar where memory ends, at each place that asks for some.
#include <garland/sdk/ical.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

// The C library's own, under the names that it gives them for this.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {

long asked = 0;
long refused = 0; // which one; 0: none

bool mayHave() { return refused == 0 || ++asked != refused; }

} // namespace

extern "C" {
void* malloc(std::size_t size) { return mayHave() ? __libc_malloc(size) : nullptr; }
void* calloc(std::size_t count, std::size_t size) { return mayHave() ? __libc_calloc(count, size) : nullptr; }
void* realloc(void* memory, std::size_t size) { return mayHave() ? __libc_realloc(memory, size) : nullptr; }
}

namespace garland::sdk::ical {
namespace {

constexpr char const* office =
    "BEGIN:VCALENDAR\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Office\r\n"
    "BEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\n"
    "TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
    "END:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Ceremony\r\n"
    "DTSTART;TZID=Office:20260606T150000\r\nDTEND;TZID=Office:20260606T160000\r\n"
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\n"
    "END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

// True if the refused request was met.
bool readRefusing(long which) {
  asked = 0;
  refused = which;
  bool out_of_memory = false;
  try {
    parseEvents(office);
  } catch (std::bad_alloc const&) {
    out_of_memory = true;
  }
  bool const met = asked >= which;
  refused = 0;
  EXPECT_EQ(out_of_memory, met) << which;
  return met;
}

TEST(IcalMemory, WhereverItEndsTheCalendarIsRefusedAndNothingIsFreedTwice) {
  ASSERT_EQ(parseEvents(office).events.size(), 1U);
  long which = 1;
  while (readRefusing(which)) ++which;
  EXPECT_GT(which, 100);
}

} // namespace
} // namespace garland::sdk::ical
