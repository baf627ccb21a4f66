// A folder in which somebody writes: waits until a source file in it was saved.
#pragma once

#include "host/base/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace garland::cli {

// *.c, *.cpp, *.h, *.hpp, *.json and CMakeLists.txt, wherever in the folder; folders whose name begins with a
// dot, and `except`, are not looked at.
std::vector<std::filesystem::path> sourcesIn(std::filesystem::path const& folder,
                                             std::filesystem::path const& except);

class WatchedFolder {
public:
  // Looks where sourcesIn() does.
  static Result<WatchedFolder> open(std::filesystem::path const& folder, std::filesystem::path const& except);
  WatchedFolder(WatchedFolder&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  WatchedFolder& operator=(WatchedFolder const&) = delete;
  ~WatchedFolder();

  // Blocks until a source was saved, and until for a moment no further one was; its name.
  Result<std::string> wait();

private:
  explicit WatchedFolder(int handle) : handle_(handle) {}
  int handle_ = -1; // of inotify
};

} // namespace garland::cli
