/* Keeps the handle of a call and uses it in another one, when the first is over. */
#include "act.h"

static int act(void) {
  static garland_call* kept;
  static int over;
  garland_call* const own = running; /* the other call changes it while this one waits */
  if (kept == NULL) {
    kept = own;
    host->sleep_ms(host->ctx, own, 20);
    over = 1;
    return REFUSED_BY_HOST;
  }
  while (!over) host->sleep_ms(host->ctx, own, 1);
  host->sleep_ms(host->ctx, own, 20);
  garland_status const told = host->result(host->ctx, kept, json_of("{\"forged\":true}"));
  garland_status const emitted =
      host->emit(host->ctx, kept, text_of("test.item"), json_of("{\"forged\":true}"));
  host->progress(host->ctx, kept, 666, 666, text_of("forged"));
  return told == GARLAND_OK || emitted == GARLAND_OK ? 0 : REFUSED_BY_HOST;
}
