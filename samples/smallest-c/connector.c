/* The smallest connector in plain C: it is always well, and it knows of one wedding.
 * A real one would ask its provider through host->http; samples/smallest-cpp does. */
#include <garland/plugin.h>

#include <string.h>

static garland_host const* host;

static garland_str text(char const* chars) { return (garland_str){chars, strlen(chars)}; }
static garland_json document(char const* chars) { return (garland_json){chars, strlen(chars)}; }

static garland_status check_health(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)input;
  return host->result(host->ctx, call, document("{\"account\":\"nobody\"}"));
}

static garland_status pull_events(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)input; /* the cursor: everything fits in one answer, so it does not matter */
  garland_status status =
      host->emit(host->ctx, call, text("calendar.event"),
                 document("{\"id\":\"wedding-1\",\"version\":\"1\",\"scope\":\"\",\"deleted\":false,"
                          "\"data\":{\"uid\":\"wedding-1@example\",\"title\":\"Wedding\","
                          "\"status\":\"confirmed\",\"busy\":true,"
                          "\"start\":{\"date\":\"2026-06-13\"},\"end\":{\"date\":\"2026-06-14\"}}}"));
  if (status != GARLAND_OK) return status;
  status = host->checkpoint(host->ctx, call, document("{\"seen\":1}"));
  if (status != GARLAND_OK) return status;
  return host->result(host->ctx, call, document("{}"));
}

static garland_op find_op(garland_str id) {
  static const struct {
    char const* id;
    garland_op run;
  } operations[] = {{"health.check/1", check_health}, {"calendar.pull/1", pull_events}};
  for (size_t i = 0; i < sizeof operations / sizeof *operations; ++i)
    if (id.len == strlen(operations[i].id) && memcmp(id.ptr, operations[i].id, id.len) == 0)
      return operations[i].run;
  return NULL;
}

/* Nothing is kept for an account, so every instance is this one. */
static char the_only_instance;

static garland_status open_account(garland_call* call, garland_json account, garland_instance** instance) {
  (void)call;
  (void)account;
  *instance = (garland_instance*)(void*)&the_only_instance;
  return GARLAND_OK;
}

static void close_account(garland_instance* self) { (void)self; }
static void shut_down(void) {}

GARLAND_EXPORT garland_status garland_entry_v1(garland_host const* from, garland_plugin* plugin) {
  if (!GARLAND_HAS_FN(from, checkpoint) || !GARLAND_HAS_FN(from, result)) return GARLAND_E_UNSUPPORTED;
  if (!GARLAND_HAS(plugin, shutdown)) return GARLAND_E_UNSUPPORTED;
  host = from;
  garland_plugin own = {
      .size = sizeof own,
      .concurrency = GARLAND_SERIAL,
      .id = text(GARLAND_CONNECTOR_ID), /* both from connector.json, by garland_add_connector() */
      .version = text(GARLAND_CONNECTOR_VERSION),
      .find_op = find_op,
      .open = open_account,
      .close = close_account,
      .shutdown = shut_down,
  };
  if (plugin->size < own.size) own.size = plugin->size; /* an older host has room for less */
  memcpy(plugin, &own, own.size);
  return GARLAND_OK;
}
