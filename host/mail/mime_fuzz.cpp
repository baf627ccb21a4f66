// Anybody may send a mail: no bytes may end the process, and what is read is always valid JSON within the
// limits.
#include "host/mail/mail.h"

#include <cstdint>
#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  mail::Limits limits;
  limits.max_bytes = 60'000;
  limits.max_text = 1U << 18U;
  auto const mail = mail::readMail(std::string_view(reinterpret_cast<char const*>(data), size), limits);
  if (!mail) return 0;
  auto const text = json::serialize(*mail);
  if (!parseJson(text, JsonLimits{64U << 20U, 8})) std::abort(); // refuses what is no UTF-8
  if (textOr(*mail, "/text", "").size() > limits.max_text) std::abort();
  return 0;
}
