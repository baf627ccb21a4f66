#include "host/runtime/worker_loader.h"

#include "host/runtime/worker_signals.h"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <exception>

namespace boost::system {
// Reading a value that is not there is a bug of the worker.
[[noreturn]] inline void throw_exception_from_error(garland::runtime::wire::LoadFailed const&,
                                                    boost::source_location const&) {
  std::terminate();
}
} // namespace boost::system

namespace garland::runtime::worker {
namespace {

constexpr char const* kEntry = "garland_entry_v1";

// Boost.DLL wraps the loader's sentence: "... (dlerror system message: SENTENCE): ...".
std::string loaderSentence(std::string text) {
  constexpr std::string_view kOpening = "dlerror system message: ";
  if (auto const start = text.find(kOpening); start != std::string::npos)
    text.erase(0, start + kOpening.size());
  if (auto const end = text.rfind("): "); end != std::string::npos) text.erase(end);
  return text;
}

std::string problemWith(garland_plugin const& plugin) {
  if (!GARLAND_HAS(&plugin, shutdown)) return "its descriptor is shorter than version 1.0 of the ABI";
  if (plugin.id.ptr == nullptr || plugin.id.len == 0) return "it gives no id";
  if (plugin.version.ptr == nullptr || plugin.version.len == 0) return "it gives no version";
  if (plugin.id.len > 256 || plugin.version.len > 256) return "its id or version is longer than 256 bytes";
  if (plugin.find_op == nullptr || plugin.open == nullptr || plugin.close == nullptr)
    return "it lacks find_op, open or close";
  return {};
}

std::string text(garland_str span) {
  return span.ptr == nullptr ? std::string() : std::string(span.ptr, span.len);
}

} // namespace

boost::system::result<garland_entry_v1_fn, wire::LoadFailed> openPlugin(char const* path) {
  garland_entry_v1_fn entry = nullptr;
  enterPlugin(0, "loading the plugin", nullptr, kLoadingMs);
  try {
    using boost::dll::load_mode::type;
    // Never destroyed: plugin code may be referenced until the process ends.
    static boost::dll::shared_library* library = nullptr;
    library = new boost::dll::shared_library(path, type::rtld_now | type::rtld_local);
    if (!library->has(kEntry))
      return wire::LoadFailed{"symbol", std::string("the plugin does not export ") + kEntry};
    entry = &library->get<garland_status(garland_host const*, garland_plugin*) noexcept>(kEntry);
  } catch (std::exception const& error) {
    return wire::LoadFailed{"load", loaderSentence(error.what())};
  }
  leavePlugin();
  return entry;
}

boost::system::result<garland_plugin, wire::LoadFailed> describePlugin(garland_entry_v1_fn entry,
                                                                       garland_host const& host) {
  garland_plugin plugin{};
  plugin.size = sizeof plugin;
  enterPlugin(0, "loading the plugin", nullptr, kLoadingMs);
  auto const status = entry(&host, &plugin);
  leavePlugin();
  if (status != GARLAND_OK)
    return wire::LoadFailed{"entry", std::string(kEntry) + " answered " +
                                         std::string(name(static_cast<ErrorKind>(status)))};
  plugin.size = std::min(plugin.size, static_cast<std::uint32_t>(sizeof plugin));
  if (auto problem = problemWith(plugin); !problem.empty())
    return wire::LoadFailed{"entry", "the plugin is not usable: " + problem};
  return plugin;
}

boost::system::result<garland_plugin, wire::LoadFailed> loadPlugin(char const* path,
                                                                   garland_host const& host) {
  auto const entry = openPlugin(path);
  if (!entry) return entry.error();
  return describePlugin(*entry, host);
}

wire::Hello helloOf(garland_plugin const& plugin) {
  wire::Hello hello;
  hello.abi_major = GARLAND_ABI_MAJOR;
  hello.abi_minor = GARLAND_ABI_MINOR;
  hello.plugin_id = text(plugin.id);
  hello.plugin_version = text(plugin.version);
  hello.build_id = text(plugin.build_id);
  hello.concurrency = plugin.concurrency;
  return hello;
}

} // namespace garland::runtime::worker
