// A software bill of materials in CycloneDX 1.5, made of what can be read from the files themselves: their
// digests and the libraries that the loader brings along. What is linked in statically, its author says in an
// sbom.json, or garland_add_connector() says it there: then the same is put into that one.
#pragma once

#include "host/marketplace/marketplace.h"

namespace garland::marketplace {

// The same files give the same text. `own`: the text of the author's; "" if there is none. One that is no
// CycloneDX stays as it is.
std::string makeSbom(runtime::Manifest const& manifest, std::vector<PackedFile> const& files,
                     std::vector<std::string> const& needed, std::string const& own);

} // namespace garland::marketplace
