// Endpoints of vendors that are told what has changed: webhooks that go out.
#include "host/cli/commands.h"
#include "host/cli/pages.h"

#include "host/base/bytes.h"

namespace garland::cli {
namespace {

std::string const kEndpoints = "/api/integrations/endpoints";

std::string endpointPath(std::string const& id) { return kEndpoints + "/" + percentEncode(id); }

// Without what a terminal would obey: strangers may have written it.
std::string shown(json::value const& value, std::string_view pointer) { return plain(find(value, pointer)); }

std::string eventsOf(json::value const& endpoint) {
  std::string events;
  if (auto const* list = find(endpoint, "/events"); list != nullptr && list->is_array())
    for (auto const& event : list->get_array()) events += (events.empty() ? "" : ", ") + plain(&event);
  return events.empty() ? "everything" : events;
}

void tellHowItGoes(Output& output, json::value const& endpoint) {
  if (auto const since = shown(endpoint, "/failing_since"); !since.empty())
    output.line(output.bad("every attempt failed") + " since " + since);
  if (auto const last = shown(endpoint, "/last_success"); !last.empty())
    output.line("last answered well: " + last);
  if (auto const* missed = find(endpoint, "/missed"); missed != nullptr && missed->is_object())
    output.line(output.bad("it was not told of changes " + shown(*missed, "/first") + " to " +
                           shown(*missed, "/last")) +
                ": it was so far behind that the feed holds them no more; list the records anew: "
                "garland records ls --vendor " +
                shown(endpoint, "/vendor_id"));
}

Exit tellAnswer(Output& output, Result<json::value> const& answer) {
  if (!answer) return output.error(answer.error());
  tellOutlet(output, *answer);
  return Exit::ok;
}

std::string statusOf(json::value const& attempt) {
  auto const status = integerOr(attempt, "/status", 0);
  if (status != 0) return std::to_string(status);
  return textOr(attempt, "/problem", "").empty() ? "its end was not seen" : "no answer";
}

Exit tellOne(Output& output, json::value const& delivery) {
  auto const state = shown(delivery, "/state");
  auto const verdict = state == "failed" ? Exit::findings : Exit::ok;
  if (output.json()) {
    output.value(delivery);
    return verdict;
  }
  output.line(shown(delivery, "/id") + " (" + shown(delivery, "/type") + ", " +
              shown(delivery, "/record_id") + ")");
  output.line("state: " + (state == "failed"      ? output.bad(state)
                           : state == "delivered" ? output.good(state)
                                                  : state));
  if (auto const next = shown(delivery, "/next_attempt"); !next.empty()) output.line("next attempt: " + next);
  if (auto const* tried = find(delivery, "/tried"); tried != nullptr && tried->is_array())
    for (auto const& attempt : tried->get_array()) {
      auto const problem = shown(attempt, "/problem");
      output.line("attempt " + shown(attempt, "/number") + ", " + shown(attempt, "/at") + ": " +
                  statusOf(attempt) + (problem.empty() ? "" : " (" + problem + ")"));
    }
  if (auto const body = shown(delivery, "/body"); !body.empty()) output.line("body: " + body);
  return verdict;
}

} // namespace

json::object outletBody(OutletWords const& words) {
  json::object body;
  if (!words.url.empty()) body["url"] = words.url;
  if (words.description) body["description"] = *words.description;
  if (!words.events.empty()) body["events"] = json::array(words.events.begin(), words.events.end());
  if (words.all_events) body["events"] = json::array();
  if (words.ordered) body["ordered"] = *words.ordered;
  if (words.allow_private_network) body["allow_private_network"] = *words.allow_private_network;
  return body;
}

Exit tellOutlet(Output& output, json::value const& endpoint) {
  bool const disabled = textOr(endpoint, "/state", "") == "disabled";
  auto const verdict = disabled ? Exit::findings : Exit::ok;
  if (output.json()) {
    output.value(endpoint);
    return verdict;
  }
  auto const id = shown(endpoint, "/id");
  output.line(id + " -> " + shown(endpoint, "/url"));
  output.line("state: " + (disabled ? output.bad("disabled") : output.good("enabled")));
  if (auto const reason = shown(endpoint, "/reason"); !reason.empty()) output.line("why: " + reason);
  if (auto const text = shown(endpoint, "/description"); !text.empty()) output.line("what for: " + text);
  output.line("is told: " + eventsOf(endpoint) +
              (boolOr(endpoint, "/ordered", false) ? ", of each record in its order" : "") +
              (boolOr(endpoint, "/allow_private_network", false) ? "; into private networks, too" : ""));
  tellHowItGoes(output, endpoint);
  if (auto const secret = shown(endpoint, "/secret"); !secret.empty())
    output.line("its secret is shown this once: " + secret);
  if (auto const until = shown(endpoint, "/old_secret_until"); !until.empty())
    output.line("the secret before signs, too, until " + until);
  if (disabled) output.line("go on with: garland endpoints enable " + id + ", or from now on: --from-now");
  return verdict;
}

Exit addOutlet(Context with, OutletWords const& words) {
  auto body = outletBody(words);
  body["vendor_id"] = words.vendor;
  if (words.after >= 0) body["after"] = words.after;
  return tellAnswer(with.output, with.client.post(kEndpoints, std::move(body)));
}

Exit listOutlets(Context with, std::string const& vendor) {
  auto const answer =
      with.client.get(kEndpoints + (vendor.empty() ? "" : "?" + parameter("vendor_id", vendor)));
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer,
                    {{"ID", "/id"},
                     {"VENDOR", "/vendor_id"},
                     {"STATE", "/state"},
                     {"URL", "/url"},
                     {"LAST SUCCESS", "/last_success"},
                     {"WHY", "/reason"}},
                    "nobody is told anything: garland endpoints add URL --vendor ven_...");
  return Exit::ok;
}

Exit showOutlet(Context with, std::string const& id) {
  auto const answer = with.client.get(endpointPath(id));
  if (!answer) return with.output.error(answer.error());
  return tellOutlet(with.output, *answer);
}

Exit changeOutlet(Context with, OutletWords const& words) {
  auto body = outletBody(words);
  if (body.empty())
    return with.output.error(
        Error(ErrorKind::invalidInput, "say what is to change, such as --url or --event"));
  return tellAnswer(with.output, with.client.patch(endpointPath(words.id), std::move(body)));
}

Exit removeOutlet(Context with, std::string const& id) {
  auto const answer = with.client.remove(endpointPath(id));
  if (!answer) return with.output.error(answer.error());
  if (!with.output.json()) with.output.line(id + " is told nothing any more, and what was sent is forgotten");
  return Exit::ok;
}

Exit enableOutlet(Context with, std::string const& id, bool from_now) {
  return tellAnswer(with.output,
                    with.client.post(endpointPath(id) + "/enable", json::object{{"from_now", from_now}}));
}

Exit disableOutlet(Context with, std::string const& id, std::string const& why) {
  return tellAnswer(with.output, with.client.post(endpointPath(id) + "/disable", json::object{{"why", why}}));
}

Exit rotateOutlet(Context with, std::string const& id, std::int64_t overlap_seconds) {
  return tellAnswer(with.output, with.client.post(endpointPath(id) + "/rotate",
                                                  json::object{{"overlap_seconds", overlap_seconds}}));
}

Exit listSent(Context with, SentWords const& words) {
  if (!words.delivery.empty()) {
    auto const one = with.client.get(endpointPath(words.id) + "/deliveries/" + percentEncode(words.delivery));
    if (!one) return with.output.error(one.error());
    return tellOne(with.output, *one);
  }
  auto path = endpointPath(words.id) + "/deliveries?limit=" + std::to_string(words.limit);
  if (!words.state.empty()) path += "&" + parameter("state", words.state);
  if (words.after > 0) path += "&after=" + std::to_string(words.after);
  auto const answer = with.client.get(path);
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer,
                    {{"ID", "/id"},
                     {"STATE", "/state"},
                     {"TYPE", "/type"},
                     {"ATTEMPTS", "/attempts"},
                     {"STATUS", "/status"},
                     {"NEXT ATTEMPT", "/next_attempt"},
                     {"PROBLEM", "/problem"}},
                    "nothing was sent, and nothing waits");
  tellNext(with.output, *answer);
  return Exit::ok;
}

Exit resendSent(Context with, SentWords const& words) {
  if (!words.delivery.empty()) {
    auto const one = with.client.post(
        endpointPath(words.id) + "/deliveries/" + percentEncode(words.delivery) + "/resend", json::value());
    if (!one) return with.output.error(one.error());
    return tellOne(with.output, *one);
  }
  json::object body;
  if (!words.state.empty()) body["state"] = words.state;
  if (!words.from.empty()) body["from"] = words.from;
  if (!words.until.empty()) body["until"] = words.until;
  if (body.empty())
    return with.output.error(
        Error(ErrorKind::invalidInput, "name one delivery, or say which with --state or --from"));
  if (words.after > 0) body["after"] = words.after;
  auto const answer = with.client.post(endpointPath(words.id) + "/resend", std::move(body));
  if (!answer) return with.output.error(answer.error());
  if (with.output.json()) {
    with.output.value(*answer);
    return Exit::ok;
  }
  with.output.line(std::to_string(integerOr(*answer, "/resent", 0)) + " deliveries are sent again");
  if (auto const next = shown(*answer, "/next_after"); !next.empty())
    with.output.line("no more may wait at one time; when they are through, go on with: --after " + next);
  return Exit::ok;
}

} // namespace garland::cli
