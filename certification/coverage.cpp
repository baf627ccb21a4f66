#include "certification/coverage.h"

#include "certification/checks/exercise.h"

#include <algorithm>

namespace garland::certification {
namespace {

std::string areaOf(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }
std::string verbOf(std::string_view operation) {
  auto const dot = operation.find('.') + 1;
  return std::string(operation.substr(dot, operation.find('/') - dot));
}
bool isWrite(std::string_view verb) { return verb == "upsert" || verb == "delete"; }

std::vector<std::string> namesAt(json::value const& document, std::string_view pointer) {
  std::vector<std::string> out;
  if (auto const* members = membersAt(document, pointer))
    for (auto const& member : *members) out.emplace_back(member.key());
  return out;
}

// Kinds of an area that the manifest says are read, or written.
std::vector<std::string> kindsOf(Subject const& subject, std::string_view area, std::string const& way) {
  auto const& manifest = subject.plugin.manifest.document;
  auto out = namesAt(manifest, "/entities");
  std::erase_if(out, [&](auto const& kind) {
    return areaOf(kind) != area || !boolOr(manifest, "/entities/" + kind + "/" + way, false);
  });
  return out;
}

// Of one operation. Whether all kinds can be written is a question only where there are several.
std::vector<std::string> thingsOf(Subject const& subject, std::string const& operation) {
  auto const verb = verbOf(operation);
  std::vector<std::string> out;
  if (verb == "pull") out = kindsOf(subject, areaOf(operation), "read");
  if (isWrite(verb)) out = kindsOf(subject, areaOf(operation), "write");
  if (operation == "intake.parse/1") out = namesAt(subject.plugin.manifest.document, "/intake");
  if (out.empty() || (isWrite(verb) && out.size() == 1)) return {""};
  return out;
}

bool has(Subject const& subject, std::string_view pointer) {
  return garland::find(subject.brief.document, pointer) != nullptr;
}

// What the brief lets a run exercise.
Claims namedBy(Subject const& subject) {
  Claims out;
  for (auto const& use : usesOf(subject)) {
    out.insert({use.operation, ""});
    out.insert({use.operation, textOr(use.input, "/entity", "")});
    out.insert({lookupOf(subject, use.operation), ""});
    if (use.operation == "intake.parse/1") out.insert({use.operation, textOr(use.input, "/item/source", "")});
  }
  for (auto const& kind : pulledEntities(subject)) out.insert({operationFor(kind, "pull"), kind});
  if (has(subject, "/webhooks/triggers")) out.insert({"webhooks.parse/1", ""});
  if (has(subject, "/payments/edit/payout")) out.insert({"payments.settlement/1", ""});
  return out;
}

std::string placeOf(Subject const& subject, Claim const& claim) {
  auto const& operation = claim.operation;
  auto const verb = verbOf(operation);
  if (operation.empty() || operation == "intake.parse/1") return "/intake";
  if (operation == "webhooks.parse/1") return "/webhooks/triggers";
  if (operation == "records.get/1") return "/entities";
  auto entity = "/entities/" + (claim.of.empty() ? "<entity>" : claim.of);
  if (verb == "pull") return entity;
  if (isWrite(verb)) return entity + "/record";
  for (auto const& action : namesAt(subject.plugin.manifest.document, "/actions"))
    if (lookupOf(subject, action) == operation) return "/actions/" + action;
  return "/actions/" + operation;
}

// Nobody has seen whether it charges once, so it may be installed nowhere.
bool movesMoney(Subject const& subject, Claim const& claim) {
  auto const* actions = membersAt(subject.plugin.manifest.document, "/actions");
  return areaOf(claim.operation) == "payments" && actions != nullptr && actions->contains(claim.operation);
}

std::string inWords(Claim const& claim) {
  if (claim.operation.empty()) return "records of " + claim.of;
  if (claim.of.empty()) return claim.operation;
  return claim.operation + (claim.operation == "intake.parse/1" ? " by " : " of ") + claim.of;
}

} // namespace

std::vector<Claim> claimsOf(Subject const& subject) {
  std::vector<Claim> out;
  auto const& manifest = subject.plugin.manifest;
  for (auto const& operation : manifest.operations)
    for (auto& of : thingsOf(subject, operation)) out.push_back({operation, std::move(of)});
  for (auto const& kind : namesAt(manifest.document, "/entities"))
    if (boolOr(manifest.document, "/entities/" + kind + "/read", false) &&
        !subject.offers(operationFor(kind, "pull")))
      out.push_back({"", kind});
  return out;
}

void note(Claims& shown, json::value const& input, Journal const& journal) {
  if (!journal.ok() || journal.fault_met) return;
  auto const& operation = journal.operation;
  shown.insert({operation, ""});
  if (isWrite(verbOf(operation))) shown.insert({operation, textOr(input, "/entity", "")});
  for (auto const& record : journal.records) {
    if (record.kind.starts_with("garland.")) continue;
    shown.insert({operation, record.kind});
    shown.insert({"", record.kind});
    if (operation == "intake.parse/1") shown.insert({operation, textOr(input, "/item/source", "")});
  }
}

std::vector<NotCovered> notCovered(Subject const& subject, Claims const& shown, bool part) {
  auto const named = namedBy(subject);
  std::vector<NotCovered> out;
  for (auto const& claim : claimsOf(subject)) {
    // Which kinds of records come of what comes in, the brief does not say.
    bool const is_named = named.contains(claim) || (claim.operation.empty() && has(subject, "/intake"));
    if (shown.contains(claim) || (part && is_named)) continue;
    out.push_back({inWords(claim),
                   is_named ? "certification.json has something for it, and no call of it did "
                              "what the manifest claims"
                            : "nothing exercises it; fill in certification.json: " + placeOf(subject, claim),
                   movesMoney(subject, claim) ? Level::bronze : Level::silver});
  }
  return out;
}

} // namespace garland::certification
