#include "host/runtime/stack_trace.h"

#include "host/runtime/elf_image.h"
#include "host/runtime/elf_symbols.h"
#include "host/runtime/image.h"
#include "host/runtime/tainted.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>

namespace garland::runtime {
namespace {

constexpr std::size_t kMaxFrames = 64;
constexpr std::size_t kMaxObject = 64;
constexpr std::size_t kMaxPlace = 160;

std::string hexOf(std::uint64_t value) {
  std::array<char, 16> digits{};
  auto const written = std::to_chars(digits.begin(), digits.end(), value, 16);
  return {digits.data(), written.ptr};
}

std::optional<StackFrame> readFrame(std::string_view line) {
  auto const space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > kMaxObject) return std::nullopt;
  StackFrame frame;
  frame.object = cleanText(line.substr(0, space), kMaxObject);
  auto const place = line.substr(space + 1);
  auto const read = std::from_chars(place.data(), place.data() + place.size(), frame.offset, 16);
  if (read.ec == std::errc() && read.ptr == place.data() + place.size()) return frame;
  if (place.empty() || place.size() > kMaxPlace) return std::nullopt;
  frame.offset = 0;
  frame.function = cleanText(place, kMaxPlace);
  return frame;
}

// A file seen as bytes, for reading only.
class View {
public:
  explicit View(int fd) {
    struct stat facts{};
    if (::fstat(fd, &facts) != 0 || facts.st_size <= 0) return;
    auto const size = static_cast<std::size_t>(facts.st_size);
    if (size > kMaxPluginBytes) return;
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at != MAP_FAILED) bytes_ = {static_cast<char const*>(at), size};
  }
  View(View const&) = delete;
  View& operator=(View const&) = delete;
  ~View() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  std::string_view bytes() const { return bytes_; }

private:
  std::string_view bytes_;
};

} // namespace

std::string StackFrame::describe() const {
  auto place = object + "+0x" + hexOf(offset);
  if (function.empty()) return place;
  return function + " (" + (offset == 0 ? object : place) + ")";
}

std::vector<StackFrame> symbolise(std::string_view frames, std::string_view plugin) {
  auto const symbols = ElfSymbols::read(plugin);
  std::vector<StackFrame> out;
  while (!frames.empty() && out.size() < kMaxFrames) {
    auto const end = std::min(frames.find('\n'), frames.size());
    if (auto frame = readFrame(frames.substr(0, end))) {
      if (frame->object == "plugin") frame->function = symbols.nameAt(frame->offset);
      out.push_back(std::move(*frame));
    }
    frames.remove_prefix(std::min(end + 1, frames.size()));
  }
  // Whoever called the plugin is the same every time.
  auto const last = std::ranges::find(out.rbegin(), out.rend(), "plugin", &StackFrame::object);
  if (last != out.rend()) out.erase(last.base(), out.end());
  return out;
}

std::vector<StackFrame> symbolise(std::string_view frames, int plugin) {
  View const file(plugin);
  return symbolise(frames, file.bytes());
}

std::string buildIdOf(int plugin) {
  View const file(plugin);
  return gnuBuildId(file.bytes());
}

StackFrame const* culprit(std::vector<StackFrame> const& stack) {
  auto const found = std::ranges::find(stack, "plugin", &StackFrame::object);
  return found == stack.end() ? nullptr : &*found;
}

} // namespace garland::runtime
