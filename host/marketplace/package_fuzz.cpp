// A package as a stranger may hand it in: whatever it holds, reading comes back, and what it admits is a
// package that would be written in these very bytes, with names that stay inside. The same for what a
// marketplace says, whose statements are signed in here.
#include "host/marketplace/archive.h"
#include "host/marketplace/marketplace.h"
#include "host/marketplace/statement.h"

#include <garland/schemas.hpp>

#include <cstdlib>

namespace {

using namespace garland;

Schema manifestSchema() {
  auto const document = parseJson(schemaText("manifest.json"));
  if (!document) std::abort();
  auto schema = Schema::compile(*document);
  if (!schema) std::abort();
  return std::move(*schema);
}

void checkArchive(std::string_view input) {
  auto const files = marketplace::readArchive(input);
  if (!files) return;
  if (marketplace::writeArchive(*files).value() != input) std::abort();
  for (auto const& file : *files)
    if (!marketplace::checkPath(file.path) || file.path.find("..") == 0) std::abort();
}

// A stranger has a key as well, so a signature that is right keeps nobody out: the input, as the statement
// itself, signed.
void checkStatement(std::string_view input) {
  static marketplace::SigningKey const key = marketplace::SigningKey::make().value();
  static marketplace::Trust const trust{{key.publicKey()}, {}};
  auto const said = parseJson(input, JsonLimits{marketplace::kMostStatement, 16});
  if (!said || !said->is_object()) return;
  auto const text = marketplace::signStatement(*said, key);
  (void)marketplace::readRevocations(text, trust.keys);
  auto const attestation = marketplace::readAttestation(text);
  if (!attestation) return;
  if (marketplace::makeAttestation(*attestation, key).value() != text) std::abort();
  if (!marketplace::verifyAttestation(text, attestation->package_digest, trust, attestation->date))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  static Schema const schema = manifestSchema();
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  checkArchive(input);
  checkStatement(input);
  auto const package = marketplace::readPackage(input, schema);
  if (package && (package->digest.size() != 64 || package->architectures.empty())) std::abort();
  (void)marketplace::readAttestation(input);
  (void)marketplace::readPublicKeys(input);
  return 0;
}
