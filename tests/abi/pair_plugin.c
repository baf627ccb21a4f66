/* A plugin that uses every member of the ABI, and of the next minor whatever it finds there.
 * pair.probe/1 answers what it found; pair.fail/1 fails. With -DCARELESS it fills more than it was given. */
#include "tests/abi/pair.h"

static garland_host const* host;
static uint64_t open_instances;

static garland_status ask_http(garland_call* call, garland_http_response* response) {
  garland_http_request* const request = at_the_edge(sizeof *request);
  garland_header const header = {text("Accept"), text("text/plain")};
  *request = (garland_http_request){.size = sizeof *request, .header_count = 1, .headers = &header};
  request->method = text("GET");
  request->url = text("https://example.test/");
  request->body = bytes("body");
  request->credential_slot = text("login");
  request->idempotency_key = text("once");
  request->timeout_ms = 1000;
  request->max_body = 4096;
#ifdef NEXT
  request->trace = text("trace");
#endif
  response->size = sizeof *response;
  return host->http(host->ctx, call, request, response);
}

static void use_crypto(garland_call* call) {
  garland_host_crypto_1 const* const crypto = host->get_service(host->ctx, text(GARLAND_HOST_CRYPTO_1));
  garland_bytes mac = {NULL, 0};
  EXPECT(crypto != NULL && GARLAND_HAS_FN(crypto, sign));
  EXPECT(crypto->hmac(host->ctx, call, text("login"), text("HS256"), bytes("a"), &mac) == GARLAND_OK);
  EXPECT(crypto->hmac_verify(host->ctx, call, text("login"), text("HS256"), bytes("a"), mac) == GARLAND_OK);
  EXPECT(crypto->sign(host->ctx, call, text("login"), text("HS256"), bytes("a"), &mac) == GARLAND_OK);
  EXPECT(host->get_service(host->ctx, text("garland.host.none/1")) == NULL);
}

/* Every function of the first minor answers, whoever is newer. */
static void use_all(garland_call* call) {
  garland_bytes value = {NULL, 0};
  uint64_t version = 0;
  host->log(host->ctx, call, GARLAND_LOG_INFO, text("probing"), json("{}"));
  EXPECT(host->now_ms(host->ctx) == 1000);
  EXPECT(host->mono_ns(host->ctx) == 2000);
  EXPECT(host->sleep_ms(host->ctx, call, 5) == GARLAND_OK);
  EXPECT(host->kv_put(host->ctx, call, text("key"), bytes("value"), 0, 0) == GARLAND_OK);
  EXPECT(host->kv_get(host->ctx, call, text("key"), &value, &version) == GARLAND_OK);
  EXPECT(value.len == 5 && version == 1);
  EXPECT(host->emit(host->ctx, call, text("pair.record"), json("{}")) == GARLAND_OK);
  EXPECT(host->checkpoint(host->ctx, call, json("1")) == GARLAND_OK);
  host->progress(host->ctx, call, 1, 2, text("steps"));
  EXPECT(host->cancelled(host->ctx, call) == 0);
  EXPECT(host->deadline_ns(host->ctx, call) == 3000);
}

static garland_status probe(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  use_all(call);
  use_crypto(call);
  garland_http_response* const response = at_the_edge(sizeof *response);
  memset(response, 0x5A, sizeof *response);
  EXPECT(ask_http(call, response) == GARLAND_OK);
  EXPECT(response->status == 200 && response->header_count == 1 && response->body.len == 6);
  EXPECT(response->retry_after_ms == -1 && response->effect == GARLAND_EFFECT_APPLIED);
  EXPECT(response->reserved0 == 0 && response->reserved1 == 0);
  int random = 0, took = 0, final_url = 0;
#ifdef NEXT
  random = GARLAND_HAS_FN(host, random) && host->random(host->ctx) == 4;
  took = GARLAND_HAS(response, took_ms) && response->took_ms == 12;
  final_url = GARLAND_HAS(response, final_url) && same(response->final_url, "https://example.test/end");
#endif
  char* const out = host->alloc(host->ctx, call, 128, 8);
  EXPECT(out != NULL);
  snprintf(out, 128, "random=%d took_ms=%d final_url=%d response.size=%u", random, took, final_url,
           response->size);
  return host->result(host->ctx, call, json(out));
}

static garland_status fail(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_error* const error = at_the_edge(sizeof *error);
  *error = (garland_error){.size = sizeof *error, .kind = GARLAND_E_CONFLICT, .http_status = 412};
  error->effect = GARLAND_EFFECT_NOT_APPLIED;
  error->retry_after_ms = -1;
  error->provider_code = text("changed");
  error->message = text("somebody was faster");
  error->user_message = text("please look again");
  error->detail = json("{\"current\":\"7\"}");
#ifdef NEXT
  error->seen_at_ms = 77;
#endif
  return host->fail(host->ctx, call, error);
}

static garland_op find_op(garland_str id) {
  if (same(id, "pair.probe/1")) return probe;
  return same(id, "pair.fail/1") ? fail : NULL;
}

static garland_status open_instance(garland_call* call, garland_json account, garland_instance** instance) {
  (void)call, (void)account;
  ++open_instances;
  *instance = (garland_instance*)(void*)&open_instances;
  return GARLAND_OK;
}
static void close_instance(garland_instance* self) {
  (void)self;
  --open_instances;
}
static garland_status export_state(garland_instance* self, garland_call* call) {
  (void)self;
  return host->result(host->ctx, call, json("{\"kept\":1}"));
}
static garland_status import_state(garland_instance* self, garland_call* call, garland_json state) {
  (void)self, (void)call;
  return state.len > 0 ? GARLAND_OK : GARLAND_E_INVALID_INPUT;
}
static void shut_down(void) { EXPECT(open_instances == 0); }
#ifdef NEXT
static uint64_t count(void) { return open_instances; }
#endif

GARLAND_EXPORT garland_status garland_entry_v1(garland_host const* from, garland_plugin* plugin) {
  if (!GARLAND_HAS_FN(from, alloc) || !GARLAND_HAS(plugin, shutdown)) return GARLAND_E_UNSUPPORTED;
  host = from;
  garland_plugin own = {.size = sizeof own, .concurrency = GARLAND_SERIAL, .build_id = {NULL, 0}};
  own.id = text("test.pair");
  own.version = text("1.0.0");
  own.find_op = find_op;
  own.open = open_instance;
  own.close = close_instance;
  own.export_state = export_state;
  own.import_state = import_state;
  own.shutdown = shut_down;
#ifdef NEXT
  own.count = count;
#endif
#ifndef CARELESS
  if (plugin->size < own.size) own.size = plugin->size;
  memcpy(plugin, &own, own.size);
#else
  *plugin = own;
#endif
  return GARLAND_OK;
}
