// The master keys that a vault holds, and data keys wrapped by them. One of the keys wraps, all of them
// unwrap.
#pragma once

#include "host/vault/envelope.h"
#include "host/vault/locked_memory.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::vault {

// A data key on the stack, gone when its block ends.
struct DataKey {
  DataKey() = default;
  DataKey(DataKey const&) = delete;
  DataKey& operator=(DataKey const&) = delete;
  ~DataKey();
  std::array<std::byte, kKeyBytes> bytes{};
};

class KeyRing {
public:
  // 32 bytes. The first that is added wraps; one that is there already is left out.
  void add(LockedMemory key);
  std::string const& wrappingId() const { return keys_.front().id; } // kKeyIdBytes bytes
  std::vector<std::string> ids() const;                              // hexadecimal

  // Sets the envelope's key id and wrapped key.
  void wrap(DataKey const& data_key, std::string nonce, Envelope& envelope) const;
  // invalidInput: no key here has that id, or the envelope is damaged.
  Result<void> unwrap(Envelope const& envelope, DataKey& data_key) const;

private:
  struct Master {
    std::string id;
    LockedMemory key;
  };
  std::vector<Master> keys_;
};

} // namespace garland::vault
