#include "host/runtime/wire.h"

#include "host/base/json.h"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace garland::runtime::wire {
namespace {

// Length counts of lists are checked against the bytes that are left: each item takes at least this many.
constexpr std::size_t kLeastItemBytes = 4;
constexpr std::size_t kKeptParts = 256U << 10U; // of a message that was taken; more is given back

// Payload bytes of one message of a kind: what an honest sender needs, and some room.
std::size_t longest(Kind kind) {
  switch (kind) {
  case Kind::emit:
  case Kind::checkpoint:
  case Kind::kvPut:
  case Kind::done: return 2 * Config().max_record; // one document of the plugin, or a value
  case Kind::log: return 128U << 10U;              // 8 KiB of text, 64 KiB of fields
  case Kind::hello:
  case Kind::loadFailed:
  case Kind::closed:
  case Kind::kvGet:
  case Kind::progress:
  case Kind::dying:
  case Kind::stack:
  case Kind::refused: return kMaxFrame;
  default: return kMaxMessage; // bodies of HTTP, and what the host says
  }
}

// Counts what a payload takes.
class Size {
public:
  void append(char const*, std::size_t size) { bytes += size; }
  std::size_t bytes = 0;
};

// Gives the bytes of a payload, in order, to something with append().
template <class Out> class Writer {
public:
  explicit Writer(Out& out) : out_(out) {}

  template <class Integer>
    requires std::is_integral_v<Integer>
  void put(Integer value) {
    std::array<char, sizeof(Integer)> bytes;
    std::memcpy(bytes.data(), &value, sizeof(Integer));
    out_.append(bytes.data(), bytes.size());
  }
  void put(std::string const& text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_.append(text.data(), text.size());
  }
  void put(std::pair<std::string, std::string> const& item) {
    put(item.first);
    put(item.second);
  }
  template <class Item> void put(std::vector<Item> const& items) {
    put(static_cast<std::uint32_t>(items.size()));
    for (auto const& item : items) put(item);
  }
  void put(std::optional<Error> const& error) {
    put(static_cast<std::uint8_t>(error.has_value()));
    if (error) put(*error);
  }
  void put(Error const& error) {
    put(static_cast<std::int32_t>(error.kind));
    put(static_cast<std::int32_t>(error.effect));
    put(static_cast<std::int32_t>(error.http_status));
    put(error.retry_after ? static_cast<std::int64_t>(error.retry_after->count()) : std::int64_t{-1});
    put(error.message);
    put(error.user_message);
    put(error.field);
    put(error.provider_code);
    put(error.detail.is_null() ? std::string() : json::serialize(error.detail));
  }

private:
  Out& out_;
};

// Every read checks what is left; after the first failure everything reads as empty.
class Reader {
public:
  explicit Reader(std::string_view text) : left_(text) {}

  template <class Integer>
    requires std::is_integral_v<Integer>
  void get(Integer& value) {
    value = 0;
    if (!need(sizeof(Integer))) return;
    std::copy_n(left_.begin(), sizeof(Integer), reinterpret_cast<char*>(&value));
    left_.remove_prefix(sizeof(Integer));
  }
  void get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    if (!need(size)) return;
    text = left_.substr(0, size);
    left_.remove_prefix(size);
  }
  void get(std::pair<std::string, std::string>& item) {
    get(item.first);
    get(item.second);
  }
  template <class Item> void get(std::vector<Item>& items) {
    std::uint32_t count = 0;
    get(count);
    if (count > left_.size() / kLeastItemBytes) return fail("a list is longer than its message");
    for (std::uint32_t i = 0; i < count && problem_.empty(); ++i) get(items.emplace_back());
  }
  void get(std::optional<Error>& error) {
    std::uint8_t present = 0;
    get(present);
    if (present > 1) return fail("an optional value is marked neither present nor absent");
    if (present == 1) get(error.emplace());
  }
  void get(Error& error) {
    std::int32_t kind = 0;
    std::int32_t effect = 0;
    std::int32_t http_status = 0;
    std::int64_t retry_after = 0;
    std::string detail;
    get(kind);
    get(effect);
    get(http_status);
    get(retry_after);
    get(error.message);
    get(error.user_message);
    get(error.field);
    get(error.provider_code);
    get(detail);
    // ABI rule E5: numbers that this build does not know read as provider_bug and unknown.
    error.kind = kind >= 1 && kind <= 14 ? static_cast<ErrorKind>(kind) : ErrorKind::providerBug;
    error.effect = effect >= 0 && effect <= 2 ? static_cast<Effect>(effect) : Effect::unknown;
    error.http_status = http_status;
    if (retry_after >= 0) error.retry_after = std::chrono::milliseconds(retry_after);
    if (!detail.empty()) readDetail(detail, error);
  }

  Result<void> finish() {
    if (problem_.empty() && !left_.empty()) fail("there are bytes after its end");
    if (problem_.empty()) return {};
    return Error(ErrorKind::providerBug, "a message does not decode: " + problem_);
  }

private:
  void readDetail(std::string const& text, Error& error) {
    auto parsed = parseJson(text);
    if (!parsed) return fail("an error's detail is not JSON");
    error.detail = std::move(*parsed);
  }
  bool need(std::size_t bytes) {
    if (problem_.empty() && bytes > left_.size()) fail("it ends too early");
    return problem_.empty();
  }
  void fail(char const* what) {
    if (problem_.empty()) problem_ = what;
    left_ = {};
  }

  std::string_view left_;
  std::string problem_;
};

template <class Payload>
using Members = boost::describe::describe_members<Payload, boost::describe::mod_public>;

std::string_view nameOfKnown(Kind kind) {
  switch (kind) {
  case Kind::config: return "config";
  case Kind::call: return "call";
  case Kind::httpAnswer: return "httpAnswer";
  case Kind::kvAnswer: return "kvAnswer";
  case Kind::ack: return "ack";
  case Kind::emitCredit: return "emitCredit";
  case Kind::cancel: return "cancel";
  case Kind::shutdown: return "shutdown";
  case Kind::exportState: return "exportState";
  case Kind::hello: return "hello";
  case Kind::loadFailed: return "loadFailed";
  case Kind::httpAsk: return "httpAsk";
  case Kind::kvGet: return "kvGet";
  case Kind::kvPut: return "kvPut";
  case Kind::emit: return "emit";
  case Kind::checkpoint: return "checkpoint";
  case Kind::log: return "log";
  case Kind::progress: return "progress";
  case Kind::done: return "done";
  case Kind::dying: return "dying";
  case Kind::closed: return "closed";
  case Kind::stack: return "stack";
  case Kind::refused: return "refused";
  }
  return {};
}

template <class Out, class Payload> void write(Out& out, Payload const& payload) {
  Writer<Out> writer(out);
  boost::mp11::mp_for_each<Members<Payload>>([&](auto member) { writer.put(payload.*member.pointer); });
}

template <class Payload> std::size_t sizeOf(Payload const& payload) {
  Size size;
  write(size, payload);
  return size.bytes;
}

// Cuts a payload of known size, given piece by piece, into frames.
class Frames {
public:
  Frames(std::string& out, Kind kind, std::uint64_t id, std::size_t payload)
      : out_(out), kind_(kind), id_(id), left_(payload) {
    out.reserve(out.size() + payload + (1 + payload / kMaxFrame) * kHeaderBytes);
    begin();
  }
  void append(char const* bytes, std::size_t size) {
    while (size > 0) {
      if (room_ == 0) begin();
      auto const part = std::min(size, room_);
      out_.append(bytes, part);
      room_ -= part;
      bytes += part;
      size -= part;
    }
  }

private:
  void begin() {
    room_ = std::min(left_, kMaxFrame);
    left_ -= room_;
    Writer<std::string> header(out_); // as Decoder::Header has them
    header.put(static_cast<std::uint32_t>(room_));
    header.put(static_cast<std::uint16_t>(kind_));
    header.put(left_ > 0 ? kMore : std::uint16_t{0});
    header.put(id_);
  }

  std::string& out_;
  Kind kind_;
  std::uint64_t id_;
  std::size_t left_;     // of the payload, for further frames
  std::size_t room_ = 0; // in this frame
};

} // namespace

bool goes(Kind kind, Direction direction) {
  auto const number = static_cast<std::uint16_t>(kind);
  if (nameOfKnown(kind).empty()) return false;
  return (direction == Direction::hostToWorker) == (number < 64);
}

std::string_view name(Kind kind) {
  auto const known = nameOfKnown(kind);
  return known.empty() ? "unknown" : known;
}

template <class Payload> std::string encode(Payload const& payload) {
  std::string out;
  out.reserve(sizeOf(payload));
  write(out, payload);
  return out;
}

template <class Payload> void append(std::string& out, Kind kind, std::uint64_t id, Payload const& payload) {
  Frames frames(out, kind, id, sizeOf(payload));
  write(frames, payload);
}

template <class Payload> Result<Payload> decode(std::string_view text) {
  Payload payload;
  Reader reader(text);
  boost::mp11::mp_for_each<Members<Payload>>([&](auto member) { reader.get(payload.*member.pointer); });
  TRY_VOID(reader.finish());
  return payload;
}

#define GARLAND_WIRE_PAYLOAD(Type)                                                                           \
  template std::string encode<Type>(Type const&);                                                            \
  template void append<Type>(std::string&, Kind, std::uint64_t, Type const&);                                \
  template Result<Type> decode<Type>(std::string_view);
GARLAND_WIRE_PAYLOAD(Config)
GARLAND_WIRE_PAYLOAD(Call)
GARLAND_WIRE_PAYLOAD(ExportState)
GARLAND_WIRE_PAYLOAD(HttpAnswer)
GARLAND_WIRE_PAYLOAD(KvAnswer)
GARLAND_WIRE_PAYLOAD(Ack)
GARLAND_WIRE_PAYLOAD(EmitCredit)
GARLAND_WIRE_PAYLOAD(Closed)
GARLAND_WIRE_PAYLOAD(Hello)
GARLAND_WIRE_PAYLOAD(LoadFailed)
GARLAND_WIRE_PAYLOAD(HttpAsk)
GARLAND_WIRE_PAYLOAD(KvGet)
GARLAND_WIRE_PAYLOAD(KvPut)
GARLAND_WIRE_PAYLOAD(Emit)
GARLAND_WIRE_PAYLOAD(Checkpoint)
GARLAND_WIRE_PAYLOAD(Log)
GARLAND_WIRE_PAYLOAD(Progress)
GARLAND_WIRE_PAYLOAD(Done)
GARLAND_WIRE_PAYLOAD(Dying)
GARLAND_WIRE_PAYLOAD(Stack)
GARLAND_WIRE_PAYLOAD(Refused)
#undef GARLAND_WIRE_PAYLOAD

void appendMessage(std::string& out, Kind kind, std::uint64_t id, std::string_view payload) {
  Frames frames(out, kind, id, payload.size());
  frames.append(payload.data(), payload.size());
}

// ---------------------------------------------------------------- decoder

struct Decoder::Header {
  std::uint32_t length = 0;
  std::uint16_t kind = 0;
  std::uint16_t flags = 0;
  std::uint64_t id = 0;

  bool more() const { return (flags & kMore) != 0; }
};

std::span<char> Decoder::room(std::size_t least) {
  auto const held = end_ - begin_;
  if (held == 0) begin_ = end_ = 0;
  if (capacity_ - end_ < least) {
    // What is held is less than one frame, so that this is enough for good; only feed() may ask for more.
    auto const wanted = std::max(held, kHeaderBytes + kMaxFrame) + least;
    auto larger = wanted > capacity_ ? std::make_unique_for_overwrite<char[]>(wanted) : nullptr;
    std::copy_n(buffer_.get() + begin_, held, larger ? larger.get() : buffer_.get());
    if (larger) {
      buffer_ = std::move(larger);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void Decoder::filled(std::size_t bytes) {
  if (!broken_) end_ += bytes;
}

void Decoder::feed(std::string_view bytes) {
  std::ranges::copy(bytes, room(bytes.size()).begin());
  filled(bytes.size());
}

Result<std::optional<Message>> Decoder::next() {
  if (!in_message_) dropParts();
  while (!broken_) {
    std::string_view const left(buffer_.get() + begin_, end_ - begin_);
    if (left.size() < kHeaderBytes) return std::nullopt;
    Header header;
    static_assert(sizeof header == kHeaderBytes);
    std::memcpy(&header, left.data(), kHeaderBytes);
    // Before the payload is waited for: a liar must not make us hold its bytes.
    TRY_VOID(check(header));
    if (left.size() < kHeaderBytes + header.length) return std::nullopt;
    auto const frame = left.substr(kHeaderBytes, header.length);
    begin_ += kHeaderBytes + header.length;
    auto const kind = static_cast<Kind>(header.kind);
    if (!in_message_ && !header.more()) return Message{kind, header.id, frame};
    parts_.append(frame);
    kind_ = kind;
    id_ = header.id;
    in_message_ = header.more();
    if (!in_message_) return Message{kind_, id_, parts_};
  }
  return *broken_;
}

Result<void> Decoder::check(Header const& header) {
  auto const kind = static_cast<Kind>(header.kind);
  if (header.length > kMaxFrame) return fail("a frame claims " + std::to_string(header.length) + " bytes");
  if (!goes(kind, expected_)) return fail("kind " + std::to_string(header.kind) + " is unknown here");
  if ((header.flags & ~kMore) != 0) return fail("unknown flags " + std::to_string(header.flags));
  if (in_message_ && (kind != kind_ || header.id != id_))
    return fail("a " + std::string(name(kind)) + " in the middle of another message");
  // Only full frames may be continued, so that a message cannot be drip-fed as a million empty ones.
  if (header.more() && header.length != kMaxFrame) return fail("a continued frame is not full");
  if (auto const most = longest(kind); parts_.size() + header.length > most)
    return fail("a " + std::string(name(kind)) + " is larger than " + std::to_string(most >> 10U) + " KiB");
  return {};
}

void Decoder::dropParts() {
  if (parts_.capacity() > kKeptParts) parts_ = {};
  parts_.clear();
}

Error Decoder::fail(std::string what) {
  broken_ = Error(ErrorKind::providerBug, "the stream is not valid: " + what);
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
  parts_ = {};
  return *broken_;
}

} // namespace garland::runtime::wire
