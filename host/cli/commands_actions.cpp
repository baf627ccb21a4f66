// Actions: having something done once, looking at what came of it, settling what nobody saw the end of.
#include "host/cli/commands.h"
#include "host/cli/pages.h"

#include "host/base/bytes.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

std::string actionPath(std::string const& id) { return kBase + "/actions/" + percentEncode(id); }

// Nothing more is done about it by itself, or not soon: an unknown one may be looked up for days.
bool hasSettled(json::value const& action) {
  auto const state = textOr(action, "/state", "");
  return state == "done" || state == "failed" || state == "unknown";
}

std::string inWords(json::value const& action) {
  auto const state = textOr(action, "/state", "");
  auto const by = textOr(action, "/known_by", "");
  if (state == "done") return by == "answer" ? "done" : "done, as is known by: " + by;
  if (state == "failed") return by == "answer" ? "failed" : "failed, as is known by: " + by;
  if (state == "sent") return "on its way to the provider";
  if (state == "waiting")
    return integerOr(action, "/attempts", 0) == 0 ? "waiting" : "waiting for another attempt";
  return "unknown";
}

// Tells whoever waits for an action what that waits for, once a second long and each time something else.
class Waiting {
public:
  explicit Waiting(Output& output) : output_(output) {}
  void operator()(json::value const& action) {
    constexpr int kLooks = 10; // what passes within a second is not worth a word
    auto const what = textOr(action, "/waits_for", "");
    looks_ = what == seen_ ? looks_ + 1 : 1;
    seen_ = what;
    if (what.empty() || looks_ != kLooks || what == told_) return;
    told_ = what;
    output_.remark(textOr(action, "/id", "") + " waits for " + what);
    if (auto const error = textOr(action, "/error/message", ""); !error.empty())
      output_.remark("  last error: " + error);
  }

private:
  Output& output_;
  std::string seen_, told_;
  int looks_ = 0;
};

// The action in words, with the exit code that fits it.
Exit tell(Output& output, json::value const& action) {
  auto const state = textOr(action, "/state", "");
  bool const bad = state == "failed" || state == "unknown";
  auto const verdict = bad ? Exit::findings : Exit::ok;
  if (output.json()) {
    output.value(action);
    return verdict;
  }
  auto const words = inWords(action);
  output.line(textOr(action, "/id", "") + " " + textOr(action, "/operation", "") + " (key " +
              textOr(action, "/idempotency_key", "") + ")");
  output.line("state: " + (bad ? output.bad(words) : state == "done" ? output.good(words) : words));
  auto const next = textOr(action, "/next_attempt", "");
  if (state == "waiting" && !next.empty()) output.line("next attempt: " + next);
  if (auto const what = textOr(action, "/waits_for", ""); !what.empty()) output.line("waits for: " + what);
  if (auto const attempts = integerOr(action, "/attempts", 0); attempts > 1)
    output.line("attempts: " + std::to_string(attempts));
  if (auto const error = textOr(action, "/error/message", ""); !error.empty())
    output.line("last error: " + error);
  if (auto const* detail = find(action, "/error/detail"); detail != nullptr && detail->is_object())
    for (auto const& member : detail->get_object())
      output.line("  " + std::string(member.key()) + ": " + plain(&member.value()));
  if (auto const problem = textOr(action, "/lookup_problem", ""); !problem.empty())
    output.line("looking it up failed: " + problem);
  if (auto const notice = textOr(action, "/notice", ""); !notice.empty()) output.line(notice);
  if (auto const* answer = find(action, "/output"); answer != nullptr && !answer->is_null())
    output.line("output: " + plain(answer));
  return verdict;
}

} // namespace

Exit runAction(Context with, ActionWords const& words) {
  if (words.key.empty())
    return with.output.error(Error(
        ErrorKind::invalidInput, "--key must not be empty: name what is to be done once, such as invoice-7"));
  auto input = readJsonFile(words.input);
  if (!input) return with.output.error(input.error());
  json::object body{{"operation", words.operation}, {"idempotency_key", words.key}};
  body["input"] = std::move(*input);
  auto const action = with.client.post(kBase + "/connections/" + percentEncode(words.connection) + "/actions",
                                       std::move(body));
  if (!action) return with.output.error(action.error());
  auto const id = textOr(*action, "/id", "");
  if (!words.wait) {
    if (with.output.json())
      with.output.value(*action);
    else
      with.output.line(id + " is " + inWords(*action) + "; follow it with: garland actions show " + id);
    return Exit::ok;
  }
  auto const settled = with.client.getUntil(actionPath(id), hasSettled, Waiting(with.output));
  if (!settled) return with.output.error(settled.error());
  return tell(with.output, *settled);
}

Exit listActions(Context with, Page const& page) {
  return showPage(with, "/actions", page,
                  {{"ID", "/id"},
                   {"STATE", "/state"},
                   {"OPERATION", "/operation"},
                   {"KEY", "/idempotency_key"},
                   {"CONNECTION", "/connection_id"},
                   {"CREATED", "/created"}},
                  "no actions");
}

Exit showAction(Context with, std::string const& id) {
  auto const action = with.client.get(actionPath(id));
  if (!action) return with.output.error(action.error());
  return tell(with.output, *action);
}

Exit settleAction(Context with, SettleWords const& words) {
  if (words.applied == words.not_applied)
    return with.output.error(
        Error(ErrorKind::invalidInput, "say what you found out: --applied or --not-applied"));
  json::object body{{"effect", words.applied ? "applied" : "not_applied"}};
  if (!words.output.empty()) {
    auto output = readJsonFile(words.output);
    if (!output) return with.output.error(output.error());
    body["output"] = std::move(*output);
  }
  auto const action = with.client.post(actionPath(words.id) + "/settle", std::move(body));
  if (!action) return with.output.error(action.error());
  if (with.output.json())
    with.output.value(*action);
  else
    with.output.line(words.id + " is " + inWords(*action));
  return Exit::ok;
}

} // namespace garland::cli
