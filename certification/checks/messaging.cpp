// Checks of messages: one is sent once, what becomes of it is told, and a failure says whether trying again
// makes sense. What the provider really took stands in its twin's ledger.
#include "certification/checks/exercise.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

constexpr char const* kSend = "messaging.send/1";
constexpr char const* kMessage = "messaging.message";

std::string noSending(Subject const& subject) {
  return subject.offers(kSend) ? "" : "the manifest does not name messaging.send/1";
}
std::string noMessages(Subject const& subject) {
  if (auto why = noSending(subject); !why.empty()) return why;
  return subject.offers("messaging.pull/1") ? "" : "the manifest does not name messaging.pull/1";
}

json::value const* wordsOn(Subject const& subject, std::string_view what) {
  return garland::find(subject.brief.document, "/messaging/" + std::string(what));
}
json::array listOf(Subject const& subject, std::string_view what) {
  auto const* words = wordsOn(subject, what);
  return words != nullptr && words->is_array() ? words->get_array() : json::array();
}

// The brief's message, with these members instead of its own.
Ask sendAsk(Subject const& subject, std::string const& key, json::value const& instead = nullptr) {
  auto const use = actionOf(subject, kSend, key);
  auto ask = askFor(use ? *use : Use{kSend, json::object(), kSend});
  auto& input = ask.input.as_object();
  if (auto const* members = instead.if_object())
    for (auto const& [name, value] : *members) input[name] = value;
  input["idempotency_key"] = keyNamed(key);
  return ask;
}

// The ledger's entries of a message that was taken.
std::vector<json::value> takenAt(Trial& trial) {
  std::vector<json::value> out;
  std::string what;
  if (auto const* actions = membersAt(trial.subject().brief.document, "/actions"))
    if (auto const* words = actions->if_contains(kSend)) what = textOr(*words, "/ledger", "");
  auto const ledger = trial.bench().ledger();
  if (what.empty() || !ledger) {
    trial.giveUp("certification.json: /actions/messaging.send~11/ledger names no entry of the ledger");
    return out;
  }
  for (auto const& entry : *ledger)
    if (textOr(entry, "/what", "") == what) out.push_back(entry);
  return out;
}

void freshWorld(Trial& trial) {
  World world;
  world.seed = trial.seed();
  world.volume = 0;
  trial.newBench(std::move(world));
}

// ---- MSG-01
std::vector<std::string> faultCases(Subject const&, Profile) {
  std::vector<std::string> out;
  for (auto const& fault : faults()) out.emplace_back(fault.name);
  return out;
}

// Whoever lost the answer has to be able to find out that it was sent.
void expectFound(Trial& trial, json::value const& input, TimePoint sent) {
  auto ask = lookupAsk(trial.subject(), kSend, input, sent);
  if (!ask) return;
  trial.bench().wait(std::chrono::minutes(1));
  auto const journal = trial.mustRun(std::move(*ask), "a message that was sent, looked up");
  if (journal.ok())
    trial.expect(boolOr(*journal.result, "/found", false), "it was sent, and the lookup does not find it",
                 kSend);
}

void sendsOnce(Trial& trial) {
  auto const* const fault = faultNamed(trial.caseName());
  freshWorld(trial);
  auto const sent = trial.bench().now();
  auto const ask_once = trial.prepared(sendAsk(trial.subject(), "clean-1"));
  auto const clean = trial.mustRun(ask_once, "without a fault");
  if (!clean.ok()) return;
  expectFound(trial, ask_once.input, sent);
  for (std::size_t k = 0; k < clean.calls.size(); ++k) {
    if (clean.calls[k].kind != HostCall::Kind::http && !fault->everywhere) continue;
    freshWorld(trial);
    auto ask = sendAsk(trial.subject(), "once-1");
    ask.fault = FaultOrder{fault, k};
    auto const first = trial.run(std::move(ask));
    auto const step = "host call " + std::to_string(k) + ", " + std::string(fault->says);
    std::set<std::string> ids;
    if (first.ok()) ids.insert(textOr(*first.result, "/id", ""));
    for (int again = 0; again < 3; ++again) {
      trial.bench().wait(std::chrono::minutes(1));
      auto const journal = trial.mustRun(sendAsk(trial.subject(), "once-1"), step + ", then sent again");
      if (!journal.ok()) return;
      ids.insert(textOr(*journal.result, "/id", ""));
    }
    auto const taken = takenAt(trial).size();
    trial.expect(taken == 1, "with one key the provider took " + std::to_string(taken) + " messages", step);
    trial.expect(ids.size() == 1 && !ids.contains(""), "one key was answered with different messages", step);
  }
}

// ---- MSG-02, MSG-03: what becomes of a message, as pulls tell it
// How far on its way a message is; a status may be followed by one that is not less.
int rankOf(std::string_view status) {
  constexpr std::string_view order[] = {"scheduled", "queued", "sent",   "delayed",
                                        "delivered", "opened", "clicked"};
  auto const found = std::ranges::find(order, status);
  if (found != std::end(order)) return static_cast<int>(found - std::begin(order));
  return status == "other" ? -1 : 100; // bounced, complained, failed, suppressed, cancelled: its end
}

class Follower {
public:
  Follower(Trial& trial, std::string step) : trial_(trial), step_(std::move(step)) {}

  // Sends the brief's message with these members; "" if that was refused.
  std::string send(json::value const& instead) {
    auto const journal = trial_.run(sendAsk(trial_.subject(), "follow-1", instead));
    if (!journal.result) refusal_ = journal.result.error().kind;
    id_ = journal.ok() ? textOr(*journal.result, "/id", "") : "";
    return id_;
  }
  std::optional<ErrorKind> refusal() const { return refusal_; }

  // Its status now, by a pull.
  std::string look(Milliseconds later) {
    trial_.bench().wait(later);
    auto const journal = trial_.mustRun(pullAsk(kMessage, held_.cursor()), step_ + ", pulled");
    held_.take(journal, kMessage);
    auto const found = held_.records().find(id_);
    if (!trial_.expect(found != held_.records().end(), "the message does not come with a pull", step_))
      return "";
    auto status = textOr(found->second, "/data/status", "");
    trial_.expect(status != "other" && !status.empty(), "its status is not mapped: \"" + status + "\"",
                  step_);
    trial_.expect(rankOf(status) >= rankOf(last_), "its status went back from " + last_ + " to " + status,
                  step_);
    last_ = status;
    return status;
  }
  std::string const& id() const { return id_; }

private:
  Trial& trial_;
  std::string step_;
  std::string id_;
  std::string last_ = "scheduled";
  std::optional<ErrorKind> refusal_;
  Held held_;
};

void honoursOptOuts(Trial& trial) {
  auto const* opt_out = wordsOn(trial.subject(), "opt_out");
  if (opt_out == nullptr)
    return trial.giveUp("certification.json: /messaging/opt_out does not say who wants no messages");
  freshWorld(trial);
  Follower follower(trial, "to somebody who wants no messages");
  auto const id = follower.send(*garland::find(*opt_out, "/message"));
  if (id.empty()) {
    trial.expect(follower.refusal() == ErrorKind::forbidden || follower.refusal() == ErrorKind::invalidInput,
                 "it was refused by an error that asks for another try", kSend);
    return;
  }
  auto const wanted = textOr(*opt_out, "/status", "suppressed");
  std::string status;
  for (auto const minutes : {1, 30, 60 * 24}) {
    status = follower.look(std::chrono::minutes(minutes));
    trial.expect(status != "delivered" && status != "opened" && status != "clicked",
                 "a message to somebody who wants none is shown as " + status, "messaging.pull/1");
  }
  trial.expect(status == wanted, "that it was held back is recorded as \"" + status + "\", not as " + wanted,
               "messaging.pull/1");
}

std::vector<std::string> fateCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (auto const& fate : listOf(subject, "fates")) out.push_back(textOr(fate, "/status", ""));
  return out;
}

void followsItsStatus(Trial& trial) {
  json::value fate;
  for (auto const& each : listOf(trial.subject(), "fates"))
    if (textOr(each, "/status", "") == trial.caseName()) fate = each;
  freshWorld(trial);
  Follower follower(trial, trial.caseName());
  auto const* message = garland::find(fate, "/message");
  if (follower.send(message == nullptr ? json::value() : *message).empty())
    return static_cast<void>(trial.expect(false, "the message was not taken", kSend));
  follower.look(Milliseconds(10));
  auto status = follower.look(std::chrono::minutes(1));
  auto const edits = garland::find(fate, "/edits");
  if (edits != nullptr && edits->is_array())
    for (auto const& event : edits->get_array()) {
      if (!trial.bench().edit(json::object{{"id", follower.id()}, {"event", event}}))
        return trial.giveUp("certification.json: /messaging/fates: the twin does not take that edit");
      status = follower.look(std::chrono::minutes(1));
    }
  status = follower.look(std::chrono::hours(25));
  trial.expect(status == trial.caseName(), "in the end it is shown as " + status, trial.caseName());
}

// ---- MSG-04
void keepsItsWords(Trial& trial) {
  struct Words {
    char const* name;
    json::object message;
  };
  std::string const long_subject =
      "Der Ablauf f\xC3\xBCr Samstag, mit allen Zeiten, Wegen und Telefonnummern, "
      "und was wir noch von euch brauchen, damit alles gut geht \xF0\x9F\x92\x90";
  Words const all[] = {
      {"umlauts",
       {{"subject", "Gr\xC3\xBC\xC3\x9F\x65 aus K\xC3\xB6ln"}, {"text", "Sch\xC3\xB6n, \xE2\x82\xAC 500"}}},
      {"other_scripts",
       {{"subject", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE4\xBD\xA0\xE5\xA5\xBD"}, {"text", "\xE4\xBD\xA0"}}},
      {"emoji",
       {{"subject", "\xF0\x9F\x91\xB0\xE2\x80\x8D\xE2\x99\x80\xEF\xB8\x8F ja!"},
        {"text", "\xF0\x9F\x92\x8D"}}},
      {"long", {{"subject", long_subject}, {"text", std::string(2000, 'x') + "\xC3\xA9"}}},
      {"like_an_encoded_word",
       {{"subject", "=?UTF-8?B?aGFsbG8=?= stays"}, {"text", "=C3=A9 stays {{name}}"}}},
      {"lines", {{"subject", "One line"}, {"text", "one\ntwo\r\nthree\n\n.\nfour"}}},
  };
  freshWorld(trial);
  for (auto const& words : all) {
    trial.bench().wait(std::chrono::minutes(1));
    auto const before = takenAt(trial).size();
    if (!trial
             .mustRun(sendAsk(trial.subject(), std::string("words-") + words.name, words.message), words.name)
             .ok())
      continue;
    auto const taken = takenAt(trial);
    if (!trial.expect(taken.size() == before + 1, "the provider took no message", words.name)) continue;
    for (auto const& [member, value] : words.message) {
      auto const* arrived = garland::find(taken.back(), "/data/" + std::string(member));
      trial.expect(arrived != nullptr && *arrived == value,
                   "\"" + std::string(member) + "\" was " + json::serialize(value) + " and arrived as " +
                       (arrived == nullptr ? "nothing" : json::serialize(*arrived)),
                   words.name);
    }
  }
}

// ---- MSG-05
bool isTemporary(ErrorKind kind) {
  return kind == ErrorKind::transient || kind == ErrorKind::rateLimited || kind == ErrorKind::authExpired ||
         kind == ErrorKind::providerBug;
}

std::vector<std::string> failureCases(Subject const& subject, Profile) {
  std::vector<std::string> out{"temporary"};
  for (auto const& each : listOf(subject, "refused")) out.push_back(textOr(each, "/says", ""));
  return out;
}

void sortsItsFailures(Trial& trial) {
  freshWorld(trial);
  if (trial.caseName() == "temporary") {
    for (auto const* name : {"refused", "timeout_before_send", "status_429_seconds", "status_429",
                             "status_500", "status_502", "status_503", "reset_before_headers"}) {
      freshWorld(trial);
      auto ask = sendAsk(trial.subject(), "soft-1");
      ask.fault = FaultOrder{faultNamed(name), 0};
      auto const journal = trial.run(std::move(ask));
      trial.expect(!journal.result && isTemporary(journal.result.error().kind),
                   "a failure that passes ended with: " + journal.ending(),
                   std::string(faultNamed(name)->says));
    }
    return;
  }
  json::value refused;
  for (auto const& each : listOf(trial.subject(), "refused"))
    if (textOr(each, "/says", "") == trial.caseName()) refused = each;
  auto const* message = garland::find(refused, "/message");
  auto const journal =
      trial.run(sendAsk(trial.subject(), "hard-1", message == nullptr ? json::value() : *message));
  trial.expect(!journal.result && !isTemporary(journal.result.error().kind),
               "a failure that stays ended with: " + journal.ending(), trial.caseName());
  if (!journal.result)
    trial.expect(std::string(garland::name(journal.result.error().kind)) == textOr(refused, "/kind", ""),
                 "it should end with " + textOr(refused, "/kind", "") + ": " + journal.ending(),
                 trial.caseName());
  trial.expect(takenAt(trial).empty(), "it was refused, and the provider took it", trial.caseName());
}

constexpr Check kChecks[] = {
    {.id = "MSG-01", .run = sendsOnce, .skip = noSending, .cases = faultCases},
    {.id = "MSG-02", .run = honoursOptOuts, .skip = noMessages},
    {.id = "MSG-03",
     .run = followsItsStatus,
     .skip = noMessages,
     .cases = fateCases,
     .brief = "/messaging/fates"},
    {.id = "MSG-04", .run = keepsItsWords, .skip = noSending},
    {.id = "MSG-05", .run = sortsItsFailures, .skip = noSending, .cases = failureCases},
};

} // namespace

std::span<Check const> messagingChecks() { return kChecks; }

} // namespace garland::certification
