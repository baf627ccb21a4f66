/* What the hostile connectors share: the connector around one act, and what an act needs.
 *
 * A file of this folder is one act: it defines act(), which answers 0 if it believes that it has succeeded,
 * else an errno (or REFUSED_BY_HOST), and takes along whatever it got hold of. The host is never to believe
 * the answer: tests/hostile/driver looks from outside. Built with ACT_AT_START, the act runs in a static
 * initialiser, before the host has been told anything; with ACT_IN_ENTRY, in garland_entry_v1().
 * C11 and C++20; needs garland/plugin.h only. */
#ifndef GARLAND_HOSTILE_ACT_H
#define GARLAND_HOSTILE_ACT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <garland/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The host answered a call of its table with an error, or with nothing. */
#define REFUSED_BY_HOST 1000

/* What the driver tells of its surroundings. */
struct scene {
  char folder[64];             /* a folder that everybody may write to */
  long parent;                 /* the host's process */
  long victim;                 /* a process of the same user */
  long neighbour;              /* another worker */
  unsigned long parent_secret; /* addresses of 64 bytes in those processes */
  unsigned long victim_secret;
  long port; /* somebody listens there on 127.0.0.1 */
};

static struct scene scene;
static garland_host const* host;
static garland_call* running; /* NULL in a static initialiser */
static char loot[8192];
static size_t loot_size;

static int act(void);

/* ---------------------------------------------------------------- for the acts */

static inline int outcome(long answer) { return answer < 0 ? errno : 0; }

static inline void take(void const* bytes, size_t size) {
  size_t const room = sizeof loot - loot_size;
  if (size > room) size = room;
  memcpy(loot + loot_size, bytes, size);
  loot_size += size;
}

static inline void take_number(unsigned long long number) {
  char text[32];
  take(text, (size_t)snprintf(text, sizeof text, "[%llu]", number));
}

/* All of an open file, as far as there is room. */
static inline int take_from(int file) {
  char bytes[1024];
  ssize_t got;
  if (file < 0) return errno;
  while ((got = read(file, bytes, sizeof bytes)) > 0) take(bytes, (size_t)got);
  return outcome(got);
}

static inline int take_file(char const* path) { return take_from(open(path, O_RDONLY)); }

static inline char const* in_scene(char const* name) {
  static char path[108]; /* fits sun_path */
  snprintf(path, sizeof path, "%s/%s", scene.folder, name);
  return path;
}

static inline garland_str text_of(char const* bytes) {
  garland_str const span = {bytes, strlen(bytes)};
  return span;
}

static inline garland_json json_of(char const* bytes) {
  garland_json const span = {bytes, strlen(bytes)};
  return span;
}

/* For what the kernel may also refuse by its own rights, with the same errno: `harmless` is the answer to the
 * same call with a harmless aim, which nothing but a filter refuses. */
static inline int refused_by_filter(long answer, long harmless) {
  if (answer >= 0) return 0;
  return harmless < 0 ? EPERM : EACCES;
}

static inline int refused_unless_ok(garland_status status) {
  return status == GARLAND_OK ? 0 : REFUSED_BY_HOST;
}

/* ---------------------------------------------------------------- the connector around it */

/* The integer after "name": in a flat document; 0 if it is not there. */
static inline unsigned long number_in(garland_json input, char const* name) {
  char copy[1024] = {0};
  char key[64];
  memcpy(copy, input.ptr, input.len < sizeof copy ? (size_t)input.len : sizeof copy - 1);
  snprintf(key, sizeof key, "\"%s\":", name);
  char const* const at = strstr(copy, key);
  return at != NULL ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static inline void look_around(void) {
  scene.parent = (long)getppid();
  snprintf(scene.folder, sizeof scene.folder, "/tmp/garland-hostile-%ld", scene.parent);
}

static inline void read_scene(garland_json input) {
  look_around();
  scene.victim = (long)number_in(input, "victim");
  scene.neighbour = (long)number_in(input, "neighbour");
  scene.parent_secret = number_in(input, "parent_secret");
  scene.victim_secret = number_in(input, "victim_secret");
  scene.port = (long)number_in(input, "port");
}

/* {"outcome":0,"loot":"root:x:0:0..."}: what the act says, and what it brought. */
static inline garland_status tell(garland_call* call, int code) {
  static char document[sizeof loot + 64];
  size_t used = (size_t)snprintf(document, sizeof document, "{\"outcome\":%d,\"loot\":\"", code);
  for (size_t i = 0; i < loot_size; ++i) {
    char const c = loot[i];
    document[used++] = c >= ' ' && c < 127 && c != '"' && c != '\\' ? c : '?';
  }
  memcpy(document + used, "\"}", 3);
  return host->result(host->ctx, call, json_of(document));
}

#if defined(ACT_AT_START) || defined(ACT_IN_ENTRY)
static int started;
#endif
#ifdef ACT_AT_START
/* Nobody can tell a static initialiser anything, so the driver writes the scene into the object itself
 * (driver/briefed.h knows these words). */
static char volatile briefing[512] = "GARLAND-HOSTILE-BRIEFING";

__attribute__((constructor)) static void start(void) {
  char copy[sizeof briefing + 1] = {0};
  for (size_t i = 0; i < sizeof briefing; ++i) copy[i] = briefing[i];
  read_scene(json_of(copy));
  started = act();
}
#endif

static inline garland_status run_act(garland_instance* self, garland_call* call,
                                     garland_json input) GARLAND_NOEXCEPT {
  (void)self;
  running = call;
#if defined(ACT_AT_START) || defined(ACT_IN_ENTRY)
  (void)input;
  return tell(call, started);
#else
  read_scene(input);
  return tell(call, act());
#endif
}

static garland_status run_ready(garland_instance* self, garland_call* call,
                                garland_json input) GARLAND_NOEXCEPT {
  (void)self;
  return host->result(host->ctx, call, input);
}

#ifndef ACT_OPERATION
#define ACT_OPERATION run_act
#endif

static garland_op find_op(garland_str id) GARLAND_NOEXCEPT {
  if (id.len == 13 && memcmp(id.ptr, "hostile.act/1", 13) == 0) return ACT_OPERATION;
  if (id.len == 15 && memcmp(id.ptr, "hostile.ready/1", 15) == 0) return run_ready;
  return NULL;
}

static garland_status open_instance(garland_call* call, garland_json account,
                                    garland_instance** instance) GARLAND_NOEXCEPT {
  static int nothing;
  (void)call, (void)account;
  *instance = (garland_instance*)(void*)&nothing;
  return GARLAND_OK;
}

static void close_instance(garland_instance* self) GARLAND_NOEXCEPT { (void)self; }

garland_status garland_entry_v1(garland_host const* given, garland_plugin* plugin) GARLAND_NOEXCEPT {
  host = given;
  plugin->concurrency = GARLAND_INTERLEAVED;
  plugin->id = text_of(GARLAND_CONNECTOR_ID);
  plugin->version = text_of(GARLAND_CONNECTOR_VERSION);
  plugin->find_op = find_op;
  plugin->open = open_instance;
  plugin->close = close_instance;
#ifdef ACT_AT_ENTRY
  ACT_AT_ENTRY(plugin);
#endif
#ifdef ACT_IN_ENTRY
  look_around();
  started = act();
#endif
  return GARLAND_OK;
}

#endif
