/* A plugin whose every call does the same piece of work, a read, a write and a read, and ends its
 * worker on the way if the input says so. */
#include "test_plugin.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct garland_instance {
  int unused;
};
static struct garland_instance the_instance;
static int tainted;   /* a call has broken something that shows later */
static int lingering; /* a call has left something behind that takes its time to end */

/* Writes over whatever the allocator keeps behind a block, then lets it find out. */
static void corruptMemory(void) {
  for (int i = 0; i < 64; ++i) {
    char* block = malloc(2000);
    if (block) memset(block, 0xff, 2064);
    free(block);
    free(malloc(100000));
  }
}

static void die(long how) {
  switch (how) {
  case 1: {
    uintptr_t volatile nowhere = 16; /* volatile: neither compiler may see where it points */
    *(int volatile*)nowhere = 1;
    break;
  }
  case 2: abort();
  case 3: corruptMemory(); abort();
  case 4:
    for (int volatile i = 0;; ++i) {
    }
  case 5: _exit(3);
  default: break;
  }
}

static garland_status ask(garland_call* call, char const* method, long n, char const* what, long* answer) {
  char url[96];
  snprintf(url, sizeof(url), "https://example.test/%s/%ld", what, n);
  garland_http_request request = {.size = sizeof(request), .method = str(method), .url = str(url)};
  garland_http_response response = {.size = sizeof(response)};
  garland_status status = host->http(host->ctx, call, &request, &response);
  if (answer) *answer = response.status;
  return status;
}

/* {"n":i,"die":how,"at":when}: dies at moment 0..3 of its work; "die":0 is honest. */
static garland_status work(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long n = number(input, "n");
  long how = number(input, "die");
  long at = number(input, "at");
  if (tainted) abort();
  if (how && at == 0) die(how);
  garland_status status = ask(call, "GET", n, "read", NULL);
  if (status != GARLAND_OK) return status;
  if (tainted) abort();
  if (how && at == 1) die(how);
  char key[32];
  snprintf(key, sizeof(key), "done/%ld", n);
  status = ask(call, "POST", n, "write", NULL);
  if (status != GARLAND_OK) return status;
  if (how && at == 2) die(how);
  status = host->kv_put(host->ctx, call, str(key), (garland_bytes){(uint8_t const*)"x", 1}, 0, 0);
  if (status != GARLAND_OK) return status;
  status = ask(call, "GET", n, "verify", NULL);
  if (status != GARLAND_OK) return status;
  if (tainted) abort();
  if (how && at == 3) die(how);
  char out[64];
  snprintf(out, sizeof(out), "{\"n\":%ld}", n);
  return host->result(host->ctx, call, json(out));
}

/* A read, a write and a pause. {"read":1}: the read asks for something else in every run, and an
 * answer of 201 lets it leave out the write; {"write":1}: the write differs in every run. */
static garland_status stray(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long const moment = now.tv_sec * 1000000000L + now.tv_nsec;
  long read = 0;
  garland_status status = ask(call, "GET", number(input, "read") ? moment : 0, "read", &read);
  if (status != GARLAND_OK) return status;
  if (read != 201) status = ask(call, "POST", number(input, "write") ? moment : 0, "write", NULL);
  if (status != GARLAND_OK) return status;
  host->progress(host->ctx, call, 1, 1, str("pausing"));
  host->sleep_ms(host->ctx, call, 20);
  return host->result(host->ctx, call, json("{}"));
}

/* Ends well and leaves something broken behind, on which the next call to work dies. */
static garland_status taint(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  tainted = 1;
  return host->result(host->ctx, call, input);
}

static void say(char const* line) {
  if (write(STDOUT_FILENO, line, strlen(line)) < 0) _exit(1);
}

/* {"ms":n}: says so and holds the worker's thread that long. */
static garland_status hold(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  long ms = number(input, "ms");
  say("holds\n");
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
  return host->result(host->ctx, call, json("{}"));
}

/* Ends well, but its worker does not end in time. */
static garland_status linger(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  if (tainted) abort();
  lingering = 1;
  return host->result(host->ctx, call, input);
}

static garland_op findOp(garland_str id) {
  static struct test_operation const operations[] = {{"test.work/1", work},
                                                     {"test.stray/1", stray},
                                                     {"test.taint/1", taint},
                                                     {"test.hold/1", hold},
                                                     {"test.linger/1", linger}};
  return find_in(operations, sizeof(operations) / sizeof(operations[0]), id);
}

static garland_status openInstance(garland_call* call, garland_json account, garland_instance** out) {
  (void)call;
  (void)account;
  *out = &the_instance;
  return GARLAND_OK;
}
static void closeInstance(garland_instance* self) { (void)self; }
static void end(void) {
  if (tainted) abort();
  if (!lingering) return;
  say("lingers\n");
  nanosleep(&(struct timespec){.tv_sec = 30}, NULL);
}

garland_status garland_entry_v1(garland_host const* the_host, garland_plugin* plugin) {
  host = the_host;
  plugin->size = sizeof(*plugin);
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->id = str(GARLAND_CONNECTOR_ID);
  plugin->version = str(GARLAND_CONNECTOR_VERSION);
  plugin->find_op = findOp;
  plugin->open = openInstance;
  plugin->close = closeInstance;
  plugin->shutdown = end;
  return GARLAND_OK;
}
