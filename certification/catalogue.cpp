#include "certification/certification.h"
#include "certification/check.h"
#include "certification/embedded.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace garland::certification {
namespace {

constexpr std::array<std::string_view, 3> kSeverities{"blocker", "major", "minor"};
constexpr std::array<std::string_view, 4> kLevels{"none", "bronze", "silver", "gold"};
constexpr std::array<std::string_view, 3> kProfiles{"quick", "standard", "full"};
constexpr std::array<std::string_view, 10> kOutcomes{"pass", "fail", "crash", "hang",   "violation",
                                                     "leak", "warn", "skip",  "waived", "inconclusive"};

template <class Enum, std::size_t N>
std::optional<Enum> named(std::array<std::string_view, N> const& names, std::string_view name) {
  auto const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

CheckInfo infoOf(json::value const& row) {
  CheckInfo info;
  info.id = textOr(row, "/id", "");
  info.area = info.id.substr(0, info.id.find('-'));
  auto const severity = named<Severity>(kSeverities, textOr(row, "/severity", ""));
  auto const level = levelNamed(textOr(row, "/level", ""));
  if (!severity || !level)
    throw std::logic_error("certification/catalogue.json: " + info.id + " is not readable");
  info.severity = *severity;
  info.level = *level;
  info.title = textOr(row, "/title", "");
  info.passes = textOr(row, "/passes", "");
  info.why = textOr(row, "/why", "");
  info.mend = textOr(row, "/mend", "");
  info.not_looked_at = textOr(row, "/not_looked_at", "");
  info.in_suite = std::ranges::find(checks(), info.id, &Check::id) != checks().end();
  return info;
}

} // namespace

std::string_view name(Severity severity) { return kSeverities.at(static_cast<std::size_t>(severity)); }
std::string_view name(Level level) { return kLevels.at(static_cast<std::size_t>(level)); }
std::string_view name(Profile profile) { return kProfiles.at(static_cast<std::size_t>(profile)); }
std::string_view name(Outcome outcome) { return kOutcomes.at(static_cast<std::size_t>(outcome)); }
std::optional<Level> levelNamed(std::string_view name) {
  auto const level = named<Level>(kLevels, name);
  return level == Level::none ? std::nullopt : level;
}
std::optional<Profile> profileNamed(std::string_view name) { return named<Profile>(kProfiles, name); }

bool blocks(Outcome outcome) {
  switch (outcome) {
  case Outcome::pass:
  case Outcome::warn:
  case Outcome::skip:
  case Outcome::waived: return false;
  default: return true;
  }
}

std::vector<CheckInfo> const& catalogue() {
  static std::vector<CheckInfo> const all = [] {
    std::vector<CheckInfo> out;
    auto const document = parseJson(embedded::catalogueText()).value();
    for (auto const& row : find(document, "/checks")->get_array()) out.push_back(infoOf(row));
    return out;
  }();
  return all;
}

CheckInfo const* checkInfo(std::string_view id) {
  auto const found = std::ranges::find(catalogue(), id, &CheckInfo::id);
  return found == catalogue().end() ? nullptr : &*found;
}

Suite const& suite() {
  static Suite const one = [] {
    auto const document = parseJson(embedded::catalogueText()).value();
    return Suite{textOr(document, "/version", ""), std::string(embedded::suiteDigest())};
  }();
  return one;
}

MutantScore const& mutantScore() {
  static MutantScore const one = [] {
    auto const document = parseJson(embedded::mutantsText()).value();
    return MutantScore{
        {textOr(document, "/score/suite/version", ""), textOr(document, "/score/suite/digest", "")},
        integerOr(document, "/score/killed", 0),
        integerOr(document, "/score/of", 0)};
  }();
  return one;
}

bool isOfThisSuite(MutantScore const& score) {
  return score.suite.version == suite().version && score.suite.digest == suite().digest;
}

std::string inWords(MutantScore const& score) {
  if (score.suite.version.empty()) return "not published";
  auto words =
      std::to_string(score.killed) + " of " + std::to_string(score.of) + ", by suite " + score.suite.version;
  if (isOfThisSuite(score)) return words;
  return words + " when its digest was " + score.suite.digest.substr(0, 16) +
         ", which is another suite digest than this one's, " + suite().digest.substr(0, 16) +
         ": of this suite no score is published";
}

} // namespace garland::certification
