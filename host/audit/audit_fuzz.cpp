// An export comes from anywhere: lines that are verified without a database.
#include "host/audit/audit.h"

#include <cstdint>
#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<char const*>(data), size);
  audit::Verifier verifier({"ed25519:" + std::string(64, '0')}, audit::Mark{1, std::string(64, '0')});
  while (!rest.empty()) {
    auto const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto const value = parseJson(line);
    if (!value) continue;
    if (!verifier.take(*value)) verifier.unreadable("line", "cannot be read");
  }
  // Nobody has the key that counts here, so nothing is ever sound.
  if (verifier.finish().faults_in_all == 0) std::abort();
  return 0;
}
