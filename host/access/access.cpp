#include "host/access/access.h"

#include "host/base/bytes.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <array>

namespace garland::access {
namespace {

constexpr std::string_view kPrefix = "gk_";
constexpr std::string_view kSessionPrefix = "gs_";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomLength = 43;
constexpr std::size_t kRoleLength = 3; // "op_"
// A key and the line ending that an editor adds.
constexpr std::size_t kLongestFile = kPrefix.size() + kRoleLength + kRandomLength + 2;

bool isBase64Url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// What the keys of a role begin with, behind kPrefix.
std::string_view wordOf(Role role) { return name(role).substr(0, kRoleLength - 1); }

Result<Secret> readApiKey(std::string const& path) {
  TRY(content, vault::readKeyFile(path, kLongestFile));
  auto text = content.reveal();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (!isApiKey(text))
    return Error(
        ErrorKind::invalidInput,
        "the file " + path +
            " holds no API key (gk_ and 43 characters, or 46 with a role); delete it to get a new one");
  return Secret(std::string(text));
}

Secret keyAfter(std::string_view prefix, std::string_view role, Random& random) {
  std::array<std::byte, kRandomBytes> bytes{};
  random.fill(bytes);
  std::string encoded = base64Url({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
  wipe(bytes.data(), bytes.size());
  std::string key;
  key.reserve(kLongestFile);
  key = prefix;
  key += role;
  key += encoded;
  wipe(encoded.data(), encoded.size());
  return Secret(std::move(key));
}

// "op_", "ve_": what follows is as long as without it.
bool namesARole(std::string_view text) {
  return std::ranges::any_of(kRoles, [&](Role role) {
    return text.starts_with(wordOf(role)) && text.substr(kRoleLength - 1).starts_with('_');
  });
}

} // namespace

bool isApiKey(std::string_view text) {
  if (!text.starts_with(kPrefix) || !std::ranges::all_of(text, isBase64Url)) return false;
  auto const rest = text.substr(kPrefix.size());
  return rest.size() == kRandomLength || (rest.size() == kRoleLength + kRandomLength && namesARole(rest));
}

Secret newApiKey(Random& random) { return keyAfter(kPrefix, "", random); }

Secret newApiKey(Role role, Random& random) {
  return keyAfter(kPrefix, std::string(wordOf(role)) + "_", random);
}

Secret newSessionKey(Random& random) { return keyAfter(kSessionPrefix, "", random); }

bool isSessionKey(std::string_view text) {
  return text.starts_with(kSessionPrefix) && text.size() == kSessionPrefix.size() + kRandomLength &&
         std::ranges::all_of(text, isBase64Url);
}

std::string hashOf(std::string_view api_key) { return vault::sha256Hex(api_key); }

bool matches(std::string_view api_key, std::string_view hash) {
  return isApiKey(api_key) && vault::equalInConstantTime(hashOf(api_key), hash);
}

Result<Secret> openKeyFile(std::string const& path, Random& random) {
  auto existing = readApiKey(path);
  if (existing || existing.error().kind != ErrorKind::notFound) return existing;
  auto const key = newApiKey(random);
  TRY_VOID(vault::createKeyFile(path, key.reveal(), random));
  // Another process may have been faster: its key is the one that counts.
  return readApiKey(path);
}

} // namespace garland::access
