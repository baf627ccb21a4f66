/* garland/plugin.h: the C ABI between the Garland host and a connector plugin, major version 1.
 *
 * One header, C11, nothing but <stddef.h> and <stdint.h>. 64-bit little-endian systems only.
 * The JSON documents that pass through it are described by the schemas in plugin-api/schemas.
 *
 * WORDS
 *   host       the sandboxed worker process that loads the plugin
 *   plugin     one shared object: the connector of one provider
 *   instance   the plugin's state for one connected account of one vendor
 *   call       one operation that the host asks of the plugin. It runs as plain straight-line code
 *              on a fiber of the host, on a stack of at least 256 KiB; "suspending" means that other
 *              calls run on the same thread until the answer is there.
 *
 * ANNOTATIONS  Every function pointer carries one word of each of these two groups.
 *   How long:
 *   [suspends]    may park the calling fiber. Hold no lock across it. Do not call it from inside a
 *                 C++ catch handler or a destructor that runs while unwinding, unless the thread's
 *                 exception state is put aside meanwhile, as the C++ SDK does.
 *   [nosuspend]   returns in bounded time without parking.
 *   From where:
 *   [call]        only with the garland_call that the host passed in, on the fiber it was passed
 *                 to, and only until that operation returns.
 *   [any-thread]  from any thread, at any time from the beginning of garland_entry_v1 until shutdown
 *                 returns.
 *   [instance]    the host calls; it keeps to the concurrency that the descriptor declares. Calls to
 *                 different instances may always overlap where they suspend; unless the descriptor
 *                 says GARLAND_PARALLEL, they all run on one thread.
 *   [load]        the host calls, once, while nothing else of this plugin runs.
 * Every enumeration says which way its values go:
 *   [to-host]     only the plugin gives them, so that a later minor may append one.
 *   [both-ways]   either side may give them; the list is closed.
 *
 * OWNERSHIP
 *   O1  Spans passed into a function are borrowed until that function returns.
 *   O2  Spans handed back by the host live in the arena of the call: valid until the operation
 *       returns, never freed by the plugin.
 *   O3  Nothing allocated on one side is freed on the other.
 *
 * EVOLUTION
 *   E1  The major version is part of the one exported symbol: garland_entry_v1.
 *   E2  Every struct that crosses begins with `size`: whoever owns the storage sets it to the
 *       sizeof() that it knows. Where the other side fills the struct, it writes at most that many
 *       bytes and leaves in `size` how many it filled, so set `size` anew before each use. A struct
 *       shorter than in its first minor is refused. Those that are passed by value or in arrays
 *       (garland_str, garland_json, garland_bytes, garland_header) have no `size` and never grow.
 *   E3  Within a major, members are appended at the tail and nothing else changes. Read a member
 *       only if GARLAND_HAS(pointer, member); an unknown tail is ignored. So are unknown members of
 *       the JSON objects that the host gives.
 *   E4  Any other change is a new revision of an id ("calendar.pull/2", "garland.host.crypto/2").
 *   E5  Enumerators are never renumbered, and appended only where they are [to-host]. The meaning
 *       of a value that one side does not know is written beside each enumeration.
 *   E6  A retired member keeps its slot for ever and answers GARLAND_E_UNSUPPORTED.
 *   E7  GARLAND_TARGET_MINOR=n compiles this header exactly as minor n shipped it, so that using
 *       anything newer is a compile error. (GARLAND_ABI_MINOR still tells the newest minor.)
 *   E8  A draft id keeps its spelling when it becomes stable.
 *   E9  What is written here about ownership, suspension and lifetime is part of the ABI.
 */
#ifndef GARLAND_PLUGIN_H
#define GARLAND_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define GARLAND_ABI_MAJOR 1
#define GARLAND_ABI_MINOR 0 /* the newest minor that this header describes */

/* The oldest host that the plugin wants to run on (E7). */
#ifndef GARLAND_TARGET_MINOR
#define GARLAND_TARGET_MINOR GARLAND_ABI_MINOR
#endif
#if GARLAND_TARGET_MINOR > GARLAND_ABI_MINOR
#error "GARLAND_TARGET_MINOR is newer than this header"
#endif

#if defined(__GNUC__)
#define GARLAND_EXPORT __attribute__((visibility("default")))
#else
#define GARLAND_EXPORT
#endif

#if defined(__cplusplus)
#define GARLAND_ASSERT(condition, text) static_assert(condition, text)
#define GARLAND_NOEXCEPT noexcept
extern "C" {
#else
#define GARLAND_ASSERT(condition, text) _Static_assert(condition, text)
#define GARLAND_NOEXCEPT
#endif

/* True if whoever filled *p knew about `member` (E3). */
#define GARLAND_HAS(p, member) ((p)->size >= offsetof(__typeof__(*(p)), member) + sizeof((p)->member))
/* The same for a function pointer that may also be NULL. */
#define GARLAND_HAS_FN(p, member) (GARLAND_HAS(p, member) && (p)->member)

/* ------------------------------------------------------------------------- spans and handles */

/* UTF-8 text, not NUL-terminated; `len` in bytes. {NULL, 0} is "absent", {non-NULL, 0} is "empty". */
typedef struct garland_str {
  char const* ptr;
  uint64_t len;
} garland_str;

/* One complete JSON document in UTF-8 (RFC 8259, no byte order mark); `len` in bytes.
 * {NULL, 0} is "absent"; every other span must parse. */
typedef struct garland_json {
  char const* ptr;
  uint64_t len;
} garland_json;

/* Any bytes; `len` in bytes. */
typedef struct garland_bytes {
  uint8_t const* ptr;
  uint64_t len;
} garland_bytes;

/* Defined by the plugin, opaque to the host: made by open, ended by close. */
typedef struct garland_instance garland_instance;
/* Defined by the host, opaque to the plugin: lives as long as one operation runs. */
typedef struct garland_call garland_call;

/* ------------------------------------------------------------------------------------ errors */

/* How an operation or a host function ended. Of fixed width, so that compilers cannot disagree.
 * The kinds say what the host does next. A status that the host does not know reads as
 * GARLAND_E_PROVIDER_BUG; one that the plugin does not know it passes on unchanged.  [both-ways] */
typedef int32_t garland_status;
enum garland_status_code {
  GARLAND_OK = 0,
  GARLAND_E_AUTH_EXPIRED = 1,  /* the host refreshes the credential and tries once more */
  GARLAND_E_AUTH_REVOKED = 2,  /* the vendor has to connect the account again; never retried */
  GARLAND_E_FORBIDDEN = 3,     /* a permission or plan is missing; detail.missing_scope names it */
  GARLAND_E_RATE_LIMITED = 4,  /* set retry_after_ms (0 if the provider did not say) */
  GARLAND_E_TRANSIENT = 5,     /* server error, reset, name lookup: retried with back-off and jitter */
  GARLAND_E_INVALID_INPUT = 6, /* detail.field is a JSON Pointer into the operation's input */
  GARLAND_E_NOT_FOUND = 7,     /* the addressed thing does not exist at the provider */
  GARLAND_E_CONFLICT = 8,      /* a precondition failed; detail.current is the remote version */
  GARLAND_E_UNSUPPORTED = 9,   /* this provider cannot do it; the host hides the feature */
  GARLAND_E_CANCELLED = 10,    /* only after host->cancelled said so */
  GARLAND_E_QUOTA = 11,        /* a quota or money limit at the provider, not a rate limit */
  GARLAND_E_PROVIDER_BUG = 12, /* the provider answered outside its own contract */
  GARLAND_E_PLUGIN_BUG = 13,   /* the plugin's own invariant failed; the host sets the instance apart */
  GARLAND_E_HOST_LIMIT = 14    /* the limit of the arena, of a body or of a record was reached */
};

/* What a failed call did at the provider. Decides whether a write may be repeated.
 * A value that one side does not know reads as GARLAND_EFFECT_UNKNOWN.  [both-ways] */
typedef int32_t garland_effect;
enum garland_effect_code {
  GARLAND_EFFECT_UNKNOWN = 0,     /* bytes may have arrived: the host looks before it repeats */
  GARLAND_EFFECT_NOT_APPLIED = 1, /* proven not applied: safe to repeat */
  GARLAND_EFFECT_APPLIED = 2      /* applied, though the call failed */
};

/* A failure told to the host through garland_host.fail. Owned by the plugin, borrowed (O1). */
typedef struct garland_error {
  uint32_t size;
  garland_status kind; /* any code but GARLAND_OK */
  garland_effect effect;
  int32_t http_status;       /* of the answer that caused it; 0: no answer was involved */
  int64_t retry_after_ms;    /* milliseconds from now; -1: not known */
  garland_str provider_code; /* the provider's own code, verbatim ("valid-sync-token"); optional */
  garland_str message;       /* one sentence for operators: what happened, what to do; no secrets */
  garland_str user_message;  /* one sentence that the vendor may see; optional */
  garland_json detail;       /* an object; its members depend on `kind`, see above; optional */
} garland_error;

/* -------------------------------------------------------------------------- host: values */

/* A level that the host does not know reads as GARLAND_LOG_ERROR.  [to-host] */
typedef int32_t garland_log_level;
enum garland_log_level_code {
  GARLAND_LOG_DEBUG = 0,
  GARLAND_LOG_INFO = 1,
  GARLAND_LOG_WARN = 2,
  GARLAND_LOG_ERROR = 3
};

/* One header of a request or an answer. Stands in arrays, so it never grows (E2). */
typedef struct garland_header {
  garland_str name; /* compared without case */
  garland_str value;
} garland_header;

/* One HTTP request. Owned by the plugin, borrowed until http returns (O1). */
typedef struct garland_http_request {
  uint32_t size;
  uint32_t header_count;
  garland_str method;            /* "GET", "PROPFIND", ... */
  garland_str url;               /* absolute; its host must be one that the manifest allows */
  garland_header const* headers; /* header_count of them; the host drops Authorization, Cookie, Host */
  garland_bytes body;            /* may be absent */
  garland_str
      credential_slot; /* the manifest's auth slot whose secret the host attaches; absent: anonymous */
  garland_str idempotency_key; /* absent or empty: for writes the host derives one from the call */
  int64_t timeout_ms;          /* milliseconds; 0: whatever is left of the call's deadline */
  uint64_t max_body;           /* largest answer accepted, in bytes; 0: the manifest's limit */
} garland_http_request;

/* The answer. Storage is the plugin's, filled by the host (E2). Spans inside live in the call's
 * arena (O2). */
typedef struct garland_http_response {
  uint32_t size;  /* before: sizeof(garland_http_response); after: how much of it the host filled */
  int32_t status; /* 100..599 */
  uint32_t header_count;
  uint32_t reserved0;            /* zero */
  garland_header const* headers; /* header_count of them, in the order received */
  garland_bytes body;            /* decoded: no transfer or content encoding is left */
  int64_t retry_after_ms;        /* milliseconds, from Retry-After or the provider's own header; -1: absent */
  garland_effect effect;         /* could bytes of the request have left this machine? */
  int32_t reserved1;             /* zero */
} garland_http_response;

/* -------------------------------------------------------------------------- host: functions */

/* What the host does for a plugin. Owned by the host, valid from garland_entry_v1 until shutdown
 * has returned. Every function takes `ctx` unchanged as its first argument.
 *
 * Where a function returns a garland_status other than GARLAND_OK, its out-parameters are not
 * written unless it says so. Any [call] function may answer GARLAND_E_CANCELLED once the call is cancelled,
 * GARLAND_E_HOST_LIMIT when a limit is reached (the arena's, a document's) and GARLAND_E_INVALID_INPUT
 * for arguments it cannot use; return such a status from the operation. */
typedef struct garland_host {
  uint32_t size;
  uint16_t abi_major; /* GARLAND_ABI_MAJOR */
  uint16_t abi_minor; /* newest minor the host knows; informative, use GARLAND_HAS to decide */
  void* ctx;

  /* The table of an optional service ("garland.host.crypto/1"), or NULL if this host has none of
   * that id. Valid until shutdown.  [any-thread][nosuspend] */
  void const* (*get_service)(void* ctx, garland_str id)GARLAND_NOEXCEPT;

  /* One line of structured log. `call` may be NULL outside of a call. `fields` is a JSON object or
   * absent. Known secrets are taken out by the host.  [any-thread][nosuspend] */
  void (*log)(void* ctx, garland_call* call, garland_log_level level, garland_str message,
              garland_json fields) GARLAND_NOEXCEPT;

  /* Wall clock: milliseconds since 1970-01-01T00:00:00Z. Virtual under certification.
   * [any-thread][nosuspend] */
  int64_t (*now_ms)(void* ctx) GARLAND_NOEXCEPT;

  /* Monotonic clock: nanoseconds since an arbitrary start; the clock of deadline_ns.
   * [any-thread][nosuspend] */
  int64_t (*mono_ns)(void* ctx) GARLAND_NOEXCEPT;

  /* Waits `ms` milliseconds (values below zero count as zero). CANCELLED if the call is cancelled
   * or its deadline comes first.  [call][suspends] */
  garland_status (*sleep_ms)(void* ctx, garland_call* call, int64_t ms) GARLAND_NOEXCEPT;

  /* The only way to the network. GARLAND_OK for every answer that arrived whole, whatever its HTTP
   * status. FORBIDDEN: the manifest does not allow this host. TRANSIENT: no answer. HOST_LIMIT: the
   * answer is larger than allowed. INVALID_INPUT: a malformed request or an unknown credential slot.
   * AUTH_REVOKED: the slot holds no usable credential. On these failures response->size and ->effect
   * are set too, and response->body is absent or one sentence (UTF-8) that says why; set it to absent
   * before the call.  [call][suspends] */
  garland_status (*http)(void* ctx, garland_call* call, garland_http_request const* request,
                         garland_http_response* response) GARLAND_NOEXCEPT;

  /* Small durable state of this instance. A key has 1 to 256 bytes. NOT_FOUND: the key is not there.
   * `value` lives in the call's arena; `version` is never 0.  [call][suspends] */
  garland_status (*kv_get)(void* ctx, garland_call* call, garland_str key, garland_bytes* value,
                           uint64_t* version) GARLAND_NOEXCEPT;

  /* Stores a value. `if_version` 0 writes in any case; otherwise CONFLICT unless the stored version
   * is that one. `ttl_ms` milliseconds until it is forgotten, 0: never.  [call][suspends] */
  garland_status (*kv_put)(void* ctx, garland_call* call, garland_str key, garland_bytes value,
                           uint64_t if_version, int64_t ttl_ms) GARLAND_NOEXCEPT;

  /* Adds one record to the operation's stream; `kind` names its schema (emit.<kind>.json). Waits
   * while the host is busy. INVALID_INPUT: the record does not parse.  [call][suspends] */
  garland_status (*emit)(void* ctx, garland_call* call, garland_str kind,
                         garland_json record) GARLAND_NOEXCEPT;

  /* Returns when everything emitted so far is durable together with `cursor`, any JSON value that
   * a later pull gets back to continue from here. INVALID_INPUT: it does not parse.
   * [call][suspends] */
  garland_status (*checkpoint)(void* ctx, garland_call* call, garland_json cursor) GARLAND_NOEXCEPT;

  /* Sets the operation's single result; the last one counts.  [call][nosuspend] */
  garland_status (*result)(void* ctx, garland_call* call, garland_json value) GARLAND_NOEXCEPT;

  /* Records why the operation fails and returns error->kind, so that an operation can end with
   * `return host->fail(...)`. The last one counts.  [call][nosuspend] */
  garland_status (*fail)(void* ctx, garland_call* call, garland_error const* error) GARLAND_NOEXCEPT;

  /* How far the operation is: `done` of `total` (0: not known) of `what` ("events").
   * [call][nosuspend] */
  void (*progress)(void* ctx, garland_call* call, uint64_t done, uint64_t total,
                   garland_str what) GARLAND_NOEXCEPT;

  /* 0: go on. Anything else: stop and return GARLAND_E_CANCELLED within 100 ms.  [call][nosuspend] */
  int32_t (*cancelled)(void* ctx, garland_call* call) GARLAND_NOEXCEPT;

  /* When the host gives the call up, on the clock of mono_ns.  [call][nosuspend] */
  int64_t (*deadline_ns)(void* ctx, garland_call* call) GARLAND_NOEXCEPT;

  /* Scratch memory that lives as long as the call: `bytes` of it (0 counts as 1), not cleared, aligned
   * to `align`, a power of two up to 4096. NULL when the arena's limit is reached or `align` is none
   * of these.  [call][nosuspend] */
  void* (*alloc)(void* ctx, garland_call* call, uint64_t bytes, uint64_t align)GARLAND_NOEXCEPT;
} garland_host;

/* Optional service: cryptography with keys that stay in the host. The table's functions take the
 * ctx of garland_host. `slot` names a credential slot, `algorithm` is for example "HS256".
 * NOT_FOUND: no such slot. UNSUPPORTED: unknown algorithm. */
#define GARLAND_HOST_CRYPTO_1 "garland.host.crypto/1"
typedef struct garland_host_crypto_1 {
  uint32_t size;
  uint32_t reserved0; /* zero */

  /* The message authentication code of `data`, in the call's arena.  [call][nosuspend] */
  garland_status (*hmac)(void* ctx, garland_call* call, garland_str slot, garland_str algorithm,
                         garland_bytes data, garland_bytes* mac) GARLAND_NOEXCEPT;

  /* GARLAND_OK if `mac` is the code of `data`, else FORBIDDEN; takes equally long for either.
   * [call][nosuspend] */
  garland_status (*hmac_verify)(void* ctx, garland_call* call, garland_str slot, garland_str algorithm,
                                garland_bytes data, garland_bytes mac) GARLAND_NOEXCEPT;

  /* The signature of `data`, in the call's arena.  [call][nosuspend] */
  garland_status (*sign)(void* ctx, garland_call* call, garland_str slot, garland_str algorithm,
                         garland_bytes data, garland_bytes* signature) GARLAND_NOEXCEPT;
} garland_host_crypto_1;

/* -------------------------------------------------------------------------------- operations */

/* Every operation has this one shape and is found by its id "<capability>.<verb>/<rev>". Input and
 * result are JSON documents, described by plugin-api/schemas/<capability>.<verb>.<rev>.{in,out}.json,
 * so that a new operation never changes this header.
 *
 * `input` is borrowed until the operation returns (O1). Return GARLAND_OK after host->result, or
 * what host->fail returned. A status without a host->fail is told as that kind, effect unknown.
 * [instance][suspends] */
typedef garland_status (*garland_op)(garland_instance* self, garland_call* call,
                                     garland_json input) GARLAND_NOEXCEPT;

/* ------------------------------------------------------------------------------------ plugin */

/* How calls to one instance may overlap. A value that the host does not know reads as
 * GARLAND_SERIAL.  [to-host] */
typedef int32_t garland_concurrency;
enum garland_concurrency_code {
  GARLAND_SERIAL = 0,      /* one call at a time */
  GARLAND_INTERLEAVED = 1, /* calls may overlap where they suspend, all on one thread */
  GARLAND_PARALLEL = 2     /* calls may run on several threads at once */
};

/* What a plugin is and offers. Storage is the host's, filled by garland_entry_v1 (E2); what it points
 * to is the plugin's and stays valid until shutdown has returned. */
typedef struct garland_plugin {
  uint32_t size; /* before: sizeof(garland_plugin); after: how much of it the plugin filled */
  garland_concurrency concurrency;
  garland_str id;      /* equals "id" of the manifest */
  garland_str version; /* equals "version" of the manifest */
  garland_str
      build_id; /* the object's ELF build id in lower-case hex; absent: the host reads the object's own */

  /* The operation of that id, or NULL if the plugin does not offer it. The same answer every time.
   * [any-thread][nosuspend] */
  garland_op (*find_op)(garland_str id) GARLAND_NOEXCEPT;

  /* Makes an instance; never two at once for one account. `account` is {"account_id": text,
   * "settings": object, "slots": [names]}, never with the value of a secret; borrowed (O1).
   * *instance is written only with GARLAND_OK. `call` is that of the operation which needs the
   * instance: leave emit, checkpoint and result to it.  [instance][suspends] */
  garland_status (*open)(garland_call* call, garland_json account,
                         garland_instance** instance) GARLAND_NOEXCEPT;

  /* Ends an instance, after its last call has returned.  [instance][nosuspend] */
  void (*close)(garland_instance* self) GARLAND_NOEXCEPT;

  /* Optional, may be NULL. Hands what is worth keeping of an instance (caches, never cursors: those
   * are the host's) to a newer version of the plugin: export_state gives it by host->result.
   * [instance][suspends] */
  garland_status (*export_state)(garland_instance* self, garland_call* call) GARLAND_NOEXCEPT;

  /* Optional, may be NULL. Takes what export_state of an older version gave; what is not understood is
   * refused or ignored, and the operation goes on. `call` as for open.  [instance][suspends] */
  garland_status (*import_state)(garland_instance* self, garland_call* call,
                                 garland_json state) GARLAND_NOEXCEPT;

  /* The last call into the object; every instance is closed by then.  [load][nosuspend] */
  void (*shutdown)(void) GARLAND_NOEXCEPT;
} garland_plugin;

/* The one symbol that a plugin exports. Keeps `host`, fills at most plugin->size bytes of *plugin
 * and sets plugin->size to what it filled. UNSUPPORTED if the host lacks something that the plugin
 * cannot do without. Starts no thread, does no I/O; may call the host's functions for any thread.
 * [load][nosuspend] */
GARLAND_EXPORT garland_status garland_entry_v1(garland_host const* host,
                                               garland_plugin* plugin) GARLAND_NOEXCEPT;
typedef garland_status (*garland_entry_v1_fn)(garland_host const*, garland_plugin*) GARLAND_NOEXCEPT;

/* ------------------------------------------------------------------------------ frozen layout */

GARLAND_ASSERT(sizeof(void*) == 8, "64-bit systems only");
GARLAND_ASSERT(sizeof(garland_str) == 16, "spans never grow");
GARLAND_ASSERT(sizeof(garland_json) == 16, "spans never grow");
GARLAND_ASSERT(sizeof(garland_bytes) == 16, "spans never grow");
GARLAND_ASSERT(sizeof(garland_header) == 32, "stands in arrays, never grows");
GARLAND_ASSERT(offsetof(garland_error, provider_code) == 24, "frozen");
GARLAND_ASSERT(offsetof(garland_error, detail) == 72, "frozen");
GARLAND_ASSERT(sizeof(garland_error) >= 88, "append only");
GARLAND_ASSERT(offsetof(garland_http_request, max_body) == 104, "frozen");
GARLAND_ASSERT(offsetof(garland_http_response, effect) == 48, "frozen");
GARLAND_ASSERT(offsetof(garland_host, ctx) == 8, "frozen");
GARLAND_ASSERT(offsetof(garland_host, alloc) == 136, "frozen");
GARLAND_ASSERT(offsetof(garland_host_crypto_1, sign) == 24, "frozen");
GARLAND_ASSERT(offsetof(garland_plugin, find_op) == 56, "frozen");
GARLAND_ASSERT(offsetof(garland_plugin, shutdown) == 96, "frozen");

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* GARLAND_PLUGIN_H */
