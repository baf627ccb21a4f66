// Sealed text comes back from a database that others may write to: open() meets any bytes.
#include "host/vault/vault.h"

#include <cstdlib>
#include <filesystem>

using namespace garland;

namespace {

vault::Vault& theVault() {
  static SystemRandom random;
  static auto const folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "vault_fuzz.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }();
  static auto const vault = vault::Vault::open(folder + "/master.key", true, random).value();
  return *vault;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  // Nobody without the master key can make text that opens.
  if (theVault().open(bytes, "context")) std::abort();
  if (theVault().open("gv1." + base64(bytes), "context")) std::abort();
  auto const sealed = theVault().seal(Secret(std::string(bytes)), bytes);
  if (!sealed || theVault().open(*sealed, bytes).value().reveal() != bytes) std::abort();
  return 0;
}
