/* Becomes a shell, which makes a file. */
#include "act.h"

static int act(void) {
  char command[160];
  char shell[] = "/bin/sh";
  char option[] = "-c";
  snprintf(command, sizeof command, "echo > %s; sleep 3600", in_scene("executed"));
  char* const arguments[] = {shell, option, command, NULL};
  return outcome(execv(shell, arguments));
}
