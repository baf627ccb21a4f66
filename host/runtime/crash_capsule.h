// What is kept of a worker's death by a plugin's fault: enough to see where it died, and to let it die again
// (`garland dev replay`). A report is a value; CapsuleFolder keeps the last ones as files.
//
// A capsule holds a vendor's data: the call's input and what providers answered. Known secrets are scrubbed,
// the file is readable by garlandd's user only, and old ones go.
#pragma once

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/runtime/stack_trace.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace garland::runtime {

// Something the plugin asked of the host, and the answer if it came.
struct HostCall {
  std::string call;                                         // "http", "kv_get", "kv_put", "checkpoint"
  std::string method;                                       // of http
  std::string url;                                          // of http
  std::string key;                                          // of kv_*
  int status = 0;                                           // of http; 0: no answer
  std::vector<std::pair<std::string, std::string>> headers; // of the answer
  std::string body;                                         // of the answer, or the value of kv_get
  bool body_kept = true;                                    // false: it was too large to keep
  std::optional<Error> error;                               // instead of an answer
  bool answered = true;                                     // false: the plugin died before
};

struct CrashReport {
  std::string plugin_id;
  std::string plugin_version;
  std::string plugin_path;
  std::string digest;    // SHA-256 of the shared object
  std::string build_id;  // what the plugin calls its build, else its object's own; may be empty
  std::string operation; // empty: it died outside of a call (loading, shutting down)
  std::string account_id;
  json::value account; // as the plugin was opened with it; no secrets
  json::value input;
  std::string how;                  // "was killed by SIGSEGV (SIGSEGV) while calendar.pull/1 of ... ran"
  std::vector<StackFrame> stack;    // innermost first; empty if it was ended from outside
  std::vector<HostCall> host_calls; // oldest first
  std::uint64_t emitted = 0;        // records
  std::uint64_t checkpoints = 0;
  TimePoint at{};

  // "was killed by SIGSEGV ... in dav::pull+1f"
  std::string summary() const;
};

using CrashSink = std::function<void(CrashReport report)>;

json::value toJson(CrashReport const& report);
// What toJson wrote; invalidInput with the place otherwise. The file may have been edited by hand.
Result<CrashReport> parseCapsule(std::string_view text);
// The list "host_calls" of a capsule, or of a file that holds just that.
Result<std::vector<HostCall>> parseHostCalls(json::value const& document);

// Whether these are the bytes of the build that died.
bool isBuildOf(CrashReport const& report, std::string_view plugin);

struct CapsuleNote {
  std::string path;
  std::string at;      // RFC 3339
  std::string summary; // one sentence
};

// [loop thread] Blocks on the disk, briefly; a full disk loses a capsule, never a call.
class CapsuleFolder {
public:
  static constexpr std::size_t kKept = 20;            // of each build of a plugin
  static constexpr std::size_t kKeptInAll = 200;      // of all builds, so at most 400 MiB
  static constexpr std::size_t kMaxBytes = 2U << 20U; // of one capsule: then bodies are left out

  // `redactor` must outlive it. The folder is made when it is needed.
  CapsuleFolder(std::string folder, Redactor const& redactor)
      : folder_(std::move(folder)), redactor_(redactor) {}

  // Writes <folder>/<digest, 16 digits>-<n>.json, 0600, and removes the oldest above either limit. Its path.
  Result<std::string> keep(CrashReport const& report) const;
  // The newest of a build of a plugin; nullopt if there is none.
  std::optional<CapsuleNote> newest(std::string_view digest) const;

private:
  std::vector<std::pair<std::uint64_t, std::string>> numbered(std::string_view digest) const;
  void removeOldestOfAll() const;

  std::string folder_;
  Redactor const& redactor_;
};

} // namespace garland::runtime
