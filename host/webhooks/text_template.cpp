#include "host/webhooks/text_template.h"

namespace garland::webhooks {

Result<TextTemplate> TextTemplate::parse(std::string_view text) {
  TextTemplate parsed;
  while (!text.empty()) {
    bool const name = text.front() == '{';
    auto const end = name ? text.find('}') : std::min(text.find_first_of("{}"), text.size());
    if (end == std::string_view::npos || end < (name ? 2U : 1U))
      return Error(ErrorKind::invalidInput, "every { needs a name and a }");
    parsed.pieces_.push_back({name, std::string(text.substr(name ? 1 : 0, name ? end - 1 : end))});
    text.remove_prefix(name ? end + 1 : end);
  }
  return parsed;
}

std::vector<std::string> TextTemplate::names() const {
  std::vector<std::string> names;
  for (auto const& piece : pieces_)
    if (piece.is_name) names.push_back(piece.text);
  return names;
}

Found<std::string> TextTemplate::render(Lookup const& lookup) const {
  std::string text;
  for (auto const& piece : pieces_) {
    if (!piece.is_name) {
      text += piece.text;
      continue;
    }
    TRY(value, lookup(piece.text));
    text += value;
  }
  return text;
}

} // namespace garland::webhooks
