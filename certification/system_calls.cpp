#include "certification/system_calls.h"

#include <algorithm>
#include <ranges>

namespace garland::certification {
namespace {

struct Row {
  std::string_view symbols; // words; "*" at the end of one: whatever begins so
  std::string_view calls;
};

constexpr Row kRows[] = {
    {"malloc calloc realloc free aligned_alloc posix_memalign memalign valloc _Znwm _Znam "
     "_ZnwmSt11align_val_t "
     "_ZnamSt11align_val_t strdup strndup asprintf vasprintf __asprintf_chk",
     "brk mmap mremap munmap madvise"},
    {"printf fprintf vprintf vfprintf puts fputs fputc putc putchar fwrite fflush perror __printf_chk "
     "__fprintf_chk __vprintf_chk __vfprintf_chk write",
     "write"},
    {"fread fgets fgetc getc read", "read"},
    {"pread pread64", "pread64"},
    {"fopen fopen64 freopen open open64 openat creat opendir fdopendir", "openat"},
    {"readdir readdir64 scandir", "getdents64"},
    {"stat lstat fstat fstatat stat64 lstat64 fstat64", "newfstatat"},
    {"access faccessat", "faccessat"},
    {"unlink remove unlinkat", "unlinkat"},
    {"rename renameat", "renameat"},
    {"mkdir mkdirat", "mkdirat"},
    {"realpath readlink readlinkat", "readlink"},
    {"time clock_gettime gettimeofday", "clock_gettime"},
    {"nanosleep usleep sleep clock_nanosleep", "clock_nanosleep"},
    {"arc4random arc4random_buf arc4random_uniform getrandom getentropy", "getrandom"},
    {"pthread_mutex_lock pthread_mutex_unlock pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_cond_wait "
     "pthread_cond_timedwait sem_wait sem_post pthread_once __cxa_guard_acquire",
     "futex"},
    {"pthread_create _ZNSt6thread* thrd_create", "clone3"},
    {"fork vfork posix_spawn posix_spawnp system popen", "clone"},
    {"execve execv execvp execl execlp execle fexecve", "execve"},
    {"socket", "socket"},
    {"connect", "connect"},
    {"bind", "bind"},
    {"listen", "listen"},
    {"accept accept4", "accept4"},
    {"send sendto sendmsg", "sendto"},
    {"recv recvfrom recvmsg", "recvfrom"},
    {"getaddrinfo gethostbyname gethostbyname_r getnameinfo", "socket connect sendto recvfrom openat"},
    {"kill raise pthread_kill", "tgkill"},
    {"abort __assert_fail __stack_chk_fail", "tgkill rt_sigprocmask"},
    {"signal sigaction", "rt_sigaction"},
    {"sigprocmask pthread_sigmask", "rt_sigprocmask"},
    {"poll ppoll", "poll"},
    {"select epoll_create epoll_create1 epoll_wait epoll_ctl", "epoll_wait"},
    {"mmap mmap64 munmap", "mmap munmap"},
    {"mprotect", "mprotect"},
    {"dlopen dlmopen", "openat mmap"},
    {"ptrace", "ptrace"},
    {"prctl", "prctl"},
    {"syscall", "any"},
    {"ioctl", "ioctl"},
    {"getpid", "getpid"},
    {"getuid geteuid getpwuid getpwnam", "getuid"},
    {"uname gethostname", "uname"},
    {"exit _exit quick_exit _Exit", "exit_group"},
};

constexpr std::string_view kAllowed =
    "brk mmap mremap munmap madvise mprotect write read pread64 newfstatat clock_gettime clock_nanosleep "
    "getrandom futex tgkill rt_sigprocmask poll getpid getuid uname exit_group";

bool stands(std::string_view words, std::string_view symbol) {
  return std::ranges::any_of(words | std::views::split(' '), [&](auto const& part) {
    std::string_view const word(part.begin(), part.end());
    return word.ends_with('*') ? symbol.starts_with(word.substr(0, word.size() - 1)) : word == symbol;
  });
}

} // namespace

std::vector<std::string> systemCallsBehind(std::string_view symbol) {
  std::vector<std::string> out;
  for (auto const& row : kRows) {
    if (!stands(row.symbols, symbol)) continue;
    for (auto const part : row.calls | std::views::split(' ')) out.emplace_back(part.begin(), part.end());
  }
  return out;
}

bool profileAllows(std::string_view system_call) { return stands(kAllowed, system_call); }

} // namespace garland::certification
