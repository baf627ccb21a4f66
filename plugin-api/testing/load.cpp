// Loading a built connector, and files, into a test.
#include <garland/testing/fake_host.hpp>

#include <dlfcn.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace garland::testing {

garland_entry_v1_fn loadConnector(std::string const& path) {
  void* const object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) throw std::runtime_error(std::string("not a connector: ") + dlerror());
  auto* const entry = dlsym(object, "garland_entry_v1");
  if (entry == nullptr) throw std::runtime_error(path + " does not export garland_entry_v1");
  return reinterpret_cast<garland_entry_v1_fn>(entry);
}

std::string readFile(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

} // namespace garland::testing
