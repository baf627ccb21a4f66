// Checks of the harness on itself: that every check is known to fail, that waivers are kept short, and that
// an attestation cannot be made to say something else.
#include "certification/check.h"
#include "certification/embedded.h"
#include "certification/judge.h"

#include "host/marketplace/marketplace.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

using marketplace::Attestation;
using marketplace::SigningKey;

// Runs are compared byte by byte, so no clock of the machine has a say here.
TimePoint constexpr kToday{Milliseconds(1'767'225'600'000)}; // 2026-01-01
constexpr std::chrono::hours kDay{24};

// ---- HAR-01
void hasAMutantEach(Trial& trial) {
  auto const corpus = parseJson(embedded::mutantsText());
  auto const& score = mutantScore();
  // What was killed, as soon as a run of this very suite has told so; until then, what is there to be killed.
  bool const ran = isOfThisSuite(score);
  auto const* kills = corpus ? garland::find(*corpus, ran ? "/score/checks" : "/kills") : nullptr;
  if (kills == nullptr || !kills->is_array()) return trial.giveUp("the corpus of mutants cannot be read");
  std::set<std::string> killed;
  for (auto const& each : kills->get_array())
    if (auto const* text = each.if_string()) killed.emplace(*text);
  for (auto const& check : checks()) {
    // What the harness says of itself is tried by its own tests: no connector could make it false.
    if (check.id.starts_with("HAR-")) continue;
    trial.expect(killed.contains(std::string(check.id)),
                 "no mutant has ever been killed by " + std::string(check.id), "certification/mutants");
  }
  if (!ran) return; // no author of a connector can publish it; reviewers read it at the report's end
  trial.expect(score.killed == score.of && score.of > 0, "the mutant score is " + inWords(score),
               "certification/self-test --publish");
}

// ---- HAR-07
Waiver goodWaiver() {
  Waiver out;
  out.check = "DOC-06";
  out.reason = "the icon comes with the next release";
  out.approver = "reviewer";
  out.made = kToday;
  out.expires = kToday + 30 * kDay;
  return out;
}

std::string textOf(Waiver const& waiver) { return json::serialize(toJson(std::vector{waiver})); }

void keepsWaiversShort(Trial& trial) {
  auto const counts = [&](Waiver const& waiver, TimePoint now) {
    return readWaivers(textOf(waiver), now).has_value();
  };
  trial.expect(counts(goodWaiver(), kToday), "a waiver as it should be is refused", "waivers");
  auto const refuse = [&](std::string const& what, auto&& change, TimePoint now = kToday) {
    auto waiver = goodWaiver();
    change(waiver);
    trial.expect(!counts(waiver, now), "a waiver counts " + what, "waivers");
  };
  refuse("for 91 days", [](Waiver& each) { each.expires = kToday + 91 * kDay; });
  refuse("after its end", [](Waiver&) {}, kToday + 31 * kDay);
  refuse("that was made in the future", [](Waiver& each) {
    each.made = kToday + 10 * kDay;
    each.expires = kToday + 95 * kDay;
  });
  refuse("without a reason", [](Waiver& each) { each.reason.clear(); });
  refuse("with no reason but a word", [](Waiver& each) { each.reason = "ok"; });
  refuse("that nobody approved", [](Waiver& each) { each.approver.clear(); });
  refuse("of a check that does not exist", [](Waiver& each) { each.check = "DOC-99"; });
  refuse("of a blocker of money", [](Waiver& each) { each.check = "PAY-01"; });
  refuse("of the harness", [](Waiver& each) { each.check = "HAR-04"; });
  // In the report: told, not counted; and it accepts no trouble of the harness.
  for (auto const outcome : {Outcome::fail, Outcome::inconclusive}) {
    Report report;
    report.waivers = {goodWaiver()};
    Verdict verdict;
    verdict.check = "DOC-06";
    verdict.outcome = outcome;
    report.verdicts = {verdict};
    applyWaivers(report);
    bool const waived = report.verdicts[0].outcome == Outcome::waived;
    trial.expect(waived == (outcome == Outcome::fail),
                 "a waiver accepts trouble of the harness, or no finding", "waivers");
    if (waived)
      trial.expect(report.verdicts[0].reason.find("reviewer") != std::string::npos &&
                       json::serialize(toJson(report)).find("2026-01-31") != std::string::npos,
                   "the report does not say who waived it, and until when", "waivers");
  }
}

// ---- HAR-09
Attestation attestationOf(Trial const& trial) {
  Attestation out;
  out.package_digest = std::string(64, 'a');
  out.plugin_id = trial.subject().plugin.manifest.id.empty() ? "x.y" : trial.subject().plugin.manifest.id;
  out.version = "1.0.0";
  out.suite_version = suite().version;
  out.suite_digest = suite().digest;
  out.level = "silver";
  out.seed = trial.seed();
  out.profile = "full";
  out.sandbox = "A";
  out.objects = {std::string(64, 'b')};
  out.report_digest = std::string(64, 'e');
  out.date = kToday;
  return out;
}

void cannotBeForged(Trial& trial) {
  auto const key = SigningKey::make();
  auto const other = SigningKey::make();
  if (!key || !other) return trial.giveUp("no key can be made");
  auto const text = marketplace::makeAttestation(attestationOf(trial), *key);
  if (!text) return trial.giveUp("no attestation can be made: " + text.error().message);
  auto const package = std::string(64, 'a');
  marketplace::Trust const trust{{key->publicKey()}, {}};
  auto const counts = [&](std::string const& said, marketplace::Trust const& by, TimePoint now) {
    return marketplace::verifyAttestation(said, package, by, now).has_value();
  };
  auto const where = std::string("attestation");
  trial.expect(counts(*text, trust, kToday + 179 * kDay), "an attestation as it should be does not count",
               where);
  trial.expect(!counts(*text, trust, kToday + 181 * kDay), "it counts after 180 days", where);
  trial.expect(!counts(*text, {{other->publicKey()}, {}}, kToday), "it counts although nobody trusts its key",
               where);
  trial.expect(!marketplace::verifyAttestation(*text, std::string(64, 'c'), trust, kToday),
               "it counts for another package", where);
  for (auto const& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"\"silver\"", "\"gold\""},
           {std::string(64, 'a'), std::string(64, 'c')},
           {suite().digest, std::string(64, 'd')},
           {std::string(64, 'e'), std::string(64, 'f')},
           {"\"findings\":0", "\"findings\":1"}}) {
    auto forged = *text;
    auto const at = forged.find(from);
    if (at == std::string::npos) {
      trial.expect(false, "the attestation does not say " + from, where);
      continue;
    }
    forged.replace(at, from.size(), to);
    trial.expect(!counts(forged, trust, kToday), "it counts after " + from.substr(0, 20) + " was changed",
                 where);
  }
  for (auto const& subject : {package, key->publicKey()}) {
    marketplace::Trust const revoked{{key->publicKey()}, {{subject, "it was found to leak", kToday}}};
    trial.expect(!counts(*text, revoked, kToday + kDay), "it counts although it was revoked", where);
  }
}

constexpr Check kChecks[] = {
    {.id = "HAR-01", .run = hasAMutantEach, .needs_twin = false, .calls_plugin = false},
    {.id = "HAR-07", .run = keepsWaiversShort, .needs_twin = false, .calls_plugin = false},
    {.id = "HAR-09", .run = cannotBeForged, .needs_twin = false, .calls_plugin = false},
};

} // namespace

std::span<Check const> reviewChecks() { return kChecks; }

} // namespace garland::certification
