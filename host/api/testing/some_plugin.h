// A connector as the catalogue knows it, without a shared object: for what is decided by its manifest.
#pragma once

#include "host/runtime/runtime.h"

#include <string>
#include <string_view>
#include <utility>

namespace garland::api::testing {

inline constexpr auto kWebhooks = R"({
    "signature": {"algorithm": "hmac-sha256", "at": {"header": "X-Signature"}, "encoding": "hex",
      "signed": "{timestamp}.{body}", "timestamp": {"at": {"header": "X-Time"}}, "tolerance_seconds": 300},
    "handshakes": [{"method": "GET", "require": [{"at": {"query": "challenge"}}],
      "values": {"challenge": {"query": "challenge"}}, "answer": {"json": {"challenge": "{challenge}"}}}],
    "endpoint": {"header": "X-Account"}, "delivery_id": {"body": "/id"},
    "headers": ["x-event"], "query": ["event"]})";

inline runtime::PluginInfo somePlugin(std::string id, std::string refusal,
                                      std::string_view webhooks = kWebhooks) {
  runtime::PluginInfo plugin;
  plugin.manifest.id = std::move(id);
  plugin.manifest.name = "CalDAV";
  plugin.manifest.version = "1.0.0";
  plugin.manifest.category = "calendar";
  plugin.manifest.operations = {"health.check/1", "calendar.pull/1"};
  plugin.manifest.hosts = {"setting:/url"};
  plugin.manifest.settings_schema = json::object{{"type", "object"}};
  plugin.manifest.document = json::object{{"summary", "Calendars of any CalDAV server."}};
  plugin.manifest.webhooks = parseJson(webhooks).value();
  runtime::AuthSlot slot;
  slot.name = "login";
  slot.scheme = "basic";
  slot.fields = {"username", "password"};
  plugin.manifest.auth.push_back(slot);
  plugin.digest = std::string(64, 'a');
  plugin.refusal = std::move(refusal);
  return plugin;
}

} // namespace garland::api::testing
