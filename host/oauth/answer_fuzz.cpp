// What a provider answers is any bytes.
#include "host/oauth/answer.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  oauth::Provider provider;
  provider.refusals = {"190"};
  oauth::Reply reply;
  reply.status = 200 + (data[0] % 4) * 100;
  reply.body.assign(reinterpret_cast<char const*>(data + 1), size - 1);
  auto const answer = oauth::readAnswer(provider, reply);
  bool const given = answer.verdict == oauth::Verdict::given;
  if (given == answer.access.empty()) std::abort();
  if (given && reply.status != 200) std::abort();
  if (reply.status == 500 && answer.verdict != oauth::Verdict::later) std::abort();
  for (auto const* token : {&answer.access, &answer.refresh})
    for (char const c : token->reveal())
      if (c <= ' ' || c > '~') std::abort();
  auto const again = oauth::replyFrom(oauth::textOf(reply));
  if (!again || again->body != reply.body) std::abort();
  return 0;
}
