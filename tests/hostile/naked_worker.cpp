// garland-worker without a sandbox, which it claims to have. For `hostile_driver --control` only: an act that
// is not seen to succeed in here would not be seen anywhere.
#include "host/runtime/wire.h"
#include "host/runtime/worker_host_table.h"
#include "host/runtime/worker_loader.h"
#include "host/runtime/worker_loop.h"

#include <string>
#include <unistd.h>

int main() {
  using namespace garland::runtime;
  auto& loop = *new worker::Loop(3);
  auto& host = *new garland_host(worker::hostTable(loop));
  loop.channel().send(wire::Kind::closed, 0, wire::Closed{0, {}});
  loop.channel().flush();
  auto const loaded = worker::loadPlugin("/proc/self/fd/5", host);
  if (!loaded) return 1;
  ::close(5);
  auto& plugin = *new garland_plugin(*loaded);
  loop.channel().send(wire::Kind::hello, 0, worker::helloOf(plugin));
  ::_exit(loop.run(plugin));
}
