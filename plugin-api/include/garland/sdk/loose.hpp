// Texts that people wrote, or that a tool wrote for people: dates, amounts and names of members, where no
// format was agreed on. What is not clear is nothing: a wrong date is worse than none.
#pragma once

#include <garland/sdk/money.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace garland::sdk::loose {

// What comes first in 06/07/2026.
enum class DateOrder { mdy, dmy };

// "2026-06-13" of "6/13/2026", "13.06.2026", "Saturday, June 13th, 2026 at 4:00 PM", "2026-06-13T14:00:00Z".
// A day that exists, with its year. The order decides only where both can be meant.
std::optional<std::string> date(std::string_view text, DateOrder order);

// Of "$4,500", "4.500,00 EUR", "1200"; `currency` is that of amounts that name none, and may be empty. No
// ranges, no "5k", and nothing where a point may be either: 4.500.
std::optional<Money> money(std::string_view text, std::string_view currency);

// "1,200" and "150 " are numbers; "100-150" and "about 80" are none.
std::optional<std::int64_t> count(std::string_view text);

// Whatever spelling a sender has for names: "Client First Name", "clientFirstName" and "CLIENT_FIRST_NAME"
// are "client_first_name".
std::string memberName(std::string_view text);

} // namespace garland::sdk::loose
