// Swap of made-up machines: /proc and /sys in a folder, as the kernel writes them.
#include "host/daemon/swap.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

constexpr char const* kHead = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
constexpr char const* kAsLuks = "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-root\n";

class Swap : public ::testing::Test {
protected:
  void write(std::string const& file, std::string const& text) {
    fs::create_directories(fs::path(root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void swapTo(std::string const& lines) { write("proc/swaps", kHead + lines); }
  // A device of the mapper that lies on others.
  void map(std::string const& device, std::string const& name, std::string const& uuid,
           std::string const& lies_on) {
    write("sys/block/" + device + "/dm/name", name + "\n");
    write("sys/block/" + device + "/dm/uuid", uuid);
    fs::create_directories(root_ / ("sys/block/" + device + "/slaves/" + lies_on));
  }
  void number(std::string const& number, std::string const& device) {
    fs::create_directories(root_ / "sys/dev/block");
    fs::create_directory_symlink("../../devices/virtual/block/" + device,
                                 root_ / ("sys/dev/block/" + number));
  }
  std::vector<std::string> areas() const {
    std::vector<std::string> out;
    for (auto const& area : swapAreas(root_.path())) {
      bool const memory = area.kind == SwapArea::Kind::memory;
      bool const encrypted = area.kind == SwapArea::Kind::encrypted;
      out.push_back(area.name + (memory ? " memory" : encrypted ? " encrypted" : " clear"));
    }
    return out;
  }

  TestFolder root_;
};

TEST_F(Swap, ThatIsOffHasNoAreas) {
  EXPECT_THAT(areas(), ElementsAre()) << "nor where nobody says";
  swapTo("");
  EXPECT_THAT(areas(), ElementsAre());
}

TEST_F(Swap, OnAPartitionIsClearAndInZramMemory) {
  fs::create_directories(root_ / "sys/block/sda/sda2");
  write("sys/block/zram0/backing_dev", "none\n");
  swapTo("/dev/sda2                               partition\t8388604\t\t0\t\t-2\n"
         "/dev/zram0                              partition\t4194300\t\t1024\t\t100\n");
  EXPECT_THAT(areas(), ElementsAre("/dev/sda2 clear", "/dev/zram0 memory"));
}

TEST_F(Swap, InZramThatWritesToADiskIsWhatTheDiskIs) {
  write("sys/block/zram0/backing_dev", "/dev/sda3\n");
  write("sys/block/zram1/backing_dev", "/dev/mapper/behind\n");
  map("dm-4", "behind", "CRYPT-PLAIN-behind\n", "sda4");
  swapTo("/dev/zram0 partition 4194300 0 100\n/dev/zram1 partition 4194300 0 100\n");
  EXPECT_THAT(areas(), ElementsAre("/dev/zram0 clear", "/dev/zram1 encrypted"));
}

TEST_F(Swap, OnDmCryptIsEncryptedThroughWhateverIsBetween) {
  map("dm-0", "root", kAsLuks, "sda3");
  map("dm-1", "vg-swap", "LVM-abcdef\n", "dm-0");
  map("dm-2", "plain-swap", "LVM-fedcba\n", "sda4");
  map("dm-3", "both-swap", "LVM-aaaaaa\n", "dm-0");
  fs::create_directories(root_ / "sys/block/dm-3/slaves/sda4");
  map("dm-4", "checked", "CRYPT-INTEGRITY-checked\n", "sda5");
  swapTo("/dev/dm-0 partition 1 0 -2\n/dev/dm-1 partition 1 0 -3\n/dev/mapper/vg-swap partition 1 0 -4\n"
         "/dev/dm-2 partition 1 0 -5\n/dev/dm-3 partition 1 0 -6\n/dev/dm-4 partition 1 0 -7\n");
  EXPECT_THAT(areas(),
              ElementsAre("/dev/dm-0 encrypted", "/dev/dm-1 encrypted", "/dev/mapper/vg-swap encrypted",
                          "/dev/dm-2 clear", "/dev/dm-3 clear", "/dev/dm-4 clear"));
}

TEST_F(Swap, InAFileIsWhatItsFileSystemLiesOn) {
  map("dm-0", "root", kAsLuks, "sda3");
  number("254:0", "dm-0");
  number("8:1", "sda1");
  write("proc/self/mountinfo", "22 1 254:0 / / rw,noatime shared:1 - ext4 /dev/mapper/root rw\n"
                               "30 22 8:1 / /data rw shared:2 - ext4 /dev/sda1 rw\n"
                               "31 22 0:35 /@ /btr\\040fs rw shared:3 - btrfs /dev/mapper/root rw\n"
                               "32 22 0:36 / /none rw - tmpfs tmpfs rw\n");
  swapTo("/swapfile file 1 0 -2\n/data/swapfile file 1 0 -3\n/btr\\040fs/swapfile file 1 0 -4\n"
         "/database/swapfile file 1 0 -5\n/none/swapfile file 1 0 -6\n");
  EXPECT_THAT(areas(),
              ElementsAre("/swapfile encrypted", "/data/swapfile clear", "/btr fs/swapfile encrypted",
                          "/database/swapfile encrypted", "/none/swapfile clear"));
}

TEST_F(Swap, AProcessOfAGroupThatMayNotSwapNeverDoes) {
  write("proc/7/cgroup", "0::/system.slice/garlandd.service\n");
  write("sys/fs/cgroup/system.slice/garlandd.service/memory.swap.max", "max\n");
  EXPECT_FALSE(isNeverSwapped(root_.path(), 7));
  EXPECT_FALSE(isNeverSwapped(root_.path(), 8)) << "there is no such process";
  write("sys/fs/cgroup/system.slice/memory.swap.max", "0\n");
  EXPECT_TRUE(isNeverSwapped(root_.path(), 7)) << "a group above has that limit";
  write("sys/fs/cgroup/system.slice/memory.swap.max", "1048576\n");
  write("sys/fs/cgroup/system.slice/garlandd.service/memory.swap.max", "0\n");
  EXPECT_TRUE(isNeverSwapped(root_.path(), 7));
  write("proc/9/cgroup", "1:memory:/system.slice/garlandd.service\n0::/\n");
  EXPECT_FALSE(isNeverSwapped(root_.path(), 9));
  write("sys/fs/cgroup/memory.swap.max", "0\n");
  EXPECT_TRUE(isNeverSwapped(root_.path(), 9)) << "of a container";
}

} // namespace
} // namespace garland::daemon
