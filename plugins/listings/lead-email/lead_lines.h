// From the lines of a lead mail to its labelled values: "Wedding date: June 12, 2027", or a label on one line
// and its value below it.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lead_email {

namespace json = boost::json;

// The labels that a provider writes, in any case and spelling ("Wedding Date", "wedding-date").
struct Labels {
  std::vector<std::string> values; // one line each
  std::vector<std::string> texts;  // all lines up to the next label
  std::vector<std::string> links;  // texts of links; their value is the address
  std::vector<std::string> ends;   // lines with which a text ends: "Reply to this message"
};

std::string lowerCase(std::string_view text); // of ASCII letters

// "lower_case_words" of a label.
std::string nameOf(std::string_view label);

// {"wedding_date": "June 12, 2027", ...}. Of a label that comes twice, the first counts: what a person wrote
// into the free text cannot replace what stands above it.
json::object labelled(std::string_view text, Labels const& labels);

// The mail that stands in another one under the lines that mail programs write when they forward.
struct Forwarded {
  std::string from; // address, lower case
  std::string subject;
  std::string text;
};
std::optional<Forwarded> forwardedIn(std::string_view text);

} // namespace lead_email
