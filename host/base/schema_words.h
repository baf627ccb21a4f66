// What a schema problem is called to people: valijson's sentence in, ours out.
#pragma once

#include "host/base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::schema_words {

// One problem as valijson tells it.
struct Told {
  std::vector<std::string> steps; // from the document's root: member names and indexes
  std::string description;
};

// True if it only says that something inside of it is wrong.
bool enclosesOthers(std::string_view description);
// The name of a member that no schema knows, "" if the problem is another. The steps lead to its object.
std::string unknownMember(std::string_view description);
// valijson does not tell of a name that is not allowed, but that what holds such a member is wrong: then the
// problem at the member's object; else as it was told.
Told placed(json::value const& schema, json::value const& document, Told told);
// "must not be empty", "unknown member \"adress\"; the members are: url"
std::string say(json::value const& schema, json::value const& document, Told const& told);

} // namespace garland::schema_words
