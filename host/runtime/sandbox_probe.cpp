// What this machine offers to sandboxes: found by closing one in a child process, never by asking versions.
#include "host/runtime/owned_fd.h"
#include "host/runtime/sandbox.h"
#include "host/runtime/sandbox_landlock.h"

#include <array>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::runtime {
namespace {

constexpr int kAnswer = 3;
constexpr unsigned kLongestTrial = 10; // seconds

// A worker inherits no descriptor above its own few, and the sandbox allows no more; nor may a trial that
// hangs hang the daemon.
void becomeLikeAWorker(int answer) {
  if (answer != kAnswer) ::dup2(answer, kAnswer);
  ::close_range(kAnswer + 1, ~0U, 0);
  ::alarm(kLongestTrial);
}

// In the child; the sandbox it closes ends with it.
std::string tryEverything() {
  // The daemon makes itself undumpable, and /proc/self of such a process is root's: an ordinary user could
  // not write its uid_map. A worker is started by exec, which undoes that; so must the trial.
  ::prctl(PR_SET_DUMPABLE, 1);
  json::object found;
  pid_t const grandchild = ::fork();
  if (grandchild == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  if (grandchild > 0) ::waitpid(grandchild, &status, 0);
  found["user_namespaces"] = status == 0;

  sandbox::Options options;
  options.allow_degraded = true;
  options.address_space = 0; // a copy of whoever asks has more than a worker begins with
  auto const closed = sandbox::close(options);
  found["seccomp"] = closed.has_value();
  json::array notes;
  if (closed) {
    found["tier"] = static_cast<int>(closed->tier);
    found["landlock"] = closed->landlock_abi > 0;
    found["private_root"] = closed->private_root;
    for (auto const& note : closed->notes) notes.emplace_back(note);
  } else {
    notes.emplace_back(closed.error().message);
  }
  found["notes"] = std::move(notes);
  return json::serialize(found);
}

std::string askChild() {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return {};
  OwnedFd const from(pipe[0]);
  OwnedFd to(pipe[1]);
  pid_t const child = ::fork();
  if (child == 0) {
    becomeLikeAWorker(to.get());
    auto const text = tryEverything();
    [[maybe_unused]] auto const written = ::write(kAnswer, text.data(), text.size());
    ::_exit(0);
  }
  to.reset();
  std::string text;
  std::array<char, 4096> bytes;
  for (ssize_t got = 0; child > 0 && (got = ::read(from.get(), bytes.data(), bytes.size())) > 0;)
    text.append(bytes.data(), static_cast<std::size_t>(got));
  if (child > 0) ::waitpid(child, nullptr, 0);
  return text;
}

} // namespace

SandboxStatus probeSandbox() {
  SandboxStatus status;
  status.running_as_root = ::geteuid() == 0;
  auto const found = parseJson(askChild());
  if (!found) {
    status.notes.emplace_back(
        "no sandbox could be tried (the trial process ended early); no plugin will be loaded");
    return status;
  }
  status.tier = static_cast<SandboxTier>(integerOr(*found, "/tier", static_cast<int>(SandboxTier::d)));
  status.landlock_abi = boolOr(*found, "/landlock", false) ? sandbox::landlockVersion() : 0;
  status.seccomp = boolOr(*found, "/seccomp", false);
  status.user_namespaces = boolOr(*found, "/user_namespaces", false);
  status.private_root = boolOr(*found, "/private_root", false);
  if (auto const* const notes = find(*found, "/notes"); notes != nullptr && notes->is_array())
    for (auto const& note : notes->as_array()) status.notes.emplace_back(note.as_string());
  if (status.running_as_root)
    status.notes.emplace_back(
        "garlandd runs as root; workers give that up, but the daemon itself is better run "
        "as an ordinary user");
  return status;
}

std::string_view name(SandboxTier tier) {
  switch (tier) {
  case SandboxTier::a: return "A";
  case SandboxTier::b: return "B";
  case SandboxTier::c: return "C";
  case SandboxTier::d: break;
  }
  return "D";
}

std::string_view coverage(SandboxTier tier) {
  switch (tier) {
  case SandboxTier::a:
    return "a plugin sees no file but system libraries, no network and no other process, and learns little "
           "else of the machine";
  case SandboxTier::b:
    return "a plugin sees no file's contents, no network and no other process, but can tell which paths "
           "exist";
  case SandboxTier::c:
    return "a plugin sees a private root with nothing but system libraries in it, no network and no other "
           "process";
  case SandboxTier::d: break;
  }
  return "system calls are filtered, but while it is loaded a plugin can read whatever the worker's user "
         "can; "
         "unless garlandd runs as root that includes master.key, api.key and garland.db, and so every stored "
         "credential, and the memory of this user's other programs (not of garlandd and of workers)";
}

json::value toJson(SandboxStatus const& status) {
  json::object out;
  out["tier"] = name(status.tier);
  out["coverage"] = coverage(status.tier);
  out["landlock_abi"] = status.landlock_abi;
  out["seccomp"] = status.seccomp;
  out["user_namespaces"] = status.user_namespaces;
  out["private_root"] = status.private_root;
  out["running_as_root"] = status.running_as_root;
  json::array notes;
  for (auto const& note : status.notes) notes.emplace_back(note);
  out["notes"] = std::move(notes);
  return out;
}

} // namespace garland::runtime
