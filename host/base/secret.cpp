#include "host/base/secret.h"

#include <cstring>

namespace garland {

void wipe(void* memory, std::size_t bytes) noexcept { ::explicit_bzero(memory, bytes); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

void Secret::wipe() noexcept {
  // The whole capacity: a moved-from or shortened string still holds its old bytes.
  text_.resize(text_.capacity());
  garland::wipe(text_.data(), text_.size());
  text_.clear();
}

} // namespace garland
