/* What the host and the plugin of the pairs share. Each is built twice: against the newest released minor,
 * and, with -DNEXT, against a minor that does not exist yet (plugin-api/abi/lib/header_edits.py). */
#ifndef GARLAND_TESTS_ABI_PAIR_H
#define GARLAND_TESTS_ABI_PAIR_H

#include <garland/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whatever crosses lies here: right behind its last byte begins a page that nobody may touch, so that one
 * byte too many ends the process, also in code without a sanitizer. Never freed. `size` is a multiple of 8.
 */
static inline void* at_the_edge(size_t size) {
  size_t const page = (size_t)sysconf(_SC_PAGESIZE);
  char* const pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) abort();
  return pages + page - size;
}

static inline void expect_true(int holds, char const* what, char const* file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  exit(1);
}
#define EXPECT(condition) expect_true((condition), #condition, __FILE__, __LINE__)

static inline garland_str text(char const* chars) { return (garland_str){chars, strlen(chars)}; }
static inline garland_json json(char const* chars) { return (garland_json){chars, strlen(chars)}; }
static inline garland_bytes bytes(char const* chars) {
  return (garland_bytes){(uint8_t const*)chars, strlen(chars)};
}
static inline int same(garland_str a, char const* b) {
  return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0;
}

#endif
