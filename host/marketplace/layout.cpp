#include "host/marketplace/layout.h"

#include <algorithm>
#include <array>

namespace garland::marketplace {
namespace {

constexpr std::array<std::string_view, 4> kCompanions{"CHANGELOG.md", "LICENSE", "README.md", "icon.svg"};
constexpr std::array<std::string_view, 2> kCompanionFolders{"docs/", "schemas/"};
constexpr std::array<std::string_view, 8> kFixed{kManifest,
                                                 kList,
                                                 kSbom,
                                                 kTwinManifest,
                                                 kTwinBrief,
                                                 kAttestation,
                                                 "signatures/publisher.json",
                                                 "signatures/marketplace.json"};
constexpr std::string_view kObject = "/connector.so";

} // namespace

bool isCompanion(std::string_view path) {
  return std::ranges::find(kCompanions, path) != kCompanions.end() ||
         std::ranges::any_of(kCompanionFolders, [&](auto folder) { return path.starts_with(folder); });
}

std::string_view architectureIn(std::string_view path, std::string_view top) {
  if (!path.starts_with(top) || !path.ends_with(kObject) || path.size() <= top.size() + 1 + kObject.size())
    return {};
  auto const inner = path.substr(top.size(), path.size() - top.size() - kObject.size());
  if (inner.front() != '/' || inner.find('/', 1) != std::string_view::npos) return {};
  return inner.substr(1);
}

bool hasPlace(std::string_view path) {
  return std::ranges::find(kFixed, path) != kFixed.end() || isCompanion(path) ||
         !architectureIn(path, "lib").empty() || !architectureIn(path, "twin").empty();
}

std::string objectPath(std::string_view top, std::string_view architecture) {
  return std::string(top) + "/" + std::string(architecture) + std::string(kObject);
}

std::string places() {
  return "connector.json, lib/ARCHITECTURE/connector.so, twin/connector.json, "
         "twin/certification.json, twin/ARCHITECTURE/connector.so, "
         "sbom.json, README.md, CHANGELOG.md, LICENSE, icon.svg, docs/ and schemas/";
}

} // namespace garland::marketplace
