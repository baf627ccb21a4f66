// The outer form of a package: an uncompressed ustar file of plain files, sorted by name, owned by nobody,
// without times. What the files are is package.cpp's business. libarchive is used here alone.
#pragma once

#include "host/marketplace/marketplace.h"

namespace garland::marketplace {

// `files` sorted by path, each with a name that checkPath() accepts.
Result<std::string> writeArchive(std::vector<PackedFile> const& files);
// invalidInput unless writeArchive() of what was read gives these very bytes.
Result<std::vector<PackedFile>> readArchive(std::string_view bytes);

Result<void> checkPath(std::string_view path);
// A name from outside, in quotes, fit for a terminal.
std::string inQuotes(std::string_view name);

} // namespace garland::marketplace
