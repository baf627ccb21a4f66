// Who a mail is really from, as far as its headers can tell.
//
// From is what the author typed. What proves it is the line that a mail server wrote which the vendor trusts
// (Authentication-Results, RFC 8601): that DKIM or DMARC passed, for the domain that From names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lead_email {

using Headers = std::vector<std::vector<std::string>>; // name, value

// "example.com" for "a@Mail.Example.com" under "example.com": the address is of that domain or below it.
bool ofDomain(std::string_view address, std::string_view domain);

// True if the server `authserv_id` says in the topmost line of its own that DKIM or DMARC passed for the
// domain of the address, or for one that it is below.
bool proven(Headers const& headers, std::string_view authserv_id, std::string_view address);

} // namespace lead_email
