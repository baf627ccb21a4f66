// Files of people outside of the database. Blocks on the disk, briefly.
#pragma once

#include "host/privacy/privacy.h"
#include "host/privacy/subject.h"
#include "host/privacy/tally.h"

#include <fstream>
#include <functional>
#include <string>
#include <utility>

namespace garland::privacy {

// Removes the files of a folder whose text this is true of, and those that hold everybody. Kept are those
// that cannot be read, busy those that are being made; the words say so. hostLimit if one cannot be removed,
// or the folder cannot be listed; one that is not there has none.
Result<Tally> removeFiles(Folder const& folder, std::function<bool(std::string const&)> const& goes);
inline constexpr char const* kNotRead =
    "over 1 GiB, or not readable for garlandd: nobody looked into it; remove it if it is of no use";
inline constexpr char const* kBeingMade = "a backup is being made: erase again when it has ended";

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
