#include "host/runtime/worker_instances.h"

#include <algorithm>
#include <iterator>

namespace garland::runtime::worker {

garland_status Instances::with(Call& call, std::function<garland_status(garland_instance*)> const& body) {
  closeIdle();
  auto& instance = instances_[call.ask.account_id];
  if (!hold(instance, call)) return GARLAND_E_CANCELLED;
  if (auto const status = open(instance, call); status != GARLAND_OK) {
    release(instance);
    return status;
  }
  return use(instance, body);
}

garland_status Instances::exportState(Call& call) {
  auto const found = instances_.find(call.ask.account_id);
  if (found == instances_.end() || !GARLAND_HAS_FN(&plugin_, export_state)) return GARLAND_OK;
  auto& instance = found->second;
  if (!hold(instance, call)) return GARLAND_E_CANCELLED;
  if (instance.self == nullptr) {
    release(instance);
    return GARLAND_OK;
  }
  return use(instance, [&](garland_instance* self) { return plugin_.export_state(self, call.handle()); });
}

// The call holds the instance, which is open.
garland_status Instances::use(Instance& instance,
                              std::function<garland_status(garland_instance*)> const& body) {
  bool const serial = plugin_.concurrency != GARLAND_INTERLEAVED && plugin_.concurrency != GARLAND_PARALLEL;
  ++instance.sharing;
  if (!serial) release(instance);
  auto const status = body(instance.self);
  --instance.sharing;
  if (serial) release(instance);
  return status;
}

bool Instances::hold(Instance& instance, Call& call) {
  if (instance.holder == nullptr) {
    instance.holder = &call;
    return true;
  }
  instance.queue.push_back(&call);
  while (instance.holder != &call) {
    if (call.cancelled) {
      std::erase(instance.queue, &call);
      return false;
    }
    turns_.park(call);
  }
  return true;
}

void Instances::release(Instance& instance) {
  instance.holder = nullptr;
  if (instance.queue.empty()) return;
  instance.holder = instance.queue.front();
  instance.queue.pop_front();
  turns_.wake(*instance.holder);
}

garland_status Instances::open(Instance& instance, Call& call) {
  // New settings need a new instance, once nobody uses the old one.
  if (instance.self != nullptr && instance.account != call.ask.account && instance.sharing == 0)
    close(instance);
  if (instance.self != nullptr) return GARLAND_OK;
  garland_json const account{call.ask.account.data(), call.ask.account.size()};
  auto const status = plugin_.open(call.handle(), account, &instance.self);
  if (status != GARLAND_OK)
    instance.self = nullptr;
  else
    instance.account = call.ask.account;
  return status;
}

void Instances::close(Instance& instance) {
  plugin_.close(instance.self);
  instance.self = nullptr;
}

void Instances::closeIdle() {
  if (instances_.size() < kMostIdle) return;
  for (auto each = instances_.begin(); each != instances_.end();) {
    auto& instance = each->second;
    bool const idle = instance.holder == nullptr && instance.sharing == 0;
    if (idle && instance.self != nullptr) close(instance);
    each = idle ? instances_.erase(each) : std::next(each);
  }
}

void Instances::closeAll() {
  for (auto& [id, instance] : instances_)
    if (instance.self != nullptr) close(instance);
  instances_.clear();
}

} // namespace garland::runtime::worker
