/* libical without files: see ical.cmake. Its own zone files would be its only use of them. */
#include <errno.h>
#include <stdio.h>

#define HIDDEN __attribute__((visibility("hidden")))

extern HIDDEN FILE* garland_ical_stderr;
HIDDEN FILE* garland_ical_stderr;

__attribute__((constructor)) static void setStderr(void) { garland_ical_stderr = stderr; }

HIDDEN FILE* garland_ical_fopen(char const* path, char const* mode);
HIDDEN FILE* garland_ical_fopen(char const* path, char const* mode) {
  (void)path, (void)mode;
  errno = ENOENT;
  return NULL;
}

HIDDEN int garland_ical_access(char const* path, int mode);
HIDDEN int garland_ical_access(char const* path, int mode) {
  (void)path, (void)mode;
  errno = ENOENT;
  return -1;
}
