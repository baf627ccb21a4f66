#include "host/cli/input_members.h"

#include <algorithm>

namespace garland::cli {
namespace {

constexpr int kDeepest = 8;

class Members {
public:
  explicit Members(json::value const& root) : root_(root) {}

  json::array rows() {
    object(root_, "", true, 0);
    return std::move(rows_);
  }

private:
  // What a reference leads to; its own words come before those of the definition.
  json::value const& resolved(json::value const& schema) const {
    auto const target = textOr(schema, "/$ref", "");
    auto const* const found = target.starts_with("#/") ? find(root_, target.substr(1)) : nullptr;
    return found == nullptr ? schema : *found;
  }

  std::string typeOf(json::value const& schema) const {
    if (auto const* words = find(schema, "/enum"); words != nullptr && words->is_array()) {
      std::string text;
      for (auto const& word : words->get_array())
        text += (text.empty() ? "" : ", ") +
                (word.is_string() ? std::string(word.get_string()) : json::serialize(word));
      return text;
    }
    auto const type = textOr(schema, "/type", "");
    if (type == "string") return "text";
    if (type == "integer") return "whole number";
    if (type == "boolean") return "true or false";
    if (type == "array") {
      auto const* const items = find(schema, "/items");
      return "list of: " + (items == nullptr ? std::string("anything") : typeOf(resolved(*items)));
    }
    return type.empty() ? "anything" : type;
  }

  void object(json::value const& schema, std::string const& at, bool needed, int depth) {
    auto const* const members = find(schema, "/properties");
    if (members == nullptr || !members->is_object() || depth > kDeepest) return;
    auto const* const required = find(schema, "/required");
    for (auto const& [name, raw] : members->get_object()) {
      auto const& member = resolved(raw);
      bool const must =
          required != nullptr && required->is_array() &&
          std::ranges::find(required->get_array(), json::value(name)) != required->get_array().end();
      auto const pointer = at + "/" + std::string(name);
      json::object row{{"member", pointer}, {"type", typeOf(member)}};
      row["required"] = must ? needed ? "yes" : "with " + at : "";
      auto const own = textOr(raw, "/description", "");
      row["about"] = own.empty() ? textOr(member, "/description", "") : own;
      rows_.push_back(std::move(row));
      auto const* const items = find(member, "/items");
      if (items != nullptr)
        object(resolved(*items), pointer + "/0", needed && must, depth + 1);
      else
        object(member, pointer, needed && must, depth + 1);
    }
  }

  json::value const& root_;
  json::array rows_;
};

} // namespace

json::value inputMembers(json::value const& schema) {
  json::object out;
  out["items"] = Members(schema).rows();
  return out;
}

} // namespace garland::cli
