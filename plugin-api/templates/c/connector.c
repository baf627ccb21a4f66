/* Starter, in plain C over garland/plugin.h: brings in a vendor's weddings as projects.
 *
 * The provider answers lines, GET /weddings.txt?since=TOKEN:
 *     weddings 1
 *     row;ID;VERSION;YYYY-MM-DD;TITLE
 *     gone;ID
 *     end TOKEN
 * Begin to read at the end, at garland_entry_v1. */
#include <garland/plugin.h>

#include <stdlib.h>
#include <string.h>

static garland_host const* host;

struct garland_instance {
  char base[512]; /* of the API, without a slash at its end */
};

/* ---- spans */

static garland_str text(char const* chars) { return (garland_str){chars, strlen(chars)}; }
static int is(garland_str span, char const* word) {
  return span.len == strlen(word) && memcmp(span.ptr, word, span.len) == 0;
}
static int begins(garland_str span, char const* word) {
  return span.len >= strlen(word) && memcmp(span.ptr, word, strlen(word)) == 0;
}
/* What stands before `mark`; the span goes on behind it. All of it if there is no mark. */
static garland_str cut(garland_str* span, char mark) {
  garland_str part = *span;
  char const* at = span->len > 0 ? memchr(span->ptr, mark, span->len) : NULL;
  if (at != NULL) part.len = (uint64_t)(at - span->ptr);
  uint64_t const used = part.len + (at != NULL ? 1 : 0);
  span->ptr += used;
  span->len -= used;
  return part;
}
static int is_token(garland_str span) {
  if (span.len == 0 || span.len > 100) return 0;
  for (uint64_t i = 0; i < span.len; ++i) {
    char const c = span.ptr[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'))
      return 0;
  }
  return 1;
}
static int is_date(garland_str span) { /* YYYY-MM-DD */
  if (span.len != 10) return 0;
  for (uint64_t i = 0; i < span.len; ++i) {
    char const c = span.ptr[i];
    if (i == 4 || i == 7 ? c != '-' : c < '0' || c > '9') return 0;
  }
  return 1;
}
/* Behind `"name"` and a colon in a document of the host's, which is sound JSON; absent if it has no such
 * member. Good for members whose name stands nowhere else. */
static garland_str member(garland_json json, char const* name) {
  size_t const size = strlen(name);
  for (uint64_t at = 0; at + size < json.len; ++at) {
    if (memcmp(json.ptr + at, name, size) != 0) continue;
    garland_str rest = {json.ptr + at + size, json.len - at - size};
    while (rest.len > 0 && (*rest.ptr == ' ' || *rest.ptr == ':' || *rest.ptr == '\n')) {
      ++rest.ptr;
      --rest.len;
    }
    return rest;
  }
  return (garland_str){NULL, 0};
}
/* The text that begins there, if it has no escapes in it. */
static garland_str string_at(garland_str rest) {
  if (rest.len < 2 || *rest.ptr != '"') return (garland_str){NULL, 0};
  ++rest.ptr;
  --rest.len;
  garland_str const part = cut(&rest, '"');
  return part.len > 0 && memchr(part.ptr, '\\', part.len) != NULL ? (garland_str){NULL, 0} : part;
}

/* ---- text that is written, in the arena of the call */

struct writer {
  char* at;
  char* end;
};
static int begin_text(struct writer* out, garland_call* call, uint64_t size, garland_str* made) {
  out->at = host->alloc(host->ctx, call, size, 1);
  if (out->at == NULL) return 0;
  out->end = out->at + size;
  *made = (garland_str){out->at, 0};
  return 1;
}
static void add(struct writer* out, garland_str span) {
  if (span.len == 0 || (uint64_t)(out->end - out->at) < span.len) return;
  memcpy(out->at, span.ptr, span.len);
  out->at += span.len;
}
static void add_escaped(struct writer* out, garland_str span) { /* for a text of JSON */
  static char const digits[] = "0123456789abcdef";
  for (uint64_t i = 0; i < span.len; ++i) {
    unsigned char const c = (unsigned char)span.ptr[i];
    char const hex[] = {'\\', 'u', '0', '0', digits[c >> 4U], digits[c & 15U]};
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
      add(out, (garland_str){hex, sizeof hex});
    else
      add(out, (garland_str){span.ptr + i, 1});
  }
}
static void finish_text(struct writer const* out, garland_str* made) {
  made->len = (uint64_t)(out->at - made->ptr);
}
static garland_json document(garland_str made) { return (garland_json){made.ptr, made.len}; }

/* ---- failures; everything here only reads, so nothing was changed at the provider */

/* What the vendor reads: what happened, and the next step. */
static garland_str said(garland_status kind) {
  switch (kind) {
  case GARLAND_E_AUTH_REVOKED: return text("The key is not valid any more. Enter a new one.");
  case GARLAND_E_FORBIDDEN: return text("The key may not read weddings. Enter one that may.");
  case GARLAND_E_RATE_LIMITED: return text("Starter wants a pause. It goes on by itself.");
  case GARLAND_E_INVALID_INPUT: return text("Something in the settings is wrong. Look at the marked field.");
  case GARLAND_E_PROVIDER_BUG:
    return text("Starter's answer could not be read. Tell its support if it lasts.");
  default: return text("Starter could not be reached. It is tried again by itself.");
  }
}
static garland_status fail_at(garland_call* call, garland_status kind, char const* message,
                              char const* detail) {
  garland_error const error = {.size = sizeof error,
                               .kind = kind,
                               .effect = GARLAND_EFFECT_NOT_APPLIED,
                               .retry_after_ms = -1,
                               .message = text(message),
                               .user_message = said(kind),
                               .detail = {detail, strlen(detail)}};
  return host->fail(host->ctx, call, &error);
}
static garland_status fail(garland_call* call, garland_status kind, char const* message) {
  return fail_at(call, kind, message, "{}");
}
static garland_status no_room(garland_call* call) {
  return fail(call, GARLAND_E_HOST_LIMIT, "there is no memory left for this call");
}
static garland_status wrong_answer(garland_call* call) {
  return fail(call, GARLAND_E_PROVIDER_BUG, "the answer has not the lines that it should have");
}

static garland_status kind_of(int32_t status) {
  if (status == 401) return GARLAND_E_AUTH_REVOKED; /* keys do not expire */
  if (status == 403) return GARLAND_E_FORBIDDEN;
  if (status == 404) return GARLAND_E_NOT_FOUND;
  if (status == 409) return GARLAND_E_CONFLICT;
  if (status == 429) return GARLAND_E_RATE_LIMITED;
  return status >= 500 ? GARLAND_E_TRANSIENT : GARLAND_E_PROVIDER_BUG;
}

/* Answers with 200 come back, and those with `also`; everything else is a failure. */
static garland_status get(garland_instance* self, garland_call* call, garland_str path, int32_t also,
                          garland_http_response* answer) {
  struct writer out;
  garland_str url;
  if (!begin_text(&out, call, sizeof self->base + path.len, &url)) return no_room(call);
  add(&out, text(self->base));
  add(&out, path);
  finish_text(&out, &url);
  garland_http_request const request = {
      .size = sizeof request, .method = text("GET"), .url = url, .credential_slot = text("key")};
  *answer = (garland_http_response){.size = sizeof *answer};
  garland_status const status = host->http(host->ctx, call, &request, answer);
  if (status == GARLAND_OK && (answer->status == 200 || answer->status == also)) return GARLAND_OK;
  garland_error error = {.size = sizeof error,
                         .kind = status,
                         .effect = GARLAND_EFFECT_NOT_APPLIED,
                         .retry_after_ms = -1,
                         .message = {(char const*)answer->body.ptr, answer->body.len}};
  if (status == GARLAND_OK) {
    error.kind = kind_of(answer->status);
    error.http_status = answer->status;
    error.retry_after_ms =
        error.kind == GARLAND_E_RATE_LIMITED && answer->retry_after_ms < 0 ? 0 : answer->retry_after_ms;
    error.message = text("the provider refused the request");
  }
  error.user_message = said(error.kind);
  return host->fail(host->ctx, call, &error);
}

/* ---- health.check/1 */

static garland_status check_health(garland_instance* self, garland_call* call, garland_json input) {
  (void)input;
  garland_http_response answer;
  garland_status const status = get(self, call, text("/me.txt"), 200, &answer);
  if (status != GARLAND_OK) return status;
  garland_str body = {(char const*)answer.body.ptr, answer.body.len};
  garland_str line = cut(&body, '\n');
  if (!begins(line, "account;") || line.len <= strlen("account;") || body.len != 0) return wrong_answer(call);
  cut(&line, ';');
  struct writer out;
  garland_str made;
  if (!begin_text(&out, call, 64 + 6 * line.len, &made)) return no_room(call);
  add(&out, text("{\"account\":\""));
  add_escaped(&out, line);
  add(&out, text("\"}"));
  finish_text(&out, &made);
  return host->result(host->ctx, call, document(made));
}

/* ---- crm.pull/1 */

static garland_status emit_row(garland_call* call, garland_str line) {
  garland_str const id = cut(&line, ';');
  garland_str const version = cut(&line, ';');
  garland_str const date = cut(&line, ';');
  if (!is_token(id) || !is_token(version) || !is_date(date)) return wrong_answer(call);
  struct writer out;
  garland_str made;
  if (!begin_text(&out, call, 800 + 6 * line.len, &made)) return no_room(call);
  add(&out, text("{\"id\":\""));
  add(&out, id);
  add(&out, text("\",\"version\":\""));
  add(&out, version);
  add(&out, text("\",\"scope\":\"crm.project\",\"deleted\":false,\"data\":{\"name\":\""));
  add_escaped(&out, line);
  add(&out, text("\",\"stage\":\"booked\",\"event_date\":\""));
  add(&out, date);
  add(&out, text("\"}}"));
  finish_text(&out, &made);
  garland_status const status = host->emit(host->ctx, call, text("crm.project"), document(made));
  if (status == GARLAND_E_INVALID_INPUT) /* it is not UTF-8 */
    return fail(call, GARLAND_E_PROVIDER_BUG, "a title of the answer cannot be read");
  return status;
}

static garland_status emit_gone(garland_call* call, garland_str id) {
  if (!is_token(id)) return wrong_answer(call);
  struct writer out;
  garland_str made;
  if (!begin_text(&out, call, 256, &made)) return no_room(call);
  add(&out, text("{\"id\":\""));
  add(&out, id);
  add(&out, text("\",\"version\":\"\",\"scope\":\"crm.project\",\"deleted\":true,\"data\":null}"));
  finish_text(&out, &made);
  return host->emit(host->ctx, call, text("crm.project"), document(made));
}

/* All ids of a whole answer, in parts of 500: at the checkpoint the host drops what is not among them. */
static garland_status emit_listing(garland_call* call, garland_str lines) {
  enum { part = 500 };
  int last = 0;
  while (!last) {
    struct writer out;
    garland_str made;
    if (!begin_text(&out, call, 96 + part * 104, &made)) return no_room(call);
    add(&out, text("{\"scope\":\"crm.project\",\"ids\":["));
    int count = 0;
    while (lines.len > 0 && count < part) {
      garland_str line = cut(&lines, '\n');
      if (!begins(line, "row;")) continue;
      cut(&line, ';');
      if (count++ > 0) add(&out, text(","));
      add(&out, text("\""));
      add(&out, cut(&line, ';'));
      add(&out, text("\""));
    }
    last = lines.len == 0;
    add(&out, text(last ? "],\"last\":true}" : "],\"last\":false}"));
    finish_text(&out, &made);
    garland_status const status = host->emit(host->ctx, call, text("garland.listing"), document(made));
    if (status != GARLAND_OK) return status;
  }
  return GARLAND_OK;
}

static garland_status take(garland_call* call, garland_str lines, int whole) {
  garland_str const all = lines;
  if (!is(cut(&lines, '\n'), "weddings 1")) return wrong_answer(call);
  garland_str token = {NULL, 0};
  while (lines.len > 0) {
    garland_str line = cut(&lines, '\n');
    garland_status status = GARLAND_OK;
    if (begins(line, "row;")) {
      cut(&line, ';');
      status = emit_row(call, line);
    } else if (begins(line, "gone;") && !whole) {
      cut(&line, ';');
      status = emit_gone(call, line);
    } else if (begins(line, "end ") && lines.len == 0) {
      cut(&line, ' ');
      token = line;
    } else {
      return wrong_answer(call);
    }
    if (status != GARLAND_OK) return status;
    if (host->cancelled(host->ctx, call)) return fail(call, GARLAND_E_CANCELLED, "the call was cancelled");
  }
  if (!is_token(token)) return wrong_answer(call); /* it was cut off */
  garland_status const status = whole ? emit_listing(call, all) : GARLAND_OK;
  if (status != GARLAND_OK) return status;
  struct writer out;
  garland_str made;
  if (!begin_text(&out, call, 128, &made)) return no_room(call);
  add(&out, text("{\"since\":\""));
  add(&out, token);
  add(&out, text("\"}"));
  finish_text(&out, &made);
  return host->checkpoint(host->ctx, call, document(made));
}

static garland_status pull_weddings(garland_instance* self, garland_call* call, garland_json input) {
  if (!is(string_at(member(input, "\"entity\"")), "crm.project"))
    return fail_at(call, GARLAND_E_INVALID_INPUT, "/entity: must be crm.project", "{\"field\":\"/entity\"}");
  if (member(input, "\"cursor\"").ptr == NULL)
    return fail_at(call, GARLAND_E_INVALID_INPUT, "/cursor: is missing", "{\"field\":\"/cursor\"}");
  garland_str const since = string_at(member(input, "\"since\""));
  garland_http_response answer;
  garland_status status = GARLAND_OK;
  int whole = !is_token(since); /* a cursor that cannot be read is as good as none */
  if (!whole) {
    struct writer out;
    garland_str path;
    if (!begin_text(&out, call, 160, &path)) return no_room(call);
    add(&out, text("/weddings.txt?since="));
    add(&out, since);
    finish_text(&out, &path);
    status = get(self, call, path, 410, &answer);
    if (status != GARLAND_OK) return status;
    whole = answer.status == 410; /* the provider does not know the token any more */
  }
  if (whole) status = get(self, call, text("/weddings.txt"), 200, &answer);
  if (status != GARLAND_OK) return status;
  status = take(call, (garland_str){(char const*)answer.body.ptr, answer.body.len}, whole);
  if (status != GARLAND_OK) return status;
  return host->result(host->ctx, call, document(text("{}")));
}

/* ---- what it is */

static garland_op find_op(garland_str id) {
  if (is(id, "health.check/1")) return check_health;
  if (is(id, "crm.pull/1")) return pull_weddings;
  return NULL;
}

static garland_status open_account(garland_call* call, garland_json account, garland_instance** instance) {
  static char const usual[] = "https://api.starter.example/v1";
  static char const at_url[] = "{\"field\":\"/settings/url\"}";
  garland_str const given = member(account, "\"url\"");
  garland_str url = given.ptr == NULL ? text(usual) : string_at(given);
  if (url.ptr == NULL)
    return fail_at(call, GARLAND_E_INVALID_INPUT, "/settings/url: must be a text without escapes", at_url);
  while (url.len > 0 && url.ptr[url.len - 1] == '/') --url.len;
  garland_instance* const made = calloc(1, sizeof *made);
  if (made == NULL) return no_room(call);
  if (url.len >= sizeof made->base) {
    free(made);
    return fail_at(call, GARLAND_E_INVALID_INPUT, "/settings/url: is too long", at_url);
  }
  memcpy(made->base, url.ptr, url.len);
  *instance = made;
  return GARLAND_OK;
}

static void close_account(garland_instance* self) { free(self); }
static void shut_down(void) {}

GARLAND_EXPORT garland_status garland_entry_v1(garland_host const* from, garland_plugin* plugin) {
  if (!GARLAND_HAS_FN(from, alloc) || !GARLAND_HAS(plugin, shutdown)) return GARLAND_E_UNSUPPORTED;
  host = from;
  garland_plugin own = {
      .size = sizeof own,
      .concurrency = GARLAND_SERIAL,
      .id = text(GARLAND_CONNECTOR_ID), /* both from connector.json, by garland_add_connector() */
      .version = text(GARLAND_CONNECTOR_VERSION),
      .find_op = find_op,
      .open = open_account,
      .close = close_account,
      .shutdown = shut_down,
  };
  if (plugin->size < own.size) own.size = plugin->size; /* an older host has room for less */
  memcpy(plugin, &own, own.size);
  return GARLAND_OK;
}
