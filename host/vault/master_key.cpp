#include "host/vault/master_key.h"

#include "host/vault/envelope.h"
#include "host/vault/key_command.h"
#include "host/vault/key_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

namespace garland::vault {
namespace {

using Kind = KeySource::Kind;

constexpr std::size_t kHexDigits = 2 * kKeyBytes;
constexpr std::size_t kBase64Characters = 44;
constexpr std::size_t kLongestText = 128; // bytes read of a key in any form
constexpr Milliseconds kCommandTime{30'000};

Error noKey(KeySource const& source) {
  return {ErrorKind::invalidInput, describe(source) +
                                       " gives no master key: that is 32 bytes, as 64 hexadecimal "
                                       "digits or as base64 (openssl rand -hex 32 makes one)"};
}

std::span<unsigned char> raw(LockedMemory& memory) {
  return {reinterpret_cast<unsigned char*>(memory.bytes().data()), memory.bytes().size()};
}

// `text`: as it came, in locked memory of kLongestText + 1 bytes, the rest of which is zero.
Result<LockedMemory> decoded(LockedMemory& text, std::size_t length, KeySource const& source,
                             bool may_be_raw) {
  auto const from = raw(text);
  TRY(key, LockedMemory::allocate(kKeyBytes));
  if (may_be_raw && length == kKeyBytes) {
    std::memcpy(key.bytes().data(), from.data(), kKeyBytes);
    return key;
  }
  while (length > 0 && (from[length - 1] == '\n' || from[length - 1] == '\r')) from[--length] = 0;
  std::size_t made = 0;
  if (length == kHexDigits && OPENSSL_hexstr2buf_ex(raw(key).data(), kKeyBytes, &made,
                                                    reinterpret_cast<char const*>(from.data()), '\0') == 1)
    return key;
  if (length != kBase64Characters || from[length - 1] != '=' || from[length - 2] == '=') return noKey(source);
  TRY(wide, LockedMemory::allocate(kKeyBytes + 1)); // the padding is decoded, too, to a zero
  if (EVP_DecodeBlock(raw(wide).data(), from.data(), static_cast<int>(length)) !=
      static_cast<int>(kKeyBytes + 1))
    return noKey(source);
  std::memcpy(key.bytes().data(), wide.bytes().data(), kKeyBytes);
  return key;
}

Result<LockedMemory> ofFile(KeySource const& source) {
  TRY(file, openKeyFile(source.name));
  if (file.bytes != kKeyBytes)
    return Error(ErrorKind::invalidInput, "the master key file " + source.name + " holds " +
                                              std::to_string(file.bytes) + " bytes, not " +
                                              std::to_string(kKeyBytes) + "; restore it from its backup");
  TRY(key, LockedMemory::allocate(kKeyBytes));
  TRY_VOID(readAll(file, key.bytes(), source.name));
  return key;
}

Result<LockedMemory> ofVariable(KeySource const& source) {
  char* const value = std::getenv(source.name.c_str());
  if (value == nullptr)
    return Error(ErrorKind::notFound, describe(source) + ", which [vault] names, is not set");
  auto const length = std::strlen(value);
  TRY(text, LockedMemory::allocate(kLongestText + 1));
  std::memcpy(text.bytes().data(), value, std::min(length, kLongestText));
  // Where /proc/PID/environ shows it; and no child is given it.
  wipe(value, length);
  ::unsetenv(source.name.c_str());
  if (length > kLongestText) return noKey(source);
  return decoded(text, length, source, false);
}

// systemd lets the service's user read it by an access list, which shows as the group's right to read.
Result<LockedMemory> ofCredential(KeySource const& source) {
  char const* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr)
    return Error(ErrorKind::notFound, describe(source) +
                                          " is not there: systemd gave this service none; add "
                                          "LoadCredential=" +
                                          source.name + ":/path to its unit");
  auto const path = std::string(folder) + "/" + source.name;
  TRY(file, openKeyFile(path, S_IWGRP | S_IXGRP | S_IRWXO));
  if (file.bytes > kLongestText) return noKey(source);
  TRY(text, LockedMemory::allocate(kLongestText + 1));
  TRY_VOID(readAll(file, text.bytes().first(file.bytes), path));
  return decoded(text, file.bytes, source, true);
}

Result<LockedMemory> ofCommand(KeySource const& source) {
  TRY(text, LockedMemory::allocate(kLongestText + 1));
  TRY(length, outputOf(source.argv, text.bytes().first(kLongestText), kCommandTime));
  return decoded(text, length, source, true);
}

bool isName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

} // namespace

Result<KeySource> keySourceNamed(std::string_view text) {
  constexpr std::string_view variable = "env:";
  constexpr std::string_view credential = "credential:";
  KeySource source;
  source.kind = text.starts_with(variable)     ? Kind::variable
                : text.starts_with(credential) ? Kind::credential
                                               : Kind::file;
  if (source.kind == Kind::variable) text.remove_prefix(variable.size());
  if (source.kind == Kind::credential) text.remove_prefix(credential.size());
  if (text.empty() || (source.kind != Kind::file && !isName(text)))
    return Error(ErrorKind::invalidInput,
                 "must be the path of a file, env:NAME, credential:NAME, or a command as "
                 "a list of its words");
  source.name = text;
  return source;
}

std::string describe(KeySource const& source) {
  switch (source.kind) {
  case Kind::file: return "the file " + source.name;
  case Kind::variable: return "the environment variable " + source.name;
  case Kind::credential: return "the systemd credential " + source.name;
  case Kind::command: return "the command " + (source.argv.empty() ? std::string() : source.argv.front());
  }
  return {};
}

Result<LockedMemory> readMasterKey(KeySource const& source) {
  switch (source.kind) {
  case Kind::file: return ofFile(source);
  case Kind::variable: return ofVariable(source);
  case Kind::credential: return ofCredential(source);
  case Kind::command: return ofCommand(source);
  }
  return noKey(source);
}

Result<void> createMasterKey(std::string const& path, Random& random) {
  TRY(key, LockedMemory::allocate(kKeyBytes));
  random.fill(key.bytes());
  std::string_view const bytes(reinterpret_cast<char const*>(key.bytes().data()), kKeyBytes);
  TRY_VOID(createKeyFile(path, bytes, random));
  return {};
}

} // namespace garland::vault
