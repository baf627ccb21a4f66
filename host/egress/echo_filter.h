// Takes a credential out of an answer that echoes it, so that no plugin reads it there.
#pragma once

#include "host/egress/egress.h"

#include <string>
#include <vector>

namespace garland::egress {

// Only forms of 16 bytes or more are looked for: a short password may well be a word in somebody's
// calendar, and an answer must not be altered for that.
class EchoFilter {
public:
  explicit EchoFilter(Credential const& credential);
  EchoFilter(EchoFilter const&) = delete;
  EchoFilter& operator=(EchoFilter const&) = delete;
  ~EchoFilter();
  // Every form of the secret becomes "[secret]"; in one pass however often it stands there.
  void clean(std::string& text) const;
  void clean(Response& response) const;

private:
  std::vector<std::string> forms_;
};

} // namespace garland::egress
