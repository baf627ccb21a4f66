// The host's side of a plugin that is run by hand: recorded answers instead of a provider, a store in memory.
#pragma once

#include "host/runtime/crash_capsule.h"
#include "host/runtime/wire.h"

#include <map>
#include <string>
#include <vector>

namespace garland::runtime::dev {

// Answers are given in the order of the recording, each once, to the same method and URL (or key).
class RecordedAnswers {
public:
  RecordedAnswers() = default;
  explicit RecordedAnswers(std::vector<HostCall> calls) : calls_(std::move(calls)), used_(calls_.size()) {}

  wire::HttpAnswer http(wire::HttpAsk const& ask);
  wire::KvAnswer get(wire::KvGet const& ask);
  wire::Ack put(wire::KvPut const& ask);

  // What was asked without a recorded answer: "GET https://...".
  std::vector<std::string> const& missing() const { return missing_; }

private:
  HostCall const* take(std::string_view call, std::string_view method, std::string_view place);

  std::vector<HostCall> calls_;
  std::vector<bool> used_;
  std::map<std::string, wire::KvAnswer> stored_;
  std::vector<std::string> missing_;
};

} // namespace garland::runtime::dev
