/* Hands over texts that are longer than memory. */
#include "act.h"

static int act(void) {
  garland_json const endless = {"{}", 0xFFFFFFFFFFFFFFFFULL};
  garland_str const nowhere = {NULL, 77};
  garland_status const told = host->result(host->ctx, running, endless);
  garland_status const emitted = host->emit(host->ctx, running, nowhere, json_of("{}"));
  return told == GARLAND_OK || emitted == GARLAND_OK ? 0 : REFUSED_BY_HOST;
}
