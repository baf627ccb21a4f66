/* What libical wants of ICU, failing. It serves the iteration of recurrence rules and RSCALE, which a
 * connector does not do: rules are read and written as text, the host works out when they fall. */
#define HIDDEN __attribute__((visibility("hidden")))
#define ICU_UNSUPPORTED_ERROR 16 /* U_UNSUPPORTED_ERROR */

HIDDEN void* ucal_open_72(void const* zone, int zone_length, char const* locale, int type, int* status);
HIDDEN void* ucal_open_72(void const* zone, int zone_length, char const* locale, int type, int* status) {
  (void)zone, (void)zone_length, (void)locale, (void)type;
  if (status) *status = ICU_UNSUPPORTED_ERROR;
  return 0;
}
HIDDEN void* ucal_getKeywordValuesForLocale_72(char const* key, char const* locale, signed char common,
                                               int* status);
HIDDEN void* ucal_getKeywordValuesForLocale_72(char const* key, char const* locale, signed char common,
                                               int* status) {
  (void)key, (void)locale, (void)common;
  if (status) *status = ICU_UNSUPPORTED_ERROR;
  return 0;
}

/* None of these is reached without an object from one of the two above. */
#define UNREACHABLE(name)                                                                                    \
  HIDDEN void name(void);                                                                                    \
  HIDDEN void name(void) { __builtin_trap(); }
UNREACHABLE(u_strFromUTF8Lenient_72)
UNREACHABLE(ucal_add_72)
UNREACHABLE(ucal_get_72)
UNREACHABLE(ucal_getLimit_72)
UNREACHABLE(ucal_getMillis_72)
UNREACHABLE(ucal_set_72)
UNREACHABLE(ucal_setAttribute_72)
UNREACHABLE(ucal_setDate_72)
UNREACHABLE(ucal_setDateTime_72)
UNREACHABLE(ucal_setMillis_72)
UNREACHABLE(uloc_setKeywordValue_72)

HIDDEN void ucal_close_72(void* calendar);
HIDDEN void ucal_close_72(void* calendar) { (void)calendar; }
HIDDEN void uenum_close_72(void* values);
HIDDEN void uenum_close_72(void* values) { (void)values; }
HIDDEN const char* uenum_next_72(void* values, int* length, int* status);
HIDDEN const char* uenum_next_72(void* values, int* length, int* status) {
  (void)values, (void)length, (void)status;
  return 0;
}
