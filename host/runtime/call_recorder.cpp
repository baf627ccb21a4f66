#include "host/runtime/call_recorder.h"

namespace garland::runtime {

namespace {

std::size_t textsOf(HostCall const& call) { return call.method.size() + call.url.size() + call.key.size(); }

} // namespace

void CallRecorder::add(std::uint32_t request, HostCall call) {
  texts_ += textsOf(call);
  while (!entries_.empty() && (entries_.size() == kMostCalls || texts_ > kMostTexts)) {
    bodies_ -= entries_.front().call.body.size();
    texts_ -= textsOf(entries_.front().call);
    entries_.pop_front();
  }
  call.answered = false;
  entries_.push_back({request, std::move(call)});
}

void CallRecorder::asked(wire::HttpAsk const& ask) {
  HostCall call;
  call.call = "http";
  call.method = ask.method;
  call.url = ask.url;
  add(ask.request, std::move(call));
}

void CallRecorder::asked(wire::KvGet const& ask) { askedKey(ask.request, "kv_get", ask.key); }
void CallRecorder::asked(wire::KvPut const& ask) { askedKey(ask.request, "kv_put", ask.key); }
void CallRecorder::asked(wire::Checkpoint const& ask) { askedKey(ask.request, "checkpoint", ""); }

void CallRecorder::askedKey(std::uint32_t request, std::string_view what, std::string_view key) {
  HostCall call;
  call.call = what;
  call.key = key;
  add(request, std::move(call));
}

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
