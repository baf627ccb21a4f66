// What a provider says of a sign-in on another device (RFC 8628). No I/O; the bytes come from outside.
#pragma once

#include "host/oauth/answer.h"

namespace garland::oauth {

struct DeviceStart {
  Secret code; // the device's
  std::string user_code;
  std::string verification_uri;
  std::string verification_uri_complete; // "": none
  Milliseconds life{0};
  Milliseconds pause{0}; // between two questions, at least
};

// forbidden: it does not begin one for this client; transient: later; providerBug: it is no such answer.
Result<DeviceStart> readDeviceStart(Reply const& reply);

struct DeviceWord {
  enum class Says {
    given,   // see `answer`
    pending, // nobody has typed the code yet
    slower,  // the same, and it is asked too often
    over,    // for good; see `why`
    later,   // nothing
  };
  Says says = Says::later;
  Answer answer;
  std::string why;       // one sentence
  bool in_doubt = false; // of "later" and "over": tokens may have been given, and lost
};

DeviceWord readDeviceWord(Provider const& provider, Reply const& reply);
// There was none.
DeviceWord noDeviceWord(Error const& error);

} // namespace garland::oauth
