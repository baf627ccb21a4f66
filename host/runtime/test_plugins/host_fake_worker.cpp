// Stands in for garland-worker where a real one would not misbehave. GARLAND_FAKE says how:
// 1 never greets, 2 greets from sandbox tier D, 3 greets well but never reads again, 4 greets and ends,
// 5 greets without a word about its sandbox.
#include "host/runtime/wire.h"

#include <unistd.h>

int main() {
  using namespace garland::runtime;
  if (GARLAND_FAKE == 1)
    while (true) ::pause();
  wire::Hello hello;
  hello.abi_major = 1;
  hello.plugin_id = "test.host_probe";
  hello.plugin_version = "1.2.3";
  wire::Closed closed;
  closed.tier = GARLAND_FAKE == 2 ? 3 : 0;
  std::string out;
  if (GARLAND_FAKE != 5) wire::append(out, wire::Kind::closed, 0, closed);
  wire::append(out, wire::Kind::hello, 0, hello);
  if (::write(3, out.data(), out.size()) < 0) return 1;
  if (GARLAND_FAKE == 4) return 7;
  while (true) ::pause();
}
