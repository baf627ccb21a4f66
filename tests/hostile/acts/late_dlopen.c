/* Loads a further library once it is running. */
#include "act.h"

#include <dlfcn.h>

static int act(void) {
  errno = 0;
  if (dlopen("libresolv.so.2", RTLD_NOW) != NULL) return 0;
  char const* const why = dlerror();
  if (why != NULL) take(why, strlen(why));
  return errno != 0 ? errno : EPERM;
}
