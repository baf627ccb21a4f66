/* What the plugins of this room's tests share: texts, input and operations. */
#ifndef GARLAND_TEST_PLUGIN_H
#define GARLAND_TEST_PLUGIN_H

#include <garland/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static garland_host const* host;

static inline garland_str str(char const* text) {
  garland_str span = {text, strlen(text)};
  return span;
}

static inline garland_json json(char const* text) {
  garland_json span = {text, strlen(text)};
  return span;
}

static inline int is(garland_str id, char const* text) {
  return id.len == strlen(text) && memcmp(id.ptr, text, id.len) == 0;
}

/* The integer after "name": in a flat input; 0 if it is not there. */
static inline long number(garland_json input, char const* name) {
  char copy[512] = {0};
  char key[64];
  memcpy(copy, input.ptr, input.len < sizeof(copy) - 1 ? input.len : sizeof(copy) - 1);
  snprintf(key, sizeof(key), "\"%s\":", name);
  char const* at = strstr(copy, key);
  return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

struct test_operation {
  char const* id;
  garland_op run;
};

static inline garland_op find_in(const struct test_operation* operations, size_t count, garland_str id) {
  for (size_t i = 0; i < count; ++i)
    if (is(id, operations[i].id)) return operations[i].run;
  return NULL;
}

#endif
