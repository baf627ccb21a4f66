/* A connector that tries everything a connector must not do, from an operation and (AT_START) from a
 * static initialiser, and tells how each attempt ended: 0 if it succeeded, else errno. */
#define _GNU_SOURCE 1
#include "test_plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static int outcome(long answer) { return answer < 0 ? errno : 0; }

static int open_passwd(void) { return outcome(open("/etc/passwd", O_RDONLY)); }
static int open_environ(void) { return outcome(open("/proc/self/environ", O_RDONLY)); }
static int open_parent(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", (int)getppid());
  return outcome(open(path, O_RDONLY));
}
static int list_root(void) {
  char entries[1024];
  int const root = open("/", O_RDONLY | O_DIRECTORY);
  return outcome(root < 0 ? root : syscall(SYS_getdents64, root, entries, sizeof entries));
}
static int write_file(void) { return outcome(open("/tmp/garland-hostile", O_CREAT | O_WRONLY, 0600)); }
static int make_directory(void) { return outcome(mkdir("/tmp/garland-hostile", 0700)); }
static int unlink_file(void) { return outcome(unlink("/tmp/garland-hostile")); }
static int socket_inet(void) { return outcome(socket(AF_INET, SOCK_STREAM, 0)); }
static int socket_unix(void) { return outcome(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int connect_ipc(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/anything"};
  return outcome(connect(3, (struct sockaddr*)&address, sizeof address));
}
static int send_descriptor(void) {
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return outcome(sendmsg(3, &message, 0));
}
static int fork_process(void) {
  pid_t const child = fork();
  if (child == 0) _exit(0);
  return outcome(child);
}
static int clone_raw(void) {
  long const child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  return outcome(child);
}
static void* nothing(void* argument) { return argument; }
static int start_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, nothing, NULL);
}
static int exec_shell(void) {
  char* const arguments[] = {"sh", "-c", "exit 0", NULL};
  return outcome(execv("/bin/sh", arguments));
}
static int kill_parent(void) { return outcome(kill(getppid(), 0)); }
static int kill_all(void) { return outcome(kill(-1, 0)); }
static int stop_self(void) { return outcome(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP)); }
static int trace_parent(void) { return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)); }
static int read_parent(void) {
  char byte;
  struct iovec here = {&byte, 1};
  struct iovec there = {(void*)&host, 1};
  return outcome(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}
static int io_uring(void) { return outcome(syscall(425, 1, NULL)); }
static int bpf(void) { return outcome(syscall(SYS_bpf, 0, NULL, 0)); }
static int user_fault(void) { return outcome(syscall(SYS_userfaultfd, 0)); }
static int unshare_user(void) { return outcome(unshare(CLONE_NEWUSER)); }
static int mount_tmpfs(void) { return outcome(mount("tmpfs", "/tmp", "tmpfs", 0, NULL)); }
static int memory_file(void) { return outcome(memfd_create("x", 0)); }
static int shared_memory(void) { return outcome(shmget(IPC_PRIVATE, 4096, 0600)); }
static int become_root(void) { return outcome(setuid(0)); }
static int raise_limit(void) {
  struct rlimit const limit = {RLIM_INFINITY, RLIM_INFINITY};
  return outcome(setrlimit(RLIMIT_AS, &limit));
}
static int become_dumpable(void) { return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int stop_watchdog(void) {
  struct itimerval const never = {{0, 0}, {0, 0}};
  return outcome(setitimer(ITIMER_PROF, &never, NULL));
}
static int catch_signal(void) { return signal(SIGPROF, SIG_IGN) == SIG_ERR ? errno : 0; }
static int stat_passwd(void) {
  struct stat what;
  return outcome(stat("/etc/passwd", &what));
}
static int executable_memory(void) {
  void* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}
static int make_executable(void) {
  void* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int another_filter(void) { return outcome(syscall(SYS_seccomp, 1, 0, NULL)) == EFAULT ? 0 : errno; }

struct act {
  char const* name;
  int (*run)(void);
  int only_after_loading; /* a static initialiser may: the loader itself has to */
};
static const struct act acts[] = {
    {"open_passwd", open_passwd, 0},
    {"open_environ", open_environ, 0},
    {"open_parent", open_parent, 0},
    {"list_root", list_root, 0},
    {"write_file", write_file, 0},
    {"make_directory", make_directory, 0},
    {"unlink_file", unlink_file, 0},
    {"socket_inet", socket_inet, 0},
    {"socket_unix", socket_unix, 0},
    {"connect_ipc", connect_ipc, 0},
    {"send_descriptor", send_descriptor, 0},
    {"fork", fork_process, 0},
    {"clone", clone_raw, 0},
    {"thread", start_thread, 0},
    {"exec", exec_shell, 0},
    {"kill_parent", kill_parent, 0},
    {"kill_all", kill_all, 0},
    {"stop_self", stop_self, 0},
    {"trace_parent", trace_parent, 0},
    {"read_parent", read_parent, 0},
    {"io_uring", io_uring, 0},
    {"bpf", bpf, 0},
    {"user_fault", user_fault, 0},
    {"unshare", unshare_user, 0},
    {"mount", mount_tmpfs, 0},
    {"memory_file", memory_file, 0},
    {"shared_memory", shared_memory, 0},
    {"become_root", become_root, 0},
    {"raise_limit", raise_limit, 0},
    {"become_dumpable", become_dumpable, 0},
    {"stop_watchdog", stop_watchdog, 0},
    {"catch_signal", catch_signal, 0},
    {"executable_memory", executable_memory, 1},
    {"make_executable", make_executable, 1},
    {"another_filter", another_filter, 1},
    {"stat_passwd", stat_passwd, 0},
};
enum { kActs = sizeof acts / sizeof acts[0] };

static int at_start[kActs];

#ifdef AT_START
__attribute__((constructor)) static void start(void) {
  for (int i = 0; i < kActs; ++i) at_start[i] = acts[i].only_after_loading ? -1 : acts[i].run();
}
#endif

static garland_status tell(garland_call* call, const int* outcomes) {
  char text[2048] = "{";
  size_t used = 1;
  for (int i = 0; i < kActs; ++i)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\":%d", i == 0 ? "" : ",", acts[i].name,
                             outcomes[i]);
  snprintf(text + used, sizeof text - used, "}");
  return host->result(host->ctx, call, json(text));
}

static garland_status run_acts(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  int outcomes[kActs];
  for (int i = 0; i < kActs; ++i) outcomes[i] = acts[i].run();
  return tell(call, outcomes);
}

static garland_status tell_start(garland_instance* self, garland_call* call, garland_json input) {
  (void)self, (void)input;
  return tell(call, at_start);
}

static garland_status echo(garland_instance* self, garland_call* call, garland_json input) {
  (void)self;
  return host->result(host->ctx, call, input);
}

static garland_op find_op(garland_str id) {
  static const struct test_operation operations[] = {
      {"test.acts/1", run_acts}, {"test.at_start/1", tell_start}, {"test.echo/1", echo}};
  return find_in(operations, 3, id);
}

static garland_status open_instance(garland_call* call, garland_json account, garland_instance** instance) {
  (void)call, (void)account;
  *instance = (garland_instance*)1;
  return GARLAND_OK;
}

static void close_instance(garland_instance* self) { (void)self; }

garland_status garland_entry_v1(garland_host const* given, garland_plugin* plugin) {
  host = given;
  plugin->id = str("test.hostile");
  plugin->version = str("1.0.0");
  plugin->find_op = find_op;
  plugin->open = open_instance;
  plugin->close = close_instance;
  return GARLAND_OK;
}
