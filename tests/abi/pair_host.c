/* A host that offers every member of the ABI and looks into whatever the plugin hands over.
 * Usage: pair_host PLUGIN.so; prints what each side found of the next minor. Built under ASan and UBSan.
 * With -DCARELESS it fills more than it was given. */
#include "tests/abi/pair.h"

#include <dlfcn.h>

struct garland_call {
  char arena[256];
  char result[128];
  garland_status failed;
};

static garland_host* table;
static int request_trace, error_seen_at;

static void check(void* ctx, garland_call* call) { EXPECT(ctx == table && call != NULL); }

static garland_status mac_of(void* ctx, garland_call* call, garland_str slot, garland_str algorithm,
                             garland_bytes data, garland_bytes* mac) {
  check(ctx, call);
  EXPECT(same(slot, "login") && same(algorithm, "HS256") && data.len == 1);
  *mac = bytes("mac");
  return GARLAND_OK;
}
static garland_status mac_is(void* ctx, garland_call* call, garland_str slot, garland_str algorithm,
                             garland_bytes data, garland_bytes mac) {
  check(ctx, call);
  EXPECT(same(slot, "login") && same(algorithm, "HS256") && data.len == 1);
  return mac.len == 3 ? GARLAND_OK : GARLAND_E_FORBIDDEN;
}
static void const* get_service(void* ctx, garland_str id) {
  static garland_host_crypto_1* crypto;
  EXPECT(ctx == table);
  if (!same(id, GARLAND_HOST_CRYPTO_1)) return NULL;
  if (crypto == NULL) crypto = at_the_edge(sizeof *crypto);
  *crypto =
      (garland_host_crypto_1){.size = sizeof *crypto, .hmac = mac_of, .hmac_verify = mac_is, .sign = mac_of};
  return crypto;
}

static void take_log(void* ctx, garland_call* call, garland_log_level level, garland_str message,
                     garland_json fields) {
  check(ctx, call);
  EXPECT(level == GARLAND_LOG_INFO && same(message, "probing") && fields.len == 2);
}
static int64_t now_ms(void* ctx) { return ctx == table ? 1000 : 0; }
static int64_t mono_ns(void* ctx) { return ctx == table ? 2000 : 0; }
static garland_status sleep_ms(void* ctx, garland_call* call, int64_t ms) {
  check(ctx, call);
  return ms == 5 ? GARLAND_OK : GARLAND_E_CANCELLED;
}

static garland_status http(void* ctx, garland_call* call, garland_http_request const* request,
                           garland_http_response* response) {
  static garland_header const header = {{"Date", 4}, {"today", 5}};
  check(ctx, call);
  EXPECT(GARLAND_HAS(request, max_body) && GARLAND_HAS(response, reserved1));
  EXPECT(same(request->method, "GET") && request->header_count == 1 && request->max_body == 4096);
  garland_http_response own = {.size = sizeof own, .status = 200, .header_count = 1, .headers = &header};
  own.body = bytes("answer");
  own.retry_after_ms = -1;
  own.effect = GARLAND_EFFECT_APPLIED;
#ifdef NEXT
  request_trace = GARLAND_HAS(request, trace) && same(request->trace, "trace");
  own.took_ms = 12;
  own.final_url = text("https://example.test/end");
#endif
#ifndef CARELESS
  if (response->size < own.size) own.size = response->size;
  memcpy(response, &own, own.size);
#else
  *response = own;
#endif
  return GARLAND_OK;
}

static garland_status kv_get(void* ctx, garland_call* call, garland_str key, garland_bytes* value,
                             uint64_t* version) {
  check(ctx, call);
  EXPECT(same(key, "key"));
  *value = bytes("value");
  *version = 1;
  return GARLAND_OK;
}
static garland_status kv_put(void* ctx, garland_call* call, garland_str key, garland_bytes value,
                             uint64_t if_version, int64_t ttl_ms) {
  check(ctx, call);
  EXPECT(same(key, "key") && value.len == 5 && if_version == 0 && ttl_ms == 0);
  return GARLAND_OK;
}
static garland_status emit(void* ctx, garland_call* call, garland_str kind, garland_json record) {
  check(ctx, call);
  return same(kind, "pair.record") && record.len == 2 ? GARLAND_OK : GARLAND_E_INVALID_INPUT;
}
static garland_status checkpoint(void* ctx, garland_call* call, garland_json cursor) {
  check(ctx, call);
  return cursor.len == 1 ? GARLAND_OK : GARLAND_E_INVALID_INPUT;
}
static garland_status take_result(void* ctx, garland_call* call, garland_json value) {
  check(ctx, call);
  EXPECT(value.len < sizeof call->result);
  memcpy(call->result, value.ptr, value.len);
  call->result[value.len] = '\0';
  return GARLAND_OK;
}
static garland_status fail(void* ctx, garland_call* call, garland_error const* error) {
  check(ctx, call);
  EXPECT(GARLAND_HAS(error, detail) && error->http_status == 412 && error->retry_after_ms == -1);
  EXPECT(same(error->message, "somebody was faster") && error->effect == GARLAND_EFFECT_NOT_APPLIED);
#ifdef NEXT
  error_seen_at = GARLAND_HAS(error, seen_at_ms) && error->seen_at_ms == 77;
#endif
  return call->failed = error->kind;
}
static void progress(void* ctx, garland_call* call, uint64_t done, uint64_t total, garland_str what) {
  check(ctx, call);
  EXPECT(done == 1 && total == 2 && same(what, "steps"));
}
static int32_t cancelled(void* ctx, garland_call* call) {
  check(ctx, call);
  return 0;
}
static int64_t deadline_ns(void* ctx, garland_call* call) {
  check(ctx, call);
  return 3000;
}
static void* alloc(void* ctx, garland_call* call, uint64_t size, uint64_t align) {
  check(ctx, call);
  return size <= sizeof call->arena && align <= 8 ? call->arena : NULL;
}
#ifdef NEXT
static uint64_t four(void* ctx) { return ctx == table ? 4 : 0; }
#endif

static garland_host* make_table(void) {
  garland_host* const made = at_the_edge(sizeof *made);
  *made = (garland_host){.size = sizeof *made, .abi_major = GARLAND_ABI_MAJOR, .ctx = made};
  made->abi_minor = GARLAND_TARGET_MINOR;
  made->get_service = get_service, made->log = take_log;
  made->now_ms = now_ms, made->mono_ns = mono_ns, made->sleep_ms = sleep_ms;
  made->http = http, made->kv_get = kv_get, made->kv_put = kv_put;
  made->emit = emit, made->checkpoint = checkpoint, made->result = take_result, made->fail = fail;
  made->progress = progress, made->cancelled = cancelled, made->deadline_ns = deadline_ns;
  made->alloc = alloc;
#ifdef NEXT
  made->random = four;
#endif
  return made;
}

static garland_plugin* load(char const* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  EXPECT(library != NULL);
  void* const symbol = dlsym(library, "garland_entry_v1");
  garland_entry_v1_fn entry;
  memcpy(&entry, &symbol, sizeof entry);
  EXPECT(entry != NULL);
  garland_plugin* const plugin = at_the_edge(sizeof *plugin);
  memset(plugin, 0, sizeof *plugin);
  plugin->size = sizeof *plugin;
  EXPECT(entry(table, plugin) == GARLAND_OK);
  EXPECT(plugin->size <= sizeof *plugin && GARLAND_HAS_FN(plugin, shutdown));
  EXPECT(same(plugin->id, "test.pair") && plugin->concurrency == GARLAND_SERIAL);
  return plugin;
}

int main(int argc, char** argv) {
  EXPECT(argc == 2);
  table = make_table();
  garland_plugin* const plugin = load(argv[1]);
  garland_call call = {.failed = GARLAND_OK};
  garland_instance* self = NULL;
  EXPECT(plugin->open(&call, json("{}"), &self) == GARLAND_OK && self != NULL);
  int count = 0;
#ifdef NEXT
  count = GARLAND_HAS_FN(plugin, count) && plugin->count() == 1;
#endif
  EXPECT(plugin->import_state(self, &call, json("{}")) == GARLAND_OK);
  EXPECT(plugin->find_op(text("pair.none/1")) == NULL);
  EXPECT(plugin->find_op(text("pair.fail/1"))(self, &call, json("{}")) == GARLAND_E_CONFLICT);
  EXPECT(call.failed == GARLAND_E_CONFLICT);
  EXPECT(plugin->export_state(self, &call) == GARLAND_OK && strcmp(call.result, "{\"kept\":1}") == 0);
  EXPECT(plugin->find_op(text("pair.probe/1"))(self, &call, json("{}")) == GARLAND_OK);
  printf("plugin found: %s\n", call.result);
  printf("host found: count=%d trace=%d seen_at_ms=%d plugin.size=%u\n", count, request_trace, error_seen_at,
         plugin->size);
  plugin->close(self);
  plugin->shutdown();
  return 0;
}
