// The bytes of a file as text.
#pragma once

#include "host/csv/table.h"

#include <optional>

namespace garland::csv {

struct Text {
  Encoding encoding = Encoding::utf8;
  std::string utf8;
};

// invalidInput for what is no text: a workbook, zero bytes, half of a UTF-16 character.
Result<Text> textOf(std::string_view bytes);

// Bytes of which somebody said the charset, in whatever case: iso-8859-1, iso-8859-15, windows-1252, or
// utf-16 with a byte order mark. Nothing for any other. What is no character there is replaced.
std::optional<std::string> utf8Of(std::string_view bytes, std::string_view charset);

} // namespace garland::csv
