// A secret in memory: wiped when it dies, never copied by accident, never printed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace garland {

class Secret {
public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(Secret const&) = delete;
  Secret& operator=(Secret const&) = delete;
  ~Secret() { wipe(); }

  // The only way to the bytes. Whoever calls it answers for every copy.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  Secret clone() const { return Secret(std::string(text_)); }

private:
  void wipe() noexcept;
  std::string text_;
};

// Overwrites memory in a way the optimiser may not drop.
void wipe(void* memory, std::size_t bytes) noexcept;

} // namespace garland
