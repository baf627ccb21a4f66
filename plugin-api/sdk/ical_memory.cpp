// libical's memory: see ical.cmake. It writes to what it is given without looking, so where there is none
// this throws, through C code that was built with tables for unwinding. What libical had begun is lost with
// it, which a process that is out of memory can bear; a write to address zero it cannot.
#include <cstdlib>
#include <cstring>
#include <new>

#define HIDDEN __attribute__((visibility("hidden")))

namespace {

void* given(void* memory, std::size_t size) {
  if (memory == nullptr && size != 0) throw std::bad_alloc();
  return memory;
}

} // namespace

extern "C" {

HIDDEN void* garland_ical_malloc(std::size_t size);
HIDDEN void* garland_ical_malloc(std::size_t size) { return given(std::malloc(size), size); }

HIDDEN void* garland_ical_calloc(std::size_t count, std::size_t size);
HIDDEN void* garland_ical_calloc(std::size_t count, std::size_t size) {
  return given(std::calloc(count, size), count * size);
}

HIDDEN void* garland_ical_realloc(void* memory, std::size_t size);
HIDDEN void* garland_ical_realloc(void* memory, std::size_t size) {
  return given(std::realloc(memory, size), size);
}

HIDDEN char* garland_ical_strdup(char const* text);
HIDDEN char* garland_ical_strdup(char const* text) {
  auto const size = std::strlen(text) + 1;
  return static_cast<char*>(std::memcpy(garland_ical_malloc(size), text, size));
}
}
