// Where things are: beside this program, and in the folder of a connector that is being written.
#pragma once

#include "host/base/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace garland::cli {

// The folder of the running program: PREFIX/bin, or BUILD/bin.
std::filesystem::path programFolder();
// PREFIX or BUILD/share/garland/NAME.
std::filesystem::path sharedFolder(char const* name);

// A connector that `garland init` made, or one that is laid out like it.
struct ConnectorFolder {
  std::filesystem::path folder; // with connector.json and CMakeLists.txt
  std::string id;               // as its connector.json says
  std::string name;             // the id's last part
  std::filesystem::path build() const { return folder / "build"; }
  std::filesystem::path built() const { return build() / "plugins" / id; }
  std::filesystem::path twins() const { return build() / "twins"; }
};

// notFound with a sentence: there is no connector.json, or it has no id.
Result<ConnectorFolder> connectorFolder(std::string const& path);

} // namespace garland::cli
