// Checks of what may not leave a connector: secrets, people, requests to others.
#include "certification/checks/exercise.h"

#include "host/vault/vault.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

namespace garland::certification {
namespace {

// Everything that a connector handed out, by where it went.
std::vector<std::pair<std::string, std::string>> wordsOf(Journal const& journal) {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto const& line : journal.logs) out.emplace_back("a log line", line.text);
  for (auto const& text : journal.printed) out.emplace_back("what it printed", text);
  for (auto const& record : journal.records) out.emplace_back("a record", record.text);
  for (auto const& cursor : journal.cursors) out.emplace_back("a cursor", json::serialize(cursor));
  for (auto const& [key, value] : journal.stored) out.emplace_back("stored state", key + " " + value);
  for (auto const& exchange : journal.exchanges) {
    out.emplace_back("a request", exchange.ask.method + " " + exchange.ask.url + " " + exchange.ask.body);
    for (auto const& [name, value] : exchange.ask.headers)
      out.emplace_back("a request's header", name + ": " + value);
  }
  if (journal.result)
    out.emplace_back("its result", journal.result_text);
  else
    out.emplace_back("an error", journal.result.error().message + " " + journal.result.error().user_message +
                                     " " + journal.result.error().provider_code + " " +
                                     journal.result.error().field + " " +
                                     json::serialize(journal.result.error().detail));
  return out;
}

std::string hexOf(std::string_view text, std::string_view digits) {
  std::string out;
  for (char const c : text) {
    auto const byte = std::size_t{static_cast<unsigned char>(c)};
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string escaped(std::string_view text, std::string_view before) {
  std::string out;
  for (char const c : text) out += std::string(before) + hexOf({&c, 1}, "0123456789ABCDEF");
  return out;
}

// A secret at each of the three places that base64 can see it from, without the bytes that its neighbours
// change.
void addBase64(std::string const& secret, std::vector<std::string>& out) {
  for (std::size_t shift = 0; shift < 3; ++shift) {
    auto text = base64(std::string(shift, 'x') + secret);
    text = text.substr(4, text.size() - 8);
    out.push_back(text);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    out.push_back(text);
  }
}

std::vector<std::string> formsOf(std::string const& secret) {
  std::vector<std::string> out{secret,
                               std::string(secret.rbegin(), secret.rend()),
                               hexOf(secret, "0123456789abcdef"),
                               hexOf(secret, "0123456789ABCDEF"),
                               escaped(secret, "%"),
                               escaped(secret, "\\u00")};
  addBase64(secret, out);
  return out;
}

// ---- SEC-04
// The host puts them where the manifest says; a connector is never shown them, and has to ask no answer for
// them. The first field of a pair is a name, which is no secret.
std::vector<std::string> credentialsOf(Subject const& subject) {
  constexpr std::size_t shortest = 12; // characters; less than that may stand anywhere by chance
  std::vector<std::string> out;
  auto const* all = subject.brief.credentials(SignIn::good);
  for (auto const& slot : subject.plugin.manifest.auth)
    for (std::size_t i = slot.fields.size() > 1 ? 1 : 0; all != nullptr && i < slot.fields.size(); ++i)
      if (auto secret = textOr(*all, "/" + slot.name + "/" + slot.fields[i], ""); secret.size() >= shortest)
        out.push_back(std::move(secret));
  return out;
}

void keepsSecretsToItself(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.canary = vault::sha256Hex("canary " + std::to_string(trial.seed())).substr(0, 32);
  auto const token = formsOf(world.canary);
  std::vector<std::string> typed;
  for (auto const& secret : credentialsOf(trial.subject()))
    std::ranges::copy(formsOf(secret), std::back_inserter(typed));
  trial.newBench(std::move(world));
  auto const look = [&](Journal const& journal) {
    for (auto const& [where, text] : wordsOf(journal)) {
      auto const leaks = [&words = text](std::vector<std::string> const& forms) {
        return std::ranges::any_of(forms,
                                   [&](auto const& form) { return words.find(form) != std::string::npos; });
      };
      trial.expect(!leaks(token), "a session token that an answer carried in a header stands in " + where,
                   journal.operation);
      trial.expect(!leaks(typed), "a credential that only the host places stands in " + where,
                   journal.operation);
    }
  };
  constexpr std::size_t most = 2; // of an operation's host calls
  for (auto const& use : usesOf(trial.subject())) {
    auto const clean = trial.run(askFor(use));
    look(clean);
    for (auto const* name : {"status_401", "status_500"}) // whose answers carry the token as well
      for (std::size_t k = 0; k < std::min(most, clean.calls.size()); ++k) {
        auto failing = askFor(use);
        failing.fault = FaultOrder{faultNamed(name), k};
        look(trial.run(std::move(failing)));
      }
  }
}

// ---- SEC-05
bool isPersonal(std::string_view text) {
  if (text.find('@') != std::string_view::npos && text.find('.') != std::string_view::npos)
    return text.size() >= 6;
  auto const digits = std::ranges::count_if(text, [](unsigned char c) { return std::isdigit(c) != 0; });
  return text.starts_with('+') && digits >= 7;
}

void collectPersonal(json::value const& value, std::set<std::string>& out) {
  if (auto const* text = value.if_string(); text != nullptr && isPersonal(std::string_view(*text)))
    out.emplace(*text);
  if (auto const* list = value.if_array())
    for (auto const& item : *list) collectPersonal(item, out);
  if (auto const* object = value.if_object())
    for (auto const& member : *object) collectPersonal(member.value(), out);
}

std::string noPeople(Subject const& subject) {
  if (noPulls(subject).empty() || subject.offers("intake.parse/1")) return "";
  return "the manifest names no pull and no intake";
}

void logsNoPeople(Trial& trial) {
  for (auto const& use : usesOf(trial.subject())) {
    auto const journal = trial.run(askFor(use));
    std::set<std::string> people;
    for (auto const& record : journal.records) collectPersonal(record.value, people);
    bool const comes_in = use.operation == "intake.parse/1";
    if (!comes_in) collectPersonal(use.input, people); // what came in names the vendor's own address, too
    for (auto const& line : journal.logs) {
      if (line.level == LogLevel::debug) continue;
      bool const tells = std::ranges::any_of(
          people, [&](auto const& each) { return line.text.find(each) != std::string::npos; });
      trial.expect(!tells,
                   "somebody's address or number stands in a log line of level " +
                       std::string(garland::name(line.level)),
                   use.title);
    }
    if (comes_in || use.operation.find(".pull/") != std::string::npos)
      trial.expect(journal.ok(), "it ended with: " + journal.ending(), use.title);
  }
}

// ---- SEC-02
void asksItsHostsOnly(Trial& trial) {
  bool const none = trial.subject().plugin.manifest.hosts.empty();
  auto const look = [&](Journal const& journal) {
    if (none)
      trial.expect(journal.exchanges.empty(), "it sends requests, and its manifest names no hosts",
                   journal.operation);
    for (auto const& exchange : journal.exchanges) {
      auto const refused = exchange.answer ? Error() : exchange.answer.error();
      trial.expect(refused.provider_code != "host_not_allowed" && refused.provider_code != "plain_http",
                   "it asked for " + exchange.ask.url + ": " + refused.message, journal.operation);
    }
  };
  for (auto const& use : usesOf(trial.subject())) look(trial.run(askFor(use)));
}

// ---- SEC-13
// What somebody gets out of an operation.
std::string gotFrom(Journal const& journal) {
  auto out = journal.result ? journal.result_text : std::string(garland::name(journal.result.error().kind));
  for (auto const& record : journal.records) out += "\n" + record.kind + " " + record.text;
  for (auto const& cursor : journal.cursors) out += "\n" + json::serialize(cursor);
  return out;
}

// Nobody can put a sanitizer into an object that is built already; a heap whose blocks end at closed pages,
// are closed when they are given back, and begin with a pattern shows the same of it from outside.
void keepsToItsOwnMemory(Trial& trial) {
  std::vector<std::string> plain;
  probed(trial);
  for (auto const& use : usesOf(trial.subject())) plain.push_back(gotFrom(trial.run(askFor(use))));
  probed(trial);
  if (deed(trial, "set", {{"heap", true}}).is_null()) return;
  std::size_t i = 0;
  for (auto const& use : usesOf(trial.subject())) {
    auto const journal = trial.run(askFor(use));
    if (journal.death != Death::none) return;
    trial.expect(gotFrom(journal) == plain[i++],
                 "what comes of it depends on what was in memory that nobody had set", use.title);
  }
  if (!exercise(trial) || !exerciseInTrouble(trial)) return;
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  std::string const where = "its heap, after everything that it can do";
  if (integerOr(said, "/guarded_heap/blocks", 0) == 0)
    return trial.giveUp("this garland-probe guards no heap: it is built with a sanitizer, which does");
  trial.expect(integerOr(said, "/guarded_heap/overruns", 0) == 0, "it writes beside memory that it was given",
               where);
  trial.expect(integerOr(said, "/guarded_heap/bad_frees", 0) == 0,
               "it gives back memory twice, or that it was not given", where);
}

constexpr Check kChecks[] = {
    {.id = "SEC-02", .run = asksItsHostsOnly, .brief = "/entities or /actions"},
    {.id = "SEC-04", .run = keepsSecretsToItself, .brief = "/entities or /actions"},
    {.id = "SEC-05", .run = logsNoPeople, .skip = noPeople, .brief = "/entities/<entity> or /intake"},
    {.id = "SEC-13", .run = keepsToItsOwnMemory, .from = Profile::standard, .brief = "/entities or /actions"},
};

} // namespace

std::span<Check const> securityChecks() { return kChecks; }

} // namespace garland::certification
