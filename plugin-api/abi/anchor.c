/* One exported variable for every struct and every enumeration that crosses the ABI. Compiled only to be
 * read by libabigail: it follows neither `void const*` (the tables of get_service) nor the int32_t that
 * stands for an enumeration, so without these variables it would not see those types.
 *
 * A type of minor n stands under `#if GARLAND_TARGET_MINOR >= n`. plugin-api/abi/gate says which is missing.
 */
#include <garland/plugin.h>

#define ANCHOR(type, name) GARLAND_EXPORT type anchor_##name

ANCHOR(garland_str, str);
ANCHOR(garland_json, json);
ANCHOR(garland_bytes, bytes);
ANCHOR(garland_error, error);
ANCHOR(garland_header, header);
ANCHOR(garland_http_request, http_request);
ANCHOR(garland_http_response, http_response);
ANCHOR(garland_host, host);
ANCHOR(garland_host_crypto_1, host_crypto_1);
ANCHOR(garland_plugin, plugin);
ANCHOR(garland_op, op);

ANCHOR(enum garland_status_code, status);
ANCHOR(enum garland_effect_code, effect);
ANCHOR(enum garland_log_level_code, log_level);
ANCHOR(enum garland_concurrency_code, concurrency);

garland_status garland_entry_v1(garland_host const* host, garland_plugin* plugin) {
  (void)host;
  (void)plugin;
  return GARLAND_OK;
}
