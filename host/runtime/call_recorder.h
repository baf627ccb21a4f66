// What a running call asked of the host lately and was answered, kept for the capsule of its death. Bounded:
// the newest asks, and bodies only as long as they are small. Secrets are still in it: CapsuleFolder scrubs.
#pragma once

#include "host/runtime/crash_capsule.h"
#include "host/runtime/wire.h"

#include <list>

namespace garland::runtime {

// [loop thread]
class CallRecorder {
public:
  static constexpr std::size_t kMostCalls = 128;
  static constexpr std::size_t kMostTexts = 256U << 10U;  // URLs and keys of all; each was checked before
  static constexpr std::size_t kMostBody = 64U << 10U;    // of one answer
  static constexpr std::size_t kMostBodies = 256U << 10U; // of all

  void asked(wire::HttpAsk const& ask);
  void asked(wire::KvGet const& ask);
  void asked(wire::KvPut const& ask);
  void asked(wire::Checkpoint const& ask);
  void emitted() { ++emitted_; }
  // `request` says to which ask; one that is not kept any more is passed over.
  void answered(wire::HttpAnswer const& answer);
  void answered(wire::KvAnswer const& answer);
  void answered(wire::Ack const& answer);

  void fill(CrashReport& report) const;

private:
  struct Entry {
    std::uint32_t request = 0;
    HostCall call;
  };
  void add(std::uint32_t request, HostCall call);
  void askedKey(std::uint32_t request, std::string_view what, std::string_view key);
  HostCall* openAsk(std::uint32_t request);
  void keepBody(HostCall& call, std::string const& body);

  std::list<Entry> entries_;
  std::size_t bodies_ = 0; // bytes
  std::size_t texts_ = 0;
  std::uint64_t emitted_ = 0;
  std::uint64_t checkpoints_ = 0;
};

} // namespace garland::runtime
