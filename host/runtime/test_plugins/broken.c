/* Connectors that cannot be loaded, one for each definition. */
#include "test_plugin.h"

#include <stdlib.h>

#if defined(NO_ENTRY)
GARLAND_EXPORT int something_else(void);
int something_else(void) { return 1; }
#else

#if defined(UNDEFINED_SYMBOL)
void a_function_that_nobody_has(void);
#endif
#if defined(DIES_AT_START)
__attribute__((constructor)) static void start(void) { abort(); }
#endif
#if defined(SPINS_AT_START)
__attribute__((constructor)) static void start(void) {
  for (unsigned volatile turn = 0;; ++turn) {
  }
}
#endif

garland_status garland_entry_v1(const garland_host* given, garland_plugin* plugin) {
  host = given;
  plugin->id = str("test.broken");
  plugin->version = str("1.0.0");
#if defined(ENTRY_REFUSES)
  return GARLAND_E_UNSUPPORTED;
#elif defined(UNDEFINED_SYMBOL)
  a_function_that_nobody_has();
#endif
  return GARLAND_OK; /* without find_op, open and close */
}
#endif
