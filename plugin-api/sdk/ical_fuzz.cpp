// Whatever the text: reading ends, and an event that was read can be written and read again.
#include <garland/sdk/ical.hpp>

#include <cstdint>
#include <cstdlib>

namespace ical = garland::sdk::ical;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const failure = garland::sdk::attempt([&] {
    auto const calendar = ical::parseEvents(text);
    for (auto const& event : calendar.events) {
      static_cast<void>(event.toJson());
      auto changed = event;
      changed.title += " x";
      changed.start = garland::sdk::calendar::Time::utc("2026-06-13T12:00:00Z");
      changed.end.reset();
      auto const written = ical::toIcs(changed, {{}, std::string(text), {}});
      if (ical::parseEvents(written).events.empty()) std::abort();
    }
  });
  static_cast<void>(failure); // a refusal is an answer
  return 0;
}
