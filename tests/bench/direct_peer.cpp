// The probe plugin in this process, with a host table that knows nothing but `result`.
#include "tests/bench/call_peers.h"
#include "tests/places/places.h"

#include <garland/plugin.h>

#include <dlfcn.h>

namespace garland::bench {
namespace {

std::string const kPlugin = inBuild("/tests/plugins/test.host_probe/connector.so");

garland_status keepResult(void* ctx, garland_call* /*call*/, garland_json value) noexcept {
  static_cast<std::string*>(ctx)->assign(value.ptr, value.len);
  return GARLAND_OK;
}

class DirectPeer final : public Peer {
public:
  DirectPeer() : object_(::dlopen(kPlugin.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (object_ == nullptr) throw std::runtime_error(std::string("the probe plugin: ") + ::dlerror());
    auto const entry = reinterpret_cast<garland_entry_v1_fn>(::dlsym(object_, "garland_entry_v1"));
    host_.size = sizeof host_;
    host_.abi_major = GARLAND_ABI_MAJOR;
    host_.ctx = &result_;
    host_.result = keepResult;
    plugin_.size = sizeof plugin_;
    if (entry == nullptr || entry(&host_, &plugin_) != GARLAND_OK)
      throw std::runtime_error("the probe plugin does not load");
    std::string_view const id = "test.echo/1";
    echo_ = plugin_.find_op({id.data(), id.size()});
    auto const opened = plugin_.open(call_, garland_json{"{}", 2}, &instance_);
    if (echo_ == nullptr || opened != GARLAND_OK) throw std::runtime_error("the probe plugin has no echo");
  }
  // The object stays mapped: the process ends with the peer.
  ~DirectPeer() override { plugin_.close(instance_); }

  void call(std::size_t bytes, int /*in_flight*/, Times& times) override {
    auto const input = echoInput(bytes);
    while (times.goOn()) {
      auto const begun = times.begin();
      if (echo_(instance_, call_, {input.data(), input.size()}) != GARLAND_OK ||
          result_.size() != input.size())
        throw std::runtime_error("the plugin did not echo");
      times.ended(begun);
    }
  }

private:
  void* object_;
  std::string result_;
  garland_host host_{};
  garland_plugin plugin_{};
  garland_op echo_ = nullptr;
  garland_instance* instance_ = nullptr;
  garland_call* call_ = reinterpret_cast<garland_call*>(this); // opaque to the plugin
};

} // namespace

std::unique_ptr<Peer> directPeer() { return std::make_unique<DirectPeer>(); }

} // namespace garland::bench
