// The audit chain: exported, and verified here, whatever the daemon says of itself.
#include "host/audit/audit.h"
#include "host/cli/commands.h"
#include "host/cli/public_key.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

namespace garland::cli {
namespace {

constexpr char const* kAudit = "/api/integrations/audit";

// Takes a line; an error ends the reading.
using Taker = std::function<Result<void>(json::value const& line)>;

// All of a list of the API, a page at a time.
Result<void> readPages(Client& client, std::string const& list, Taker const& take) {
  std::string after;
  do {
    TRY(page,
        client.get(kAudit + list + "?limit=1000" + (after.empty() ? "" : "&" + parameter("after", after))));
    auto const* items = find(page, "/items");
    if (items == nullptr || !items->is_array())
      return Error(ErrorKind::providerBug, "the daemon answered something else than a list");
    for (auto const& item : items->get_array()) {
      TRY_VOID(take(item));
    }
    after = plain(find(page, "/next_after"));
  } while (!after.empty());
  return {};
}

// A checkpoint of everything that happened up to now comes first, so that all of it is signed. Checkpoints
// are read before the rows: a row that comes in meanwhile is one more, and none is missing.
Result<json::value> readChain(Client& client, Taker const& take) {
  TRY(state, client.post(std::string(kAudit) + "/checkpoints", nullptr));
  json::object head{{"garland_audit", 1}};
  for (auto const* member : {"key", "checkpoint"})
    if (auto const* value = find(state, "/" + std::string(member))) head[member] = *value;
  TRY_VOID(take(head));
  TRY_VOID(readPages(client, "/checkpoints", take));
  TRY_VOID(readPages(client, "/rows", take));
  return state;
}

// What is no line was made so by somebody, which is a finding as any other.
Result<void> readLines(std::string const& file, audit::Verifier& verifier) {
  std::ifstream opened;
  if (file != "-") opened.open(file);
  auto& in = file == "-" ? std::cin : opened;
  if (!in) return Error(ErrorKind::notFound, "cannot read " + file);
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    auto const value = parseJson(line);
    auto const taken = value ? verifier.take(*value) : Result<void>(value.error());
    if (!taken)
      verifier.unreadable("line " + std::to_string(number), "cannot be read: " + taken.error().message);
  }
  return {};
}

// "12:HASH"
Result<audit::Mark> readMark(std::string const& word) {
  audit::Mark mark;
  if (word.empty()) return mark;
  auto const colon = word.find(':');
  bool const plain_number =
      colon != std::string::npos && colon > 0 && colon < 16 && word.find_first_not_of("0123456789") == colon;
  if (!plain_number)
    return Error(ErrorKind::invalidInput, "must be a checkpoint's number and hash, such as 12:9f86...",
                 "--checkpoint");
  mark.number = std::stoll(word.substr(0, colon));
  mark.hash = word.substr(colon + 1);
  return mark;
}

audit::Mark markOf(json::value const& state) {
  return audit::Mark{integerOr(state, "/checkpoint/number", 0), textOr(state, "/checkpoint/hash", "")};
}

Exit tellVerdict(Output& output, audit::Verdict const& verdict) {
  bool const sound = verdict.faults_in_all == 0;
  auto const code = sound ? Exit::ok : Exit::findings;
  if (output.json()) {
    json::object out{{"sound", sound},
                     {"rows", verdict.rows},
                     {"chains", verdict.chains},
                     {"checkpoints", verdict.checkpoints},
                     {"unsigned_rows", verdict.unsigned_rows},
                     {"faults_in_all", verdict.faults_in_all}};
    json::array faults;
    for (auto const& fault : verdict.faults)
      faults.push_back(json::object{{"place", fault.place}, {"what", fault.what}});
    out["faults"] = std::move(faults);
    output.value(out);
    return code;
  }
  for (auto const& fault : verdict.faults) output.line(output.bad(fault.place) + " " + fault.what);
  auto const more = verdict.faults_in_all - static_cast<std::int64_t>(verdict.faults.size());
  if (more > 0) output.line("... and " + std::to_string(more) + " more");
  output.line(
      counted(verdict.rows, "row") + " in " + counted(verdict.chains, "chain") + ", " +
      counted(verdict.checkpoints, "checkpoint") + ", " + counted(verdict.unsigned_rows, "row") +
      " after the last of them: " + (sound ? output.good("nothing was changed") : output.bad("not sound")));
  return code;
}

} // namespace

Exit verifyAuditFile(Output& output, AuditWords const& words) {
  if (words.key.empty())
    return output.error(Error(ErrorKind::invalidInput,
                              "say with which key it has to be signed: garland audit key prints it",
                              "--key"));
  auto const key = publicKeyNamed(words.key);
  if (!key) return output.error(key.error());
  auto const mark = readMark(words.checkpoint);
  if (!mark) return output.error(mark.error());
  audit::Verifier verifier({*key}, *mark);
  auto const read = readLines(words.file, verifier);
  if (!read) return output.error(read.error());
  return tellVerdict(output, verifier.finish());
}

Exit verifyAudit(Context with, AuditWords const& words) {
  auto const state = with.client.get(kAudit);
  if (!state) return with.output.error(state.error());
  auto const key = publicKeyNamed(words.key.empty() ? textOr(*state, "/key", "") : words.key);
  if (!key) return with.output.error(key.error());
  auto const mark =
      words.checkpoint.empty() ? Result<audit::Mark>(markOf(*state)) : readMark(words.checkpoint);
  if (!mark) return with.output.error(mark.error());
  audit::Verifier verifier({*key}, *mark);
  auto const read =
      readChain(with.client, [&verifier](json::value const& line) { return verifier.take(line); });
  if (!read) return with.output.error(read.error());
  return tellVerdict(with.output, verifier.finish());
}

Exit exportAudit(Context with, AuditWords const& words) {
  std::ofstream opened;
  bool const to_file = !words.out.empty() && words.out != "-";
  std::error_code none;
  if (to_file && std::filesystem::exists(words.out, none))
    return with.output.error(
        Error(ErrorKind::conflict, words.out + " is there already, and is not overwritten"));
  if (to_file) opened.open(words.out);
  auto& out = to_file ? opened : std::cout;
  auto const read = readChain(with.client, [&out](json::value const& line) -> Result<void> {
    out << json::serialize(line) << '\n';
    if (out) return {};
    return Error(ErrorKind::hostLimit, "the export cannot be written: is the disk full?");
  });
  out.flush();
  if (!read) return with.output.error(read.error());
  if (!out) return with.output.error(Error(ErrorKind::hostLimit, "cannot write " + words.out));
  auto const mark = markOf(*read);
  with.output.remark("keep apart from it: the key (garland audit key) and --checkpoint " +
                     std::to_string(mark.number) + ":" + mark.hash);
  return Exit::ok;
}

Exit auditKey(Context with) {
  auto const state = with.client.get(kAudit);
  if (!state) return with.output.error(state.error());
  if (with.output.json())
    with.output.value(*state);
  else
    with.output.line(textOr(*state, "/key", ""));
  return Exit::ok;
}

Exit auditPseudonym(Context with, std::string const& text) {
  auto const answer = with.client.post(std::string(kAudit) + "/pseudonym", json::object{{"text", text}});
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(*answer);
  else
    with.output.line(textOr(*answer, "/pseudonym", ""));
  return Exit::ok;
}

} // namespace garland::cli
