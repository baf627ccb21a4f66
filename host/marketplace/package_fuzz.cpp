// A package as a stranger may hand it in: whatever it holds, reading comes back, and what it admits is a
// package that would be written in these very bytes, with names that stay inside.
#include "host/marketplace/archive.h"
#include "host/marketplace/marketplace.h"

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

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  static Schema const schema = manifestSchema();
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  checkArchive(input);
  auto const package = marketplace::readPackage(input, schema);
  if (package && (package->digest.size() != 64 || package->architectures.empty())) std::abort();
  (void)marketplace::readAttestation(input);
  (void)marketplace::readRevocations(input, {});
  (void)marketplace::readPublicKeys(input);
  return 0;
}
