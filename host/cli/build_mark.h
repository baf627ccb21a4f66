// Whether a build has taken in all that was saved. A file that is saved while it is being compiled is older
// than what comes of it, so that make and ninja take it for built.
#pragma once

#include <filesystem>

namespace garland::cli {

// A file in the build's folder that stands there from before a build until after one during which nothing was
// saved; whoever is killed between leaves it. Times are those that the file system itself gives.
class BuildMark {
public:
  BuildMark(std::filesystem::path folder, std::filesystem::path build);

  // The last build may lack something: the next one has to be made from scratch.
  bool isUnsure() const;
  void begin();
  void end();

private:
  bool wasSavedSince() const;

  std::filesystem::path folder_, build_, mark_;
};

} // namespace garland::cli
