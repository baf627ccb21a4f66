#include "certification/unpacked.h"

#include "host/base/file_text.h"

#include <filesystem>

namespace garland::certification {
namespace {

namespace fs = std::filesystem;

// Where a file of the package goes, below the root; "" if it is of another architecture, or of no use here.
std::string placeFor(std::string_view path, std::string const& id) {
  auto const object = std::string(runtime::hostArchitecture()) + "/connector.so";
  auto const twin = "twins/" + id + "-twin/";
  if (path == "lib/" + object) return "plugins/" + id + "/connector.so";
  if (path == "twin/" + object) return twin + "connector.so";
  if (path.starts_with("lib/") || path.ends_with("/connector.so")) return {};
  if (path.starts_with("twin/")) return twin + std::string(path.substr(5));
  return "plugins/" + id + "/" + std::string(path);
}

} // namespace

Result<std::shared_ptr<Unpacked const>> Unpacked::open(std::string const& path,
                                                       Schema const& manifest_schema) {
  auto const bytes = readFileText(path, marketplace::kMaxPackageBytes);
  if (!bytes) return Error(bytes.error()).within(path);
  auto package = marketplace::readPackage(*bytes, manifest_schema);
  if (!package) return std::move(package).error().within(path);
  if (package->object(runtime::hostArchitecture()) == nullptr)
    return Error(ErrorKind::invalidInput, path + " has no shared object for this machine (" +
                                              std::string(runtime::hostArchitecture()) +
                                              "); certify it on a machine that it is built for");
  std::shared_ptr<Unpacked> out(new Unpacked(std::move(*package)));
  TRY_VOID(out->write());
  return std::shared_ptr<Unpacked const>(std::move(out));
}

Result<void> Unpacked::write() {
  root_ = folder_.path();
  if (root_.empty())
    return Error(ErrorKind::hostLimit,
                 "no folder for temporary files can be made; set TMPDIR to one that can");
  std::error_code failed;
  for (auto const& file : package_.files) {
    auto const place = placeFor(file.path, package_.manifest.id);
    if (place.empty()) continue;
    auto const whole = fs::path(root_) / place;
    fs::create_directories(whole.parent_path(), failed);
    TRY_VOID(marketplace::writeFile(whole.string(), file.bytes));
  }
  return {};
}

std::string Unpacked::connector() const { return root_ + "/plugins/" + package_.manifest.id; }
std::string Unpacked::twins() const { return root_ + "/twins"; }

} // namespace garland::certification
