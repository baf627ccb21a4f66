// A bank in memory behind the actions of the test manifest: it takes charges, remembers keys where it is
// said to, and loses answers when told to. No network, no worker.
#pragma once

#include "host/sync/testing/house.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync::testing {

// test.charge/1 is looked up by test.find/1, test.send/1 is repeated under its key (the bank knows it then),
// test.post/1 is neither.
class FakeBank {
public:
  struct Charge {
    std::string key;
    std::string operation;
    std::string id; // "pay_1"
  };
  // How one call of an action goes; without any left it goes well.
  struct Turn {
    bool arrives = true;
    std::optional<Error> error; // instead of the answer
    bool asks = true;           // false: the call ends before any request went out
  };
  static Turn lostOnTheWay();     // never arrives, and nobody knows
  static Turn lostOnTheWayBack(); // takes place, and nobody knows
  static Turn refused(Error error);

  explicit FakeBank(House& house);
  ~FakeBank();
  FakeBank(FakeBank const&) = delete;
  FakeBank& operator=(FakeBank const&) = delete;

  std::deque<Turn> turns;
  std::deque<json::value> lookup_answers; // without any left: the truth, final
  std::optional<Error> refuse_lookups;
  std::function<Task<void>()> during; // once, when the next call has arrived

  std::vector<Charge> charges;
  std::vector<std::string> keys; // of every call, in their order
  int lookups = 0;
  int in_hand = 0; // calls that are being answered
  json::value last_lookup;

private:
  Task<json::value> act(runtime::Call call, runtime::CallHost* host);
  Result<json::value> lookUp(json::value const& input);
  Result<json::value> take(std::string const& operation, std::string const& key);

  House& house_;
};

} // namespace garland::sync::testing
