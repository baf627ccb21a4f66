/* Searches the heap of another connector's worker. */
#include "act.h"

static int find_heap(long pid, unsigned long* from, unsigned long* to) {
  char path[64];
  static char maps[65536];
  snprintf(path, sizeof path, "/proc/%ld/maps", pid);
  int const file = open(path, O_RDONLY);
  if (file < 0) return errno;
  size_t used = 0;
  ssize_t got;
  while (used < sizeof maps - 1 && (got = read(file, maps + used, sizeof maps - 1 - used)) > 0)
    used += (size_t)got;
  char* heap = strstr(maps, "[heap]");
  if (heap == NULL) return ENOENT;
  while (heap > maps && heap[-1] != '\n') --heap;
  return sscanf(heap, "%lx-%lx", from, to) == 2 ? 0 : ENOENT;
}

static int act(void) {
  unsigned long from = 0;
  unsigned long to = 0;
  int const found = find_heap(scene.neighbour, &from, &to);
  if (found != 0) return found;
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/mem", scene.neighbour);
  int const memory = open(path, O_RDONLY);
  if (memory < 0) return errno;
  static char page[4096];
  for (; from < to; from += sizeof page) {
    if (pread(memory, page, sizeof page, (off_t)from) != (ssize_t)sizeof page) return errno;
    char const* const secret = (char const*)memmem(page, sizeof page, "GARLAND-SECRET-", 15);
    if (secret != NULL && secret + 64 < page + sizeof page) take(secret, 64);
  }
  return 0;
}
