// How the engine's things look in JSON. The schemas are in schemas.cpp under the same names.
#pragma once

#include "host/api/http.h"
#include "host/api/refused_webhooks.h"
#include "host/base/json.h"
#include "host/notify/notify.h"
#include "host/runtime/runtime.h"
#include "host/sync/sync.h"

#include <string_view>

namespace garland::api {

json::object shape(sync::Vendor const& vendor);
json::object shape(sync::Node const& node);
json::object shape(sync::Connection const& connection);
// As whoever asks may see it: a vendor is not told the ids of other keys than its own.
json::object shapeFor(Request const& request, sync::Connection connection);
void hideOtherKeys(Request const& request, sync::Connection& connection);
json::object shape(sync::Run const& run);
json::object shape(sync::Record const& record);
json::object shape(sync::Change const& change);
json::object shape(sync::Conflict const& conflict);
json::object shape(sync::Action const& action);
json::object shape(sync::IntakeItem const& item);
json::object shape(sync::Rehearsal const& rehearsal);
json::object shape(sync::Webhook const& webhook);
json::object shape(RefusedWebhooks::Line const& refused);
json::object shape(notify::Endpoint const& endpoint);
json::object shape(notify::Delivery const& delivery);
json::object shape(notify::Attempt const& attempt);
json::object shape(runtime::WorkerStatus const& worker);
json::object shape(runtime::SupervisorEvent const& event);

// An installed plugin and what became of it. The references must outlive it.
struct PluginView {
  runtime::PluginInfo const& installed;
  runtime::Standing standing;
  std::vector<runtime::WorkerStatus> const& workers; // of all plugins

  // The build that takes its calls, or would if it could.
  runtime::PluginInfo const& build() const { return standing.runs ? *standing.runs : installed; }
  // "quarantined" or "half open" if any of its workers is; else that of the newest one; "stopped": it has
  // none.
  std::string state() const;
  std::string quarantine() const; // one sentence; "" if not so
  std::string certified() const;  // "gold until 2027-05-20", "developer build", "system build"
};
json::object shape(PluginView const& plugin);
// One plugin with the state of its workers and what happened to them lately.
json::object detail(PluginView const& plugin, std::vector<runtime::SupervisorEvent> const& events);

// {"items": [...]}
template <class T> json::object listOf(std::vector<T> const& things) {
  json::array items;
  for (T const& thing : things) items.push_back(shape(thing));
  json::object out;
  out["items"] = std::move(items);
  return out;
}

// notFound unless the text is an id of that prefix; saves the engine from nonsense.
Result<void> requireId(std::string_view prefix, std::string_view text, std::string_view what);

} // namespace garland::api
