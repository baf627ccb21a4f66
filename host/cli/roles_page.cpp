// The page of sdk-docs that says which role may call which route.
#include "host/cli/commands.h"

namespace garland::cli {

std::string rolesPage(json::value const& matrix) {
  auto const& roles = matrix.at("roles").as_array();
  auto const& items = matrix.at("items").as_array();
  std::string out = "# Who may call what\n\n"
                    "Made by `garland roles matrix --markdown`; a test keeps it equal. " +
                    std::to_string(items.size()) +
                    " routes.\n\n"
                    "*all*: whatever it is about; *own*: what belongs to the vendor whose key it is; a dash: "
                    "not at all; *anyone*: no key\nis needed, but often a ticket, a signature or a secret "
                    "address. How keys are made is in [operating](operating.md), why it is so in\n"
                    "[decision 0048](decisions/0048-roles-and-keys.md).\n\n"
                    "| route |";
  std::string rule = "\n|---|";
  for (auto const& role : roles) {
    out += " " + std::string(role.as_string()) + " |";
    rule += "---|";
  }
  out += rule + "\n";
  for (auto const& line : items) {
    out += "| `" + textOr(line, "/method", "") + " " + textOr(line, "/path", "") + "` |";
    for (auto const& role : roles) {
      auto word = textOr(line, "/roles/" + std::string(role.as_string()), "none");
      if (word == "none") word = "-";
      if (!boolOr(line, "/key", true)) word = "anyone";
      out += " " + word + " |";
    }
    out += "\n";
  }
  return out;
}

} // namespace garland::cli
