// Reads this process's own memory as a core dump would show it, and looks for secrets in it.
#include "host/base/log.h"
#include "host/base/test_folder.h"
#include "host/vault/locked_memory.h"
#include "host/vault/vault.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

namespace garland::vault {
namespace {

// A random text that is not itself in memory: only its complement is.
class Masked {
public:
  explicit Masked(std::string_view text) {
    for (char const c : text) bytes_.push_back(static_cast<char>(~c));
  }
  // Where it stands first from `at` on, or nullptr.
  char const* find(char const* at, char const* end) const {
    // One byte of it tells nothing, and lets the library do the searching.
    while (end - at >= static_cast<std::ptrdiff_t>(bytes_.size()) &&
           (at = static_cast<char const*>(
                std::memchr(at, ~bytes_[0] & 0xff, static_cast<std::size_t>(end - at)))) != nullptr) {
      if (end - at >= static_cast<std::ptrdiff_t>(bytes_.size()) && matchesAt(at)) return at;
      ++at;
    }
    return nullptr;
  }
  std::size_t size() const { return bytes_.size(); }

private:
  bool matchesAt(char const* at) const {
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      if (static_cast<char>(~at[i]) != bytes_[i]) return false;
    return true;
  }
  std::vector<char> bytes_;
};

// How often the text stands in writable memory that a core dump would hold.
std::size_t copiesInMemory(Masked const& wanted) {
  constexpr std::uint64_t kLargest = 256U << 20U; // the sanitizers' shadow is larger than this
  int const memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  // The buffer would show up in its own search.
  static std::array<char, 1U << 16U> buffer;
  auto const own = reinterpret_cast<std::uint64_t>(buffer.data());
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) != 3 || mode[1] != 'w' ||
        to - from > kLargest)
      continue;
    // Windows overlap by one byte less than the text: it is found whole in exactly one of them.
    auto const step = buffer.size() - wanted.size() + 1;
    for (auto at = from; at < to; at += step) {
      auto const got = ::pread(memory, buffer.data(), std::min<std::size_t>(buffer.size(), to - at),
                               static_cast<off_t>(at));
      if (got <= 0) break;
      auto const* const end = buffer.data() + got;
      for (auto const* hit = wanted.find(buffer.data(), end); hit != nullptr; hit = wanted.find(hit + 1, end))
        if (at + static_cast<std::uint64_t>(hit - buffer.data()) - own >= buffer.size()) ++found;
    }
  }
  ::close(memory);
  wipe(buffer.data(), buffer.size());
  return found;
}

__attribute__((noinline)) Masked sealAndForget(Vault& vault, std::size_t size, std::string& sealed) {
  SystemRandom random;
  std::string text(size, '\0');
  text.reserve(64);
  random.fill(std::as_writable_bytes(std::span(text)));
  Masked masked(text);
  Secret const secret(std::move(text));
  sealed = *vault.seal(secret, "context");
  return masked;
}

TEST(MemoryOfTheVault, HoldsASecretOnlyWhileSomebodyHoldsIt) {
  TestFolder const folder;
  SystemRandom random;
  auto const vault = Vault::open(folder / "master.key", true, random).value();
  for (std::size_t const size : {12U, 64U, 4096U}) {
    std::string sealed;
    auto const masked = sealAndForget(*vault, size, sealed);
    EXPECT_EQ(copiesInMemory(masked), 0U) << size << " bytes, after sealing";
    {
      auto const opened = vault->open(sealed, "context");
      ASSERT_TRUE(opened);
      EXPECT_EQ(copiesInMemory(masked), 1U) << size << " bytes, while it is open";
    }
    EXPECT_EQ(copiesInMemory(masked), 0U) << size << " bytes, after it was closed";
    EXPECT_TRUE(vault->open(sealed, "elsewhere").has_error());
    EXPECT_EQ(copiesInMemory(masked), 0U) << size << " bytes, after a refusal";
  }
}

TEST(MemoryOfTheVault, HoldsTheMasterKeyOnceAtMostAndNotAfterwards) {
  TestFolder const folder;
  SystemRandom random;
  auto vault = Vault::open(folder / "master.key", true, random).value();
  std::array<char, 32> key{};
  int const file = ::open((folder / "master.key").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::read(file, key.data(), key.size()), 32);
  ::close(file);
  Masked const masked(std::string_view(key.data(), key.size()));
  wipe(key.data(), key.size());
  (void)vault->seal(Secret("hunter2"), "context");
  // One copy where the kernel has no memfd_secret(2), none where it has.
  EXPECT_LE(copiesInMemory(masked), 1U);
  vault.reset();
  EXPECT_EQ(copiesInMemory(masked), 0U);
}

// Known to what hides it in logs, and then not any more. Looked for is what stands behind `line`, which JSON
// may escape, as it does the lines of a private key.
__attribute__((noinline)) Masked hideAndForget(Redactor& redactor, std::string_view line, std::size_t size) {
  SystemRandom random;
  std::string text(line.size() + size, '\0');
  random.fill(std::as_writable_bytes(std::span(text)));
  for (char& c : text) c = static_cast<char>('a' + (c & 15)); // the same however it is written
  text.replace(0, line.size(), line);
  Masked masked(std::string_view(text).substr(line.size()));
  Secret const secret(std::move(text));
  redactor.add(secret.reveal());
  EXPECT_GT(copiesInMemory(masked), 1U) << "a search that would find none";
  redactor.remove(secret.reveal());
  return masked;
}

TEST(MemoryOfTheVault, HoldsNoSecretThatLogsNeedNotHideAnyMore) {
  Redactor redactor;
  for (auto const* line : {"", "\n"})
    for (std::size_t const size : {64U, 1'000U}) {
      auto const masked = hideAndForget(redactor, line, size);
      EXPECT_EQ(copiesInMemory(masked), 0U) << size << " bytes behind \"" << line << '"';
    }
}

TEST(LockedMemory, IsNotInheritedByAChild) {
  auto memory = LockedMemory::allocate(32).value();
  memory.bytes()[0] = std::byte{1};
  pid_t const child = ::fork();
  if (child == 0) {
    // The kernel answers EFAULT for an address that this child does not have.
    int pipes[2];
    if (::pipe(pipes) != 0) ::_exit(2);
    ::_exit(::write(pipes[1], memory.bytes().data(), 1) < 0 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(LockedMemory, IsLockedAndNotDumped) {
  auto const memory = LockedMemory::allocate(32).value();
  char start[32];
  std::snprintf(start, sizeof start, "%lx-", reinterpret_cast<unsigned long>(memory.bytes().data()));
  std::ifstream maps("/proc/self/smaps");
  std::string flags;
  bool secret = false;
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') != std::string::npos && line.find(':') > line.find(' '))
      here = line.starts_with(start);
    if (here && line.find("secretmem") != std::string::npos) secret = true;
    if (here && line.starts_with("VmFlags:")) flags = line + " ";
  }
  ASSERT_FALSE(flags.empty());
  EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
  EXPECT_TRUE(secret || flags.find(" dd ") != std::string::npos) << flags;
}

TEST(LockedMemory, LongerThanAPageIsRefused) {
  EXPECT_EQ(LockedMemory::allocate(1U << 20U).error().kind, ErrorKind::hostLimit);
}

} // namespace
} // namespace garland::vault
