#include "certification/folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace garland::certification {

Folder::~Folder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string Folder::file(std::string const& name, std::string const& bytes) {
  std::error_code failed;
  if (path_.empty()) {
    auto pattern = (std::filesystem::temp_directory_path(failed) / "garland-case-XXXXXX").string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr) return {};
    path_ = pattern;
  }
  auto const path = path_ + "/" + name;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? path : std::string();
}

} // namespace garland::certification
