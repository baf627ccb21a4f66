// Takes a credential out of an answer that echoes it, so that no plugin reads it there.
#pragma once

#include "host/egress/egress.h"

#include <string>
#include <vector>

namespace garland::egress {

// Only forms of 16 bytes or more are looked for in every answer: a short password may well be a word in
// somebody's calendar, and that must not be altered. Answers with a status of 400 or above carry no
// calendar: there the secret as it is, in JSON and percent-encoded, is looked for from 6 bytes on.
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
  void add(std::string_view secret);

  std::vector<std::string> forms_;
  std::vector<std::string> short_forms_; // for answers that report a failure
};

} // namespace garland::egress
