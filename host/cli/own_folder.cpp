#include "host/cli/own_folder.h"

#include "host/base/file_text.h"
#include "host/base/json.h"

namespace garland::cli {

namespace fs = std::filesystem;

fs::path programFolder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

fs::path sharedFolder(char const* name) { return programFolder().parent_path() / "share" / "garland" / name; }

Result<ConnectorFolder> connectorFolder(std::string const& path) {
  std::error_code ignored;
  ConnectorFolder out;
  out.folder = fs::weakly_canonical(path.empty() ? "." : path, ignored);
  auto const manifest = (out.folder / "connector.json").string();
  auto const text = readFileText(manifest, std::size_t{1} << 20U);
  if (!text)
    return Error(ErrorKind::notFound,
                 "there is no connector in " + out.folder.string() +
                     " (no connector.json); go to its folder, or name it with --dir. `garland init NAME` "
                     "makes one");
  auto const document = parseJson(*text);
  if (!document) return Error(ErrorKind::invalidInput, manifest + ": " + document.error().message);
  out.id = textOr(*document, "/id", "");
  if (out.id.empty()) return Error(ErrorKind::invalidInput, manifest + ": /id is missing");
  out.name = out.id.substr(out.id.rfind('.') + 1);
  return out;
}

} // namespace garland::cli
