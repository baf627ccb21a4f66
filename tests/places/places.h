// Where tests find this tree and what was built from it. Only places.cpp is told by the build, so that the
// object of every other test is the same in each clone and the compiler cache finds it.
#pragma once

#include <string>
#include <string_view>

namespace garland {

// `path` begins with a slash and is relative to the root of the sources, or to the folder of this build.
std::string inSources(std::string_view path);
std::string inBuild(std::string_view path);

} // namespace garland
