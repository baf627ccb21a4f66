// Starting a sync, watching it, and telling what came of it.
#include "host/cli/commands.h"

#include "host/base/bytes.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

bool ended(json::value const& run) { return !textOr(run, "/finished", "").empty(); }

// "60 created, 1 failed", or "nothing".
std::string inWords(json::value const& counts) {
  std::string text;
  for (std::string const name : {"created", "updated", "deleted", "unchanged", "failed"}) {
    auto const count = integerOr(counts, "/" + name, 0);
    if (count != 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  return text.empty() ? "nothing" : text;
}

std::string counted(std::int64_t count, std::string const& one, std::string const& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::int64_t failedItems(json::value const& run) {
  return integerOr(run, "/pulled/failed", 0) + integerOr(run, "/pushed/failed", 0);
}

// The vendor of a run's connection, as a command's word.
std::string vendorOf(Client& client, json::value const& run) {
  auto const connection =
      client.get(kBase + "/connections/" + percentEncode(textOr(run, "/connection_id", "")));
  return connection ? textOr(*connection, "/vendor_id", "VENDOR") : "VENDOR";
}

void tellSpecialties(Context with, json::value const& run) {
  auto& output = with.output;
  bool const failed = textOr(run, "/state", "") == "failed";
  if (auto const echoes = integerOr(run, "/echoes", 0); echoes > 0)
    output.line(counted(echoes, "of our own edits came back and was recognised",
                        "of our own edits came back and were recognised"));
  if (auto const restarts = integerOr(run, "/worker_restarts", 0); restarts > 0)
    output.line("the worker ended early (" + std::to_string(restarts) + "x)" +
                (failed ? "" : "; the sync went on from its last checkpoint"));
  if (auto const conflicts = integerOr(run, "/conflicts", 0); conflicts > 0)
    output.line(output.bad(counted(conflicts, "edit made here lost against the provider's",
                                   "edits made here lost against the provider's")) +
                "; more with: garland conflicts --vendor " + vendorOf(with.client, run));
  if (auto const aside = integerOr(run, "/set_aside", 0); aside > 0)
    output.line(output.bad(counted(aside, "write is set aside", "writes are set aside")) +
                ": not tried again before an edit or a retry");
  if (auto const held = integerOr(run, "/held_deletions", 0); held > 0)
    output.line(output.bad(counted(held, "deletion is held", "deletions are held because they are many")) +
                "; apply with: garland connections confirm-deletes " + textOr(run, "/connection_id", ""));
}

// The run in words, with the exit code that fits it.
Exit tell(Context with, json::value const& run) {
  auto& output = with.output;
  auto const state = textOr(run, "/state", "");
  bool const failed = state == "failed" || state == "partly failed";
  bool const clean = !failed && failedItems(run) == 0 && integerOr(run, "/held_deletions", 0) == 0 &&
                     integerOr(run, "/set_aside", 0) == 0;
  auto const verdict = clean ? Exit::ok : Exit::findings;
  if (output.json()) {
    output.value(run);
    return verdict;
  }
  output.line("came in:     " + inWords(*find(run, "/pulled")));
  output.line("written out: " + inWords(*find(run, "/pushed")));
  tellSpecialties(with, run);
  if (auto const* problems = find(run, "/problems"); problems != nullptr && problems->is_array())
    for (auto const& item : problems->as_array()) {
      auto const kind = textOr(item, "/kind", "");
      output.line("  " + (kind == "left_out" ? std::string("left out:") : output.bad(kind)) + " " +
                  plain(find(item, "/place")) + ": " + plain(find(item, "/message")));
    }
  if (failed)
    output.line(output.bad(state == "failed" ? "the sync failed: " : "the sync failed in part: ") +
                plain(find(run, "/error/message")));
  else
    output.line("state: " + (state == "done" && clean ? output.good(state) : state));
  return verdict;
}

} // namespace

namespace {

// Of a run that was asked for single records. Where they cannot be read by their ids, all that changed came
// in.
Exit tellHinted(Context with, json::value const& run) {
  auto const verdict = tell(with, run);
  bool const nothing = textOr(run, "/state", "") == "done" && inWords(*find(run, "/pulled")) == "nothing";
  if (verdict != Exit::ok || !nothing) return verdict;
  if (!with.output.json())
    with.output.line(with.output.bad("nothing came in") +
                     ": the provider has no record of that id, or none that has changed");
  return Exit::findings;
}

// Shows a run that was asked for until it has ended, or only its name.
Exit follow(Context with, Result<json::value> const& run, bool wait,
            Exit (*tell_it)(Context, json::value const&) = tell) {
  if (!run) return with.output.error(run.error());
  auto const id = textOr(*run, "/id", "");
  if (!wait) {
    if (with.output.json())
      with.output.value(*run);
    else
      with.output.line("started " + id + "; follow it with: garland sync status " + id);
    return Exit::ok;
  }
  auto const shown = [&](json::value const& seen) {
    if (ended(seen)) return true;
    with.output.progress(static_cast<std::uint64_t>(integerOr(seen, "/progress/done", 0)),
                         static_cast<std::uint64_t>(integerOr(seen, "/progress/total", 0)), "events");
    return false;
  };
  auto const last = with.client.getUntil(kBase + "/status/" + percentEncode(id), shown);
  if (!last) return with.output.error(last.error());
  with.output.progressDone();
  return tell_it(with, *last);
}

} // namespace

Exit runSync(Context with, std::string const& connection, bool wait) {
  return follow(with, with.client.post(kBase + "/sync/" + percentEncode(connection), nullptr), wait);
}

Exit hintSync(Context with, HintWords const& words, bool wait) {
  json::array hints;
  for (auto const& id : words.ids) hints.push_back(json::object{{"kind", words.kind}, {"external_id", id}});
  auto const path = kBase + "/connections/" + percentEncode(words.connection) + "/hints";
  return follow(with, with.client.post(path, json::object{{"hints", std::move(hints)}}), wait, tellHinted);
}

Exit syncStatus(Context with, std::string const& id) {
  auto const answer = with.client.get(kBase + "/status/" + percentEncode(id));
  if (!answer) return with.output.error(answer.error());
  auto const* connection = find(*answer, "/connection");
  if (connection == nullptr) return tell(with, *answer);
  auto const& run = *find(*answer, "/last_run");
  if (with.output.json()) {
    with.output.value(*answer);
    return Exit::ok;
  }
  auto const reason = plain(find(*connection, "/state_reason"));
  with.output.line(plain(find(*connection, "/account")) + ": " + plain(find(*connection, "/state")) +
                   (reason.empty() ? "" : " (" + reason + ")"));
  if (run.is_null()) {
    with.output.line("never synced; start with: garland sync run " + id);
    return Exit::ok;
  }
  with.output.line("last run " + textOr(run, "/id", "") + ", started " + textOr(run, "/started", ""));
  return tell(with, run);
}

Exit retryConnection(Context with, std::string const& connection) {
  auto const answer =
      with.client.post(kBase + "/connections/" + percentEncode(connection) + "/retry", nullptr);
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(*answer);
  else
    with.output.line("no longer set aside; try it with: garland sync run " + connection);
  return Exit::ok;
}

Exit retrySync(Context with, std::string const& record, std::string const& vendor) {
  if (record.starts_with("con_")) return retryConnection(with, record);
  if (vendor.empty())
    return with.output.error(Error(ErrorKind::invalidInput, "whose record is " + record +
                                                                "? Name the vendor too: garland sync retry " +
                                                                record + " --vendor VENDOR"));
  auto const answer = with.client.post(kBase + "/records/" + percentEncode(record) + "/retry",
                                       json::object{{"vendor_id", vendor}});
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(*answer);
  else
    with.output.line(whatWaits(*answer));
  return Exit::ok;
}

std::string whatWaits(json::value const& record) {
  std::string text;
  auto const* waiting = find(record, "/waiting");
  if (waiting != nullptr && waiting->is_array())
    for (auto const& write : waiting->as_array()) {
      auto const connection = textOr(write, "/connection_id", "");
      if (!text.empty()) text += "; ";
      if (textOr(write, "/state", "") == "waiting")
        text += "the next sync of " + connection + " writes it to the provider";
      else
        text += connection + " does not try it again: " + textOr(write, "/reason", "");
    }
  return text.empty() ? "no connection has it to write, so it is in Garland only" : text;
}

} // namespace garland::cli
