// Bytes of a file that may be hostile: every read is checked against what is there. For elf_*.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace garland::runtime {

// Nothing it hands out reaches beyond the bytes.
class ElfReader {
public:
  explicit ElfReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::string_view> part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return std::nullopt;
    return bytes_.substr(offset, size);
  }
  template <class T> std::optional<T> value(std::uint64_t offset) const {
    auto const found = part(offset, sizeof(T));
    if (!found) return std::nullopt;
    T out;
    found->copy(reinterpret_cast<char*>(&out), sizeof(T));
    return out;
  }
  // Nothing if it does not end within `limit` bytes: many names may share one long text.
  std::optional<std::string_view> cString(std::uint64_t offset, std::size_t limit) const {
    if (offset >= bytes_.size()) return std::nullopt;
    auto const text = bytes_.substr(offset, limit + 1);
    auto const end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    return text.substr(0, end);
  }
  std::size_t size() const { return bytes_.size(); }

private:
  std::string_view bytes_;
};

} // namespace garland::runtime
