// The files of presets/ as text in the program.
#pragma once

#include <string_view>
#include <vector>

namespace garland::webhooks {

struct PresetText {
  std::string_view name; // the file's, without .json
  std::string_view text;
};
std::vector<PresetText> const& presetTexts();

} // namespace garland::webhooks
