// Internals of Rehearsal (certification.h): what its bench is asked, and what it tells.
#pragma once

#include "certification/bench.h"
#include "certification/certification.h"

namespace garland::certification {

// "crm.pull" is "crm.pull/1" if the connector has that; nothing if it has none of the name.
std::optional<std::string> operationNamed(Subject const& subject, std::string const& name);
// What certification.json lets an operation be called with: a pull of each entity, the record to write, the
// one to take away or to read by its id, the input of an action. At least one; an empty object where it says
// nothing. "{id}" in it is what stepsBefore() make.
std::vector<json::value> inputsFor(Subject const& subject, std::string const& operation);
json::array stepsBefore(Subject const& subject, std::string const& operation, json::value const& input);
Rehearsed tellOf(Journal journal);

} // namespace garland::certification
