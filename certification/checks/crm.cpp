// Checks of writing a vendor's clients, jobs and events: nothing of anybody may get lost.
#include "certification/checks/pulls.h"
#include "certification/checks/stale_reads.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace garland::certification {
namespace {

std::string noCrm(Subject const& subject) {
  return subject.offers("crm.upsert/1") ? "" : "the manifest does not name crm.upsert/1";
}

std::vector<std::string> writtenCrm(Subject const& subject, Profile) {
  auto out = writtenEntities(subject);
  std::erase_if(out, [](auto const& entity) { return !entity.starts_with("crm."); });
  return out;
}

std::vector<std::string> with(Subject const& subject, char const* pointer) {
  auto out = writtenEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), pointer) == nullptr;
  });
  return out;
}
std::vector<std::string> changedCases(Subject const& subject, Profile) {
  auto out = with(subject, "/edit/change");
  for (auto const& entity : with(subject, "/edit/change")) {
    if (subject.offers(operationFor(entity, "delete"))) out.push_back(entity + "/delete");
    if (boolOr(*subject.brief.entity(entity), "/preconditions", false)) out.push_back(entity + "/at_once");
  }
  return out;
}
std::vector<std::string> foreignCases(Subject const& subject, Profile) {
  return with(subject, "/edit/foreign");
}

Ask writeAsk(std::string_view entity, json::object input) {
  Ask ask;
  ask.operation = operationFor(entity, "upsert");
  ask.input = std::move(input);
  return ask;
}
Journal write(Trial& trial, std::string_view entity, json::object input, std::string_view step) {
  return trial.mustRun(writeAsk(entity, std::move(input)), step);
}

// ---- CRM-01
void keepsEveryField(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const& subject = trial.subject();
  auto const made =
      write(trial, entity, upsertInput(subject, entity, "trip-1"), "creating the brief's record");
  if (!made.ok()) return;
  auto const expectAll = [&](Journal const& journal, json::value const& data, std::string const& step) {
    for (auto const& member : data.as_object()) {
      auto const* told = garland::find(*journal.result, "/data/" + std::string(member.key()));
      trial.expect(told != nullptr && contains(*told, member.value()),
                   "\"" + std::string(member.key()) + "\" was written as " + json::serialize(member.value()) +
                       " and reads back as " + (told == nullptr ? "nothing" : json::serialize(*told)),
                   step);
    }
  };
  expectAll(made, *garland::find(*subject.brief.entity(entity), "/record"), entity + ", creating it");
  auto const id = textOr(*made.result, "/id", "");
  auto input = upsertInput(subject, entity, "trip-2", id, textOr(*made.result, "/version", ""));
  json::value const data = input.at("data");
  auto const changed = write(trial, entity, std::move(input), "changing it");
  if (changed.ok()) expectAll(changed, data, entity + ", changing it");
}

// ---- CRM-02
// An edit of somebody else's may not go with the record, either.
void expectKeptOrTold(Trial& trial, std::string const& entity, std::string const& id,
                      std::string const& version, std::size_t there) {
  auto const journal = trial.run(deleteAsk(entity, "lost-2", id, version));
  trial.expect(!journal.result && journal.result.error().kind == ErrorKind::conflict,
               "deleting what somebody had edited ended with: " + journal.ending(), entity);
  trial.expect(truthOf(trial, entity) == there, "a record that somebody had edited was deleted", entity);
  if (journal.result || journal.result.error().kind != ErrorKind::conflict) return;
  auto const current = textOr(journal.result.error().detail, "/current", "");
  if (!trial.expect(!current.empty(), "the conflict does not tell the current version (detail.current)",
                    entity))
    return;
  auto const step = entity + ", deleted with the current version";
  if (trial.mustRun(deleteAsk(entity, "lost-3", id, current), step).ok())
    trial.expect(truthOf(trial, entity) + 1 == there, "it says that the record is deleted, and it is not",
                 step);
}

bool isConflict(Journal const& journal) {
  return !journal.result && journal.result.error().kind == ErrorKind::conflict;
}

void expectConflict(Trial& trial, Journal const& journal, std::string const& entity) {
  trial.expect(isConflict(journal), "writing over somebody's edit ended with: " + journal.ending(), entity);
  if (isConflict(journal))
    trial.expect(!textOr(journal.result.error().detail, "/current", "").empty(),
                 "the conflict does not tell the current version (detail.current)", entity);
}

// Somebody's edit falls between our reading and our writing. Only the provider can see that, by the version
// that the write has to name. Two worlds of one seed: what is read in the first is shown in the second.
void losesTheRace(Trial& trial, std::string const& entity) {
  auto const stale = std::make_shared<StaleReads>();
  std::string version;
  for (bool const edited : {false, true}) {
    World world;
    world.seed = trial.seed();
    world.intercepts.request = [stale](runtime::HttpAsk const& ask) { return stale->answer(ask); };
    trial.newBench(std::move(world));
    auto const made =
        write(trial, entity, upsertInput(trial.subject(), entity, "race-1"), "creating a record");
    if (!made.ok()) return;
    auto const id = textOr(*made.result, "/id", "");
    if (edited && textOr(*made.result, "/version", "") != version)
      return trial.giveUp("the twin gives the same record another version in another world of the same seed");
    version = textOr(*made.result, "/version", "");
    trial.bench().wait(std::chrono::minutes(5));
    if (edited) editAs(trial, entity, "change", id);
    trial.bench().wait(std::chrono::minutes(5));
    auto const before = trial.bench().ledger();
    stale->show(edited);
    auto const journal =
        trial.run(writeAsk(entity, upsertInput(trial.subject(), entity, "race-2", id, version)));
    stale->show(false);
    if (!edited && !trial.expect(journal.ok(), "a change ended with: " + journal.ending(), entity)) return;
    if (!edited) {
      stale->keep(journal);
      continue;
    }
    if (isConflict(journal) && !stale->isRace()) // it was told by a read, and not by its write
      return trial.giveUp("what the connector reads before a write cannot be shown to it again as it was: it "
                          "asks otherwise each time");
    expectConflict(trial, journal, entity + ", edited between its reading and its writing");
    auto const after = trial.bench().ledger();
    if (before && after)
      trial.expect(before->size() == after->size(), "somebody's edit at the provider was overwritten",
                   entity + ", edited between its reading and its writing");
  }
}

void refusesLostUpdates(Trial& trial) {
  auto const [entity, what] = caseWords(trial.caseName());
  if (what == "at_once") return losesTheRace(trial, entity);
  auto const made = write(trial, entity, upsertInput(trial.subject(), entity, "lost-1"), "creating a record");
  if (!made.ok()) return;
  auto const id = textOr(*made.result, "/id", "");
  auto const version = textOr(*made.result, "/version", "");
  if (!trial.expect(!version.empty(), "the record has no version, so nobody can tell that it was changed",
                    entity))
    return;
  trial.bench().wait(std::chrono::minutes(5));
  editAs(trial, entity, "change", id);
  auto const ledger_before = trial.bench().ledger();
  trial.bench().wait(std::chrono::minutes(5));
  if (what == "delete") return expectKeptOrTold(trial, entity, id, version, truthOf(trial, entity));
  auto const journal =
      trial.run(writeAsk(entity, upsertInput(trial.subject(), entity, "lost-2", id, version)));
  auto const ledger_after = trial.bench().ledger();
  expectConflict(trial, journal, entity);
  if (ledger_before && ledger_after)
    trial.expect(ledger_before->size() == ledger_after->size(),
                 "somebody's edit at the provider was overwritten", entity);
}

// ---- CAP-11
void leavesForeignFieldsAlone(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const& words = *trial.subject().brief.entity(entity);
  auto const made =
      write(trial, entity, upsertInput(trial.subject(), entity, "foreign-1"), "creating a record");
  if (!made.ok()) return;
  auto const id = textOr(*made.result, "/id", "");
  editAs(trial, entity, "foreign", id);
  auto const edited = trial.bench().ledger(); // its last entry is the edit
  auto const changed =
      write(trial, entity, upsertInput(trial.subject(), entity, "foreign-2", id), "changing it");
  if (!changed.ok()) return;
  auto const ledger = trial.bench().ledger();
  auto const* wanted = garland::find(words, "/foreign");
  if (!edited || edited->empty() || !ledger || ledger->empty() || wanted == nullptr)
    return trial.giveUp("certification.json: /entities/" + entity +
                        "/foreign: the ledger tells nothing of it");
  auto const* left = garland::find(ledger->back(), "/data");
  bool const wrote = ledger->size() > edited->size() &&
                     textOr(ledger->back(), "/id", "") == textOr(edited->back(), "/id", "");
  trial.expect(wrote, "the change wrote nothing to the record", entity);
  trial.expect(left != nullptr && contains(*left, *wanted),
               "members that others had set at the provider are gone after our change", entity);
}

constexpr Check kChecks[] = {
    {.id = "CRM-01",
     .run = keepsEveryField,
     .skip = noCrm,
     .cases = writtenCrm,
     .brief = "/entities/<entity>/record"},
    {.id = "CRM-02",
     .run = refusesLostUpdates,
     .skip = noWrites,
     .cases = changedCases,
     .brief = "/entities/<entity>/edit/change"},
    {.id = "CAP-11",
     .run = leavesForeignFieldsAlone,
     .skip = noWrites,
     .cases = foreignCases,
     .brief = "/entities/<entity>/edit/foreign"},
};

} // namespace

std::span<Check const> crmChecks() { return kChecks; }

} // namespace garland::certification
