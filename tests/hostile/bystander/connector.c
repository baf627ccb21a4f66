/* The plugin that must notice nothing: it says back what it was told, as a record and as its result, and
 * keeps the first words on its heap, where others may look for them. */
#include <garland/plugin.h>

#include <stdlib.h>
#include <string.h>

static garland_host const* host;
static char* kept;

static garland_status echo(garland_instance* self, garland_call* call, garland_json input) {
  static char const kind[] = "test.item";
  garland_str const item = {kind, sizeof kind - 1};
  (void)self;
  if (kept == NULL && (kept = (char*)malloc((size_t)input.len + 64)) != NULL)
    memcpy(kept, input.ptr, input.len);
  garland_status const emitted = host->emit(host->ctx, call, item, input);
  if (emitted != GARLAND_OK) return emitted;
  garland_status const durable = host->checkpoint(host->ctx, call, input);
  if (durable != GARLAND_OK) return durable;
  return host->result(host->ctx, call, input);
}

static garland_op find_op(garland_str id) {
  static char const name[] = "bystander.echo/1";
  return id.len == sizeof name - 1 && memcmp(id.ptr, name, sizeof name - 1) == 0 ? echo : NULL;
}

static garland_status open_instance(garland_call* call, garland_json account, garland_instance** instance) {
  (void)call, (void)account;
  *instance = (garland_instance*)malloc(1);
  return *instance != NULL ? GARLAND_OK : GARLAND_E_HOST_LIMIT;
}

static void close_instance(garland_instance* self) { free(self); }

garland_status garland_entry_v1(garland_host const* given, garland_plugin* plugin) {
  host = given;
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->id = (garland_str){GARLAND_CONNECTOR_ID, sizeof GARLAND_CONNECTOR_ID - 1};
  plugin->version = (garland_str){GARLAND_CONNECTOR_VERSION, sizeof GARLAND_CONNECTOR_VERSION - 1};
  plugin->find_op = find_op;
  plugin->open = open_instance;
  plugin->close = close_instance;
  return GARLAND_OK;
}
