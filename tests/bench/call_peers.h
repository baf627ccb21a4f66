// The peers of the call benchmark that need no library from outside.
#pragma once

#include "tests/bench/peer.h"

#include <memory>

namespace garland::bench {

// The supervisor, its sandboxed worker and the echo operation of the probe plugin in it.
std::unique_ptr<Peer> workerPeer();
// The same plugin function in this process: what is left when there is nothing between.
std::unique_ptr<Peer> directPeer();
// Two processes and two pipes: the least that a call to another process can cost.
std::unique_ptr<Peer> pipePeer();

// The input of an echo call, JSON of exactly so many bytes.
inline std::string echoInput(std::size_t bytes) {
  std::string const head = R"({"text":")";
  std::string const tail = R"("})";
  return head + std::string(bytes - std::min(bytes, head.size() + tail.size()), 'x') + tail;
}

} // namespace garland::bench
