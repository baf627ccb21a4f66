// The name server of somebody who means harm: what a name stands for changes from one question to the next.
// It takes the place of the C library's own lookup, which libcurl asks, for kName alone.
#pragma once

#include <functional>
#include <string>

namespace garland::egress::testing {

inline constexpr auto kName = "rebinding.example";

// One at a time.
class TestResolver {
public:
  // `answer`: an address, by how often was asked before. Called in a thread of libcurl's.
  explicit TestResolver(std::function<std::string(int)> answer);
  ~TestResolver();
  TestResolver(TestResolver const&) = delete;
  TestResolver& operator=(TestResolver const&) = delete;

  int asked() const;
};

} // namespace garland::egress::testing
