// Whatever the event: checking, projecting and expanding it end, with a result or with an error.
#include "host/calendar/calendar.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace garland;
  static sync::Kind const kind = calendar::eventKind();
  auto const event = parseJson(std::string_view(reinterpret_cast<char const*>(data), size));
  if (!event || !event->is_object()) return 0;
  auto const once = kind.project(*event);
  if (canonicalJson(kind.project(once)) != canonicalJson(once)) std::abort();
  auto const from = *parseRfc3339("2026-01-01T00:00:00Z");
  if (!kind.check(*event)) return 0;
  static_cast<void>(kind.push_context(*event));
  static_cast<void>(calendar::occurrences(*event, from, from + std::chrono::days(400), "Europe/Berlin", 100));
  return 0;
}
