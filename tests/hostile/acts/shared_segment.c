/* Makes memory that outlives the process. */
#include "act.h"

#include <sys/ipc.h>
#include <sys/shm.h>

static int act(void) {
  int const segment = shmget((key_t)(0x6A000000 + (scene.parent & 0xFFFFFF)), 4096, IPC_CREAT | 0666);
  return outcome(segment);
}
