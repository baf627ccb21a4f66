// One peer of the call benchmark in one process, driven by tests/bench/run (peer.h has the commands).
//
// Usage: garland_call_bench worker|direct|pipe
#include "tests/bench/call_peers.h"

#include <string_view>

int main(int argc, char** argv) {
  using namespace garland::bench;
  std::string_view const which = argc == 2 ? argv[1] : "";
  try {
    std::unique_ptr<Peer> peer;
    if (which == "worker") peer = workerPeer();
    if (which == "direct") peer = directPeer();
    if (which == "pipe") peer = pipePeer();
    if (peer) return serve(*peer);
  } catch (std::exception const& problem) {
    std::fprintf(stderr, "garland_call_bench: %s\n", problem.what());
    return 1;
  }
  std::fprintf(stderr, "usage: garland_call_bench worker|direct|pipe\n");
  return 2;
}
