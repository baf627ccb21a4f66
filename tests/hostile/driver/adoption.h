// A shared object that a stranger built with a bare compiler carries no manifest, and the host loads none
// without. Here it gets one, as garland_add_connector() would have given it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace garland::hostile {

// `object` with `manifest` as its only note; its code and data stay as they are. Unchanged if its headers
// cannot be read. Precondition: runtime::readBareElf() took it.
std::string withManifest(std::string_view object, std::string_view manifest);

// Operation ids ("shop.order/1") that stand among the object's texts, at most 32, sorted.
std::vector<std::string> operationsNamedIn(std::string_view object);

} // namespace garland::hostile
