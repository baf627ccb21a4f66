// Checks of long and mixed trouble: pairs of faults, power that fails, an outage of ten minutes, a token that
// ends in the middle, a trickle, clocks that jump, state that fails, one endpoint that is down.
#include "certification/checks/pulls.h"

#include <algorithm>
#include <random>
#include <set>
#include <span>

namespace garland::certification {
namespace {

using runtime::HttpAnswer;
using runtime::HttpAsk;

constexpr int kMostPoints = 24; // where power fails, of one operation

World worldOf(Trial& trial, std::int64_t volume = -1) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  return world;
}

// Two pages and one record.
std::int64_t pages(Trial const& trial) {
  return 2 * integerOr(trial.subject().brief.document, "/page", 100) + 1;
}

bool isPull(std::string const& case_name) { return case_name.ends_with("/pull"); }
std::string entityOf(std::string const& case_name) { return case_name.substr(0, case_name.rfind('/')); }

std::vector<std::string> pullsAndWrites(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (auto const& entity : pulledEntities(subject)) out.push_back(entity + "/pull");
  for (auto const& entity : writtenEntities(subject)) out.push_back(entity + "/upsert");
  return out;
}

Ask askFor(Trial& trial, json::value cursor = nullptr) {
  auto const entity = entityOf(trial.caseName());
  if (isPull(trial.caseName())) return pullAsk(entity, std::move(cursor));
  Ask ask;
  ask.operation = operationFor(entity, "upsert");
  ask.input = upsertInput(trial.subject(), entity, "outage-1");
  return ask;
}

std::string recordsOf(Held const& held) { return std::to_string(held.records().size()) + " records"; }

HttpAnswer unavailable(int status) {
  HttpAnswer out;
  out.status = status;
  out.headers = {{"content-type", "application/json"}};
  out.body = R"({"error":"not now"})";
  out.effect = status == 503 ? Effect::unknown : Effect::notApplied;
  return out;
}

// ---- FLT-03
struct Pair {
  Fault const* first = nullptr;
  Fault const* second = nullptr;
  std::size_t at_first = 0;
  std::size_t at_second = 0;
};

std::string inWords(Pair const& pair) {
  return std::string(pair.first->says) + " at host call " + std::to_string(pair.at_first) + ", then " +
         std::string(pair.second->says) + " at host call " + std::to_string(pair.at_second);
}

bool canMeet(Fault const& fault, Journal const& clean, std::size_t at) {
  return fault.everywhere || clean.calls[at].kind == HostCall::Kind::http;
}

Pair pairFrom(std::mt19937_64& random, Journal const& clean) {
  Pair out;
  do {
    out.first = &faults()[random() % faults().size()];
    out.at_first = random() % clean.calls.size();
  } while (!canMeet(*out.first, clean, out.at_first));
  do {
    out.second = &faults()[random() % faults().size()];
    out.at_second = random() % clean.calls.size();
  } while (!canMeet(*out.second, clean, out.at_second));
  return out;
}

// One after the other meets the same work; then nothing is wrong any more.
void afterThePair(Trial& trial, Pair const& pair, Held const& whole) {
  auto const step = inWords(pair);
  Held held;
  for (auto const& order : {FaultOrder{pair.first, pair.at_first}, FaultOrder{pair.second, pair.at_second}}) {
    bool const writes = !isPull(trial.caseName());
    auto const before = writes ? createdIn(trial, entityOf(trial.caseName())) : 0;
    auto ask = askFor(trial, held.cursor());
    ask.fault = order;
    auto const journal = trial.run(std::move(ask));
    held.take(journal, entityOf(trial.caseName()));
    if (!journal.result && writes)
      trial.expect(journal.result.error().effect != Effect::notApplied ||
                       createdIn(trial, entityOf(trial.caseName())) == before,
                   "it says that nothing was applied, and the provider's ledger tells otherwise", step);
  }
  auto const last = trial.mustRun(askFor(trial, held.cursor()), step + ", then nothing is wrong");
  if (!last.ok()) return;
  held.take(last, entityOf(trial.caseName()));
  if (isPull(trial.caseName()))
    trial.expect(held.records() == whole.records(),
                 "after two troubles " + recordsOf(held) + " are held, without any " + recordsOf(whole),
                 step);
  else
    trial.expect(createdIn(trial, entityOf(trial.caseName())) == 1,
                 "after two troubles the provider's ledger tells of " +
                     std::to_string(createdIn(trial, entityOf(trial.caseName()))) + " creations",
                 step);
}

void pairsConverge(Trial& trial) {
  trial.newBench(worldOf(trial));
  auto const clean = trial.mustRun(askFor(trial), "without a fault");
  if (!clean.ok() || clean.calls.empty()) return;
  Held whole;
  whole.take(clean, entityOf(trial.caseName()));
  auto const cases = pullsAndWrites(trial.subject(), trial.profile()).size();
  std::size_t const samples = trial.profile() == Profile::full ? 2000 / cases + 1 : 12;
  std::mt19937_64 random(trial.seed());
  for (std::size_t i = 0; i < samples; ++i) {
    trial.newBench(worldOf(trial));
    afterThePair(trial, pairFrom(random, clean), whole);
  }
}

// ---- FLT-04
struct Point {
  std::size_t boundary = 0;
  bool before = true;
};

// Every place of a clean run where power may fail, or some of them, the first and the last among them.
std::vector<Point> pointsOf(Trial& trial, std::int64_t volume, Journal* clean) {
  auto const seen = std::make_shared<std::vector<Point>>();
  auto world = worldOf(trial, volume);
  world.intercepts.kill = [seen](std::size_t boundary, bool before) {
    seen->push_back({boundary, before});
    return false;
  };
  trial.newBench(std::move(world));
  *clean = trial.mustRun(askFor(trial), "while power lasts");
  std::vector<Point> out;
  auto const step = std::max<std::size_t>(1, seen->size() / kMostPoints);
  for (std::size_t i = 0; i < seen->size(); i += step) out.push_back((*seen)[i]);
  if (!seen->empty()) out.push_back(seen->back());
  return out;
}

void expectResumed(Trial& trial, Journal const& journal, Held const& whole, std::string const& step) {
  auto const entity = entityOf(trial.caseName());
  if (!isPull(trial.caseName())) {
    trial.mustRun(askFor(trial), step + ", then repeated with the same key");
    auto const created = createdIn(trial, entity);
    trial.expect(created == 1, "the provider's ledger tells of " + std::to_string(created) + " creations",
                 step);
    return;
  }
  // What the host held when power failed, and where it was.
  Held held;
  held.take(*journal.at_kill, entity);
  held.take(trial.mustRun(pullAsk(entity, held.cursor()), step + ", then resumed"), entity);
  trial.expect(held.records() == whole.records(),
               "after it was resumed " + recordsOf(held) + " are held of " +
                   std::to_string(whole.records().size()),
               step);
  if (!journal.result) return;
  Held again; // the host ran it once more by itself
  again.take(journal, entity);
  trial.expect(again.records() == whole.records(),
               "the run that followed by itself holds " + recordsOf(again) + " of " +
                   std::to_string(whole.records().size()),
               step);
}

void survivesPowerCuts(Trial& trial) {
  bool const pull = isPull(trial.caseName());
  auto const volume = pull && trial.profile() != Profile::quick ? pages(trial) : std::int64_t{-1};
  Journal clean;
  auto const points = pointsOf(trial, volume, &clean);
  Held whole;
  whole.take(clean, entityOf(trial.caseName()));
  for (auto const& point : points) {
    auto world = worldOf(trial, volume);
    auto const failed = std::make_shared<bool>(false); // once; not again when it is resumed
    world.intercepts.kill = [point, failed](std::size_t boundary, bool before) {
      if (*failed || boundary != point.boundary || before != point.before) return false;
      *failed = true;
      return true;
    };
    trial.newBench(std::move(world));
    auto const journal = trial.run(askFor(trial), true);
    auto const step = "kill -9 " + std::string(point.before ? "before" : "after") + " boundary " +
                      std::to_string(point.boundary) + " (request, record or checkpoint)";
    if (trial.expect(journal.at_kill != nullptr, "the same run does not come to the same place again", step))
      expectResumed(trial, journal, whole, step);
  }
}

// ---- FLT-07
void isPatient(Trial& trial) {
  auto world = worldOf(trial);
  world.intercepts.request = [](HttpAsk const&) {
    return std::optional<Result<HttpAnswer>>(unavailable(503));
  };
  trial.newBench(std::move(world));
  constexpr int minutes = 10;
  constexpr std::size_t budget = 3; // requests of one try; the host spaces the tries
  for (int minute = 0; minute < minutes; ++minute) {
    auto const step = trial.caseName() + ", minute " + std::to_string(minute + 1) + " of an outage";
    auto const journal = trial.run(askFor(trial));
    trial.expect(!journal.result && journal.result.error().kind == ErrorKind::transient,
                 "an outage ended with: " + journal.ending(), step);
    trial.expect(journal.exchanges.size() <= budget,
                 "it sent " + std::to_string(journal.exchanges.size()) + " requests in one try", step);
    trial.bench().wait(std::max(Milliseconds(60'000) - journal.took, Milliseconds(0)));
  }
}

// ---- FLT-08
std::set<std::string> durableIds(Journal const& journal, std::string const& entity) {
  std::set<std::string> out;
  for (auto const& record : journal.records)
    if (record.durable && record.kind == entity) out.insert(textOr(record.value, "/id", ""));
  return out;
}

// Where the list may have moved meanwhile, its last page is read once more; whoever begins anew brings all.
void expectGoesOn(Trial& trial, Journal const& broken, Journal const& rest, std::string const& step) {
  auto const& entity = trial.caseName();
  auto const page = std::max<std::int64_t>(1, integerOr(trial.subject().brief.document, "/page", 100));
  auto const before = durableIds(broken, entity);
  auto const after = durableIds(rest, entity);
  auto const again = std::ranges::count_if(before, [&](auto const& id) { return after.contains(id); });
  trial.expect(again <= page,
               "of " + std::to_string(before.size()) + " records that were stored, " + std::to_string(again) +
                   " come again: it does not go on where it was",
               step);
}

void resumesAfterSigningIn(Trial& trial) {
  auto const& entity = trial.caseName();
  trial.newBench(worldOf(trial, pages(trial)));
  auto const clean = trial.mustRun(pullAsk(entity, nullptr), "while the token is good");
  if (!clean.ok()) return;
  Held whole;
  whole.take(clean, entity);
  for (std::size_t k = 1; k < clean.calls.size(); ++k) {
    if (clean.calls[k].kind != HostCall::Kind::http) continue;
    trial.newBench(worldOf(trial, pages(trial)));
    auto ask = pullAsk(entity, nullptr);
    ask.fault = FaultOrder{faultNamed("status_401"), k};
    auto const step = entity + ", the token ends at host call " + std::to_string(k);
    auto const broken = trial.run(std::move(ask));
    if (!broken.fault_met) continue;
    bool const told = !broken.result && (broken.result.error().kind == ErrorKind::authExpired ||
                                         broken.result.error().kind == ErrorKind::authRevoked);
    trial.expect(told, "a token that has ended is told as: " + broken.ending(), step);
    // What it has may still be made durable.
    auto const after = std::span(broken.calls).subspan(std::min(k + 1, broken.calls.size()));
    bool const asks =
        std::ranges::any_of(after, [](auto const& call) { return call.kind == HostCall::Kind::http; });
    trial.expect(!asks, "it goes on asking with a token that has ended", step);
    Held held;
    held.take(broken, entity);
    auto const rest = trial.mustRun(pullAsk(entity, held.cursor()), step + ", then signed in again");
    expectGoesOn(trial, broken, rest, step + ", then signed in again");
    held.take(rest, entity);
    trial.expect(held.records() == whole.records(),
                 "after signing in again " + recordsOf(held) + " are held of " +
                     std::to_string(whole.records().size()),
                 step);
    bool const whole_pages =
        std::ranges::any_of(broken.records, [](auto const& each) { return !each.durable; });
    trial.expect(broken.records.empty() || !broken.cursors.empty(),
                 "it had " + std::to_string(broken.records.size()) +
                     " records and set no checkpoint after them, so all of them come again",
                 step);
    trial.expect(!whole_pages, "a page that was read is not covered by a checkpoint", step);
  }
}

// ---- FLT-09
void honoursItsTime(Trial& trial) {
  for (auto const span : {Milliseconds(5'000), Milliseconds(30'000), Milliseconds(120'000)}) {
    // A byte a second: nothing but a part of the headers comes in that time.
    auto const ends = std::make_shared<TimePoint>();
    Bench* bench = nullptr;
    auto world = worldOf(trial);
    world.intercepts.request = [ends, &bench](HttpAsk const& ask) {
      auto const left = std::max(*ends - bench->now(), Milliseconds(0));
      bench->wait(ask.timeout > Milliseconds(0) ? std::min(ask.timeout, left) : left);
      Error late(ErrorKind::transient, "no whole answer came in time");
      late.provider_code = "timed_out";
      return std::optional<Result<HttpAnswer>>(
          std::move(late).withEffect(ask.method == "GET" ? Effect::notApplied : Effect::unknown));
    };
    bench = &trial.newBench(std::move(world));
    *ends = bench->now() + span;
    auto ask = askFor(trial);
    ask.deadline = span;
    auto const step =
        trial.caseName() + ", " + std::to_string(span.count() / 1000) + " seconds, a byte a second";
    auto const journal = trial.run(std::move(ask));
    trial.expect(!journal.result && journal.result.error().kind == ErrorKind::transient,
                 "a provider that trickles ended with: " + journal.ending(), step);
    trial.expect(journal.took <= span + Milliseconds(100),
                 "it took " + std::to_string(journal.took.count()) + " ms of " + std::to_string(span.count()),
                 step);
  }
}

// ---- FLT-11
std::vector<std::string> createdElsewhere(Subject const& subject, Profile) {
  auto out = pulledEntities(subject);
  std::erase_if(out, [&](auto const& entity) {
    return garland::find(*subject.brief.entity(entity), "/edit/create") == nullptr;
  });
  if (out.empty()) out = pulledEntities(subject);
  return out;
}

void standsClockJumps(Trial& trial) {
  auto const& entity = trial.caseName();
  bool const creates = garland::find(*trial.subject().brief.entity(entity), "/edit/create") != nullptr;
  trial.newBench(worldOf(trial));
  Held held;
  auto const first = trial.mustRun(pullAsk(entity, nullptr), "before any jump");
  held.take(first, entity);
  constexpr std::chrono::hours kHour{1};
  // To and fro by the hour that a change of summer time is, and by days, as a machine whose battery is empty.
  for (auto const jump :
       {Milliseconds(kHour), Milliseconds(-kHour), Milliseconds(-3 * kHour), Milliseconds(26 * kHour),
        Milliseconds(-26 * kHour), Milliseconds(24 * 40 * kHour)}) {
    auto const step = entity + ", the clock jumps by " + std::to_string(jump.count() / 60'000) + " minutes";
    trial.bench().shiftHost(jump);
    if (creates) editAs(trial, entity, "create");
    trial.bench().wait(Milliseconds(60'000));
    auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), step);
    held.take(journal, entity);
    trial.expect(held.records().size() == truthOf(trial, entity),
                 "after it " + recordsOf(held) + " are held of " + std::to_string(truthOf(trial, entity)),
                 step);
    trial.expect(journal.exchanges.size() <= 4 * first.exchanges.size() + 8,
                 "it sends " + std::to_string(journal.exchanges.size()) +
                     " requests, where a first pull sends " + std::to_string(first.exchanges.size()),
                 step);
  }
}

// ---- FLT-12
struct StateFault {
  HostCall::Kind at;
  ErrorKind kind;
  std::string_view says;
};
constexpr StateFault kStateFaults[] = {
    {HostCall::Kind::kvPut, ErrorKind::conflict, "the value was changed meanwhile"},
    {HostCall::Kind::kvPut, ErrorKind::quota, "the connection's state is full"},
    {HostCall::Kind::kvPut, ErrorKind::transient, "the store does not answer in time"},
    {HostCall::Kind::kvGet, ErrorKind::transient, "the store does not answer in time"},
};

void standsStateFaults(Trial& trial) {
  auto const entity = entityOf(trial.caseName());
  trial.newBench(worldOf(trial));
  auto const clean = trial.mustRun(askFor(trial), "while the state is well");
  Held whole;
  whole.take(clean, entity);
  for (auto const& fault : kStateFaults) {
    auto world = worldOf(trial);
    auto const broken = std::make_shared<bool>(true);
    world.intercepts.host_call = [fault, broken](HostCall const& call) -> std::optional<Error> {
      if (!*broken || call.kind != fault.at) return std::nullopt;
      return Error(fault.kind, std::string(fault.says));
    };
    trial.newBench(std::move(world));
    auto const step = trial.caseName() + ", " + std::string(name(fault.at)) + ": " + std::string(fault.says);
    auto const journal = trial.run(askFor(trial));
    trial.expect(journal.result || journal.result.error().kind == fault.kind ||
                     journal.result.error().kind == ErrorKind::transient,
                 "expected success or " + std::string(garland::name(fault.kind)) + ", but it ended with " +
                     journal.ending(),
                 step);
    *broken = false;
    Held held;
    held.take(journal, entity);
    auto const again = trial.mustRun(askFor(trial, held.cursor()), step + ", then it is well again");
    held.take(again, entity);
    if (isPull(trial.caseName()))
      trial.expect(held.records() == whole.records(),
                   "afterwards " + recordsOf(held) + " are held of " + std::to_string(whole.records().size()),
                   step);
    else
      trial.expect(createdIn(trial, entity) == 1,
                   "afterwards the provider's ledger tells of another number of creations", step);
  }
}

// ---- FLT-13
std::string pathOf(std::string const& url) {
  auto const begin = url.find('/', url.find("://") + 3);
  return begin == std::string::npos ? "/" : url.substr(begin, url.find_first_of("?#", begin) - begin);
}

// What the first record came with; "/mails/" is the endpoint of those that are read by their ids.
std::string ownEndpoint(Journal const& journal) {
  for (auto const& record : journal.records) {
    if (record.kind == "garland.listing" || record.requests == 0 ||
        record.requests > journal.exchanges.size())
      continue;
    auto path = pathOf(journal.exchanges[record.requests - 1].ask.url);
    auto const id = textOr(record.value, "/id", "");
    if (!id.empty() && path.ends_with("/" + id)) path.resize(path.size() - id.size());
    return path;
  }
  // Where there are no records, what was asked last.
  return journal.exchanges.empty() ? "" : pathOf(journal.exchanges.back().ask.url);
}

bool isOf(std::string const& endpoint, std::string const& path) {
  bool const by_id = endpoint.size() > 1 && endpoint.ends_with('/');
  return path == endpoint || (by_id && path.starts_with(endpoint));
}

void othersGoOn(Trial& trial) {
  auto const& down = trial.caseName();
  trial.newBench(worldOf(trial));
  auto const endpoint = ownEndpoint(trial.mustRun(pullAsk(down, nullptr), "while all is well"));
  if (endpoint.empty())
    return trial.giveUp("a pull of " + down +
                        " asks nobody, so nothing can be down; is certification.json: /entities/" + down +
                        " of this provider?");
  // Two kinds of records may come from one place; both are down then.
  auto others = pulledEntities(trial.subject());
  std::erase_if(others, [&](auto const& entity) {
    return entity == down ||
           isOf(endpoint, ownEndpoint(trial.mustRun(pullAsk(entity, nullptr), "while all is well")));
  });
  auto world = worldOf(trial);
  world.intercepts.request = [endpoint](HttpAsk const& ask) -> std::optional<Result<HttpAnswer>> {
    if (!isOf(endpoint, pathOf(ask.url))) return std::nullopt;
    return unavailable(503);
  };
  trial.newBench(std::move(world));
  auto const broken = trial.run(pullAsk(down, nullptr));
  trial.expect(!broken.result && broken.result.error().kind == ErrorKind::transient,
               "the endpoint of " + down + " is down, and its pull ended with: " + broken.ending(), endpoint);
  for (auto const& entity : others) {
    auto const other = trial.run(pullAsk(entity, nullptr));
    trial.expect(other.ok(), "while " + endpoint + " is down, " + entity + " ends with: " + other.ending(),
                 entity);
  }
  if (!trial.subject().offers("health.check/1")) return;
  auto const health = trial.run("health.check/1", json::object());
  trial.expect(health.took <= Milliseconds(30'000), "the health check takes longer than 30 seconds",
               endpoint);
  trial.expect(health.result || health.result.error().kind == ErrorKind::transient ||
                   health.result.error().kind == ErrorKind::providerBug,
               "the health check blames something else: " + health.ending(), endpoint);
}

constexpr Check kChecks[] = {
    {.id = "FLT-03",
     .run = pairsConverge,
     .skip = noPulls,
     .cases = pullsAndWrites,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "FLT-04",
     .run = survivesPowerCuts,
     .skip = noPulls,
     .cases = pullsAndWrites,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "FLT-07",
     .run = isPatient,
     .skip = noPulls,
     .cases = pullsAndWrites,
     .brief = "/entities/<entity>"},
    {.id = "FLT-08",
     .run = resumesAfterSigningIn,
     .skip = noPulls,
     .cases = pulledCases,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "FLT-09",
     .run = honoursItsTime,
     .skip = noPulls,
     .cases = pullsAndWrites,
     .brief = "/entities/<entity>"},
    {.id = "FLT-11",
     .run = standsClockJumps,
     .skip = noPulls,
     .cases = createdElsewhere,
     .from = Profile::standard,
     .brief = "/entities/<entity>"},
    {.id = "FLT-12",
     .run = standsStateFaults,
     .skip = noPulls,
     .cases = pullsAndWrites,
     .brief = "/entities/<entity>"},
    {.id = "FLT-13", .run = othersGoOn, .skip = noPulls, .cases = pulledCases, .brief = "/entities/<entity>"},
};

} // namespace

std::span<Check const> outageChecks() { return kChecks; }

} // namespace garland::certification
