// The bytes of a file as text.
#pragma once

#include "host/csv/table.h"

namespace garland::csv {

struct Text {
  Encoding encoding = Encoding::utf8;
  std::string utf8;
};

// invalidInput for what is no text: a workbook, zero bytes, half of a UTF-16 character.
Result<Text> textOf(std::string_view bytes);

} // namespace garland::csv
