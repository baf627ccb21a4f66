// A folder of a case's own, made when a file is put into it, and gone with it.
#pragma once

#include <string>

namespace garland::certification {

class Folder {
public:
  Folder() = default;
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder();
  // The path of a file with these bytes; "" if it cannot be written.
  std::string file(std::string const& name, std::string const& bytes);

private:
  std::string path_;
};

} // namespace garland::certification
