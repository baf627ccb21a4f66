// Checks of what happens at a CRM while nobody here looks: records that are merged, edits in one second, and
// what belongs to something that comes later.
#include "certification/checks/pulls.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

std::string noPull(Subject const& subject) {
  return subject.offers("crm.pull/1") ? "" : "the manifest does not name crm.pull/1";
}
// Clients and projects stand for themselves; what else a CRM has belongs to one.
std::string noReferences(Subject const& subject) {
  if (auto why = noPull(subject); !why.empty()) return why;
  for (auto const* kind : {"crm.participant", "crm.event", "crm.order", "crm.payment", "crm.note"})
    if (garland::find(subject.plugin.manifest.document, "/entities/" + std::string(kind)) != nullptr)
      return "";
  return "the manifest names no kind of record that refers to another";
}
std::string noCrm(Subject const& subject) {
  return subject.offers("crm.upsert/1") ? "" : "the manifest does not name crm.upsert/1";
}

std::vector<std::string> crmWith(Subject const& subject, char const* pointer) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return !entity.starts_with("crm.") || garland::find(*subject.brief.entity(entity), pointer) == nullptr;
  });
  return out;
}

void fill(json::value& value, std::string const& kept, std::string const& merged) {
  if (auto* text = value.if_string()) {
    if (*text == "{id}")
      value = kept;
    else if (*text == "{other}")
      value = merged;
  }
  if (auto* list = value.if_array())
    for (auto& item : *list) fill(item, kept, merged);
  if (auto* object = value.if_object())
    for (auto& member : *object) fill(member.value(), kept, merged);
}

std::string dataOf(Held const& held, std::string const& id) {
  auto const found = held.records().find(id);
  auto const* data = found == held.records().end() ? nullptr : garland::find(found->second, "/data");
  return data == nullptr ? "" : canonicalJson(*data);
}

// ---- CRM-03
std::vector<std::string> mergedCases(Subject const& subject, Profile) {
  return crmWith(subject, "/edit/merge");
}

void noticesMerges(Trial& trial) {
  auto const& entity = trial.caseName();
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  if (held.records().size() < 3)
    return trial.giveUp("the twin has less than three records of " + entity + kMoreVolume);
  auto const kept = held.records().begin()->first;
  auto const merged = std::next(held.records().begin())->first;
  auto const count = held.records().size();
  auto const before = dataOf(held, kept);
  trial.bench().wait(std::chrono::minutes(5));
  auto edits = *garland::find(*trial.subject().brief.entity(entity), "/edit/merge");
  fill(edits, kept, merged);
  if (!edits.is_array())
    return trial.giveUp("certification.json: /entities/" + entity + "/edit/merge must be a list");
  for (auto const& edit : edits.get_array())
    if (auto const done = trial.bench().edit(edit); !done)
      return trial.giveUp("certification.json: /entities/" + entity + "/edit/merge: " + done.error().message);
  trial.bench().wait(std::chrono::minutes(5));
  auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), "the pull after two were merged");
  if (!journal.ok()) return;
  held.take(journal, entity);
  trial.expect(!held.records().contains(merged), "the record that was merged into another is still there",
               entity);
  trial.expect(held.records().contains(kept) && dataOf(held, kept) != before,
               "the record that took its place did not come", entity);
  trial.expect(held.records().size() + 1 == count, "other records went with the merged one", entity);
  // What belonged to the merged one belongs to the other one now, wherever the provider says so.
  for (auto const& other : pulledEntities(trial.subject())) {
    auto const* references = garland::find(*trial.subject().brief.entity(other), "/references");
    if (references == nullptr || !references->is_object()) continue;
    Held theirs;
    theirs.take(trial.mustRun(pullAsk(other, nullptr), other + ", pulled after the merge"), other);
    for (auto const& [member, kind] : references->get_object())
      for (auto const& [id, record] : theirs.records())
        trial.expect(kind != json::value(entity) ||
                         textOr(record, "/data/" + std::string(member), "") != merged,
                     "a record still points to the one that was merged into another", other);
  }
}

// ---- CRM-04
std::vector<std::string> secondCases(Subject const& subject, Profile) {
  auto out = crmWith(subject, "/edit/change");
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), "/record") == nullptr;
  });
  return out;
}

void ordersByVersion(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const write = [&](std::string const& key, std::string const& id, std::string const& version) {
    Ask ask;
    ask.operation = "crm.upsert/1";
    ask.input = upsertInput(trial.subject(), entity, key, id, version);
    return trial.run(std::move(ask));
  };
  auto const made = write("second-1", "", "");
  if (!trial.expect(made.ok(), "creating a record ended with: " + made.ending(), entity)) return;
  auto const id = textOr(*made.result, "/id", "");
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  trial.bench().wait(std::chrono::minutes(5));
  trial.bench().wait(Milliseconds(1000 - trial.bench().now().time_since_epoch().count() % 1000));
  // Somebody edits it, and so do we, before a clock could tell one from the other.
  editAs(trial, entity, "change", id);
  auto const ours = write("second-2", id, textOr(*made.result, "/version", ""));
  bool const refused = !ours.result && ours.result.error().kind == ErrorKind::conflict;
  trial.expect(refused, "two edits in one second: ours, of an old version, ended with: " + ours.ending(),
               entity);
  if (!refused) return;
  auto const current = textOr(ours.result.error().detail, "/current", "");
  auto const again = write("second-3", id, current);
  trial.expect(again.ok(), "written over the current version, it ended with: " + again.ending(), entity);
  held.take(trial.mustRun(pullAsk(entity, held.cursor()), "pull in that second"), entity);
  // And once more, after we have looked.
  editAs(trial, entity, "foreign", id);
  editAs(trial, entity, "change", id);
  trial.bench().wait(std::chrono::minutes(5));
  held.take(trial.mustRun(pullAsk(entity, held.cursor()), "the next pull"), entity);
  auto ask = pullAsk(entity, nullptr);
  ask.account = "two";
  Held whole;
  whole.take(trial.mustRun(std::move(ask), "everything pulled"), entity);
  trial.expect(dataOf(held, id) == dataOf(whole, id) && !dataOf(held, id).empty(),
               "after edits in one second the record is held as " + dataOf(held, id) + ", and is " +
                   dataOf(whole, id),
               entity);
}

// ---- CRM-05
std::vector<std::string> referringCases(Subject const& subject, Profile) {
  return crmWith(subject, "/references");
}

// Every list of the answer, backwards.
void turn(json::value& value) {
  if (auto* object = value.if_object())
    for (auto& member : *object)
      if (auto* list = member.value().if_array();
          list != nullptr && !list->empty() && list->front().is_object())
        std::reverse(list->begin(), list->end());
}
std::string turned(std::string const& body) {
  auto document = parseJson(body);
  if (!document) return body;
  turn(*document);
  return json::serialize(*document);
}

void associationsMayComeFirst(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const& references = garland::find(*trial.subject().brief.entity(entity), "/references")->as_object();
  auto const world = [&] {
    World out;
    out.seed = trial.seed();
    return out;
  };
  // Before anything that they point to ...
  trial.newBench(world());
  Held early;
  early.take(trial.mustRun(pullAsk(entity, nullptr), "before what they point to"), entity);
  std::map<std::string, std::set<std::string>> parents;
  for (auto const& [member, kind] : references) {
    std::string const name(kind.as_string());
    Held held;
    held.take(trial.mustRun(pullAsk(name, nullptr), name), name);
    for (auto const& [id, record] : held.records()) parents[name].insert(id);
  }
  auto const truth = truthOf(trial, entity);
  trial.expect(early.records().size() == truth,
               "pulled before what they point to, " + std::to_string(early.records().size()) + " of " +
                   std::to_string(truth) + " came",
               entity);
  // ... after it, and with the page turned around.
  auto ask = pullAsk(entity, early.cursor());
  ask.input.as_object()["cursor"] = nullptr;
  ask.account = "two";
  Held late;
  late.take(trial.mustRun(std::move(ask), "after what they point to"), entity);
  auto shuffled = world();
  shuffled.spoil = turned;
  trial.newBench(std::move(shuffled));
  auto const journal = trial.run(pullAsk(entity, nullptr));
  Held around;
  around.take(journal, entity);
  for (auto const& [id, record] : early.records()) {
    trial.expect(dataOf(late, id) == dataOf(early, id), "it depends on what was pulled before", entity);
    // A list that has to come sorted may be refused; what comes of it has to be right.
    trial.expect(!journal.result || dataOf(around, id) == dataOf(early, id),
                 "it depends on the order of the provider's list", entity);
    for (auto const& [member, kind] : references) {
      auto const target = textOr(record, "/data/" + std::string(member), "");
      trial.expect(target.empty() || parents[std::string(kind.as_string())].contains(target),
                   "\"" + std::string(member) + "\" names no record of " + std::string(kind.as_string()),
                   entity);
    }
  }
}

constexpr Check kChecks[] = {
    {.id = "CRM-03",
     .run = noticesMerges,
     .skip = noPull,
     .cases = mergedCases,
     .brief = "/entities/<entity>/edit/merge"},
    {.id = "CRM-04",
     .run = ordersByVersion,
     .skip = noCrm,
     .cases = secondCases,
     .brief = "/entities/<entity>/edit/change and /entities/<entity>/record"},
    {.id = "CRM-05",
     .run = associationsMayComeFirst,
     .skip = noReferences,
     .cases = referringCases,
     .brief = "/entities/<entity>/references"},
};

} // namespace

std::span<Check const> crmRemoteChecks() { return kChecks; }

} // namespace garland::certification
