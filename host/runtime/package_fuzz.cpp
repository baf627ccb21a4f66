// A plugin folder as a stranger may hand it in: what stands before the first NUL NUL is connector.json, the
// rest connector.so. Whatever it holds, the scan comes back, and what it admits is a sound manifest under
// that name.
#include "host/runtime/runtime.h"

#include <garland/schemas.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace garland;

constexpr std::string_view kId = "example.smallest-c";

Schema manifestSchema() {
  auto const document = parseJson(schemaText("manifest.json"));
  if (!document) std::abort();
  auto schema = Schema::compile(*document);
  if (!schema) std::abort();
  return std::move(*schema);
}

// In memory where the machine has /dev/shm; one folder for each fuzzing process.
fs::path const& folder() {
  static fs::path const path = [] {
    fs::path const base = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    auto const plugins = base / ("garland-package-fuzz-" + std::to_string(::getpid()));
    fs::create_directories(plugins / kId);
    std::atexit([] {
      std::error_code ignored;
      fs::remove_all(folder(), ignored);
    });
    return plugins;
  }();
  return path;
}

void write(fs::path const& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  static Schema const schema = manifestSchema();
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  auto const border = std::min(input.find(std::string_view("\0\0", 2)), input.size());
  write(folder() / kId / "connector.json", input.substr(0, border));
  write(folder() / kId / "connector.so", input.substr(std::min(border + 2, input.size())));
  auto const catalogue = runtime::Catalogue::scan({folder().string()}, schema);
  if (catalogue.plugins().size() != 1) std::abort();
  auto const& plugin = catalogue.plugins().front();
  if (plugin.refusal.empty() && (plugin.manifest.id != kId || plugin.digest.empty())) std::abort();
  return 0;
}
