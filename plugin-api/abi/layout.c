/* The layout of ABI 1.0, member by member, for 64-bit systems. Nothing here may ever change: a later
 * minor appends its own lines. Compiled as C11 and as C++20 by every compiler at hand. */
#include <garland/plugin.h>

#define AT(type, member, offset)                                                                             \
  GARLAND_ASSERT(offsetof(type, member) == (offset), #type "." #member " moved")
#define SIZE(type, bytes) GARLAND_ASSERT(sizeof(type) == (bytes), "the size of " #type " changed")
#define LEAST(type, bytes) GARLAND_ASSERT(sizeof(type) >= (bytes), #type " shrank")
#define VALUE(name, number) GARLAND_ASSERT((name) == (number), #name " was renumbered")

SIZE(garland_str, 16);
AT(garland_str, ptr, 0);
AT(garland_str, len, 8);

SIZE(garland_json, 16);
AT(garland_json, ptr, 0);
AT(garland_json, len, 8);

SIZE(garland_bytes, 16);
AT(garland_bytes, ptr, 0);
AT(garland_bytes, len, 8);

LEAST(garland_error, 88);
AT(garland_error, size, 0);
AT(garland_error, kind, 4);
AT(garland_error, effect, 8);
AT(garland_error, http_status, 12);
AT(garland_error, retry_after_ms, 16);
AT(garland_error, provider_code, 24);
AT(garland_error, message, 40);
AT(garland_error, user_message, 56);
AT(garland_error, detail, 72);

SIZE(garland_header, 32);
AT(garland_header, name, 0);
AT(garland_header, value, 16);

LEAST(garland_http_request, 112);
AT(garland_http_request, size, 0);
AT(garland_http_request, header_count, 4);
AT(garland_http_request, method, 8);
AT(garland_http_request, url, 24);
AT(garland_http_request, headers, 40);
AT(garland_http_request, body, 48);
AT(garland_http_request, credential_slot, 64);
AT(garland_http_request, idempotency_key, 80);
AT(garland_http_request, timeout_ms, 96);
AT(garland_http_request, max_body, 104);

LEAST(garland_http_response, 56);
AT(garland_http_response, size, 0);
AT(garland_http_response, status, 4);
AT(garland_http_response, header_count, 8);
AT(garland_http_response, reserved0, 12);
AT(garland_http_response, headers, 16);
AT(garland_http_response, body, 24);
AT(garland_http_response, retry_after_ms, 40);
AT(garland_http_response, effect, 48);
AT(garland_http_response, reserved1, 52);

LEAST(garland_host, 144);
AT(garland_host, size, 0);
AT(garland_host, abi_major, 4);
AT(garland_host, abi_minor, 6);
AT(garland_host, ctx, 8);
AT(garland_host, get_service, 16);
AT(garland_host, log, 24);
AT(garland_host, now_ms, 32);
AT(garland_host, mono_ns, 40);
AT(garland_host, sleep_ms, 48);
AT(garland_host, http, 56);
AT(garland_host, kv_get, 64);
AT(garland_host, kv_put, 72);
AT(garland_host, emit, 80);
AT(garland_host, checkpoint, 88);
AT(garland_host, result, 96);
AT(garland_host, fail, 104);
AT(garland_host, progress, 112);
AT(garland_host, cancelled, 120);
AT(garland_host, deadline_ns, 128);
AT(garland_host, alloc, 136);

LEAST(garland_host_crypto_1, 32);
AT(garland_host_crypto_1, size, 0);
AT(garland_host_crypto_1, reserved0, 4);
AT(garland_host_crypto_1, hmac, 8);
AT(garland_host_crypto_1, hmac_verify, 16);
AT(garland_host_crypto_1, sign, 24);

LEAST(garland_plugin, 104);
AT(garland_plugin, size, 0);
AT(garland_plugin, concurrency, 4);
AT(garland_plugin, id, 8);
AT(garland_plugin, version, 24);
AT(garland_plugin, build_id, 40);
AT(garland_plugin, find_op, 56);
AT(garland_plugin, open, 64);
AT(garland_plugin, close, 72);
AT(garland_plugin, export_state, 80);
AT(garland_plugin, import_state, 88);
AT(garland_plugin, shutdown, 96);

VALUE(GARLAND_OK, 0);
VALUE(GARLAND_E_AUTH_EXPIRED, 1);
VALUE(GARLAND_E_AUTH_REVOKED, 2);
VALUE(GARLAND_E_FORBIDDEN, 3);
VALUE(GARLAND_E_RATE_LIMITED, 4);
VALUE(GARLAND_E_TRANSIENT, 5);
VALUE(GARLAND_E_INVALID_INPUT, 6);
VALUE(GARLAND_E_NOT_FOUND, 7);
VALUE(GARLAND_E_CONFLICT, 8);
VALUE(GARLAND_E_UNSUPPORTED, 9);
VALUE(GARLAND_E_CANCELLED, 10);
VALUE(GARLAND_E_QUOTA, 11);
VALUE(GARLAND_E_PROVIDER_BUG, 12);
VALUE(GARLAND_E_PLUGIN_BUG, 13);
VALUE(GARLAND_E_HOST_LIMIT, 14);
VALUE(GARLAND_EFFECT_UNKNOWN, 0);
VALUE(GARLAND_EFFECT_NOT_APPLIED, 1);
VALUE(GARLAND_EFFECT_APPLIED, 2);
VALUE(GARLAND_LOG_DEBUG, 0);
VALUE(GARLAND_LOG_INFO, 1);
VALUE(GARLAND_LOG_WARN, 2);
VALUE(GARLAND_LOG_ERROR, 3);
VALUE(GARLAND_SERIAL, 0);
VALUE(GARLAND_INTERLEAVED, 1);
VALUE(GARLAND_PARALLEL, 2);

/* A function that no compiler may find unused, so that the file is not empty. */
int garland_abi_layout(void);
int garland_abi_layout(void) { return GARLAND_ABI_MAJOR; }
