#include "host/cli/public_key.h"

#include "host/base/file_text.h"

namespace garland::cli {
namespace {

constexpr std::size_t kLongestKeyFile = 4096;

} // namespace

Result<std::string> publicKeyNamed(std::string const& word) {
  if (word.starts_with("ed25519:")) return word;
  TRY(text, readFileText(word, kLongestKeyFile));
  auto key = text.substr(0, text.find_first_of(" \t\r\n#"));
  if (key.starts_with("ed25519:")) return key;
  return Error(
      ErrorKind::invalidInput,
      "holds no public key: one is written ed25519: and 64 hexadecimal digits, as `garland audit key` "
      "prints it",
      "--key");
}

} // namespace garland::cli
