// Bodies that are not JSON: forms with brackets, and multipart/form-data.
#pragma once

#include <garland/sdk/http.hpp>
#include <garland/sdk/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::form {

inline constexpr std::string_view content_type = "application/x-www-form-urlencoded";

// {"metadata": {"wedding": "w1"}, "types": ["card"]} as "metadata[wedding]=w1&types[0]=card". The brackets
// stay as they are, all else is percent-encoded. Null and an empty object or array are an empty value,
// by which providers clear a member.
std::string encode(json::object const& document);

// The opposite, for bytes from outside: every value is a text; "a[]=1" appends; indices that count up
// from 0 make an array, others an object. Failure(kind) if a member is both a value and an object, or
// nests deeper than 32. [nosuspend]
json::object decode(std::string_view text, Kind kind = Kind::invalidInput);

struct Part {
  std::string name;
  std::string content;
  std::optional<std::string> file_name = {};
  std::string content_type = {}; // empty: none is told
};

struct Body {
  std::string content_type; // with the boundary
  std::string bytes;
};

// multipart/form-data (RFC 7578), in the order given; contents may be any bytes. The boundary follows from
// the parts and does not occur in them, so a call that runs again sends the same bytes. Failure(invalidInput)
// if a part's type holds a control character; names and file names may hold anything.
Body multipart(std::vector<Part> const& parts);

// The request that carries it, for Account::send and Account::fetch:
//   account.fetch(form::post("photos", form::multipart({{"album", "7"}, {"photo", bytes, "1.jpg",
//   "image/jpeg"}})))
Request post(std::string url, Body body);

} // namespace garland::sdk::form
