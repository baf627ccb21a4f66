#include "host/vault/export_file.h"

namespace garland::vault {
namespace {

constexpr std::string_view kMagic = "garland vault export\n";
constexpr char kVersion = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHeadBytes = kMagic.size() + 2 + kSaltBytes + kNonceBytes;

std::string_view take(std::string_view& rest, std::size_t count) {
  auto const part = rest.substr(0, count);
  rest.remove_prefix(count);
  return part;
}

Error noExport(char const* why) {
  return {ErrorKind::invalidInput, std::string("this is no export of a vault: ") + why};
}

} // namespace

std::string exportHead(ExportFile const& file) {
  std::string head(kMagic);
  head += kVersion;
  head += static_cast<char>(file.cost);
  return head + file.salt + file.box.nonce;
}

std::string write(ExportFile const& file) { return exportHead(file) + file.box.text + file.box.tag; }

Result<ExportFile> readExportFile(std::string_view bytes) {
  auto rest = bytes;
  if (take(rest, kMagic.size()) != kMagic) return noExport("it begins with something else");
  if (bytes.size() < kHeadBytes + kTagBytes) return noExport("it was cut off");
  auto const version = static_cast<unsigned char>(take(rest, 1)[0]);
  if (version != kVersion)
    return Error(ErrorKind::unsupported,
                 "the export is of version " + std::to_string(version) +
                     ", and this garlandd reads version 1; import it with a newer one");
  ExportFile file;
  file.cost = static_cast<unsigned char>(take(rest, 1)[0]);
  if (file.cost < kLeastCost || file.cost > kMostCost)
    return noExport("its passphrase is protected in no known way");
  file.salt = take(rest, kSaltBytes);
  file.box.nonce = take(rest, kNonceBytes);
  file.box.text = take(rest, rest.size() - kTagBytes);
  file.box.tag = rest;
  return file;
}

} // namespace garland::vault
