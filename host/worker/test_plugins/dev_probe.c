/* What the tests of `garland dev` run: operations that end well, are refused something, or die in a function
 * with a name. */
#define _GNU_SOURCE 1
#include <garland/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT(literal) ((garland_str){(literal), sizeof(literal) - 1})
#define NOINLINE __attribute__((noinline))

struct garland_instance {
  int unused;
};
static struct garland_instance the_instance;
static garland_host const* host;

static garland_status tell(garland_call* call, char const* text) {
  return host->result(host->ctx, call, (garland_json){text, strlen(text)});
}

static garland_status get(garland_call* call, garland_http_response* response) {
  garland_http_request request = {.size = sizeof(request),
                                  .method = TEXT("GET"),
                                  .url = TEXT("https://example.test/links"),
                                  .credential_slot = TEXT("login")};
  response->size = sizeof(*response);
  return host->http(host->ctx, call, &request, response);
}

static garland_status echo(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  printf("about to answer\n");
  return host->result(host->ctx, call, input);
}

static garland_status fetch(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_http_response response;
  garland_status const status = get(call, &response);
  if (status != GARLAND_OK) return status;
  char text[64];
  snprintf(text, sizeof(text), "{\"status\":%d,\"bytes\":%llu}", response.status,
           (unsigned long long)response.body.len);
  return tell(call, text);
}

/* Each keeps something to do after the call, so that no frame is saved by a jump. */
NOINLINE static int store_link(int volatile* where) {
  *where = 1;
  return *where + 1;
}
NOINLINE static int unpack_links(char const* body) {
  int* const where = body[0] == 'x' ? (int*)8 : (int*)malloc(sizeof(int));
  return store_link(where) + 1;
}

/* Dies of an answer that begins with x. */
static garland_status unpack(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  garland_http_response response;
  garland_status const status = get(call, &response);
  if (status != GARLAND_OK) return status;
  char text[32];
  snprintf(text, sizeof(text), "%d", unpack_links((char const*)response.body.ptr));
  return tell(call, text);
}

typedef int (*handler)(int);
static handler volatile missing_handler;
NOINLINE static int call_handler(int value) { return missing_handler(value) + 1; }
static garland_status call_null(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  char text[32];
  snprintf(text, sizeof(text), "%d", call_handler(1));
  return tell(call, text);
}

NOINLINE static int read_behind(char const volatile* block, size_t size) { return block[size] + 1; }
static garland_status overflow(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  char* const block = malloc(16);
  memset(block, 0, 16);
  int const seen = read_behind(block, input.len > 2 ? 16 : 15);
  free(block);
  return tell(call, seen == 1 ? "1" : "2");
}

NOINLINE static int call_home(void) {
  int const wire = socket(AF_INET, SOCK_STREAM, 0);
  if (wire >= 0) close(wire);
  return wire;
}
NOINLINE static int read_accounts(void) {
  int const file = open("/etc/passwd", O_RDONLY);
  if (file >= 0) close(file);
  return file;
}
static garland_status pry(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  int open = 0;
  for (int i = 0; i < 3; ++i) open += call_home() >= 0;
  open += read_accounts() >= 0;
  return tell(call, open == 0 ? "{\"open\":0}" : "{\"open\":1}");
}

/* The C library blocks every signal around each of these. */
static void* nothing(void* unused) { return unused; }
NOINLINE static int start_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, nothing, NULL);
}
NOINLINE static int start_process(void) {
  pid_t const child = fork();
  if (child == 0) _exit(0);
  return child < 0 ? errno : 0;
}
NOINLINE static int start_shell(void) {
  char const* const volatile command = "exit 0";
  return WEXITSTATUS(system(command));
}
static garland_status start_things(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  sigset_t before, blocked, after;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  int const thread = start_thread(), process = start_process(), shell = start_shell();
  sigprocmask(SIG_SETMASK, &before, &after);
  char text[96];
  snprintf(text, sizeof(text), "{\"thread\":%d,\"process\":%d,\"shell\":%d,\"mask_kept\":%d}", thread,
           process, shell, sigismember(&after, SIGUSR1) && !sigismember(&before, SIGUSR1));
  return tell(call, text);
}

NOINLINE static unsigned count_forever(unsigned volatile* turn) {
  while (*turn < UINT_MAX) *turn |= 1;
  return *turn;
}
static garland_status spin(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  unsigned volatile turn = 0;
  return (garland_status)count_forever(&turn);
}

NOINLINE static void give_up(void) { abort(); }
static garland_status stop(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)call, (void)input;
  give_up();
  return GARLAND_OK;
}

struct operation {
  char const* id;
  garland_op run;
};
static struct operation const operations[] = {
    {"test.echo/1", echo},           {"test.fetch/1", fetch},       {"test.unpack/1", unpack},
    {"test.call_null/1", call_null}, {"test.overflow/1", overflow}, {"test.pry/1", pry},
    {"test.spin/1", spin},           {"test.stop/1", stop},         {"test.start/1", start_things},
};

static garland_op find_op(garland_str id) {
  for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); ++i)
    if (strlen(operations[i].id) == id.len && memcmp(operations[i].id, id.ptr, id.len) == 0)
      return operations[i].run;
  return NULL;
}

static garland_status open_instance(garland_call* call, garland_json account, garland_instance** out) {
  (void)call, (void)account;
  *out = &the_instance;
  return GARLAND_OK;
}
static void close_instance(garland_instance* self) { (void)self; }
static void shut_down(void) {}

garland_status garland_entry_v1(garland_host const* the_host, garland_plugin* plugin) {
  host = the_host;
  plugin->size = sizeof(*plugin);
  plugin->concurrency = GARLAND_SERIAL;
  plugin->id = TEXT(GARLAND_CONNECTOR_ID);
  plugin->version = TEXT(GARLAND_CONNECTOR_VERSION);
  plugin->find_op = find_op;
  plugin->open = open_instance;
  plugin->close = close_instance;
  plugin->shutdown = shut_down;
  return GARLAND_OK;
}
