#include "host/runtime/worker_arena.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace garland::runtime::worker {
namespace {

#ifdef GARLAND_SANITIZER_BUILD
constexpr std::size_t kBlock = 0; // a block for each allocation, so that an overrun is seen
#else
constexpr std::size_t kBlock = 16U << 10U;
#endif

} // namespace

void Arena::Free::operator()(char* block) const noexcept { std::free(block); }

char* Arena::newBlock(std::size_t bytes) noexcept {
  if (bytes > limit_ - used_) return nullptr;
  auto* const block = static_cast<char*>(std::malloc(bytes));
  if (block == nullptr) return nullptr;
  try {
    blocks_.emplace_back(block);
  } catch (std::bad_alloc const&) {
    std::free(block);
    return nullptr;
  }
  used_ += bytes;
  return block;
}

void* Arena::allocate(std::size_t bytes, std::size_t align) noexcept {
  if (align > kMaxAlign || !std::has_single_bit(align)) return nullptr;
  if (bytes > limit_) return nullptr; // so that the sums below cannot overflow
  if (bytes == 0) bytes = 1;
  auto const padding = [&] { return (align - reinterpret_cast<std::uintptr_t>(next_) % align) % align; };
  if (next_ == nullptr || padding() + bytes > left_) {
    auto const wanted = bytes + align;
    // A large piece gets a block of its own, and the current one goes on serving small ones.
    if (wanted > kBlock / 4) {
      char* const own = newBlock(wanted);
      if (own == nullptr) return nullptr;
      return own + (align - reinterpret_cast<std::uintptr_t>(own) % align) % align;
    }
    char* const block = newBlock(kBlock);
    if (block == nullptr) return nullptr;
    next_ = block;
    left_ = kBlock;
  }
  auto const skip = padding();
  char* const piece = next_ + skip;
  next_ += skip + bytes;
  left_ -= skip + bytes;
  return piece;
}

char* Arena::copy(std::string_view text) noexcept {
  auto* const piece = static_cast<char*>(allocate(text.size(), 1));
  if (piece != nullptr && !text.empty()) std::memcpy(piece, text.data(), text.size());
  return piece;
}

std::string const* Arena::keep(std::string&& text) noexcept {
  if (text.capacity() > limit_ - used_) return nullptr;
  try {
    auto const& kept = kept_.emplace_back(std::move(text));
    used_ += kept.capacity();
    return &kept;
  } catch (std::bad_alloc const&) {
    return nullptr;
  }
}

} // namespace garland::runtime::worker
