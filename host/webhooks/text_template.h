// Text with names in braces: "{timestamp}.{body}".
#pragma once

#include "host/webhooks/reject.h"

#include <functional>

namespace garland::webhooks {

class TextTemplate {
public:
  using Lookup = std::function<Found<std::string>(std::string const& name)>;

  TextTemplate() = default;
  static Result<TextTemplate> parse(std::string_view text);
  bool empty() const { return pieces_.empty(); }
  std::vector<std::string> names() const;
  // The first name that cannot be found is the rejection.
  Found<std::string> render(Lookup const& lookup) const;

private:
  struct Piece {
    bool is_name = false;
    std::string text;
  };
  std::vector<Piece> pieces_;
};

} // namespace garland::webhooks
