// Checks of what a connector is for: signing in, pulling, writing, being healthy.
#include "certification/checks/exercise.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>

namespace garland::certification {
namespace {

std::string noHealth(Subject const& subject) {
  return subject.offers("health.check/1") ? "" : "the manifest does not name health.check/1";
}

Ask health() {
  Ask ask;
  ask.operation = "health.check/1";
  return ask;
}

// The kind of error that a run ended with, as a word; "ok".
std::string endOf(Journal const& journal) {
  return journal.result ? "ok" : std::string(garland::name(journal.result.error().kind));
}

// ---- CAP-01
// By the manifest: then it can be taken away again, whatever the brief has.
bool signsIn(Subject const& subject) {
  auto const* slots = garland::find(subject.plugin.manifest.document, "/auth");
  return slots != nullptr && slots->is_array() && !slots->get_array().empty();
}

std::vector<std::string> signIns(Subject const& subject, Profile) {
  std::vector<std::string> out{"good"};
  if (signsIn(subject) || subject.brief.credentials(SignIn::revoked) != nullptr) out.emplace_back("revoked");
  if (subject.brief.credentials(SignIn::underScoped) != nullptr && !writtenEntities(subject).empty())
    out.emplace_back("under_scoped");
  return out;
}

void healthTellsTheSignIn(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.sign_in = trial.caseName() == "revoked"        ? SignIn::revoked
                  : trial.caseName() == "under_scoped" ? SignIn::underScoped
                                                       : SignIn::good;
  if (world.sign_in == SignIn::revoked && trial.subject().brief.credentials(SignIn::revoked) == nullptr)
    return trial.giveUp("the manifest signs in, and nothing says what becomes of it when the access is "
                        "revoked; fill in certification.json: /credentials/revoked");
  trial.newBench(std::move(world));
  if (trial.caseName() == "under_scoped") {
    auto const entity = writtenEntities(trial.subject()).front();
    auto const journal =
        trial.run(operationFor(entity, "upsert"), upsertInput(trial.subject(), entity, "scope-1"));
    trial.expect(endOf(journal) == "forbidden",
                 "a write with a credential that may only read ended with: " + journal.ending(),
                 journal.operation);
    return;
  }
  auto const journal = trial.run(health());
  auto const wanted = trial.caseName() == "good" ? "ok" : "auth_revoked";
  trial.expect(endOf(journal) == wanted,
               "with a " + trial.caseName() + " credential it ended with: " + journal.ending(),
               "health.check/1");
}

// ---- CAP-03
std::vector<std::string> undeclaredOperations(Subject const& subject) {
  std::vector<std::string> out;
  for (auto const name : schemas::schemaNames()) {
    constexpr std::string_view end = ".1.in.json";
    if (!name.ends_with(end) || name.starts_with("twin.")) continue;
    auto operation = std::string(name.substr(0, name.size() - end.size())) + "/1";
    if (!subject.offers(operation)) out.push_back(std::move(operation));
  }
  return out;
}

void offersWhatItDeclares(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.undeclared = undeclaredOperations(trial.subject());
  auto const undeclared = world.undeclared;
  trial.newBench(std::move(world));
  for (auto const& operation : undeclared) {
    auto const journal = trial.run(operation, json::object());
    trial.expect(endOf(journal) == "unsupported",
                 "answers " + operation + ", which its manifest does not name: " + journal.ending(),
                 operation);
  }
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    auto const journal = trial.run(operation, json::object());
    bool const lacks = !journal.result && journal.result.error().kind == ErrorKind::unsupported &&
                       journal.result.error().message.find("does not offer") != std::string::npos;
    trial.expect(!lacks, "its manifest names " + operation + ", and it has no such operation", operation);
  }
}

// ---- CAP-04
std::vector<std::string> pageCases(Subject const& subject, Profile profile) {
  auto const page = integerOr(subject.brief.document, "/page", 100);
  std::vector<std::int64_t> volumes{0, 1, page, page + 1};
  if (profile != Profile::quick) volumes.push_back(3 * page - 1);
  if (profile == Profile::full) volumes.push_back(10'000);
  std::vector<std::string> out;
  for (auto const volume : volumes) out.push_back("volume-" + std::to_string(volume));
  return out;
}

void pullsEverythingOnce(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.volume = std::atoll(trial.caseName().c_str() + std::string_view("volume-").size());
  trial.newBench(std::move(world));
  for (auto const& entity : pulledEntities(trial.subject())) {
    auto const journal = trial.mustRun(pullAsk(entity, nullptr), entity);
    if (!journal.ok()) continue;
    Held held;
    held.take(journal, entity);
    auto const truth = truthOf(trial, entity);
    trial.expect(held.records().size() == truth,
                 "of " + std::to_string(truth) + " records at the provider " +
                     std::to_string(held.records().size()) + " came, each followed by a checkpoint",
                 entity);
    trial.expect(held.came() == held.records().size(),
                 std::to_string(held.came() - held.records().size()) + " records came more than once",
                 entity);
    trial.expect(!journal.cursors.empty(), "the pull set no checkpoint", entity);
    for (auto const& record : journal.records)
      trial.expect(record.kind != "garland.problem",
                   "a record of the twin cannot be read: " + textOr(record.value, "/message", ""), entity);
    auto const again = trial.mustRun(pullAsk(entity, held.cursor()), entity + ", nothing has changed since");
    if (!again.ok()) continue;
    held.take(again, entity);
    trial.expect(held.records().size() == truth && held.went() == 0,
                 "a second pull, with nothing changed, left " + std::to_string(held.records().size()) +
                     " of " + std::to_string(truth) + " records",
                 entity);
  }
}

// ---- CAP-05
std::vector<std::string> changedCases(Subject const& subject, Profile) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), "/edit/change") == nullptr;
  });
  return out;
}

// From an old cursor everything since comes again, and no less than from a newer one; a cursor of a time that
// the provider has not come to yet, as after its restoring from a backup, takes nothing away.
void standsOtherCursors(Trial& trial, Held const& now, json::value const& old,
                        std::set<std::string> const& changed, bool seen_new) {
  auto const& entity = trial.caseName();
  // One more, where the brief's edit can be made again: there has to be something behind every cursor.
  auto const further = textOr(editAs(trial, entity, "create"), "/id", "");
  if (!further.empty()) trial.bench().wait(std::chrono::minutes(5));
  auto const newest = trial.mustRun(pullAsk(entity, now.cursor()), "pull from the newest cursor");
  auto const oldest = trial.mustRun(pullAsk(entity, old), "pull from the cursor before the edits");
  if (!newest.ok() || !oldest.ok()) return;
  Held fresh;
  Held again;
  fresh.take(newest, entity);
  again.take(oldest, entity);
  for (auto const& id : changed)
    trial.expect(again.records().contains(id) && again.records().at(id) == now.records().at(id),
                 "an edit does not come again with the cursor from before it", "pull from an old cursor");
  if (!further.empty() && seen_new)
    for (auto const* each : {&fresh, &again})
      trial.expect(each->records().contains(further), "a record that is new did not come",
                   each == &fresh ? "pull from the newest cursor" : "pull from an old cursor");
  trial.expect(fresh.came() <= again.came(), "a newer cursor brings more than an older one", entity);
  auto const late = [&] {
    trial.bench().wait(std::chrono::hours(24 * 40));
    Held later;
    later.take(trial.mustRun(pullAsk(entity, now.cursor()), "pull 40 days later"), entity);
    return later.cursor();
  }();
  World world;
  world.seed = trial.seed();
  world.volume = 7;
  trial.newBench(std::move(world));
  Held restored;
  restored.take(trial.mustRun(pullAsk(entity, nullptr), "first pull, of a provider that was restored"),
                entity);
  auto const held = restored.records().size();
  auto const journal = trial.run(pullAsk(entity, late));
  if (journal.result) restored.take(journal, entity);
  trial.expect(restored.records().size() == held, "a cursor from the future took records away",
               "pull from a cursor of 40 days later");
  trial.expect(journal.result || journal.result.error().kind != ErrorKind::pluginBug,
               "it ended with: " + journal.ending(), "pull from a cursor of 40 days later");
  if (journal.result) return;
  // Refused: then the host begins anew, and has everything.
  Held anew;
  anew.take(trial.mustRun(pullAsk(entity, nullptr), "first pull, after a cursor was refused"), entity);
  trial.expect(anew.records().size() == held,
               "after a cursor was refused, a first pull brings " + std::to_string(anew.records().size()) +
                   " records of " + std::to_string(held),
               "pull without a cursor");
}

void pullsWhatChanged(Trial& trial) {
  constexpr std::size_t edits = 3;
  auto const& entity = trial.caseName();
  World world;
  world.seed = trial.seed();
  world.volume = 7;
  trial.newBench(std::move(world));
  // Not every record can be changed, but one that was made as the brief says can.
  std::set<std::string> changed;
  for (std::size_t i = 0; i < edits; ++i)
    if (auto const made = textOr(editAs(trial, entity, "create"), "/id", ""); !made.empty())
      changed.insert(made);
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  std::erase_if(changed, [&](auto const& id) { return !held.records().contains(id); });
  bool const seen_new = !changed.empty(); // what the brief makes at the provider is a record of this entity
  for (auto const& [id, record] : held.records())
    if (changed.size() < edits) changed.insert(id);
  if (changed.size() < edits)
    return trial.giveUp("the twin has less than three records of " + entity + kMoreVolume);
  trial.bench().wait(std::chrono::minutes(5));
  for (auto const& id : changed) editAs(trial, entity, "change", id);
  trial.bench().wait(std::chrono::minutes(5));
  auto const before = held.records();
  auto const before_edits = held.cursor();
  auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), "pull after three edits");
  if (!journal.ok()) return;
  held.take(journal, entity);
  for (auto const& id : changed)
    trial.expect(held.records().contains(id) && held.records().at(id) != before.at(id),
                 "an edit at the provider did not come with the next pull", "pull after three edits");
  std::size_t needless = 0;
  for (auto const& record : journal.records) {
    auto const id = textOr(record.value, "/id", "");
    if (record.kind != entity || changed.contains(id)) continue;
    // A provider that has no versions leaves no other way than to read what is young again.
    auto const old = before.find(id);
    bool const same = old != before.end() && textOr(record.value, "/version", "").empty() &&
                      canonicalJson(old->second) == canonicalJson(record.value);
    if (!same) ++needless;
  }
  trial.expect(needless == 0,
               std::to_string(needless) +
                   " records that nobody had touched came with the pull after three edits",
               entity);
  trial.expect(held.records().size() == before.size(), "records got lost", "pull after three edits");
  standsOtherCursors(trial, held, before_edits, changed, seen_new);
}

// ---- CAP-07
std::vector<std::string> repeatedCases(Subject const& subject, Profile) {
  auto out = writtenEntities(subject);
  for (auto const& entity : writtenEntities(subject))
    if (subject.offers(operationFor(entity, "delete"))) out.push_back(entity + "/delete");
  return out;
}

std::size_t ledgerSize(Trial& trial) {
  auto const ledger = trial.bench().ledger();
  return ledger ? ledger->size() : 0;
}

void deletesOnce(Trial& trial, std::string const& entity) {
  Ask ask;
  ask.operation = operationFor(entity, "upsert");
  ask.input = upsertInput(trial.subject(), entity, "deleted-1");
  auto const made = trial.mustRun(std::move(ask), "creating a record");
  if (!made.ok()) return;
  auto const id = textOr(*made.result, "/id", "");
  auto const there = truthOf(trial, entity);
  std::size_t told = 0;
  for (int i = 1; i <= 3; ++i) {
    // A key that is new is another wish to have it gone: that is so already, which is well.
    auto const* const key = i == 3 ? "deleted-3" : "deleted-2";
    auto const step =
        "deletion " + std::to_string(i) + " of 3" + (i == 3 ? ", another key" : ", the same key");
    if (!trial.mustRun(deleteAsk(entity, key, id), step).ok()) return;
    trial.expect(truthOf(trial, entity) + 1 == there,
                 "of " + std::to_string(there) + " records at the provider " +
                     std::to_string(truthOf(trial, entity)) + " are left after one was deleted",
                 step);
    if (i == 1) told = ledgerSize(trial);
    trial.expect(ledgerSize(trial) == told, "what was deleted already was changed at the provider once more",
                 step);
  }
}

void writesOnce(Trial& trial) {
  auto const [entity, what] = caseWords(trial.caseName());
  if (what == "delete") return deletesOnce(trial, entity);
  constexpr int times = 10;
  auto const before = truthOf(trial, entity);
  std::set<std::string> ids;
  for (int i = 0; i < times; ++i) {
    Ask ask;
    ask.operation = operationFor(entity, "upsert");
    ask.input = upsertInput(trial.subject(), entity, "same-key-1");
    auto const journal =
        trial.mustRun(std::move(ask), "creation " + std::to_string(i + 1) + " of 10, the same key");
    if (!journal.ok()) return;
    ids.insert(textOr(*journal.result, "/id", ""));
  }
  auto const after = truthOf(trial, entity);
  trial.expect(after == before + 1,
               "ten creations with one key left " + std::to_string(after - before) +
                   " new records at the provider",
               entity);
  trial.expect(createdIn(trial, entity) == 1,
               "the provider's ledger tells of " + std::to_string(createdIn(trial, entity)) + " creations",
               entity);
  trial.expect(ids.size() == 1 && !ids.contains(""), "the ten answers name different records", entity);
}

// ---- CAP-08
void expectEcho(Trial& trial, Held& held, Journal const& written, std::string const& step) {
  auto const& entity = trial.caseName();
  held.take(trial.mustRun(pullAsk(entity, held.cursor()), "pull after " + step), entity);
  auto const found = held.records().find(textOr(*written.result, "/id", ""));
  if (!trial.expect(found != held.records().end(), "what was written does not come back with the next pull",
                    entity + ", " + step))
    return;
  for (auto const* member : {"/data", "/version", "/scope"}) {
    auto const* told = garland::find(*written.result, member);
    auto const* came = garland::find(found->second, member);
    bool const equal = told != nullptr && came != nullptr && canonicalJson(*told) == canonicalJson(*came);
    trial.expect(equal,
                 "the pull brings our own write with another " + std::string(member + 1) +
                     " than the write had answered, so it looks like somebody's edit",
                 entity + ", " + step);
  }
}

void knowsItsOwnEcho(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const write = [&](std::string const& key, std::string const& id, std::string const& version,
                         std::string const& step) {
    Ask ask;
    ask.operation = operationFor(entity, "upsert");
    ask.input = upsertInput(trial.subject(), entity, key, id, version);
    return trial.mustRun(std::move(ask), step);
  };
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  auto const made = write("echo-1", "", "", "creating a record");
  if (!made.ok()) return;
  expectEcho(trial, held, made, "creating a record");
  trial.bench().wait(std::chrono::minutes(5));
  auto const id = textOr(*made.result, "/id", "");
  auto const changed = write("echo-2", id, textOr(*made.result, "/version", ""), "changing it");
  if (changed.ok()) expectEcho(trial, held, changed, "changing it");
}

// ---- CAP-12
// Books and sent mail are kept: no provider deletes such records.
bool isKept(std::string_view entity) {
  return entity.starts_with("payments.") || entity.starts_with("messaging.");
}

std::string noDeletions(Subject const& subject) {
  if (auto why = noPulls(subject); !why.empty()) return why;
  auto const* all = garland::find(subject.plugin.manifest.document, "/entities");
  bool const any =
      all != nullptr && all->is_object() &&
      std::ranges::any_of(all->get_object(), [](auto const& each) { return !isKept(each.key()); });
  return any ? "" : "the manifest names records of payments and messages only, which nobody deletes";
}

constexpr std::string_view kRefused = "/cursor_refused"; // ends the names of such cases

std::vector<std::string> deletedCases(Subject const& subject, Profile) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), "/edit/delete") == nullptr;
  });
  for (std::size_t i = 0, pulled = out.size(); i < pulled; ++i) out.push_back(out[i] + std::string(kRefused));
  return out;
}

// Answers 410 where a list of the first pull is first asked for otherwise, as by what the cursor holds.
// Single records are left alone: there it would say that they are gone.
auto refusingCursors(Journal const& first) {
  auto const shown = [](runtime::HttpAsk const& ask) { return ask.method + " " + ask.url + "\n" + ask.body; };
  std::set<std::string> lists;
  std::set<std::string> known;
  for (auto const& exchange : first.exchanges) {
    lists.insert(listOf(exchange.ask));
    known.insert(shown(exchange.ask));
  }
  return [=, refused = false](runtime::HttpAsk const& ask) mutable {
    std::optional<Result<runtime::HttpAnswer>> out;
    if (refused || !lists.contains(listOf(ask)) || known.contains(shown(ask))) return out;
    refused = true;
    runtime::HttpAnswer gone;
    gone.status = 410;
    gone.headers = {{"content-type", "application/json"}};
    gone.body = R"({"error":"this token is not known any more"})";
    gone.effect = Effect::notApplied;
    out = std::move(gone);
    return out;
  };
}

// Who begins anew when its cursor is refused has to say what went meanwhile; who fails says nothing yet.
void tellsDeletionsAnew(Trial& trial, std::string const& entity) {
  using Refusal = decltype(Intercepts::request);
  auto const refuse = std::make_shared<Refusal>();
  World world;
  world.seed = trial.seed();
  world.intercepts.request = [refuse](runtime::HttpAsk const& ask) {
    return *refuse ? (*refuse)(ask) : std::nullopt;
  };
  trial.newBench(std::move(world));
  auto const first = trial.mustRun(pullAsk(entity, nullptr), "first pull");
  Held held;
  held.take(first, entity);
  if (held.records().empty()) return trial.giveUp("the twin has no records of " + entity + kMoreVolume);
  auto const victim = held.records().begin()->first;
  editAs(trial, entity, "delete", victim);
  trial.bench().wait(std::chrono::hours(25));
  *refuse = refusingCursors(first);
  auto const journal = trial.run(pullAsk(entity, held.cursor()));
  if (journal.ok()) held.take(journal, entity);
  trial.expect(!journal.ok() || !held.records().contains(victim),
               "what was deleted while its cursor ran out is still there",
               "pull a day after a deletion, when the provider does not know the cursor any more");
}

// How often a pull says of a record that it was deleted.
std::size_t tombstonesOf(Journal const& journal, std::string const& id) {
  return static_cast<std::size_t>(std::ranges::count_if(journal.records, [&](Record const& each) {
    return boolOr(each.value, "/deleted", false) && textOr(each.value, "/id", "") == id;
  }));
}

void tellsDeletionsOnce(Trial& trial) {
  auto const& entity = trial.caseName();
  if (entity.ends_with(kRefused))
    return tellsDeletionsAnew(trial, entity.substr(0, entity.size() - kRefused.size()));
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  if (held.records().empty()) return trial.giveUp("the twin has no records of " + entity + kMoreVolume);
  auto const victim = held.records().begin()->first;
  auto const before = held.records().size();
  editAs(trial, entity, "delete", victim);
  // A provider without notices of deletions is looked through once a day.
  trial.bench().wait(std::chrono::hours(25));
  auto const told = trial.mustRun(pullAsk(entity, held.cursor()), "pull a day after a deletion");
  held.take(told, entity);
  trial.expect(tombstonesOf(told, victim) <= 1, "the deletion is told twice in one pull", entity);
  trial.expect(!held.records().contains(victim), "a record that was deleted at the provider is still there",
               entity);
  trial.expect(held.records().size() + 1 == before, "other records went with the one that was deleted",
               entity);
  auto const again = trial.mustRun(pullAsk(entity, held.cursor()), "one more pull");
  held.take(again, entity);
  trial.expect(held.went() == 0 && tombstonesOf(again, victim) == 0, "the deletion is told a second time",
               entity);
}

// ---- CAP-13
std::string shown(Journal const& journal) {
  std::string out;
  for (auto const& record : journal.records) out += record.kind + " " + record.text + "\n";
  for (auto const& cursor : journal.cursors) out += json::serialize(cursor) + "\n";
  return out;
}

constexpr char const* kIntake = "intake"; // the case of what comes in

std::string nothingToRepeat(Subject const& subject) {
  if (noPulls(subject).empty() || subject.offers("intake.parse/1")) return "";
  return "the manifest names no pull and no intake";
}
std::vector<std::string> repeatableCases(Subject const& subject, Profile) {
  auto out = pulledEntities(subject);
  if (!intakesOf(subject).empty()) out.emplace_back(kIntake);
  return out;
}

void readsAlikeWhatComesIn(Trial& trial) {
  std::string before;
  for (int worker = 1; worker <= 2; ++worker) {
    World world;
    world.seed = trial.seed();
    trial.newBench(std::move(world));
    std::string all;
    for (auto const& use : intakesOf(trial.subject())) all += shown(trial.mustRun(askFor(use), use.title));
    if (worker == 2)
      trial.expect(all == before, "the same items, read by another worker, brought different things",
                   kIntake);
    before = std::move(all);
  }
}

void isDeterministic(Trial& trial) {
  auto const& entity = trial.caseName();
  if (entity == kIntake) return readsAlikeWhatComesIn(trial);
  auto const first = trial.mustRun(pullAsk(entity, nullptr), "first pull");
  World world;
  world.seed = trial.seed();
  trial.newBench(std::move(world));
  auto const second = trial.mustRun(pullAsk(entity, nullptr), "the same pull in another worker");
  trial.expect(shown(first) == shown(second), "two pulls of the same records brought different things",
               entity);
}

// ---- HLT-01
void healthIsCheap(Trial& trial) {
  auto const ledger_before = trial.bench().ledger();
  auto const journal = trial.mustRun(health(), "health.check/1");
  auto const ledger_after = trial.bench().ledger();
  trial.expect(journal.exchanges.size() <= 1,
               "it sent " + std::to_string(journal.exchanges.size()) + " requests", "health.check/1");
  trial.expect(journal.took <= Milliseconds(2000),
               "it took " + std::to_string(journal.took.count()) + " ms of virtual time", "health.check/1");
  for (auto const& exchange : journal.exchanges)
    trial.expect(exchange.ask.method == "GET" || exchange.ask.method == "HEAD" ||
                     exchange.ask.method == "PROPFIND" || exchange.ask.method == "OPTIONS",
                 "it sent a " + exchange.ask.method, exchange.ask.url);
  if (ledger_before && ledger_after)
    trial.expect(ledger_before->size() == ledger_after->size(), "it changed something at the provider",
                 "health.check/1");
}

constexpr Check kChecks[] = {
    {.id = "CAP-01", .run = healthTellsTheSignIn, .skip = noHealth, .cases = signIns},
    {.id = "CAP-03", .run = offersWhatItDeclares},
    {.id = "CAP-04",
     .run = pullsEverythingOnce,
     .skip = noPulls,
     .cases = pageCases,
     .brief = "/entities/<entity>/truth"},
    {.id = "CAP-05",
     .run = pullsWhatChanged,
     .skip = noPulls,
     .cases = changedCases,
     .brief = "/entities/<entity>/edit/change"},
    {.id = "CAP-07",
     .run = writesOnce,
     .skip = noWrites,
     .cases = repeatedCases,
     .brief = "/entities/<entity>/record"},
    {.id = "CAP-08",
     .run = knowsItsOwnEcho,
     .skip = noWrites,
     .cases = writtenCases,
     .brief = "/entities/<entity>/record"},
    {.id = "CAP-12",
     .run = tellsDeletionsOnce,
     .skip = noDeletions,
     .cases = deletedCases,
     .brief = "/entities/<entity>/edit/delete"},
    {.id = "CAP-13",
     .run = isDeterministic,
     .skip = nothingToRepeat,
     .cases = repeatableCases,
     .brief = "/entities/<entity> or /intake"},
    {.id = "HLT-01", .run = healthIsCheap, .skip = noHealth},
};

} // namespace

std::span<Check const> capabilityChecks() { return kChecks; }

} // namespace garland::certification
