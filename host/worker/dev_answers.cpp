#include "host/worker/dev_answers.h"

namespace garland::runtime::dev {
namespace {

// As the daemon tells it: a refused request did nothing, a server error may have done it.
Effect effectOf(int status) {
  if (status >= 200 && status < 300) return Effect::applied;
  return status >= 400 && status < 500 ? Effect::notApplied : Effect::unknown;
}

} // namespace

HostCall const* RecordedAnswers::take(std::string_view call, std::string_view method,
                                      std::string_view place) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    auto const& one = calls_[i];
    bool const same = one.call == call && one.method == method && (one.url == place || one.key == place);
    if (used_[i] || !one.answered || !same) continue;
    used_[i] = true;
    return &one;
  }
  return nullptr;
}

wire::HttpAnswer RecordedAnswers::http(wire::HttpAsk const& ask) {
  wire::HttpAnswer out;
  out.request = ask.request;
  auto const* found = take("http", ask.method, ask.url);
  if (found == nullptr || !found->body_kept) {
    auto const title = ask.method + " " + ask.url;
    missing_.push_back(title);
    out.error = Error(ErrorKind::transient, "no answer is recorded for " + title);
    return out;
  }
  if (found->error) {
    out.error = found->error;
    return out;
  }
  out.status = found->status;
  out.headers = found->headers;
  out.body = found->body;
  out.effect = static_cast<std::int32_t>(effectOf(found->status));
  return out;
}

wire::KvAnswer RecordedAnswers::get(wire::KvGet const& ask) {
  wire::KvAnswer out;
  if (auto const kept = stored_.find(ask.key); kept != stored_.end()) {
    out = kept->second;
  } else if (auto const* found = take("kv_get", "", ask.key)) {
    out.error = found->error;
    out.value = found->body;
    out.version = 1;
  } else {
    out.error = Error(ErrorKind::notFound, "no value is recorded under this key");
  }
  out.request = ask.request;
  return out;
}

wire::Ack RecordedAnswers::put(wire::KvPut const& ask) {
  wire::Ack out;
  out.request = ask.request;
  if (auto const* found = take("kv_put", "", ask.key); found != nullptr && found->error) {
    out.error = found->error;
    return out;
  }
  auto& entry = stored_[ask.key];
  if (ask.if_version != 0 && entry.version != ask.if_version) {
    out.error = Error(ErrorKind::conflict, "the value was changed meanwhile");
    return out;
  }
  entry.value = ask.value;
  ++entry.version;
  return out;
}

} // namespace garland::runtime::dev
