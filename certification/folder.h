// A temporary folder, gone with its owner. What a killed run has left is known by a lock that nobody holds.
#pragma once

#include <string>

namespace garland::certification {

class Folder {
public:
  Folder() = default; // made when a file is put into it
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder();
  // Its path; "" if it cannot be made.
  std::string const& path();
  // The path of a file with these bytes; "" if it cannot be written.
  std::string file(std::string const& name, std::string const& bytes);

private:
  std::string path_;
  int lock_ = -1;
};

// Removes this user's folders whose owners were killed.
void sweepFolders();

} // namespace garland::certification
