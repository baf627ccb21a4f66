// Checks of what becomes of a provider's records on their way: each field, both ways of pulling, changed
// forms, texts at the edge of what there is, and the time that an operation has.
#include "certification/checks/pulls.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace garland::certification {
namespace {

World worldOf(Trial const& trial, std::int64_t volume = -1) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  return world;
}

std::vector<std::string> pulledWith(Subject const& subject, std::string const& pointer) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), pointer) == nullptr;
  });
  return out;
}

// ---- CAP-02
std::vector<std::string> goldenCases(Subject const& subject, Profile) {
  return pulledWith(subject, "/golden");
}

// An answer with that one record in its list.
std::string listing(std::string const& body, std::string const& at, json::value const& record) {
  auto document = parseJson(body);
  auto const* list = document ? garland::find(*document, at) : nullptr;
  if (list == nullptr || !list->is_array()) return body;
  document->at_pointer(at) = json::array{record};
  return json::serialize(*document);
}

// The first edit makes it; "{id}" is its name in the others.
bool makeTheirs(Trial& trial, json::array const& edits) {
  std::string id;
  for (auto edit : edits) {
    fill(edit, id);
    auto const done = trial.bench().edit(std::move(edit));
    if (!done) {
      trial.giveUp("certification.json: /entities/" + trial.caseName() + "/golden: " + done.error().message);
      return false;
    }
    if (id.empty()) id = textOr(*done, "/id", "");
  }
  return true;
}

// One record of the provider, as its documentation has it, and what has to become of it.
void expectGolden(Trial& trial, json::value const& golden) {
  auto const& entity = trial.caseName();
  auto const says = textOr(golden, "/says", "a record");
  auto const* data = garland::find(golden, "/data");
  auto const* edits = garland::find(golden, "/edits");
  auto const* theirs = garland::find(golden, "/theirs");
  if (data == nullptr || (theirs == nullptr && (edits == nullptr || !edits->is_array())))
    return trial.giveUp("certification.json: /entities/" + entity +
                        "/golden: \"edits\" or \"data\" is missing");
  auto world = worldOf(trial, theirs == nullptr ? 0 : 1);
  if (theirs != nullptr)
    world.spoil = [at = textOr(*trial.subject().brief.entity(entity), "/list", ""),
                   record = *theirs](std::string const& body) { return listing(body, at, record); };
  trial.newBench(std::move(world));
  if (theirs == nullptr && !makeTheirs(trial, edits->get_array())) return;
  auto const journal = trial.mustRun(pullAsk(entity, nullptr), says);
  if (!journal.ok()) return;
  Held held;
  held.take(journal, entity);
  if (!trial.expect(held.records().size() == 1,
                    "of one record at the provider came " + std::to_string(held.records().size()), says))
    return;
  auto const* came = garland::find(held.records().begin()->second, "/data");
  auto const shown = came == nullptr ? std::string("nothing") : canonicalJson(*came);
  trial.expect(shown == canonicalJson(*data),
               "it should become " + canonicalJson(*data) + ", and became " + shown, says);
}

void readsTheGoldenRecords(Trial& trial) {
  auto const* all = garland::find(*trial.subject().brief.entity(trial.caseName()), "/golden");
  if (!all->is_array())
    return trial.giveUp("certification.json: /entities/" + trial.caseName() + "/golden must be a list");
  for (auto const& golden : all->get_array()) expectGolden(trial, golden);
}

// ---- CAP-06
std::vector<std::string> editedCases(Subject const& subject, Profile) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    auto const& words = *subject.brief.entity(entity);
    return garland::find(words, "/edit/change") == nullptr && garland::find(words, "/edit/create") == nullptr;
  });
  return out;
}

// Records that can be read by their ids are the same that way.
std::vector<std::string> bothWaysCases(Subject const& subject, Profile profile) {
  auto out = editedCases(subject, profile);
  if (subject.offers("records.get/1"))
    for (auto const& entity : pulledEntities(subject)) out.push_back(entity + "/get");
  return out;
}

// Of the same form as one that is known.
std::string unknownId(Held const& held) {
  auto id = held.records().begin()->first;
  for (char digit = '0'; digit <= '9'; ++digit) {
    id.back() = digit;
    if (!held.records().contains(id)) return id;
  }
  return id + "0";
}

void expectSameById(Trial& trial, std::string const& entity, Journal const& journal, std::string const& id,
                    Held const& before, Held const& after) {
  auto const found = std::ranges::find_if(journal.records, [&](Record const& each) {
    return each.kind == entity && textOr(each.value, "/id", "") == id &&
           !boolOr(each.value, "/deleted", false);
  });
  auto const* data = found == journal.records.end() ? nullptr : garland::find(found->value, "/data");
  if (!trial.expect(data != nullptr, "a record that is there was asked for by its id, and did not come",
                    entity))
    return;
  // What happens by itself meanwhile may have come with the second pull only.
  bool const same = std::ranges::any_of(std::array{&before, &after}, [&](Held const* held) {
    auto const pulled = held->records().find(id);
    auto const* wanted = pulled == held->records().end() ? nullptr : garland::find(pulled->second, "/data");
    return wanted != nullptr && contains(*data, *wanted) &&
           textOr(found->value, "/version", "") == textOr(pulled->second, "/version", "");
  });
  trial.expect(same, "a record that is read by its id says something else than a pull brings", entity);
}

void readsByIds(Trial& trial, std::string const& entity) {
  Held before;
  before.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  if (before.records().empty()) return;
  std::set<std::string> const known{before.records().begin()->first, before.records().rbegin()->first};
  auto const unknown = unknownId(before);
  Ask ask;
  ask.operation = "records.get/1";
  json::array ids{before.records().rbegin()->first, unknown};
  if (known.size() > 1) ids.push_back(json::value(before.records().begin()->first));
  ask.input = json::object{{"entity", entity}, {"ids", ids}};
  auto const journal = trial.run(std::move(ask));
  if (!journal.result && journal.result.error().kind == ErrorKind::unsupported) return; // of this entity
  if (!trial.expect(journal.ok(), "reading by ids, of which one is unknown, ended with: " + journal.ending(),
                    entity))
    return;
  auto afresh = pullAsk(entity, nullptr);
  afresh.account = "afresh";
  Held after;
  after.take(trial.mustRun(std::move(afresh), "one pull of everything"), entity);
  for (auto const& id : known) expectSameById(trial, entity, journal, id, before, after);
  for (auto const& each : ids) {
    auto const id = std::string(each.as_string());
    auto const times = std::ranges::count_if(journal.records, [&](Record const& record) {
      return (record.kind == entity || record.kind == "garland.problem") &&
             textOr(record.value, "/id", "") == id;
    });
    trial.expect(
        times == 1,
        (id == unknown ? "of an id that the provider does not know " : "of a record that is there ") +
            std::to_string(times) + " answers came",
        entity);
  }
  auto const live = std::ranges::any_of(journal.records, [&](Record const& record) {
    return record.kind == entity && textOr(record.value, "/id", "") == unknown &&
           !boolOr(record.value, "/deleted", false);
  });
  trial.expect(!live, "an id that the provider does not know came as a record that is there", entity);
}

// Which records are there, and what each says: what two ways of pulling have to agree on.
std::map<std::string, std::string> contentOf(Held const& held) {
  std::map<std::string, std::string> out;
  for (auto const& [id, record] : held.records()) {
    auto const* data = garland::find(record, "/data");
    out[id] = textOr(record, "/version", "") + " " + (data == nullptr ? "" : canonicalJson(*data));
  }
  return out;
}

void bothWaysAgree(Trial& trial) {
  auto const [entity, what] = caseWords(trial.caseName());
  if (what == "get") return readsByIds(trial, entity);
  trial.newBench(worldOf(trial, 7));
  // Not every record can be changed, but one that was made as the brief says can, once.
  auto made = textOr(editAs(trial, entity, "create"), "/id", "");
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "first pull"), entity);
  for (int round = 0; round < 4; ++round) {
    trial.bench().wait(std::chrono::hours(7));
    auto at = held.records().begin();
    auto const changed = held.records().contains(made) ? made
                         : at == held.records().end()  ? ""
                                                       : (at++)->first;
    if (!changed.empty()) editAs(trial, entity, "change", changed);
    made = textOr(editAs(trial, entity, "create"), "/id", "");
    if (round % 2 == 1 && at != held.records().end() && at->first != changed)
      editAs(trial, entity, "delete", at->first);
    trial.bench().wait(std::chrono::minutes(5));
    auto const step = "pull " + std::to_string(round + 2) + ", after edits";
    auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), step);
    if (!journal.ok()) return;
    held.take(journal, entity);
  }
  trial.bench().wait(std::chrono::hours(25)); // deletions may take a day to be noticed
  held.take(trial.mustRun(pullAsk(entity, held.cursor()), "the last pull"), entity);
  auto ask = pullAsk(entity, nullptr);
  ask.account = "two";
  auto const journal = trial.mustRun(std::move(ask), "one pull of everything");
  if (!journal.ok()) return;
  Held whole;
  whole.take(journal, entity);
  auto const step_by_step = contentOf(held);
  auto const at_once = contentOf(whole);
  for (auto const& [id, content] : at_once) {
    auto const found = step_by_step.find(id);
    trial.expect(found != step_by_step.end() && found->second == content,
                 found == step_by_step.end()
                     ? "a record that one pull of everything brings did not come with the pulls after edits"
                     : "pulls after edits brought \"" + found->second +
                           "\", one pull of everything brings \"" + content + "\"",
                 entity);
  }
  for (auto const& [id, content] : step_by_step)
    trial.expect(at_once.contains(id) || boolOr(*trial.subject().brief.entity(entity), "/keeps_past", false),
                 "a record that is gone at the provider is still held after the pulls that followed", entity);
}

// ---- CAP-10
// What may change of an answer from one day to another.
enum class Drift { member, null, word, text };

bool isWord(std::string_view text) {
  return text.size() >= 2 && text.size() <= 30 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '-'; });
}

// `keep`: the values that tell which record it is.
void drift(json::value& value, Drift how, std::string const& member, std::set<std::string> const& keep,
           bool in_list) {
  if (auto* list = value.if_array())
    for (auto& item : *list) drift(item, how, member, keep, true);
  auto* const object = value.if_object();
  if (object == nullptr) return;
  for (auto& each : *object) {
    auto& inner = each.value();
    bool const chosen = in_list && std::string_view(each.key()) == member;
    if (chosen && !(inner.is_string() && keep.contains(std::string(inner.get_string())))) {
      if (how == Drift::null && !inner.is_object() && !inner.is_array()) inner = nullptr;
      if (how == Drift::word && inner.is_string() && isWord(std::string_view(inner.get_string())))
        inner = "brand_new_value";
      if (how == Drift::text && inner.is_int64()) inner = std::to_string(inner.get_int64());
    }
    drift(inner, how, member, keep, false);
  }
  if (how == Drift::member) (*object)["x_added_lately"] = json::object{{"nested", json::array{1, nullptr}}};
}

// The names of members of listed objects.
void namesIn(json::value const& value, bool in_list, std::set<std::string>& out) {
  if (auto const* list = value.if_array())
    for (auto const& item : *list) namesIn(item, true, out);
  if (auto const* object = value.if_object())
    for (auto const& each : *object) {
      if (in_list) out.emplace(each.key());
      namesIn(each.value(), false, out);
    }
}

// iCalendar's own ways of growing: properties, parameters and words that nobody has heard of.
std::string driftedIcal(std::string text, Drift how) {
  constexpr std::string_view begin = "BEGIN:VEVENT";
  std::string const lines = how == Drift::member ? "\r\nX-ADDED-LATELY;X-WITH=\"a:b\":new\r\nNEWPROP:1"
                            : how == Drift::null ? "\r\nDESCRIPTION:\r\nURL:"
                            : how == Drift::word
                                ? "\r\nSTATUS:BRAND-NEW\r\nTRANSP:BRAND-NEW\r\nCLASS:BRAND-NEW"
                                : "\r\nPRIORITY:high\r\nSEQUENCE:first";
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + begin.size()))
    text.insert(at + begin.size(), lines);
  return text;
}

struct Spoiler {
  bool on = false;
  Drift how = Drift::member;
  std::string member;
  std::set<std::string> keep;
  std::set<std::string> names; // of what came while it was off

  std::string operate(std::string const& body) {
    auto document = parseJson(body);
    if (!document) return on ? driftedIcal(body, how) : body;
    if (!on) {
      namesIn(*document, false, names);
      return body;
    }
    drift(*document, how, member, keep, false);
    return json::serialize(*document);
  }
};

std::vector<std::string> driftCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (auto const& entity : pulledEntities(subject))
    for (auto const* how : {"/member", "/null", "/word", "/text"}) out.push_back(entity + how);
  return out;
}

// Every id either came as a record or was told as one that cannot be read.
void expectNoneDropped(Trial& trial, Held const& clean, Journal const& journal, std::string const& entity,
                       std::string const& step) {
  std::set<std::string> told;
  for (auto const& record : journal.records)
    if (record.kind == entity || record.kind == "garland.problem")
      told.insert(textOr(record.value, "/id", ""));
  for (auto const& [id, record] : clean.records())
    trial.expect(told.contains(id), "a record neither came nor was told as one that cannot be read", step);
}

void degrades(Trial& trial) {
  auto const slash = trial.caseName().find('/');
  auto const entity = trial.caseName().substr(0, slash);
  auto const word = trial.caseName().substr(slash + 1);
  auto const spoiler = std::make_shared<Spoiler>();
  spoiler->how = word == "member" ? Drift::member
                 : word == "null" ? Drift::null
                 : word == "word" ? Drift::word
                                  : Drift::text;
  auto world = worldOf(trial);
  world.spoil = [spoiler](std::string const& body) { return spoiler->operate(body); };
  trial.newBench(std::move(world));
  auto const first = trial.mustRun(pullAsk(entity, nullptr), "as the provider answers today");
  if (!first.ok()) return;
  Held clean;
  clean.take(first, entity);
  for (auto const& [id, record] : clean.records()) {
    spoiler->keep.insert(id);
    if (auto const version = textOr(record, "/version", ""); !version.empty()) spoiler->keep.insert(version);
  }
  spoiler->on = true;
  auto names =
      spoiler->how == Drift::member || spoiler->names.empty() ? std::set<std::string>{""} : spoiler->names;
  for (auto const& name : names) {
    spoiler->member = name;
    trial.bench().wait(std::chrono::minutes(5)); // for limits of the provider's
    auto ask = pullAsk(entity, nullptr);
    ask.account = "with-" + name;
    auto const step = entity + ", " + (name.empty() ? "" : "\"" + name + "\": ") +
                      (word == "member" ? "members that nobody knows"
                       : word == "null" ? "null where there was a value"
                       : word == "word" ? "a word that nobody knows"
                                        : "a number that is written as a text");
    auto const journal = trial.mustRun(std::move(ask), step);
    if (!journal.ok()) continue;
    expectNoneDropped(trial, clean, journal, entity, step);
    if (spoiler->how != Drift::member) continue;
    Held held;
    held.take(journal, entity);
    trial.expect(contentOf(held) == contentOf(clean), "members that nobody knows changed what was read",
                 step);
  }
}

// ---- CAP-15
std::vector<std::string> timedCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (auto const& entity : pulledEntities(subject)) out.push_back(entity + "/pull");
  for (auto const& entity : writtenEntities(subject)) out.push_back(entity + "/upsert");
  return out;
}

bool isTooLate(Exchange const& exchange) {
  return !exchange.answer && exchange.answer.error().provider_code == kOutOfTime;
}

void keepsToItsTime(Trial& trial) {
  auto const slash = trial.caseName().find('/');
  auto const entity = trial.caseName().substr(0, slash);
  bool const pulls = trial.caseName().substr(slash + 1) == "pull";
  constexpr Milliseconds grace{100};
  constexpr int most_late = 2; // it may look once whether what failed was done all the same
  auto world = worldOf(trial, 2 * integerOr(trial.subject().brief.document, "/page", 100) + 1);
  world.exchange = std::chrono::seconds(3);
  trial.newBench(std::move(world));
  trial.run(std::string(kNoOperation), json::object()); // the worker is up, and takes none of the time
  for (auto const seconds : {2, 4, 7, 10}) {
    Ask ask = pullAsk(entity, nullptr);
    if (!pulls) {
      ask.operation = operationFor(entity, "upsert");
      ask.input = upsertInput(trial.subject(), entity, "late-" + std::to_string(seconds));
    }
    ask.account = "with-" + std::to_string(seconds);
    ask.deadline = std::chrono::seconds(seconds);
    auto const journal = trial.run(std::move(ask));
    auto const step = "with " + std::to_string(seconds) + " seconds, of which a request takes three";
    trial.expect(journal.took <= Milliseconds(seconds * 1000) + grace,
                 "it took " + std::to_string(journal.took.count()) + " ms", step);
    auto const late = std::ranges::count_if(journal.exchanges, isTooLate);
    trial.expect(late <= most_late,
                 "it sent " + std::to_string(late) + " more requests after its time was used up", step);
    if (journal.result)
      trial.expect(late == 0, "its time was used up, and it says that all is done", step);
    else
      trial.expect(journal.result.error().kind == ErrorKind::transient ||
                       journal.result.error().kind == ErrorKind::cancelled,
                   "its time was used up, and it ended with: " + journal.ending(), step);
    trial.bench().wait(std::chrono::minutes(5));
  }
}

// ---- CAP-09
struct Boundary {
  std::string_view name;
  std::string text;
};

std::vector<Boundary> boundaries() {
  std::string long_name;
  for (int i = 0; i < 51; ++i) long_name += "Hochzeit ";
  std::string note;
  note.reserve(1U << 20U);
  while (note.size() < (1U << 20U) - 40) note += "Ein Satz, der sich oft wiederholt. ";
  return {
      {"long", long_name + "Ende"},
      {"composed", "Zo\xC3\xAB & Ren\xC3\xA9\x65"},
      {"decomposed", "Zoe\xCC\x88 & Rene\xCC\x81"},
      {"right_to_left", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD8\xA3\xD8\xAD\xD9\x85\xD8\xAF"},
      {"joined_emoji", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x91\xA9"},
      {"nul", std::string("be\0fore", 7)},
      {"markup", "<b>Ada</b> &amp; \"Bo\" 'Cy' \\, ; {id} %20 $(x)"},
      {"megabyte", note + "Ende"},
  };
}

std::string textMember(Subject const& subject, std::string const& entity) {
  return textOr(*subject.brief.entity(entity), "/text", "");
}

std::vector<std::string> textCases(Subject const& subject, Profile) {
  auto entities = writtenEntities(subject);
  std::erase_if(entities, [&](auto const& entity) { return textMember(subject, entity).empty(); });
  std::vector<std::string> out;
  for (auto const& entity : entities)
    for (auto const& boundary : boundaries()) out.push_back(entity + "/" + std::string(boundary.name));
  return out;
}

void keepsAnyText(Trial& trial) {
  auto const slash = trial.caseName().find('/');
  auto const entity = trial.caseName().substr(0, slash);
  auto const all = boundaries();
  auto const name = trial.caseName().substr(slash + 1);
  auto const boundary = std::ranges::find(all, std::string_view(name), &Boundary::name);
  auto const member = textMember(trial.subject(), entity);
  auto input = upsertInput(trial.subject(), entity, "edge-1");
  input["data"].as_object()[member] = boundary->text;
  auto const before = truthOf(trial, entity);
  auto const journal = trial.run(operationFor(entity, "upsert"), std::move(input));
  auto const step = "\"" + member + "\", " + name;
  if (!journal.result) {
    trial.expect(journal.result.error().kind == ErrorKind::invalidInput,
                 "a text that it cannot store ended with: " + journal.ending(), step);
    trial.expect(truthOf(trial, entity) == before, "a text was refused, and something is stored all the same",
                 step);
    return;
  }
  auto const told = textOr(*journal.result, "/data/" + member, "");
  trial.expect(told == boundary->text,
               "a text of " + std::to_string(boundary->text.size()) + " bytes came back as another one of " +
                   std::to_string(told.size()) + " bytes",
               step);
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), step + ", pulled"), entity);
  auto const found = held.records().find(textOr(*journal.result, "/id", ""));
  trial.expect(found != held.records().end() &&
                   textOr(found->second, "/data/" + member, "") == boundary->text,
               "a pull brings another text than was stored", step);
}

constexpr Check kChecks[] = {
    {.id = "CAP-02",
     .run = readsTheGoldenRecords,
     .skip = noPulls,
     .cases = goldenCases,
     .brief = "/entities/<entity>/golden"},
    {.id = "CAP-06",
     .run = bothWaysAgree,
     .skip = noPulls,
     .cases = bothWaysCases,
     .brief = "/entities/<entity>/edit/change or /entities/<entity>/edit/create"},
    {.id = "CAP-09",
     .run = keepsAnyText,
     .skip = noWrites,
     .cases = textCases,
     .brief = "/entities/<entity>/record and /entities/<entity>/text"},
    {.id = "CAP-10", .run = degrades, .skip = noPulls, .cases = driftCases, .brief = "/entities/<entity>"},
    {.id = "CAP-15",
     .run = keepsToItsTime,
     .skip = noPulls,
     .cases = timedCases,
     .brief = "/entities/<entity>"},
};

} // namespace

std::span<Check const> recordChecks() { return kChecks; }

} // namespace garland::certification
