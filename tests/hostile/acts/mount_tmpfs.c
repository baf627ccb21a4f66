/* Mounts a file system over a folder. */
#include "act.h"

#include <sys/mount.h>

static int act(void) { return outcome(mount("tmpfs", in_scene("mnt"), "tmpfs", 0, "size=64k")); }
