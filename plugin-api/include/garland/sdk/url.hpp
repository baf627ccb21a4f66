// URLs: resolving references and building paths and queries.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::sdk {

using Query = std::vector<std::pair<std::string, std::string>>;

// `reference` (a URL, a path, a relative path) seen from the absolute URL `base`, per RFC 3986: dot
// segments removed, escapes kept as they are, no fragment. Characters that may not stand in a URL are
// percent-encoded first, since servers send them. Throws Failure(providerBug) if it still is none;
// invalidInput if `base` is none.
std::string resolve(std::string_view base, std::string_view reference);

// `url` with `query` appended, names and values percent-encoded.
std::string withQuery(std::string_view url, Query const& query);

// `url` as a message may show it: without query, user name and password; "the secret address" for one that
// only the host knows ("slot:feed").
std::string shownUrl(std::string_view url);

// Percent-encodes everything but unreserved characters: one path segment or query value.
std::string percentEncode(std::string_view text);
// The opposite; a "%" without two hexadecimal digits behind it stays as it is.
std::string percentDecode(std::string_view text);

} // namespace garland::sdk
