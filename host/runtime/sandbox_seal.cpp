#include "host/runtime/sandbox_seal.h"

#include "host/runtime/owned_fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace garland::runtime::sandbox {
namespace {

constexpr std::size_t kBytes = kSealEnd - kSealAt;

Error failed(std::string_view what, int code) {
  return {ErrorKind::unsupported,
          "seccomp: " + std::string(what) + ": " + std::strerror(code) + "; no plugin is loaded without it"};
}

// The program's instructions, which libseccomp writes to descriptors only.
Result<std::string> programOf(void* filter) {
  std::array<int, 2> pair{};
  if (::pipe(pair.data()) != 0) return failed("no pipe for the second filter", errno);
  OwnedFd const from(pair[0]);
  OwnedFd to(pair[1]);
  if (int const code = ::seccomp_export_bpf(filter, to.get()); code != 0)
    return failed("the second filter could not be made", -code);
  to.reset();
  std::string program(kBytes, '\0');
  auto const got = ::read(from.get(), program.data(), program.size());
  if (got <= 0 || static_cast<std::size_t>(got) > kBytes - sizeof(sock_fprog))
    return failed("the second filter is empty or too long", E2BIG);
  program.resize(static_cast<std::size_t>(got));
  return program;
}

} // namespace

Result<void> keepSeal(void* filter) {
  TRY(program, programOf(filter));
  auto* const wanted = reinterpret_cast<void*>(kSealAt);
  void* const place = ::mmap(wanted, kBytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (place != wanted) return failed("no room for the second filter", place == MAP_FAILED ? errno : EEXIST);
  auto* const instructions = static_cast<char*>(place) + sizeof(sock_fprog);
  std::ranges::copy(program, instructions); // bytes, not text
  sock_fprog header{};
  header.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
  header.filter = reinterpret_cast<sock_filter*>(instructions);
  std::memcpy(place, &header, sizeof header);
  if (::mprotect(place, kBytes, PROT_READ) != 0) return failed("protecting the second filter", errno);
  return {};
}

Result<void> putUpSeal() {
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, kSealAt) != 0)
    return failed("the second filter was refused", errno);
  return {};
}

} // namespace garland::runtime::sandbox
