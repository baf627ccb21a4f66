// Where the files of a package lie. A file that has no place here is no part of a package.
#pragma once

#include <string>
#include <string_view>

namespace garland::marketplace {

inline constexpr std::string_view kManifest = "connector.json";
inline constexpr std::string_view kList = "SHA256SUMS";
inline constexpr std::string_view kSbom = "sbom.json";
inline constexpr std::string_view kTwinManifest = "twin/connector.json";
inline constexpr std::string_view kTwinBrief = "twin/certification.json"; // how the two are certified
inline constexpr std::string_view kAttestation = "signatures/attestation.json";
inline constexpr std::string_view kSignatures = "signatures/";

// May lie in a package, the list and signatures included.
bool hasPlace(std::string_view path);
// What `garland pack` takes from a source folder if it is there: README.md and the like, docs/, schemas/.
bool isCompanion(std::string_view path);
// "x86_64-linux-gnu" of "lib/x86_64-linux-gnu/connector.so"; "" if it is no such file. `top`: "lib" or
// "twin".
std::string_view architectureIn(std::string_view path, std::string_view top);
std::string objectPath(std::string_view top, std::string_view architecture);
// "connector.json, lib/ARCHITECTURE/connector.so, ..." for messages.
std::string places();

} // namespace garland::marketplace
