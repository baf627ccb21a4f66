#include "host/backup/backup.h"

#include "host/base/bytes.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::backup {
namespace {

constexpr std::size_t kLongest = std::size_t{64} << 20U; // bytes

// What the private part vouches for: it cannot tell its own digest.
std::string withoutPrivate(Manifest manifest) {
  std::erase_if(manifest.members, [](Member const& member) { return member.name == kPrivate; });
  return canonicalJson(toJson(manifest));
}

Error damaged() { return {ErrorKind::invalidInput, "its private part is not one that Garland wrote"}; }

Result<std::vector<PrivateFile>> filesFrom(json::value const& document) {
  auto const* list = find(document, "/files");
  if (list == nullptr || !list->is_array()) return damaged();
  std::vector<PrivateFile> files;
  for (auto const& each : list->get_array()) {
    TRY(name, textAt(each, "/name"));
    TRY(encoded, textAt(each, "/base64"));
    TRY(text, fromBase64(encoded));
    files.push_back(PrivateFile{name, std::move(text)});
  }
  return files;
}

} // namespace

Result<std::string> sealPrivate(Manifest const& manifest, std::vector<PrivateFile> const& files,
                                Secret const& passphrase, Random& random, int cost) {
  json::array list;
  for (auto const& file : files)
    list.push_back(json::object{{"name", file.name}, {"base64", base64(file.text)}});
  json::object document;
  document["manifest"] = withoutPrivate(manifest);
  document["files"] = std::move(list);
  TRY(key, vault::ExportKey::make(passphrase, random, cost));
  return key->write(json::serialize(document));
}

Result<std::vector<PrivateFile>> openPrivate(std::string_view member, Manifest const& manifest,
                                             Secret const& passphrase, Random& random) {
  auto const opened = vault::ExportKey::open(member, passphrase, random);
  if (!opened) {
    auto error = opened.error();
    if (error.provider_code == vault::kWrongPassphrase)
      error.message = "the passphrase is wrong, or the backup was changed";
    return error;
  }
  JsonLimits limits;
  limits.max_bytes = kLongest;
  TRY(document, parseJson(opened->text, limits));
  TRY(vouched, textAt(document, "/manifest"));
  if (vouched != withoutPrivate(manifest))
    return Error(
        ErrorKind::invalidInput,
        "the backup was changed after it was made: its manifest is not the one that is sealed in it");
  return filesFrom(document);
}

} // namespace garland::backup
