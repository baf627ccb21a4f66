/* A plugin that does what its test says: every operation is one behaviour. The hostile ones write
 * straight to the socket, as plugin code that has taken over its worker could. */
#include "test_plugin.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifndef PROBE_ID
#define PROBE_ID GARLAND_CONNECTOR_ID
#endif

struct garland_instance {
  int unused;
};
static struct garland_instance the_instance;
static void* volatile malloc_that_stays; /* volatile, or the compiler leaves the leak out */

static garland_status echo(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  return host->result(host->ctx, call, input);
}

/* {"count":n}: n requests one after the other, {"write":1} POSTs; the result is the sum of the statuses. */
static garland_status http(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long sum = 0;
  for (long i = 0; i < number(input, "count"); ++i) {
    char url[64];
    snprintf(url, sizeof(url), "https://example.test/%ld/%ld", number(input, "n"), i);
    garland_header header = {str("Accept"), str("text/plain")};
    garland_http_request request = {.size = sizeof(request),
                                    .header_count = 1,
                                    .method = number(input, "write") ? str("POST") : str("GET"),
                                    .url = str(url),
                                    .headers = &header};
    garland_http_response response = {.size = sizeof(response)};
    garland_status status = host->http(host->ctx, call, &request, &response);
    if (status != GARLAND_OK) return status;
    sum += response.status + (long)response.body.len;
  }
  char out[64];
  snprintf(out, sizeof(out), "{\"n\":%ld,\"sum\":%ld}", number(input, "n"), sum);
  return host->result(host->ctx, call, json(out));
}

/* {"count":n,"every":k}: n records, a checkpoint after each k and at the end. */
static garland_status emit(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long count = number(input, "count");
  long every = number(input, "every");
  for (long i = 1; i <= count; ++i) {
    char record[64];
    snprintf(record, sizeof(record), "{\"i\":%ld}", i);
    garland_status status = host->emit(host->ctx, call, str("test.item"), json(record));
    if (status == GARLAND_OK && every > 0 && i % every == 0)
      status = host->checkpoint(host->ctx, call, json(record));
    if (status != GARLAND_OK) return status;
    host->progress(host->ctx, call, (uint64_t)i, (uint64_t)count, str("items"));
  }
  host->log(host->ctx, call, GARLAND_LOG_INFO, str("all emitted"), json("{\"a\":1}"));
  return GARLAND_OK;
}

static garland_status kv(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)input;
  garland_bytes value = {(uint8_t const*)"a\0b", 3};
  uint64_t version = 0;
  garland_status status = host->kv_get(host->ctx, call, str("missing"), &value, &version);
  if (status != GARLAND_E_NOT_FOUND) return GARLAND_E_PLUGIN_BUG;
  status = host->kv_put(host->ctx, call, str("key"), (garland_bytes){(uint8_t const*)"a\0b", 3}, 0, 0);
  if (status != GARLAND_OK) return status;
  status = host->kv_get(host->ctx, call, str("key"), &value, &version);
  if (status != GARLAND_OK) return status;
  return value.len == 3 && memcmp(value.ptr, "a\0b", 3) == 0 && version == 1 ? GARLAND_OK
                                                                             : GARLAND_E_PLUGIN_BUG;
}

static garland_status fail(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)input;
  garland_error error = {.size = sizeof(error),
                         .kind = GARLAND_E_CONFLICT,
                         .effect = GARLAND_EFFECT_NOT_APPLIED,
                         .http_status = 412,
                         .retry_after_ms = -1,
                         .provider_code = str("changed"),
                         .message = str("somebody was faster"),
                         .detail = json("{\"current\":\"7\"}")};
  return host->fail(host->ctx, call, &error);
}

/* Waits until it is told to stop, and obeys. */
static garland_status wait(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)input;
  host->progress(host->ctx, call, 1, 1, str("waiting"));
  return host->sleep_ms(host->ctx, call, 3600 * 1000);
}

/* Blocks the whole worker and obeys nobody. */
static garland_status hang(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)call;
  (void)input;
  for (;;) nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
  return GARLAND_OK;
}

/* Not clock(): ThreadSanitizer hands a signal on, such as the watchdog's, only in calls that it knows. */
static long processorMs(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* {"ms":n}: works for so much processor time without giving way. */
static garland_status work(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long const until = processorMs() + number(input, "ms");
  while (processorMs() < until) {
  }
  return host->result(host->ctx, call, input);
}

/* {"leak":n}: keeps n MiB for ever; {"need":n}: cannot do without n MiB for a moment; {"write":1}: writes
 * before;
 * {"touch":1}: does not look whether it got them. */
static garland_status memory(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  if (number(input, "write")) {
    garland_http_request request = {
        .size = sizeof(request), .method = str("POST"), .url = str("https://example.test/")};
    garland_http_response response = {.size = sizeof(response)};
    garland_status status = host->http(host->ctx, call, &request, &response);
    if (status != GARLAND_OK) return status;
  }
  for (long i = 0; i < number(input, "leak"); ++i) malloc_that_stays = malloc(1 << 20);
  char* needed = malloc((size_t)number(input, "need") << 20);
  if (number(input, "touch")) *(char volatile*)needed = 1;
  if (number(input, "need") && !needed) {
    garland_error error = {.size = sizeof(error),
                           .kind = GARLAND_E_HOST_LIMIT,
                           .retry_after_ms = -1,
                           .message = str("no memory for it")};
    return host->fail(host->ctx, call, &error);
  }
  free(needed);
  host->progress(host->ctx, call, 1, 1, str("done"));
  if (number(input, "wait")) host->sleep_ms(host->ctx, call, number(input, "wait"));
  return host->result(host->ctx, call, input);
}

static garland_status crash(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  (void)call;
  (void)input;
  uintptr_t volatile address = 16; // volatile, or the compiler sees what happens
  *(int volatile*)address = 1;
  return GARLAND_OK;
}

static void put(void const* bytes, size_t size) {
  if (write(3, bytes, size) != (ssize_t)size) _exit(1);
}

struct frame {
  uint32_t length;
  uint16_t kind;
  uint16_t flags;
  uint64_t id;
};

#ifdef PROBE_SPEAKS_EARLY
/* An initialiser that claims sandbox tier A and no notes before the worker can greet. */
__attribute__((constructor)) static void claimTierA(void) {
  struct frame frame = {5, 76, 0, 0};
  char const tier_a[5] = {0};
  put(&frame, sizeof(frame));
  put(tier_a, sizeof(tier_a));
}
#endif

/* {"what":1..}: see the cases. */
static garland_status raw(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  struct frame frame = {0, 74, 0, 0}; /* done */
  switch (number(input, "what")) {
  case 1: put("this is not a frame at all......", 32); break;
  case 2: /* an answer for a call that does not run */
    frame.id = 4711;
    put(&frame, sizeof(frame));
    break;
  case 3: /* a frame of 2 GiB */
    frame.length = 1U << 31;
    frame.id = 1;
    put(&frame, sizeof(frame));
    break;
  case 4: /* a kind that only the host may send */
    frame.kind = 2;
    put(&frame, sizeof(frame));
    break;
  case 5: close(3); break;
  case 6: _exit(0);
  case 7: /* a second greeting */
    frame.kind = 65;
    put(&frame, sizeof(frame));
    break;
  case 8: { /* says that it is done, and goes on working with every signal shut out */
    char const nothing_and_no_error[5] = {0};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    frame.length = sizeof(nothing_and_no_error);
    frame.id = 1;
    put(&frame, sizeof(frame));
    put(nothing_and_no_error, sizeof(nothing_and_no_error));
    for (int volatile i = 0;; ++i) {
    }
  }
  case 9: { /* a result that its worker has not checked, and then nothing more */
    char const half_an_object[10] = "\x05\0\0\0{\"n\":"; /* length, text, no error */
    frame.length = sizeof(half_an_object);
    frame.id = 1;
    put(&frame, sizeof(frame));
    put(half_an_object, sizeof(half_an_object));
    _exit(0);
  }
  default: return GARLAND_E_PLUGIN_BUG;
  }
  return host->sleep_ms(host->ctx, call, 3600 * 1000);
}

static struct test_operation const operations[] = {
    {"test.echo/1", echo}, {"test.http/1", http},     {"test.emit/1", emit}, {"test.kv/1", kv},
    {"test.fail/1", fail}, {"test.wait/1", wait},     {"test.hang/1", hang}, {"test.crash/1", crash},
    {"test.raw/1", raw},   {"test.memory/1", memory}, {"test.work/1", work},
};

static garland_op findOp(garland_str id) {
  return find_in(operations, sizeof(operations) / sizeof(operations[0]), id);
}

static garland_status openInstance(garland_call* call, garland_json account, garland_instance** out) {
  (void)call;
  (void)account;
  *out = &the_instance;
  return GARLAND_OK;
}
static void closeInstance(garland_instance* self) { (void)self; }
static void end(void) {}

garland_status garland_entry_v1(garland_host const* the_host, garland_plugin* plugin) {
  host = the_host;
  plugin->size = sizeof(*plugin);
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->id = str(PROBE_ID);
  plugin->version = str(GARLAND_CONNECTOR_VERSION);
  plugin->find_op = findOp;
  plugin->open = openInstance;
  plugin->close = closeInstance;
  plugin->shutdown = end;
  return GARLAND_OK;
}
