#include "host/daemon/swap.h"

#include "host/base/file_text.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <utility>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;
using Kind = SwapArea::Kind;
using Words = std::vector<std::string>;

std::string textOf(fs::path const& file) {
  auto text = readFileText(file.string());
  if (!text) return {};
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return std::move(*text);
}

bool isOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes a blank in a path as "\040".
std::string unescaped(std::string const& word) {
  std::string out;
  for (std::size_t at = 0; at < word.size(); ++at) {
    bool const escaped =
        word[at] == '\\' && at + 3 < word.size() && std::all_of(&word[at + 1], &word[at + 4], isOctal);
    if (!escaped) {
      out += word[at];
      continue;
    }
    out += static_cast<char>(std::stoi(word.substr(at + 1, 3), nullptr, 8));
    at += 3;
  }
  return out;
}

std::vector<Words> linesOf(fs::path const& file) {
  std::vector<Words> lines;
  std::istringstream text(textOf(file));
  for (std::string line; std::getline(text, line);) {
    std::istringstream rest(line);
    auto& words = lines.emplace_back();
    for (std::string word; rest >> word;) words.push_back(unescaped(word));
  }
  return lines;
}

// Of cryptsetup's devices those two only check what they read, and the last is what one is made of.
bool isEncryption(std::string const& uuid) {
  constexpr std::array<char const*, 3> kOthers{"CRYPT-INTEGRITY", "CRYPT-VERITY", "CRYPT-SUBDEV"};
  return uuid.starts_with("CRYPT-") &&
         std::ranges::none_of(kOthers, [&](char const* other) { return uuid.starts_with(other); });
}

bool isBelow(std::string const& file, std::string const& folder) {
  return folder == "/" || file.starts_with(folder + "/");
}

// The block devices of a machine, by their names in /sys/block.
class Devices {
public:
  explicit Devices(fs::path root) : root_(std::move(root)) {}

  Kind kindOf(std::string const& device) const {
    auto const about = root_ / "sys/block" / device;
    if (device.starts_with("zram")) {
      auto const behind = textOf(about / "backing_dev"); // what takes too much room in memory
      return behind.empty() || behind == "none" ? Kind::memory : kindOf(nameOf(behind));
    }
    if (isEncryption(textOf(about / "dm/uuid"))) return Kind::encrypted;
    bool lies_on_any = false;
    std::error_code failed;
    for (fs::directory_iterator one(about / "slaves", failed), end; one != end; one.increment(failed)) {
      lies_on_any = true;
      if (kindOf(one->path().filename()) == Kind::clear) return Kind::clear;
    }
    return lies_on_any ? Kind::encrypted : Kind::clear;
  }

  // Of "/dev/dm-1" or "/dev/mapper/NAME".
  std::string nameOf(fs::path const& node) const {
    auto name = node.filename().string();
    std::error_code failed;
    if (node.parent_path() == "/dev/mapper")
      for (fs::directory_iterator one(root_ / "sys/block", failed), end; one != end; one.increment(failed))
        if (textOf(one->path() / "dm/name") == name) return one->path().filename();
    return name;
  }

  // That a file lies on. Some file systems have a number that is no device's: then by what was mounted.
  std::string under(std::string const& file) const {
    constexpr std::size_t atNumber = 2, atFolder = 4;
    Words mount;
    for (auto& words : linesOf(root_ / "proc/self/mountinfo")) {
      bool const known = words.size() > atFolder && isBelow(file, words[atFolder]);
      // Of two in one place the later one hides the other.
      if (known && (mount.empty() || words[atFolder].size() >= mount[atFolder].size()))
        mount = std::move(words);
    }
    if (mount.empty()) return {};
    std::error_code failed;
    auto const device = fs::read_symlink(root_ / "sys/dev/block" / mount[atNumber], failed);
    if (!failed) return device.filename();
    auto const behind = std::ranges::find(mount, "-"); // "- ext4 /dev/sda1"
    return mount.end() - behind > 2 ? nameOf(behind[2]) : std::string();
  }

private:
  fs::path root_;
};

} // namespace

std::vector<SwapArea> swapAreas(std::string const& root) {
  Devices const devices(root);
  std::vector<SwapArea> areas;
  for (auto const& words : linesOf(fs::path(root) / "proc/swaps")) {
    if (words.size() < 2 || !words[0].starts_with('/')) continue; // the head of the table
    auto const device = words[1] == "file" ? devices.under(words[0]) : devices.nameOf(words[0]);
    areas.push_back({words[0], device.empty() ? Kind::clear : devices.kindOf(device)});
  }
  return areas;
}

bool isNeverSwapped(std::string const& root, int pid) {
  std::istringstream groups(textOf(fs::path(root) / "proc" / std::to_string(pid) / "cgroup"));
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue; // of the one hierarchy that systemd limits by
    auto const top = fs::path(root) / "sys/fs/cgroup";
    for (auto group = fs::path(line.substr(4)); !group.empty(); group = group.parent_path())
      if (textOf(top / group / "memory.swap.max") == "0") return true;
    return textOf(top / "memory.swap.max") == "0"; // of a container's own tree
  }
  return false;
}

} // namespace garland::daemon
