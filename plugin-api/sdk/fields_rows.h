// What reading and writing of fields share.
#pragma once

#include <garland/sdk/fields.hpp>
#include <garland/sdk/pointer.hpp>

namespace garland::sdk::fields {

// Failure(providerBug) "POINTER: WHAT".
[[noreturn]] void refuse(std::string_view pointer, std::string_view what);

// How this account writes it; nothing if that is not known.
std::optional<AmountForm> amountForm(Amount const& form, Context const& context);

// Reads one row into `out`, which is left as it is if there is no value.
void readRow(Field const& row, json::value const& theirs, Context const& context, json::object& out);

} // namespace garland::sdk::fields
