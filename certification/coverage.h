// What a manifest claims, held against what a run has exercised and what the brief lets it exercise: a
// connector whose brief names little has shown little.
#pragma once

#include "certification/certification.h"
#include "certification/journal.h"
#include "certification/subject.h"

#include <set>
#include <string>
#include <vector>

namespace garland::certification {

// An operation, and of what: a kind of record or a way in; "" if there is one thing to do with it. Without an
// operation: that records of the kind come in, however they do.
struct Claim {
  std::string operation;
  std::string of;
  auto operator<=>(Claim const&) const = default;
};
using Claims = std::set<Claim>;

// In the manifest's order.
std::vector<Claim> claimsOf(Subject const& subject);
// What a call has shown by ending well, if nothing was in its way: what comes of trouble proves nothing.
void note(Claims& shown, json::value const& input, Journal const& journal);
// Claims that the run has not shown. Of a `part` of the checks nobody can say that: then those that the brief
// gives nothing for.
std::vector<NotCovered> notCovered(Subject const& subject, Claims const& shown, bool part);

} // namespace garland::certification
