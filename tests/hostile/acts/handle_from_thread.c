/* Uses its call from another thread. */
#include "act.h"

#include <pthread.h>

static void* emit_from_here(void* argument) {
  host->emit(host->ctx, (garland_call*)argument, text_of("test.item"), json_of("{\"forged\":true}"));
  return NULL;
}

static int act(void) {
  pthread_t thread;
  int const code = pthread_create(&thread, NULL, emit_from_here, running);
  if (code != 0) return code;
  return pthread_join(thread, NULL);
}
