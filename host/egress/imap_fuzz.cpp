// Whatever an IMAP server says to EXAMINE and SEARCH: numbers in range, in order, or an error.
#include "host/egress/imap_answer.h"

#include <cstddef>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const answer(reinterpret_cast<char const*>(data), size);
  constexpr std::uint32_t kFirst = 5;
  constexpr std::uint32_t kLast = 10'004;
  if (auto const uids = garland::egress::readSearch(answer, kFirst, kLast)) {
    std::uint32_t before = 0;
    for (auto const uid : *uids) {
      if (uid <= before || uid < kFirst || uid > kLast) std::abort();
      before = uid;
    }
  }
  if (auto const status = garland::egress::readExamine(answer);
      status && (status->validity == 0 || status->next == 0))
    std::abort();
  return 0;
}
