/* Asks whether a path exists, and how large it is. */
#include "act.h"

#include <sys/stat.h>

static int act(void) {
  struct stat what;
  if (stat(in_scene("private"), &what) != 0) return errno;
  take("size ", 5);
  take_number((unsigned long long)what.st_size);
  return 0;
}
