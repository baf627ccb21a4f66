/* Starts a thread that stays. */
#include "act.h"

#include <pthread.h>

static void* stay(void* argument) {
  sleep(3600);
  return argument;
}

static int act(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, stay, NULL);
}
