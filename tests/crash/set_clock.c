/* A clock that can be set for one program: preloaded into a garlandd by tests/crash/run and installed
 * nowhere. GARLAND_SET_CLOCK names a file with the seconds, 8 bytes, by which the time of day differs from
 * the machine's. Time that passes (CLOCK_MONOTONIC) stays as it is, as it does when somebody sets a real
 * clock. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t const volatile* ahead; /* seconds */

__attribute__((constructor)) static void read_clock(void) {
  char const* const name = getenv("GARLAND_SET_CLOCK");
  int const file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  void* const page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) _exit(120); /* a test of the machine's own clock would show nothing */
  ahead = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  int const failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (!failed && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
  return failed;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  int const failed = (int)syscall(SYS_gettimeofday, now, zone);
  if (!failed && ahead && now) now->tv_sec += *ahead;
  return failed;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
