#include "certification/checks/cuts.h"

#include "certification/checks/pulls.h"

#include <algorithm>
#include <memory>

namespace garland::certification {
namespace {

constexpr std::string_view kCut = "cut/";
constexpr std::size_t kMostAnswers = 3; // of a pull
constexpr std::size_t kMostCuts = 4;    // of an answer

// One answer of the provider's, and where it ends.
struct Cut {
  std::size_t answer = 0; // of those that came, in their order
  std::size_t size = 0;
};

std::string_view trimmed(std::string_view text) {
  auto const last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::vector<std::string_view> linesOf(std::string_view body) {
  std::vector<std::string_view> out;
  for (auto rest = trimmed(body); !rest.empty();) {
    auto const end = std::min(rest.find('\n'), rest.size());
    out.push_back(trimmed(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::string_view firstWord(std::string_view line) { return line.substr(0, line.find_first_of(" ;,:=\t")); }

// Whether a reader can tell that the end is missing: by brackets that stay open, or by a last line which is
// there when there are no records, too, and stands for none. Of a bare list of rows nobody can.
bool tellsItsEnd(std::string const& body, std::string const& without_records) {
  if (parseJson(body)) return true;
  auto const lines = linesOf(body);
  auto const frame = linesOf(without_records);
  if (lines.size() < 2 || frame.size() < 2) return false;
  auto const& last = lines.back();
  auto const word = firstWord(last);
  if (word != firstWord(frame.back())) return false;
  bool const first_of_its_word =
      std::ranges::count_if(lines, [&](auto line) { return firstWord(line) == word; }) == 1;
  return first_of_its_word || (last == frame.back() && std::ranges::count(lines, last) == 1);
}

// How much is left where a line ends, or an object of several; some of these places, the first and the last
// among them.
std::vector<std::size_t> bordersOf(std::string const& body) {
  std::vector<std::size_t> all;
  auto const whole = trimmed(body);
  for (std::size_t i = 0; i + 1 < whole.size(); ++i)
    if (whole[i] == '\n' || (whole[i] == '}' && whole[i + 1] == ',')) all.push_back(i + 1);
  // Nothing that is cut out of JSON is JSON: one cut is as good as all.
  if (parseJson(body)) return all.empty() ? all : std::vector<std::size_t>{all.back()};
  if (all.size() <= kMostCuts) return all;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < kMostCuts; ++i) out.push_back(all[i * (all.size() - 1) / (kMostCuts - 1)]);
  return out;
}

Journal pulled(Trial& trial, std::string const& entity, std::int64_t volume) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  trial.newBench(std::move(world));
  return trial.mustRun(pullAsk(entity, nullptr), volume == 0 ? "a pull of nothing" : "a whole pull");
}

bool isGood(Exchange const& exchange) {
  return exchange.reached && exchange.answer && exchange.answer->status >= 200 &&
         exchange.answer->status < 300;
}

std::string bodyOf(Journal const& journal, std::string const& list) {
  for (auto const& exchange : journal.exchanges)
    if (isGood(exchange) && listOf(exchange.ask) == list) return exchange.answer->body;
  return {};
}

std::vector<Cut> cutsOf(Journal const& whole, Journal const& nothing) {
  std::vector<Cut> out;
  std::size_t answers = 0;
  std::size_t chosen = 0;
  for (auto const& exchange : whole.exchanges) {
    if (!exchange.reached || !exchange.answer) continue;
    auto const number = answers++;
    if (chosen == kMostAnswers || !isGood(exchange)) continue;
    auto const& body = exchange.answer->body;
    auto const borders = bordersOf(body);
    if (borders.empty() || !tellsItsEnd(body, bodyOf(nothing, listOf(exchange.ask)))) continue;
    ++chosen;
    for (auto const border : borders) out.push_back({number, border});
  }
  return out;
}

void noticesCut(Trial& trial, std::string const& entity, Cut const& cut, Journal const& whole) {
  auto const number = std::make_shared<std::size_t>(0);
  World world;
  world.seed = trial.seed();
  world.intercepts.answer = [number, cut](runtime::HttpAsk const&, runtime::HttpAnswer& answer) {
    if ((*number)++ == cut.answer) answer.body.resize(std::min(cut.size, answer.body.size()));
  };
  trial.newBench(std::move(world));
  auto const journal = trial.run(pullAsk(entity, nullptr));
  if (journal.death != Death::none) return;
  auto const where = entity + ", answer " + std::to_string(cut.answer + 1) + " ends after " +
                     std::to_string(cut.size) + " bytes, where a line or a record ends";
  if (!journal.result) {
    auto const kind = journal.result.error().kind;
    trial.expect(kind == ErrorKind::providerBug || kind == ErrorKind::transient,
                 "an answer that is cut off ended with: " + journal.ending(), where);
    return;
  }
  auto const lost = lostIn(journal, whole);
  trial.expect(lost == 0,
               "it takes an answer that is cut off for a whole one: " + std::to_string(lost) +
                   " records are missing, and it ended well",
               where);
}

} // namespace

std::vector<std::string> cutCases(Subject const& subject) {
  std::vector<std::string> out;
  for (auto const& entity : pulledEntities(subject)) out.push_back(std::string(kCut) + entity);
  return out;
}

bool isCut(std::string const& case_name) { return case_name.starts_with(kCut); }

void noticesCuts(Trial& trial) {
  auto const entity = trial.caseName().substr(kCut.size());
  auto const nothing = pulled(trial, entity, 0);
  auto const whole = pulled(trial, entity, -1);
  if (!nothing.ok() || !whole.ok()) return;
  for (auto const& cut : cutsOf(whole, nothing)) {
    if (trial.isFull()) return;
    noticesCut(trial, entity, cut, whole);
  }
}

} // namespace garland::certification
