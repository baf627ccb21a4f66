// What garlandd and garland-worker say to each other over the stream socket (fd 3 of the worker).
//
// A message is one or more frames; a frame is a 16-byte header and at most 64 KiB of payload. A longer
// payload travels as several frames with the flag `more` on all but the last; the frames of one message
// follow each other with nothing in between. Little-endian, both ends are of the same build.
// Neither end trusts the other: every length is checked before it is used, and a message that does not
// decode exactly ends the connection. Nothing here does I/O or knows about fibers or Asio.
#pragma once

#include "host/base/result.h"

#include <boost/describe/class.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::runtime::wire {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 16;        // u32 len, u16 kind, u16 flags, u64 id
inline constexpr std::size_t kMaxFrame = 64U << 10U;   // payload bytes of one frame
inline constexpr std::size_t kMaxMessage = 32U << 20U; // payload bytes of one message
inline constexpr std::uint16_t kMore = 1;              // header flag; every other bit must be 0

// The header's `id` is the call's id, chosen by the host and never 0; it is 0 for messages that belong to
// no call. A question of the worker carries its own `request` number, counted up per call; the answer
// repeats it. An answer to an unknown call or request is ignored by the worker (it came too late); a
// question for an unknown call is a violation to the host.
//
//  kind          id    payload        meaning
//  ------------  ----  -------------  -----------------------------------------------------------------
//  host -> worker
//  config        0     Config         limits; must come before the first call (right after spawn is fine)
//  call          call  Call           run one operation
//  httpAnswer    call  HttpAnswer     to httpAsk
//  kvAnswer      call  KvAnswer       to kvGet
//  ack           call  Ack            to kvPut and checkpoint
//  emitCredit    call  EmitCredit     the host took `records` emitted records, oldest first, or refused
//  cancel        call  (empty)        the plugin sees cancelled(); whatever it waits for ends
//  shutdown      0     (empty)        end running calls, close instances, exit 0; no call may follow
//  exportState   call  ExportState    answered by done: what an instance wants to hand to a newer version
//  worker -> host
//  closed        0     Closed         the first message and sent once, before plugin code exists: nobody can
//                                     forge it, and the host believes a sandbox tier from nowhere else
//  hello         0     Hello          the plugin is loaded, calls are welcome; plugin code may write it
//  loadFailed    0     LoadFailed     instead of hello (or of closed); the worker exits with kExitLoadFailed
//  httpAsk       call  HttpAsk        answered by httpAnswer
//  kvGet         call  KvGet          answered by kvAnswer
//  kvPut         call  KvPut          answered by ack
//  emit          call  Emit           one record; at most the window of unacknowledged ones (Config)
//  checkpoint    call  Checkpoint     answered by ack, after everything emitted before it is durable
//  log           call* Log            a line of the plugin (*0 outside a call)
//  progress      call  Progress       newest wins
//  done          call  Done           the call is over; nothing else follows for this id
//  dying         call* Dying          sent from a signal handler: which call was running; then it dies
//  stack         call* Stack          after dying, if the stack could be walked: where the plugin was
//  refused       call* Refused        only in audit mode: a system call that the sandbox answered with an
//  error
enum class Kind : std::uint16_t {
  config = 1,
  call = 2,
  httpAnswer = 3,
  kvAnswer = 4,
  ack = 5,
  emitCredit = 6,
  cancel = 7,
  shutdown = 8,
  exportState = 9,

  hello = 65,
  loadFailed = 66,
  httpAsk = 67,
  kvGet = 68,
  kvPut = 69,
  emit = 70,
  checkpoint = 71,
  log = 72,
  progress = 73,
  done = 74,
  dying = 75,
  closed = 76,
  stack = 77,
  refused = 78,
};

enum class Direction { hostToWorker, workerToHost };
bool goes(Kind kind, Direction direction);
std::string_view name(Kind kind);

// How the worker process ends when it ends by itself. A signal means that plugin code crashed.
inline constexpr int kExitOk = 0;          // shutdown, or the host closed the socket
inline constexpr int kExitUsage = 64;      // bad command line or missing descriptors
inline constexpr int kExitProtocol = 65;   // the host sent something that does not decode
inline constexpr int kExitSandbox = 66;    // the sandbox could not be closed (a loadFailed says why)
inline constexpr int kExitLoadFailed = 67; // loadFailed was sent
inline constexpr int kExitWatchdog = 68;   // a fiber kept the processor for too long; dying was sent
inline constexpr int kExitMemory = 69;     // out of memory outside of any plugin code

// ---------------------------------------------------------------- host -> worker

struct Config {
  std::uint32_t version = kVersion;
  std::uint32_t emit_window_records = 64;      // unacknowledged records of one call
  std::uint64_t emit_window_bytes = 1U << 20U; // the same in bytes; one larger record may go alone
  std::uint64_t arena_limit = 64U << 20U;      // bytes that one call may hold in its arena
  std::uint64_t max_record = 4U << 20U;        // bytes of one emitted record, cursor or result
  std::uint32_t max_calls = 256;               // fibers; a call above it is answered host_limit
  std::uint32_t slice_ms = 200;                // processor time that a call may hold without giving way
};

struct Call {
  std::string operation;        // "calendar.pull/1"
  std::string account_id;       // one plugin instance each
  std::string account;          // JSON: {"account_id","settings","slots"}
  std::string input;            // JSON
  std::int64_t deadline_ms = 0; // from now
  std::string state;            // JSON that an older version exported, to be imported first; empty: none
};

struct ExportState {
  std::string account_id;
  std::int64_t deadline_ms = 0; // from now
};

struct HttpAnswer {
  std::uint32_t request = 0;
  std::optional<Error> error; // if set, the rest is empty but for waited_ms
  std::int32_t status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::int64_t retry_after_ms = -1; // -1: absent
  std::int32_t effect = 0;          // garland::Effect
  std::int64_t waited_ms = 0;       // for the provider's limit: the call's deadline is later by so much
};

struct KvAnswer {
  std::uint32_t request = 0;
  std::optional<Error> error; // notFound if there is no such key
  std::string value;
  std::uint64_t version = 0;
};

struct Ack {
  std::uint32_t request = 0;
  std::optional<Error> error;
};

struct EmitCredit {
  std::uint32_t records = 0;
  std::optional<Error> error; // from now on every emit and checkpoint of this call answers it
};

// ---------------------------------------------------------------- worker -> host

struct Closed {
  std::uint8_t tier = 3;          // SandboxTier that was reached: 0 = A ... 3 = D
  std::vector<std::string> notes; // what the sandbox lacks, one sentence each
};

struct Hello {
  std::uint32_t version = kVersion;
  std::uint16_t abi_major = 0;
  std::uint16_t abi_minor = 0;
  std::string plugin_id;
  std::string plugin_version;
  std::string build_id;
  std::int32_t concurrency = 0; // garland_concurrency
};

struct LoadFailed {
  std::string stage;  // "sandbox" (could not be closed), "tier" (not allowed), "load", "symbol", "entry"
  std::string reason; // one sentence
};

struct HttpAsk {
  std::uint32_t request = 0;
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string credential_slot;
  std::string idempotency_key;
  std::int64_t timeout_ms = 0;
  std::uint64_t max_body = 0;
};

struct KvGet {
  std::uint32_t request = 0;
  std::string key;
};

struct KvPut {
  std::uint32_t request = 0;
  std::string key;
  std::string value;
  std::uint64_t if_version = 0;
  std::int64_t ttl_ms = 0;
};

struct Emit {
  std::string kind;
  std::string record; // one valid JSON document: the worker checked, the host checks again
};

struct Checkpoint {
  std::uint32_t request = 0;
  std::string cursor; // JSON
};

struct Log {
  std::int32_t level = 1; // garland::LogLevel
  std::string message;
  std::string fields; // a JSON object, or empty
};

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string what;
};

struct Done {
  std::string result; // JSON; empty if the operation gave none or failed
  std::optional<Error> error;
};

struct Dying {
  std::string reason;    // "SIGSEGV", "SIGSEGV on the stack's guard page", "watchdog", ...
  std::string operation; // "calendar.pull/1"; empty outside a call
};

struct Stack {
  std::string frames; // lines as in worker_backtrace.h, innermost first
};

struct Refused {
  std::int64_t number = 0;              // of the system call
  std::vector<std::uint64_t> arguments; // all six registers
  std::int32_t answer = 0;              // errno
  std::string path;                     // the one it names, if it names one
  std::string frames;                   // as in Stack
};

BOOST_DESCRIBE_STRUCT(Config, (),
                      (version, emit_window_records, emit_window_bytes, arena_limit, max_record, max_calls,
                       slice_ms))
BOOST_DESCRIBE_STRUCT(Call, (), (operation, account_id, account, input, deadline_ms, state))
BOOST_DESCRIBE_STRUCT(ExportState, (), (account_id, deadline_ms))
BOOST_DESCRIBE_STRUCT(HttpAnswer, (),
                      (request, error, status, headers, body, retry_after_ms, effect, waited_ms))
BOOST_DESCRIBE_STRUCT(KvAnswer, (), (request, error, value, version))
BOOST_DESCRIBE_STRUCT(Ack, (), (request, error))
BOOST_DESCRIBE_STRUCT(EmitCredit, (), (records, error))
BOOST_DESCRIBE_STRUCT(Closed, (), (tier, notes))
BOOST_DESCRIBE_STRUCT(Hello, (),
                      (version, abi_major, abi_minor, plugin_id, plugin_version, build_id, concurrency))
BOOST_DESCRIBE_STRUCT(LoadFailed, (), (stage, reason))
BOOST_DESCRIBE_STRUCT(HttpAsk, (),
                      (request, method, url, headers, body, credential_slot, idempotency_key, timeout_ms,
                       max_body))
BOOST_DESCRIBE_STRUCT(KvGet, (), (request, key))
BOOST_DESCRIBE_STRUCT(KvPut, (), (request, key, value, if_version, ttl_ms))
BOOST_DESCRIBE_STRUCT(Emit, (), (kind, record))
BOOST_DESCRIBE_STRUCT(Checkpoint, (), (request, cursor))
BOOST_DESCRIBE_STRUCT(Log, (), (level, message, fields))
BOOST_DESCRIBE_STRUCT(Progress, (), (done, total, what))
BOOST_DESCRIBE_STRUCT(Done, (), (result, error))
BOOST_DESCRIBE_STRUCT(Dying, (), (reason, operation))
BOOST_DESCRIBE_STRUCT(Stack, (), (frames))
BOOST_DESCRIBE_STRUCT(Refused, (), (number, arguments, answer, path, frames))

// ---------------------------------------------------------------- payloads

// Members in the order above. Integers as they are; text as u32 length and bytes; a list as u32 count and
// its items; an optional as one byte 0 or 1 and the value; an Error as kind, effect, http_status (i32),
// retry_after_ms (i64, -1 absent), message, user_message, field, provider_code, detail (JSON or empty).
// Both are instantiated for every struct above.
template <class Payload> std::string encode(Payload const& payload);
// The whole text must be exactly one payload; providerBug "..." otherwise. Never reads outside `text`, and
// allocates no more than a small multiple of its size.
template <class Payload> Result<Payload> decode(std::string_view text);

// ---------------------------------------------------------------- frames

struct Message {
  Kind kind{};
  std::uint64_t id = 0;
  std::string_view payload; // lies in the Decoder that gave it, until that is asked for anything else
};

// Appends the frames of one message to `out`. The payload must not be longer than kMaxMessage.
void appendMessage(std::string& out, Kind kind, std::uint64_t id, std::string_view payload);
// The same for a struct; instantiated like encode(). The payload is copied once, however long it is.
template <class Payload> void append(std::string& out, Kind kind, std::uint64_t id, Payload const& payload);

// Takes bytes as they arrive and gives whole messages. After an error it gives nothing more.
class Decoder {
public:
  explicit Decoder(Direction expected) : expected_(expected) {}

  // Where bytes may be read to, kRoom or more; filled() tells how many there are. Room stays small as long as
  // every message is taken before the next bytes come.
  static constexpr std::size_t kRoom = 64U << 10U;
  std::span<char> room() { return room(kRoom); }
  void filled(std::size_t bytes);
  // Both in one, for bytes that lie somewhere else.
  void feed(std::string_view bytes);
  // A message, nullopt if more bytes are needed, or what is wrong with the stream.
  Result<std::optional<Message>> next();
  // Bytes held back, to bound what one worker may cost.
  std::size_t buffered() const { return end_ - begin_ + parts_.size(); }

private:
  struct Header;

  std::span<char> room(std::size_t least);
  Result<void> check(Header const& header);
  void dropParts();
  Error fail(std::string what);

  Direction expected_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0; // of the bytes that were not taken yet
  std::size_t end_ = 0;
  std::string parts_; // payload of a message of several frames
  Kind kind_{};       // of that message
  std::uint64_t id_ = 0;
  bool in_message_ = false;
  std::optional<Error> broken_;
};

// ---------------------------------------------------------------- flight page

// One page of shared memory (memfd, fd 4 of the worker; optional), written by the worker only. It tells the
// host which call held the processor when the worker was killed from outside. The host reads it as a
// hint: it believes a call id only if that call is in flight.
struct FlightPage {
  std::atomic<std::uint64_t> slices;  // counts up whenever a fiber gets the processor
  std::atomic<std::uint64_t> call_id; // 0: no plugin code runs
};
inline constexpr std::size_t kFlightPageBytes = 4096;

// Descriptor 6 of a worker that is started with --clock-page: the time that its plugin sees.
struct ClockPage {
  std::atomic<std::int64_t> now_ms; // since 1970; moved on by the host, and by plugins that sleep
};
inline constexpr std::size_t kClockPageBytes = 4096;
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

} // namespace garland::runtime::wire
