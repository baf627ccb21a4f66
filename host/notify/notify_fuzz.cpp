// What strangers and callers write: answers of receivers become one line of UTF-8, an address or an event
// that is taken is harmless in a header line, and only ids that we made name a delivery.
#include "host/base/utf8.h"
#include "host/notify/courier.h"
#include "host/notify/message.h"

#include <cstdlib>

using namespace garland;

// First byte: the status, from 200 on in steps of two.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string const text(reinterpret_cast<char const*>(data) + 1, size - 1);
  egress::Response response;
  response.status = 200 + 2 * data[0];
  response.body = text;
  auto const outcome = notify::outcomeOf(response);
  auto const broken = notify::outcomeOf(Error(ErrorKind::transient, text)).problem;
  if (!isUtf8(broken) || printable(broken) != broken) std::abort();
  bool const one_line = printable(outcome.problem) == outcome.problem;
  if (!isUtf8(outcome.problem) || !one_line || outcome.problem.size() > 1'000) std::abort();
  if (outcome.delivered != outcome.problem.empty()) std::abort();

  if (notify::checkUrl(text, data[0] % 2 == 0) && text.find_first_of("\r\n \t") != std::string::npos)
    std::abort();
  if (notify::checkEvents({text}, {"crm.client"}) && !notify::wants({text}, "crm.client.created") &&
      !notify::wants({text}, "crm.client.updated") && !notify::wants({text}, "crm.client.deleted"))
    std::abort();
  if (auto const sequence = notify::sequenceOf("epo_1", text);
      sequence && notify::idOf("epo_1", *sequence) != text)
    std::abort();
  return 0;
}
