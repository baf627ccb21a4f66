// Opening a key file safely; the public face (readKeyFile, createKeyFile) is in vault.h.
#pragma once

#include "host/base/result.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace garland::vault {

class OpenFile {
public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : bytes(other.bytes), fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  OpenFile(OpenFile const&) = delete;
  OpenFile& operator=(OpenFile const&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; } // negative: could not be opened

  std::size_t bytes = 0; // its length when it was opened

private:
  int fd_;
};

// A regular file whose mode has none of these bits: neither read nor written by group and others. Errors as
// in vault.h.
Result<OpenFile> openKeyFile(std::string const& path, mode_t forbidden = S_IRWXG | S_IRWXO);
// Fills `out` exactly; invalidInput if the file is shorter.
Result<void> readAll(OpenFile const& file, std::span<std::byte> out, std::string const& path);

} // namespace garland::vault
