// How Stripe reads a request and refuses one: form parameters that are known by name, errors with type, code
// and param. Only the twin includes this.
#pragma once

#include <garland/sdk/twin_http.hpp>

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace garland::stripe_twin {

using namespace sdk::twin;

// An answer in Stripe's error form.
struct Wrong {
  int status = 400;
  std::string_view type = "invalid_request_error";
  std::string_view code = {};
  std::string message = {};
  std::string_view param = {};
};

inline Response errorAnswer(Wrong const& wrong, json::object more = {}) {
  more["type"] = wrong.type;
  more["message"] = wrong.message;
  if (!wrong.code.empty()) more["code"] = wrong.code;
  if (!wrong.param.empty()) more["param"] = wrong.param;
  return {wrong.status, json::object{{"error", std::move(more)}}};
}

[[noreturn]] inline void refuseWith(Wrong const& wrong) { throw Refusal(errorAnswer(wrong)); }

// The parameters of a request: a tree of texts.
class Parameters {
public:
  // Every parameter has to be one of these, or of `also`.
  Parameters(Request const& request, std::initializer_list<std::string_view> known,
             std::initializer_list<std::string_view> also = {})
      : tree_(treeOf(request.method == "GET" ? request.parameters : request.form())) {
    tree_.erase("expand"); // nothing here is expanded
    for (auto const& member : tree_)
      if (std::ranges::find(known, std::string_view(member.key())) == known.end() &&
          std::ranges::find(also, std::string_view(member.key())) == also.end())
        refuseWith({.code = "parameter_unknown",
                    .message = "Received unknown parameter: " + std::string(member.key()),
                    .param = member.key()});
  }

  std::optional<std::string> text(std::string_view name) const {
    auto const* const found = tree_.if_contains(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string())
      refuseWith({.message = "Invalid string: " + json::serialize(*found), .param = name});
    return std::string(found->get_string());
  }
  std::optional<std::int64_t> number(std::string_view name) const {
    auto const given = text(name);
    if (!given) return std::nullopt;
    std::int64_t value = 0;
    auto const* const end = given->data() + given->size();
    auto const [stop, error] = std::from_chars(given->data(), end, value);
    if (error != std::errc() || stop != end)
      refuseWith(
          {.code = "parameter_invalid_integer", .message = "Invalid integer: " + *given, .param = name});
    return value;
  }
  bool flag(std::string_view name) const {
    auto const given = text(name).value_or("false");
    if (given != "true" && given != "false")
      refuseWith({.message = "Invalid boolean: " + given, .param = name});
    return given == "true";
  }
  json::object const* object(std::string_view name) const {
    auto const* const found = tree_.if_contains(name);
    if (found == nullptr || (found->is_string() && found->get_string().empty())) return nullptr;
    if (!found->is_object()) refuseWith({.message = "Invalid object", .param = name});
    return &found->get_object();
  }
  json::array list(std::string_view name) const {
    auto const* const found = tree_.if_contains(name);
    if (found == nullptr) return {};
    if (!found->is_array()) refuseWith({.message = "Invalid array", .param = name});
    return found->get_array();
  }

private:
  // Refusals and records repeat values, and an answer has its limit.
  static json::object treeOf(Query const& pairs) {
    constexpr std::size_t longest = 20'000; // bytes; evidence of a dispute takes as many
    for (auto const& [name, value] : pairs)
      if (value.size() > longest)
        refuseWith({.message = "Invalid string: must be at most 20000 characters", .param = name});
    return bracketed(pairs);
  }

  json::object tree_;
};

} // namespace garland::stripe_twin
