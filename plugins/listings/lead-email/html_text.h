// The lines of text that a person sees in an HTML mail.
//
// Not an HTML parser: mails are rarely well-formed, and no tree is wanted. One pass over the bytes, no
// recursion, no table that grows; the text is at most twice as long as the HTML.
#pragma once

#include <string>
#include <string_view>

namespace lead_email {

// A block, a line break or a cell of a table begins a new line; a link to the web is followed by "
// <address>".
std::string textOfHtml(std::string_view html);

} // namespace lead_email
