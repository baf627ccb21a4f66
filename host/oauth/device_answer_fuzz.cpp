// What a provider says of a sign-in on another device is any bytes.
#include "host/oauth/device_answer.h"

#include <cstdlib>

using namespace garland;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  oauth::Reply reply;
  reply.status = 200 + (data[0] % 4) * 100;
  reply.body.assign(reinterpret_cast<char const*>(data + 1), size - 1);
  if (auto const start = oauth::readDeviceStart(reply)) {
    if (reply.status != 200 || start->code.empty() || start->user_code.empty()) std::abort();
    if (start->pause <= Milliseconds(0) || start->life <= Milliseconds(0)) std::abort();
    for (auto const* shown : {&start->user_code, &start->verification_uri, &start->verification_uri_complete})
      for (char const c : *shown)
        if (c < ' ' || c > '~') std::abort();
  }
  auto const word = oauth::readDeviceWord({}, reply);
  bool const given = word.says == oauth::DeviceWord::Says::given;
  if (given == word.answer.access.empty()) std::abort();
  if ((word.says == oauth::DeviceWord::Says::over) == word.why.empty()) std::abort();
  if (reply.status == 500 && word.says != oauth::DeviceWord::Says::later) std::abort();
  return 0;
}
