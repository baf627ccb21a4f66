// What the build puts into the program: the catalogue, and the digest of everything that verdicts depend on
// here.
#pragma once

#include <string_view>

namespace garland::certification::embedded {

std::string_view catalogueText();   // catalogue.json
std::string_view advisoriesText();  // advisories.json
std::string_view briefSchemaText(); // brief.schema.json, of certification.json
std::string_view
mutantsText(); // {"kills": [ids of checks], "score": what self-test --publish wrote, or null}
std::string_view suiteDigest(); // SHA-256, 64 digits

} // namespace garland::certification::embedded
