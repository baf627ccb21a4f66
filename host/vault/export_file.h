// The bytes of an export: a file for another host, under a passphrase.
//
//   "garland vault export\n"   21
//   version                     1  1
//   cost                        1  log2 of scrypt's N; its r is 8, its p is 1
//   salt                       16  of scrypt
//   nonce                      12
//   text                        n  AES-256-GCM under the key that scrypt makes
//   tag                        16
//
// What stands before the text is authenticated with it.
#pragma once

#include "host/vault/envelope.h"

#include <string>
#include <string_view>

namespace garland::vault {

inline constexpr int kLeastCost = 10; // 1 MiB of memory
inline constexpr int kMostCost = 18;  // 256 MiB: what a file may ask for

struct ExportFile {
  int cost = 0;
  std::string salt;
  Box box;
};

std::string write(ExportFile const& file);
// What stands before the text, as write() has it.
std::string exportHead(ExportFile const& file);
// invalidInput if write() could not have made it; unsupported if it is of a later version.
Result<ExportFile> readExportFile(std::string_view bytes);

} // namespace garland::vault
