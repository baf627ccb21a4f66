// A connector in garland-probe, and everything it can do done once: for checks that look on from inside.
#pragma once

#include "certification/checks/pulls.h"

#include <optional>

namespace garland::certification {

// A new world with the probe in it.
Bench& probed(Trial& trial, World world = {});
// One of the probe's own operations, "set", "tell", ...; null after a death, or if the case was given up.
json::value deed(Trial& trial, std::string_view name, json::object input = {});

// What operations are called with: one valid input for each that the brief has one for.
struct Use {
  std::string operation;
  json::value input;
  std::string title;       // for findings
  json::array before = {}; // Ask::before
};
// The object at a JSON Pointer; null: there is none.
json::object const* membersAt(json::value const& document, std::string_view pointer);
// The operation by which the manifest has an action looked up; "" if it names none.
std::string lookupOf(Subject const& subject, std::string_view action);
// Of each kind of lead in the brief, the first delivery; and its further items.
std::vector<Use> intakesOf(Subject const& subject);
// What the brief's /actions have for the operation, with a key of this name where the manifest calls it an
// action; nothing if they have nothing.
std::optional<Use> actionOf(Subject const& subject, std::string_view operation, std::string const& key);
// The brief's actions.
std::vector<Use> actionsOf(Subject const& subject);
// What needs a record of its own: taking it away again, and reading it by its id.
std::vector<Use> usesOfRecords(Subject const& subject);
std::vector<Use> usesOf(Subject const& subject);
// What the manifest names for finding out whether an action, with this input and sent at this time, took
// place; nothing if it names nothing.
std::optional<Ask> lookupAsk(Subject const& subject, std::string_view action, json::value const& input,
                             TimePoint sent);
// How often the ledger tells of this action, by the word that the brief has for it.
std::size_t doneAt(Trial& trial, std::string_view operation);
Ask askFor(Use const& use);
// With an input of one member that no operation has. Whoever answers it well has shown nothing by that.
Ask oddAsk(std::string operation);

// Runs every use, then every operation with an input that its schema refuses. False if the worker died.
bool exercise(Trial& trial);
// The same uses while the provider is in trouble, so that what a connector does then is seen, too.
bool exerciseInTrouble(Trial& trial);

// A JSON document of some size or depth; the operation's schema refuses all of them.
std::string deepInput(std::size_t depth);
std::string largeInput(std::size_t bytes);

} // namespace garland::certification
