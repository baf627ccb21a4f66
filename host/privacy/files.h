// Files of people outside of the database. Blocks on the disk, briefly.
#pragma once

#include "host/privacy/privacy.h"
#include "host/privacy/subject.h"

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

namespace garland::privacy {

// Removes the files of a folder whose text this is true of; how many there were. hostLimit if one cannot be
// removed.
Result<std::int64_t> removeFiles(Folder const& folder, std::function<bool(std::string const&)> const& goes);

// A new file of JSON lines, for its owner's eyes only; it is taken away again unless keep() is called.
class LinesFile {
public:
  static Result<LinesFile> make(std::string const& folder, Random& random);
  LinesFile(LinesFile&& other) noexcept
      : path_(std::exchange(other.path_, std::string())), name_(std::move(other.name_)),
        out_(std::move(other.out_)) {}
  LinesFile& operator=(LinesFile&&) = delete;
  ~LinesFile();

  Result<void> write(json::value const& line);
  Result<std::string> keep(); // its name

private:
  LinesFile(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {}
  std::string path_;
  std::string name_;
  std::ofstream out_;
};

} // namespace garland::privacy
