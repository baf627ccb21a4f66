// What a marketplace's reviewer does: compares versions, waives findings for a while, signs what a run has
// found, and reads what somebody else has signed. Needs no daemon, and runs no plugin.
#include "host/cli/login_name.h"
#include "host/cli/packed_version.h"
#include "host/cli/review.h"

#include "certification/certification.h"
#include "host/base/file_text.h"
#include "host/marketplace/marketplace.h"
#include "host/vault/vault.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <filesystem>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;
namespace cert = certification;
using marketplace::Attestation;

Result<Schema> manifestSchema() {
  TRY(document, parseJson(schemaText("manifest.json")));
  return Schema::compile(document);
}

// What a stranger's manifest says must not move the cursor.
std::string plainText(std::string const& text) {
  json::value const value(text);
  return plain(&value);
}

std::string day(TimePoint when) { return rfc3339(when).substr(0, 10); }

// A folder that `--report` has made, or the file in it.
std::string reportFile(std::string const& path, char const* name) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? (fs::path(path) / name).string() : path;
}

// ---- waive

// "2026-12-31", a time, or "30d".
Result<TimePoint> untilFrom(std::string const& text, TimePoint now) {
  if (text.ends_with('d') && text.size() <= 5 && text.find_first_not_of("0123456789") == text.size() - 1) {
    std::int64_t days = 0;
    for (char const c : text.substr(0, text.size() - 1)) days = days * 10 + (c - '0');
    return now + std::chrono::hours(24 * days);
  }
  auto const time = parseRfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (!time)
    return Error(ErrorKind::invalidInput,
                 "--until must be a day such as 2026-12-31, or a number of days such as 30d");
  return *time;
}

Result<std::vector<cert::Waiver>> waiversThere(std::string const& file, TimePoint now) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::vector<cert::Waiver>();
  TRY(text, readFileText(file));
  auto waivers = cert::readWaivers(text, now);
  if (!waivers) return Error(waivers.error().kind, file + ": " + waivers.error().message);
  return waivers;
}

Result<cert::Waiver> waiverFrom(ReviewWords const& words, TimePoint now) {
  TRY(until, untilFrom(words.until, now));
  cert::Waiver out;
  out.check = words.check;
  out.reason = words.reason;
  out.approver = words.approver.empty() ? loginName() : words.approver;
  out.connector = words.connector;
  out.made = now;
  out.expires = until;
  if (auto const report = reportFile(words.report, "report.json"); !words.report.empty()) {
    TRY(text, readFileText(report));
    auto const read = cert::readReport(text);
    if (!read) return Error(read.error().kind, report + " " + read.error().message);
    out.connector = read->connector_id;
    TRY_VOID(cert::checkWaiver(out, now));
    if (auto const why = cert::whyNotWaived(*read, out.check); !why.empty())
      return Error(ErrorKind::invalidInput, why);
  }
  TRY_VOID(cert::checkWaiver(out, now));
  return out;
}

// ---- attest

Result<Attestation> attestationOf(std::string const& text, TimePoint now) {
  auto read = cert::readReport(text);
  if (!read) return Error(read.error().kind, "the report " + read.error().message);
  auto& report = *read;
  if (!report.certified)
    return Error(ErrorKind::forbidden,
                 "the report does not reach the level that was asked for (" +
                     std::string(cert::name(report.wanted)) + "): " +
                     (report.in_the_way[report.wanted].empty() ? std::string("a lower level is missing")
                                                               : report.in_the_way[report.wanted].front()));
  if (report.package.empty())
    return Error(ErrorKind::invalidInput,
                 "the report is of an unpacked connector; an attestation is of a "
                 "package: garland pack, then garland certify FILE.gpk --report DIR");
  if (report.profile == cert::Profile::quick)
    return Error(ErrorKind::forbidden,
                 "the report is of the profile quick, which looks at too little to be "
                 "signed; run: garland certify FILE.gpk --profile standard --report DIR");
  if (report.sandbox == "D")
    return Error(
        ErrorKind::forbidden,
        "the report is of a machine that can sandbox plugins in no way (tier D); run garland certify "
        "where `garland sandbox status` tells of tier A, B or C");
  Attestation out;
  out.objects = {report.digest};
  out.profile = std::string(cert::name(report.profile));
  out.sandbox = report.sandbox;
  out.package_digest = report.package;
  out.plugin_id = report.connector_id;
  out.version = report.connector_version;
  out.suite_version = report.suite.version;
  out.suite_digest = report.suite.digest;
  out.level = std::string(cert::name(report.reached));
  out.seed = report.seed;
  out.date = now;
  out.findings = static_cast<std::int64_t>(cert::findingsIn(report));
  out.report_digest = vault::sha256Hex(text);
  for (auto const& waiver : report.waivers) {
    auto const verdict = std::ranges::find(report.verdicts, waiver.check, &cert::Verdict::check);
    bool const used = verdict != report.verdicts.end() && verdict->outcome == cert::Outcome::waived;
    if (!used) continue;
    TRY_VOID(cert::checkWaiver(waiver, now)); // it may have expired since the run
    out.waivers.push_back({waiver.check, waiver.reason, waiver.approver, waiver.expires});
  }
  return out;
}

// Whether the suite itself is proven, which is its keepers' concern and no author's.
std::string suiteWords() {
  return "mutants that the suite's own checks have killed: " + cert::inWords(cert::mutantScore());
}

Result<void> attach(std::string const& file, std::string const& attestation, std::string const& digest) {
  TRY(bytes, readFileText(file, marketplace::kMaxPackageBytes));
  TRY(schema, manifestSchema());
  auto const package = marketplace::readPackage(bytes, schema);
  if (!package) return Error(package.error().kind, file + " " + package.error().message);
  if (package->digest != digest)
    return Error(ErrorKind::conflict, file + " is another package than the one that the report is of");
  TRY(attested, marketplace::attachAttestation(bytes, attestation, schema));
  return marketplace::writeFile(file, attested);
}

// ---- verify

struct Judged {
  Attestation said;
  bool trust_judged = false;
  bool report_judged = false; // it is the one that --report names
  std::string objection;      // ""
  // Anybody can make a key: without --trust nobody knows whose this is.
  bool counts() const { return trust_judged && objection.empty(); }
};

Result<marketplace::Trust> trustFrom(ReviewWords const& words) {
  marketplace::Trust out;
  if (words.trust.empty()) return out;
  TRY(text, readFileText(words.trust));
  auto keys = marketplace::readPublicKeys(text);
  if (!keys || keys->empty())
    return Error(ErrorKind::invalidInput,
                 "--trust: " + words.trust + ": " + (keys ? "holds no public key" : keys.error().message));
  out.keys = std::move(*keys);
  if (words.revocations.empty()) return out;
  TRY(list_text, readFileText(words.revocations));
  auto list = marketplace::readRevocations(list_text, out.keys);
  if (!list)
    return Error(ErrorKind::invalidInput, "--revocations: " + words.revocations + " " + list.error().message);
  out.revoked = std::move(list->items);
  return out;
}

Result<Judged> judge(ReviewWords const& words) {
  TRY(trust, trustFrom(words));
  TRY(bytes, readFileText(words.file, marketplace::kMaxPackageBytes));
  auto text = bytes;
  std::string digest;
  if (fs::path(words.file).extension() == ".gpk") {
    TRY(schema, manifestSchema());
    auto const package = marketplace::readPackage(bytes, schema);
    if (!package) return Error(ErrorKind::pluginBug, words.file + " " + package.error().message);
    if (package->attestation.empty())
      return Error(ErrorKind::pluginBug, words.file + " carries no attestation");
    text = package->attestation;
    digest = package->digest;
  }
  auto said = marketplace::readAttestation(text);
  if (!said) return Error(ErrorKind::pluginBug, "the attestation " + said.error().message);
  Judged out;
  out.said = std::move(*said);
  out.trust_judged = !trust.keys.empty();
  // Without --trust its own key is taken: then form, times and package are judged, and not who signed.
  if (!out.trust_judged) trust.keys = {out.said.key};
  auto const counts = marketplace::verifyAttestation(text, digest.empty() ? out.said.package_digest : digest,
                                                     trust, SystemClock().now());
  if (!counts) out.objection = counts.error().message;
  if (words.report.empty()) return out;
  TRY(report, readFileText(reportFile(words.report, "report.json")));
  out.report_judged = vault::sha256Hex(report) == out.said.report_digest;
  if (!out.report_judged && out.objection.empty())
    out.objection = "the attestation is of another report than " + words.report;
  return out;
}

void tell(Output& output, Judged const& judged) {
  auto const& said = judged.said;
  auto const level = said.level.substr(0, 1) == "b" ? "Bronze" : said.level == "silver" ? "Silver" : "Gold";
  output.line("what      " + said.plugin_id + " " + said.version + ", package " + said.package_digest);
  output.line("level     " + std::string(level) + ", by suite " + said.suite_version + " (" +
              said.suite_digest.substr(0, 16) + "), seed " + std::to_string(said.seed) + ", " +
              std::to_string(said.findings) + " findings");
  output.line("run       profile " + said.profile + ", sandbox tier " + said.sandbox + ", on " +
              std::to_string(said.objects.size()) + " shared object(s)");
  output.line("report    " + said.report_digest + (judged.report_judged ? ", the one that was given" : ""));
  output.line("by        " + said.key + (judged.trust_judged ? "" : ", whosever that is"));
  output.line("from      " + day(said.date) + " until " + day(said.expires));
  for (auto const& waiver : said.waivers)
    output.line("WAIVED    " + waiver.id + " until " + day(waiver.expires) + " by " + waiver.approver + ": " +
                waiver.reason);
  if (!judged.objection.empty())
    output.line(output.bad(judged.objection));
  else if (judged.trust_judged)
    output.line(output.good("it counts"));
  else
    output.line(output.bad("trust: not judged; name whom you trust with --trust FILE"));
}

// A sentence about what was named, whatever kind of error it is.
Exit wrongWords(Output& output, Error const& error) {
  output.error(error);
  return Exit::usage;
}

Exit cannotWrite(Output& output, Error const& error) {
  output.error(error);
  return Exit::environment;
}

} // namespace

Exit compareVersions(Output& output, ReviewWords const& words) {
  auto const versions = packedVersions(words.old_path, words.new_path);
  if (!versions) return wrongWords(output, versions.error());
  auto const comparison = cert::compareVersions(versions->first, versions->second);
  if (!comparison) return wrongWords(output, comparison.error());
  if (output.json()) {
    output.value(cert::toJson(*comparison));
    return Exit::ok;
  }
  output.line(comparison->connector_id + " " + comparison->old_version + " -> " + comparison->new_version);
  std::size_t more = 0;
  for (auto const& difference : comparison->differences) {
    more += difference.asks_for_more ? 1 : 0;
    auto const line = plainText(cert::inWords(difference));
    output.line(difference.asks_for_more ? output.bad("! " + line) : "  " + line);
  }
  output.line(std::to_string(comparison->differences.size()) + " differences, " + std::to_string(more) +
              " of them ask for more than before, or take an operation away (!)");
  return Exit::ok;
}

Exit waiveFinding(Output& output, ReviewWords const& words) {
  auto const now = SystemClock().now();
  auto const file = !words.file.empty()     ? words.file
                    : !words.report.empty() ? (fs::path(words.report) / "waivers.json").string()
                                            : std::string("waivers.json");
  auto waiver = waiverFrom(words, now);
  if (!waiver) return wrongWords(output, waiver.error());
  auto waivers = waiversThere(file, now);
  if (!waivers) return wrongWords(output, waivers.error());
  std::erase_if(*waivers, [&](auto const& each) {
    return each.check == waiver->check && each.connector == waiver->connector;
  });
  waivers->push_back(*waiver);
  if (auto const written = marketplace::writeFile(file, json::serialize(cert::toJson(*waivers)) + "\n");
      !written)
    return cannotWrite(output, written.error());
  if (output.json())
    output.value(
        json::object{{"file", file}, {"waiver", cert::toJson(std::vector{*waiver}).at("waivers").at(0)}});
  else
    output.line("waived " + waiver->check + (waiver->connector.empty() ? "" : " of " + waiver->connector) +
                " until " + day(waiver->expires) + " by " + waiver->approver + " in " + file +
                "; apply it with: garland certify ... --waivers " + shellQuoted(file));
  return Exit::ok;
}

Exit attestReport(Output& output, ReviewWords const& words) {
  auto const text = readFileText(reportFile(words.report, "report.json"));
  if (!text) return wrongWords(output, text.error());
  auto attestation = attestationOf(*text, SystemClock().now());
  if (!attestation) {
    output.error(attestation.error());
    return attestation.error().kind == ErrorKind::forbidden ? Exit::findings : Exit::usage;
  }
  auto const key = marketplace::SigningKey::read(words.key_file);
  if (!key) return wrongWords(output, key.error());
  auto const digest = attestation->package_digest;
  auto const level = attestation->level;
  auto const signed_text = marketplace::makeAttestation(std::move(*attestation), *key);
  if (!signed_text) return output.error(signed_text.error());
  auto const beside = fs::path(reportFile(words.report, "report.json")).parent_path() / "attestation.json";
  auto const out = words.out.empty() ? beside.string() : words.out;
  if (auto const written = marketplace::writeFile(out, *signed_text); !written)
    return cannotWrite(output, written.error());
  if (!words.package.empty())
    if (auto const attached = attach(words.package, *signed_text, digest); !attached)
      return attached.error().kind == ErrorKind::hostLimit ? cannotWrite(output, attached.error())
                                                           : wrongWords(output, attached.error());
  auto const said = marketplace::readAttestation(*signed_text);
  if (output.json())
    output.value(json::object{{"file", out},
                              {"attestation", marketplace::toJson(*said)},
                              {"mutant_score", cert::inWords(cert::mutantScore())},
                              {"mutant_score_of_this_suite", cert::isOfThisSuite(cert::mutantScore())}});
  else
    output.line("attested " + level + " until " + day(said->expires) + " for package " + digest + " in " +
                out + (words.package.empty() ? "" : " and " + words.package) + "\n" + suiteWords());
  return Exit::ok;
}

Exit verifyAttestation(Output& output, ReviewWords const& words) {
  auto const judged = judge(words);
  if (!judged) {
    auto const exit = output.error(judged.error());
    return judged.error().kind == ErrorKind::pluginBug ? Exit::findings : exit;
  }
  if (output.json())
    output.value(json::object{{"ok", judged->counts()},
                              {"objection", judged->objection},
                              {"trust_judged", judged->trust_judged},
                              {"report_judged", judged->report_judged},
                              {"attestation", marketplace::toJson(judged->said)}});
  else
    tell(output, *judged);
  return judged->counts() ? Exit::ok : Exit::findings;
}

} // namespace garland::cli
