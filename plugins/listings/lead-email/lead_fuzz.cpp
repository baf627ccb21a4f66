// The texts of mails come from anybody: HTML, labels, forwarded mails and Authentication-Results lines.
#include "html_text.h"
#include "lead_lines.h"
#include "sender.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  auto const text = lead_email::textOfHtml(input);
  if (text.size() > 2 * size + 2) std::abort();
  lead_email::Labels const labels{{"Name", "Date"}, {"Message"}, {"View"}, {"End"}};
  for (auto const& value : lead_email::labelled(text, labels))
    if (value.value().as_string().empty()) std::abort();
  static_cast<void>(lead_email::forwardedIn(text));
  // Nobody proves a domain that the line does not name.
  if (input.find("x.example") == std::string_view::npos &&
      lead_email::proven({{"Authentication-Results", std::string(input)}}, "mx", "a@x.example"))
    std::abort();
  return 0;
}
