#include "host/runtime/call_recorder.h"

namespace garland::runtime {

HostCall& CallRecorder::add(std::uint32_t request, std::string_view call) {
  if (entries_.size() == kMostCalls) {
    bodies_ -= entries_.front().call.body.size();
    entries_.pop_front();
  }
  auto& entry = entries_.emplace_back();
  entry.request = request;
  entry.call.call = call;
  entry.call.answered = false;
  return entry.call;
}

void CallRecorder::asked(wire::HttpAsk const& ask) {
  auto& call = add(ask.request, "http");
  call.method = ask.method;
  call.url = ask.url;
}

void CallRecorder::asked(wire::KvGet const& ask) { add(ask.request, "kv_get").key = ask.key; }
void CallRecorder::asked(wire::KvPut const& ask) { add(ask.request, "kv_put").key = ask.key; }
void CallRecorder::asked(wire::Checkpoint const& ask) { add(ask.request, "checkpoint"); }

HostCall* CallRecorder::openAsk(std::uint32_t request) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->request == request && !entry->call.answered) return &entry->call;
  return nullptr;
}

void CallRecorder::keepBody(HostCall& call, std::string const& body) {
  call.body_kept = body.size() <= kMostBody && bodies_ + body.size() <= kMostBodies;
  if (!call.body_kept) return;
  call.body = body;
  bodies_ += body.size();
}

void CallRecorder::answered(wire::HttpAnswer const& answer) {
  auto* const call = openAsk(answer.request);
  if (call == nullptr) return;
  call->answered = true;
  call->error = answer.error;
  call->status = answer.status;
  call->headers = answer.headers;
  keepBody(*call, answer.body);
}

void CallRecorder::answered(wire::KvAnswer const& answer) {
  auto* const call = openAsk(answer.request);
  if (call == nullptr) return;
  call->answered = true;
  call->error = answer.error;
  keepBody(*call, answer.value);
}

void CallRecorder::answered(wire::Ack const& answer) {
  auto* const call = openAsk(answer.request);
  if (call == nullptr) return;
  call->answered = true;
  call->error = answer.error;
  if (call->call == "checkpoint" && !answer.error) ++checkpoints_;
}

void CallRecorder::fill(CrashReport& report) const {
  report.emitted = emitted_;
  report.checkpoints = checkpoints_;
  for (auto const& entry : entries_) report.host_calls.push_back(entry.call);
}

} // namespace garland::runtime
