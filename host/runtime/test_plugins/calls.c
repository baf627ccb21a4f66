/* A connector whose operations use the host in every way the worker's tests look at, and end in every way. */
#define _GNU_SOURCE 1
#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef INTERLEAVED
#define CONCURRENCY GARLAND_INTERLEAVED
#else
#define CONCURRENCY GARLAND_SERIAL
#endif

struct garland_instance {
  int calls;
  int inside;
  char account[256];
};

static garland_status echo(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  return host->result(host->ctx, call, input);
}

/* {"account": what it was opened with, "calls": of this instance, "inside": others inside at once} */
static garland_status who(garland_instance* self, garland_call* call, garland_json input) {
  (void)input;
  ++self->calls;
  int const inside = self->inside++;
  garland_status const slept = host->sleep_ms(host->ctx, call, 1);
  --self->inside;
  if (slept != GARLAND_OK) return slept;
  char text[512];
  snprintf(text, sizeof text, "{\"account\":%s,\"calls\":%d,\"inside\":%d}", self->account, self->calls,
           inside);
  return host->result(host->ctx, call, json(text));
}

static garland_status emit_many(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long const count = strtol(input.ptr, NULL, 10);
  for (long i = 0; i < count; ++i) {
    char record[64];
    snprintf(record, sizeof record, "{\"id\":%ld}", i);
    garland_status const status = host->emit(host->ctx, call, str("test.record"), json(record));
    if (status != GARLAND_OK) return status;
  }
  return host->checkpoint(host->ctx, call, json("{\"page\":1}"));
}

static garland_status emit_bad(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  return host->emit(host->ctx, call, str("test.record"), input);
}

static garland_status get(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_header const headers[] = {{{"Accept", 6}, {"text/plain", 10}}};
  garland_http_request request = {.size = sizeof request};
  request.method = str("GET");
  request.url = str("https://example.com/");
  request.headers = headers;
  request.header_count = 1;
  request.credential_slot = str("login");
  /* As a plugin of a later minor does: with room for more than this host knows. */
  struct {
    garland_http_response known;
    char later[32];
  } answer = {.known = {.size = sizeof answer}, .later = "untouched"};
  garland_http_response const* const response = &answer.known;
  garland_status const status = host->http(host->ctx, call, &request, &answer.known);
  char text[512];
  snprintf(
      text, sizeof text,
      "{\"status\":%d,\"effect\":%d,\"body\":%llu,\"headers\":%u,\"answer\":%d,\"size\":%u,\"later\":\"%s\"}",
      status, response->effect, (unsigned long long)response->body.len, response->header_count,
      response->status, response->size, answer.later);
  host->result(host->ctx, call, json(text));
  return status;
}

/* By how much its deadline is later once a request has been answered, in nanoseconds. */
static garland_status deadline(garland_instance* self, garland_call* call, garland_json input) {
  int64_t const before = host->deadline_ns(host->ctx, call);
  garland_status const status = get(self, call, input);
  if (status != GARLAND_OK) return status;
  char text[64];
  snprintf(text, sizeof text, "%lld", (long long)(host->deadline_ns(host->ctx, call) - before));
  return host->result(host->ctx, call, json(text));
}

static garland_status state(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  garland_bytes value = {NULL, 0};
  uint64_t version = 0;
  garland_bytes const put = {(uint8_t const*)input.ptr, input.len};
  garland_status status = host->kv_put(host->ctx, call, str("k"), put, 0, 0);
  if (status != GARLAND_OK) return status;
  status = host->kv_get(host->ctx, call, str("k"), &value, &version);
  if (status != GARLAND_OK) return status;
  garland_json const back = {(char const*)value.ptr, value.len};
  return host->result(host->ctx, call, back);
}

static garland_status wait_long(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  return host->sleep_ms(host->ctx, call, 60000);
}

/* Computes until it is told to stop; asks now and then, as it should. */
static garland_status compute(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  while (!host->cancelled(host->ctx, call)) host->progress(host->ctx, call, 1, 2, str("turns"));
  return GARLAND_E_CANCELLED;
}

static garland_status refuse(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_error error = {.size = sizeof error};
  error.kind = GARLAND_E_INVALID_INPUT;
  error.effect = GARLAND_EFFECT_NOT_APPLIED;
  error.http_status = 422;
  error.retry_after_ms = -1;
  error.message = str("the title is too long");
  error.provider_code = str("title_too_long");
  error.detail = json("{\"field\":\"/data/title\"}");
  return host->fail(host->ctx, call, &error);
}

/* A text that claims to have no end. */
static garland_status refuse_without_end(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_error error = {.size = sizeof error};
  error.kind = GARLAND_E_INVALID_INPUT;
  error.retry_after_ms = -1;
  error.message = str("the title is too long");
  error.message.len = ~(uint64_t)0;
  return host->fail(host->ctx, call, &error);
}

static garland_status odd_status(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  return 77;
}

static garland_status speak(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  host->log(host->ctx, call, GARLAND_LOG_WARN, str("careful"), input);
  printf("printed\n");
  return GARLAND_OK;
}

static garland_status use_arena(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  uint64_t total = 0;
  while (host->alloc(host->ctx, call, 1000, 8) != NULL) total += 1000;
  char text[64];
  snprintf(text, sizeof text, "%llu", (unsigned long long)total);
  return host->result(host->ctx, call, json(text));
}

static garland_status eat_memory(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  void* volatile last = NULL;
  unsigned count = 0;
  while (count < 100000) {
    void* const block = malloc(1U << 20U);
    if (block == NULL) break;
    *(void**)block = last;
    last = block;
    ++count;
  }
  for (void* each = last; each != NULL;) {
    void* const next = *(void**)each;
    free(each);
    each = next;
  }
  return count < 100000 ? host->result(host->ctx, call, json("\"stopped\"")) : GARLAND_OK;
}

static garland_call* stolen;
static garland_status misuse(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_status const status = stolen != NULL ? host->result(host->ctx, stolen, json("1")) : GARLAND_OK;
  stolen = call;
  return status;
}

/* -------------------------------------------------------------- ways to die */

static garland_status spin(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  for (unsigned volatile turn = 0;; ++turn) {
  }
}

static int deeper(char volatile* above) {
  char volatile here[512];
  here[0] = *above;
  if (here[0] == 0) return 0; /* never: the compiler need not know */
  return deeper(here) + here[0];
}
static garland_status recurse(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  char volatile start = 1;
  return deeper(&start);
}

static garland_status crash(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  *(int volatile*)8 = 1;
  return GARLAND_OK;
}

static garland_status give_up(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  abort();
}

static garland_status leave(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  _exit(9);
}

static garland_status garbage(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call;
  if (write(3, input.ptr, input.len) < 0) return GARLAND_E_PLUGIN_BUG;
  return GARLAND_OK;
}

static garland_op find_op(garland_str id) {
  static const struct test_operation operations[] = {{"test.echo/1", echo},
                                                     {"test.who/1", who},
                                                     {"test.emit_many/1", emit_many},
                                                     {"test.emit_bad/1", emit_bad},
                                                     {"test.get/1", get},
                                                     {"test.deadline/1", deadline},
                                                     {"test.state/1", state},
                                                     {"test.wait/1", wait_long},
                                                     {"test.compute/1", compute},
                                                     {"test.refuse/1", refuse},
                                                     {"test.refuse_without_end/1", refuse_without_end},
                                                     {"test.odd_status/1", odd_status},
                                                     {"test.speak/1", speak},
                                                     {"test.arena/1", use_arena},
                                                     {"test.memory/1", eat_memory},
                                                     {"test.misuse/1", misuse},
                                                     {"test.spin/1", spin},
                                                     {"test.recurse/1", recurse},
                                                     {"test.crash/1", crash},
                                                     {"test.abort/1", give_up},
                                                     {"test.leave/1", leave},
                                                     {"test.garbage/1", garbage}};
  return find_in(operations, sizeof operations / sizeof operations[0], id);
}

static garland_status open_instance(garland_call* call, garland_json account, garland_instance** instance) {
  if (account.len >= 256) return GARLAND_E_INVALID_INPUT;
  if (account.len > 2 && memcmp(account.ptr, "[]", 2) == 0) return GARLAND_E_AUTH_REVOKED;
  garland_status const slept = host->sleep_ms(host->ctx, call, 0);
  if (slept != GARLAND_OK) return slept;
  garland_instance* const made = calloc(1, sizeof *made);
  memcpy(made->account, account.ptr, account.len);
  *instance = made;
  return GARLAND_OK;
}

static void close_instance(garland_instance* self) {
  char text[64];
  snprintf(text, sizeof text, "closed after %d calls", self->calls);
  host->log(host->ctx, NULL, GARLAND_LOG_INFO, str(text), json("{}"));
  free(self);
}

static void shut_down(void) { host->log(host->ctx, NULL, GARLAND_LOG_INFO, str("shut down"), json("{}")); }

garland_status garland_entry_v1(garland_host const* given, garland_plugin* plugin) {
  host = given;
  plugin->id = str("test.calls");
  plugin->version = str("1.2.3");
  plugin->concurrency = CONCURRENCY;
  plugin->find_op = find_op;
  plugin->open = open_instance;
  plugin->close = close_instance;
  plugin->shutdown = shut_down;
  return GARLAND_OK;
}
