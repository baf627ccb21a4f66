// The memory of one call: what the host hands to a plugin lives here until the operation returns.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace garland::runtime::worker {

// [worker thread]
class Arena {
public:
  static constexpr std::size_t kMaxAlign = 4096;

  explicit Arena(std::size_t limit) : limit_(limit) {}

  // nullptr if the limit is reached, memory has run out, or `align` is not a power of two up to kMaxAlign.
  void* allocate(std::size_t bytes, std::size_t align) noexcept;
  // A copy of the text; nullptr as above. The copy of an empty text is not null.
  char* copy(std::string_view text) noexcept;
  // Takes the text over without copying it; its address does not change. nullptr as above.
  std::string const* keep(std::string&& text) noexcept;
  std::size_t used() const { return used_; }

private:
  struct Free {
    void operator()(char* block) const noexcept;
  };
  char* newBlock(std::size_t bytes) noexcept;

  std::size_t limit_;
  std::size_t used_ = 0; // bytes of all blocks and kept texts
  std::vector<std::unique_ptr<char, Free>> blocks_;
  std::list<std::string> kept_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

} // namespace garland::runtime::worker
