// Texts of strangers: whatever is read out of one is a day that exists, an amount of a currency, a plain
// name.
#include <garland/sdk/loose.hpp>

#include <cstdlib>

using namespace garland::sdk;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  for (auto const order : {loose::DateOrder::mdy, loose::DateOrder::dmy}) {
    auto const day = loose::date(text, order);
    if (day && loose::date(*day, order) != day) std::abort();
  }
  auto const amount = loose::money(text, "USD");
  if (amount && (!isCurrency(amount->currency) || amount->amount < 0)) std::abort();
  loose::count(text);
  auto const name = loose::memberName(text);
  if (loose::memberName(name) != name) std::abort();
  return 0;
}
