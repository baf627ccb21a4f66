/* A plugin as somebody writes it who has nothing but garland/plugin.h and a C compiler: no manifest, no
 * version script, every symbol visible. It pries where it should not, and one of its operations crashes. */
#include <garland/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct garland_instance {
  int calls;
};

garland_host const* the_host;

static garland_status tell(garland_call* call, char const* document) {
  garland_json const value = {document, strlen(document)};
  return the_host->result(the_host->ctx, call, value);
}

garland_status pry(garland_instance* self, garland_call* call, garland_json input) {
  int file = open("/etc/passwd", O_RDONLY);
  (void)input;
  self->calls++;
  if (file < 0) file = socket(AF_INET, SOCK_STREAM, 0);
  return tell(call, file < 0 ? "{\"ok\":true}" : "{\"ok\":false}");
}

garland_status crash(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  *(int volatile*)16 = 1;
  return GARLAND_OK;
}

static int same(garland_str text, char const* other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

garland_op find(garland_str id) {
  static char const* const operations[] = {"health.check/1", "shop.order/1"};
  if (same(id, operations[0])) return pry;
  return same(id, operations[1]) ? crash : NULL;
}

garland_status open_account(garland_call* call, garland_json account, garland_instance** instance) {
  (void)call, (void)account;
  *instance = calloc(1, sizeof **instance);
  return *instance != NULL ? GARLAND_OK : GARLAND_E_HOST_LIMIT;
}

void close_account(garland_instance* self) { free(self); }

void go(void) {}

garland_status garland_entry_v1(garland_host const* host, garland_plugin* plugin) {
#ifdef STRANGER_REFUSES
  (void)host, (void)plugin;
  return GARLAND_E_UNSUPPORTED;
#else
  static char const id[] = "org.stranger.shop";
  garland_plugin const me = {.size = sizeof me,
                             .concurrency = GARLAND_SERIAL,
                             .id = {id, sizeof id - 1},
                             .version = {"0.1.0", 5},
                             .find_op = find,
                             .open = open_account,
                             .close = close_account,
                             .shutdown = go};
  the_host = host;
  *plugin = me;
  return GARLAND_OK;
#endif
}
