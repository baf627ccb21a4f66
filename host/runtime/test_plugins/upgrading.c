/* One connector in several versions. An instance counts its calls and hands the count to the next version;
 * what a version does wrong is chosen when it is compiled. */
#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

struct garland_instance {
  long calls;
};
#ifdef OTHER_BYTES
int garland_other_bytes = OTHER_BYTES;
#endif

/* {"n":n,"count":k}: writes k things, each once; "die":1 ends the worker. */
static garland_status work(garland_instance* self, garland_call* call, garland_json input) {
#ifdef CRASHES
  abort();
#endif
  if (number(input, "die")) abort();
  for (long i = 0; i < number(input, "count"); ++i) {
    char url[64];
    snprintf(url, sizeof(url), "https://example.test/%ld/%ld", number(input, "n"), i);
    garland_http_request request = {.size = sizeof(request), .method = str("POST"), .url = str(url)};
    garland_http_response response = {.size = sizeof(response)};
    garland_status status = host->http(host->ctx, call, &request, &response);
    if (status != GARLAND_OK) return status;
  }
  char out[128];
  snprintf(out, sizeof(out), "{\"n\":%ld,\"version\":\"" GARLAND_CONNECTOR_VERSION "\",\"calls\":%ld}",
           number(input, "n"), ++self->calls);
  return host->result(host->ctx, call, json(out));
}

static garland_op findOp(garland_str id) { return is(id, "test.work/1") ? work : NULL; }

static garland_status openInstance(garland_call* call, garland_json account, garland_instance** out) {
  (void)call;
  (void)account;
  *out = calloc(1, sizeof(**out));
  return *out ? GARLAND_OK : GARLAND_E_HOST_LIMIT;
}
static void closeInstance(garland_instance* self) { free(self); }

static garland_status exportState(garland_instance* self, garland_call* call) {
#ifdef BOASTS
  static char state[400 * 1024];
  memset(state, 'x', sizeof(state));
  memcpy(state, "{\"calls\":1000,\"x\":\"", 19);
  memcpy(state + sizeof(state) - 2, "\"}", 2);
  (void)self;
  return host->result(host->ctx, call, (garland_json){state, sizeof(state)});
#else
  char state[64];
  snprintf(state, sizeof(state), "{\"calls\":%ld}", self->calls);
  return host->result(host->ctx, call, json(state));
#endif
}

static garland_status importState(garland_instance* self, garland_call* call, garland_json state) {
  (void)call;
#ifdef CHOKES
  abort();
#endif
  self->calls += number(state, "calls");
  return GARLAND_OK;
}

static void end(void) {}

garland_status garland_entry_v1(garland_host const* the_host, garland_plugin* plugin) {
#ifdef REFUSES
  return GARLAND_E_UNSUPPORTED;
#endif
  host = the_host;
  plugin->size = sizeof(*plugin);
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->id = str(GARLAND_CONNECTOR_ID);
  plugin->version = str(GARLAND_CONNECTOR_VERSION);
  plugin->find_op = findOp;
  plugin->open = openInstance;
  plugin->close = closeInstance;
  plugin->export_state = exportState;
  plugin->import_state = importState;
  plugin->shutdown = end;
  return GARLAND_OK;
}
