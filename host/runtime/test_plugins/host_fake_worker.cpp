// Stands in for garland-worker where a real one would not misbehave. GARLAND_FAKE says how:
// 1 never greets, 2 greets from sandbox tier D, 3 greets well but never reads again, 4 greets and ends,
// 5 greets without a word about its sandbox, 6 says that it could not close it and ends.
#include "host/runtime/wire.h"

#include <unistd.h>

int main() {
  using namespace garland::runtime;
  if (GARLAND_FAKE == 1)
    while (true) ::pause();
  std::string out;
  if (GARLAND_FAKE == 6) {
    wire::append(out, wire::Kind::loadFailed, 0, wire::LoadFailed{"sandbox", "unshare failed"});
    return ::write(3, out.data(), out.size()) < 0 ? 1 : wire::kExitSandbox;
  }
  wire::Hello hello;
  hello.abi_major = 1;
  hello.plugin_id = "test.host_probe";
  hello.plugin_version = "1.2.3";
  wire::Closed closed;
  closed.tier = GARLAND_FAKE == 2 ? 3 : 0;
  if (GARLAND_FAKE != 5) wire::append(out, wire::Kind::closed, 0, closed);
  wire::append(out, wire::Kind::hello, 0, hello);
  if (::write(3, out.data(), out.size()) < 0) return 1;
  if (GARLAND_FAKE == 4) return 7;
  while (true) ::pause();
}
