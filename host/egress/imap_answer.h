// What an IMAP server answers, as far as libcurl leaves it to us: the state of a mailbox and lists of UIDs.
// Messages are framed by libcurl. No I/O.
#pragma once

#include "host/base/result.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace garland::egress {

struct MailboxStatus {
  std::uint32_t validity = 0;
  std::uint32_t next = 0;
};

// Of the untagged lines that answer EXAMINE. providerBug if one of the two numbers is missing.
Result<MailboxStatus> readExamine(std::string_view answer);

// The UIDs of the SEARCH lines, ascending, each once. providerBug: there is no such line, a line is cut or
// holds what is no UID, or a UID lies outside of what was asked for.
Result<std::vector<std::uint32_t>> readSearch(std::string_view answer, std::uint32_t first,
                                              std::uint32_t last);

} // namespace garland::egress
