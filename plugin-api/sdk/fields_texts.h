// Texts inside of fields: what is taken for a date, a phone number, an e-mail address, a name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace garland::sdk::fields {

std::string trimmed(std::string_view text);
// At most so many bytes, without cutting through a character.
std::string_view shortened(std::string_view text, std::size_t longest);
bool isDate(std::string_view text);                        // "2026-06-13", a day that exists
std::optional<std::string> clockOf(std::string_view text); // "14:00" as "14:00:00"
bool isZone(std::string_view text);                        // has the shape of an IANA name
std::optional<std::string> emailOf(std::string_view text); // in lower case
// Digits, with "+" if the country is known, with ";ext=" if there is an extension.
std::optional<std::string> phoneOf(std::string_view text, std::string_view calling_code);
// At the last space: "Anna Maria Berg" is "Anna Maria" and "Berg"; one word is a first name.
std::pair<std::string, std::string> splitName(std::string_view whole);
std::string joinName(std::string_view first, std::string_view last);

} // namespace garland::sdk::fields
