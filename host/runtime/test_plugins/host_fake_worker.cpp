// Stands in for garland-worker where a real one would not misbehave. GARLAND_FAKE says how:
// 1 never greets, 2 greets from sandbox tier D, 3 greets well but never reads again, 4 greets and ends.
#include "host/runtime/wire.h"

#include <unistd.h>

int main() {
  using namespace garland::runtime;
  if (GARLAND_FAKE == 1)
    while (true) ::pause();
  wire::Hello hello;
  hello.abi_major = 1;
  hello.tier = GARLAND_FAKE == 2 ? 3 : 0;
  hello.plugin_id = "test.host_probe";
  hello.plugin_version = "1.2.3";
  std::string out;
  wire::append(out, wire::Kind::hello, 0, hello);
  if (::write(3, out.data(), out.size()) < 0) return 1;
  if (GARLAND_FAKE == 4) return 7;
  while (true) ::pause();
}
