/* Opens a file by the calling convention of 32-bit programs. */
#include "act.h"

#include <sys/mman.h>

static int act(void) {
  enum { kOpen = 5 };
  char* const low =
      (char*)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return errno;
  snprintf(low, 128, "%s", in_scene("private"));
  long answer = kOpen;
  __asm__ volatile("int $0x80"
                   : "+a"(answer)
                   : "b"((long)(unsigned long)low), "c"((long)O_RDONLY), "d"(0L)
                   : "memory", "r8", "r9", "r10", "r11");
  if (answer < 0) return (int)-answer;
  return take_from((int)answer);
}
