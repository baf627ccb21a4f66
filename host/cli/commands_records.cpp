// Looking at a vendor's records and editing them; edits are written out by the next sync.
#include "host/cli/commands.h"

#include "host/base/bytes.h"
#include "host/cli/named_file.h"
#include "host/cli/pages.h"
#include "host/cli/record_table.h"

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";

std::string recordPath(std::string const& id, std::string const& vendor) {
  return kBase + "/records/" + percentEncode(id) + "?" + parameter("vendor_id", vendor);
}

// Sets the member that a JSON Pointer names; the object that holds it must be there.
Result<void> setAt(json::value& data, std::string const& pointer, json::value value) {
  auto const last = pointer.rfind('/');
  json::error_code failed;
  auto* const parent = data.find_pointer(pointer.substr(0, last), failed);
  if (parent == nullptr || !parent->is_object())
    return Error(ErrorKind::invalidInput, "\"" + pointer + "\" is not a place in this record");
  parent->as_object()[pointer.substr(last + 1)] = std::move(value);
  return {};
}

// Puts "/pointer=value" words into the data.
Result<void> apply(json::value& data, std::vector<std::string> const& words, bool as_json) {
  for (auto const& word : words) {
    auto const equals = word.find('=');
    if (word.empty() || word[0] != '/' || equals == std::string::npos)
      return Error(ErrorKind::invalidInput,
                   "an edit is /MEMBER=VALUE, such as /title=Rehearsal; not \"" + word + "\"");
    auto value = Result<json::value>(json::value(word.substr(equals + 1)));
    if (as_json) value = parseJson(word.substr(equals + 1));
    if (!value) return std::move(value).error().within(word.substr(0, equals));
    TRY_VOID(setAt(data, word.substr(0, equals), std::move(*value)));
  }
  return {};
}

// A conflict as a row: which members, and the beginning of what each side had.
void shorten(json::object& conflict) {
  constexpr std::size_t kColumns = 40;
  std::string members;
  for (auto const& member : conflict["members"].as_array())
    members += (members.empty() ? "" : ", ") + plain(&member);
  conflict["members"] = members.empty() ? "the whole record" : members;
  for (auto const* side : {"local", "remote"}) {
    auto const* value = &conflict[side];
    // One member is shown without its name, which the row has already.
    if (auto const* object = value->if_object(); object != nullptr && object->size() == 1)
      value = &object->begin()->value();
    auto const* whole = members.empty() ? find(*value, "/title") : nullptr;
    auto const shown =
        value->is_null() ? "(deleted)" : shortened(plain(whole == nullptr ? value : whole), kColumns);
    conflict[side] = shown;
  }
}

} // namespace

Result<json::value> readJsonFile(std::string const& file) {
  TRY(text, readNamedFile(file));
  auto value = parseJson(text);
  if (!value) return std::move(value).error().within(shownFile(file));
  return value;
}

Exit listRecords(Context with, RecordPage const& page) {
  auto path =
      kBase + "/records?" + parameter("vendor_id", page.vendor) + "&limit=" + std::to_string(page.limit);
  if (!page.kind.empty()) path += "&" + parameter("kind", page.kind);
  if (!page.after.empty()) path += "&" + parameter("after", page.after);
  if (page.deleted) path += "&include_deleted=1";
  auto answer = with.client.get(path);
  if (!answer) return with.output.error(answer.error());
  std::vector<Column> columns;
  if (!with.output.json()) columns = recordColumns(*answer, page.kind);
  with.output.table(*answer, columns, "no records; bring them in with: garland sync run CONNECTION");
  tellNext(with.output, *answer);
  return Exit::ok;
}

Exit showRecord(Context with, std::string const& id, std::string const& vendor) {
  auto const answer = with.client.get(recordPath(id, vendor));
  if (!answer) return with.output.error(answer.error());
  with.output.value(*answer);
  return Exit::ok;
}

Exit editRecord(Context with, RecordEdit const& edit) {
  if (edit.texts.empty() && edit.values.empty())
    return with.output.error(
        Error(ErrorKind::invalidInput,
              "nothing is said to be edited; say it with --set /title=Rehearsal or --set-json /busy=false"));
  auto const record = with.client.get(recordPath(edit.id, edit.vendor));
  if (!record) return with.output.error(record.error());
  auto data = *find(*record, "/data");
  if (auto const put = apply(data, edit.texts, false); !put) return with.output.error(put.error());
  if (auto const put = apply(data, edit.values, true); !put) return with.output.error(put.error());
  json::object body{{"vendor_id", edit.vendor}};
  body["data"] = std::move(data);
  auto const answer = with.client.put(kBase + "/records/" + percentEncode(edit.id), std::move(body),
                                      integerOr(*record, "/version", 0));
  if (!answer) return with.output.error(answer.error());
  auto const version = plain(find(*answer, "/version"));
  if (with.output.json())
    with.output.value(*answer);
  else if (version == plain(find(*record, "/version")))
    with.output.line("unchanged, still version " + version + ": it says this already");
  else
    with.output.line("edited, now version " + version + "; " + whatWaits(*answer));
  return Exit::ok;
}

Exit addRecord(Context with, std::string const& vendor, std::string const& connection,
               std::string const& kind, std::string const& file) {
  auto data = readJsonFile(file);
  if (!data) return with.output.error(data.error());
  json::object body{{"vendor_id", vendor}, {"connection_id", connection}, {"kind", kind}};
  body["data"] = std::move(*data);
  auto const answer = with.client.post(kBase + "/records", std::move(body));
  if (!answer) return with.output.error(answer.error());
  if (with.output.json())
    with.output.value(*answer);
  else
    with.output.line("added " + textOr(*answer, "/id", "") + "; " + whatWaits(*answer));
  return Exit::ok;
}

Exit removeRecord(Context with, std::string const& id, std::string const& vendor) {
  auto const record = with.client.get(recordPath(id, vendor));
  if (!record) return with.output.error(record.error());
  if (boolOr(*record, "/deleted", false)) {
    if (with.output.json())
      with.output.value(json::object{{"done", true}, {"deleted_already", true}});
    else
      with.output.line("it is deleted already");
    return Exit::ok;
  }
  auto const answer = with.client.remove(recordPath(id, vendor));
  if (!answer) return with.output.error(answer.error());
  if (with.output.json()) {
    with.output.value(json::object{{"done", true}});
    return Exit::ok;
  }
  auto const after = with.client.get(recordPath(id, vendor));
  if (!after) return with.output.error(after.error());
  with.output.line("deleted; " + whatWaits(*after));
  return Exit::ok;
}

Exit recordDates(Context with, std::string const& id, std::string const& vendor, std::string from,
                 std::string until, std::string const& zone) {
  SystemClock const clock;
  if (from.empty()) from = rfc3339(clock.now());
  if (until.empty()) until = rfc3339(clock.now() + std::chrono::hours(24 * 366));
  auto const answer = with.client.get(kBase + "/records/" + percentEncode(id) + "/occurrences?" +
                                      parameter("vendor_id", vendor) + "&" + parameter("from", from) + "&" +
                                      parameter("until", until) + "&" + parameter("zone", zone));
  if (!answer) return with.output.error(answer.error());
  with.output.table(
      *answer,
      {{"START (UTC)", "/start"}, {"END (UTC)", "/end"}, {"ALL DAY", "/all_day"}, {"TITLE", "/title"}},
      "it does not take place between " + from + " and " + until + "; choose others with --from and --until");
  return Exit::ok;
}

Exit listChanges(Context with, std::string const& vendor, std::int64_t after, int limit) {
  auto const page = [&](std::int64_t from, int most) {
    return with.client.get(kBase + "/changes?" + parameter("vendor_id", vendor) +
                           "&after=" + std::to_string(from) + "&limit=" + std::to_string(most));
  };
  auto const answer = page(after, limit);
  if (!answer) return with.output.error(answer.error());
  with.output.table(*answer,
                    {{"SEQUENCE", "/sequence"},
                     {"AT", "/at"},
                     {"ACTION", "/action"},
                     {"RECORD", "/record_id"},
                     {"FROM", "/origin"}},
                    "no changes after " + std::to_string(after));
  if (with.output.json() || std::ssize(answer->at("items").as_array()) < limit) return Exit::ok;
  auto const next = integerOr(*answer, "/next_after", after);
  if (auto const further = page(next, 1); further && !further->at("items").as_array().empty())
    with.output.line("more with: --after " + std::to_string(next));
  return Exit::ok;
}

Exit listConflicts(Context with, std::string const& vendor) {
  constexpr std::size_t most = 100;
  auto answer = with.client.get(kBase + "/conflicts?" + parameter("vendor_id", vendor) +
                                "&limit=" + std::to_string(with.output.json() ? 1'000 : most + 1));
  if (!answer) return with.output.error(answer.error());
  auto& items = answer->at("items").as_array();
  bool const more = !with.output.json() && items.size() > most;
  if (more) items.resize(most);
  if (!with.output.json())
    for (auto& conflict : answer->at("items").as_array()) shorten(conflict.as_object());
  with.output.table(*answer,
                    {{"AT", "/at"},
                     {"RECORD", "/record_id"},
                     {"MEMBERS", "/members"},
                     {"DECISION", "/decision"},
                     {"LOCAL", "/local"},
                     {"REMOTE", "/remote"}},
                    "no conflicts");
  if (more) with.output.line("these are the latest " + std::to_string(most) + "; more with: --json");
  if (!with.output.json() && !answer->at("items").as_array().empty())
    with.output.line(
        "the provider's value was kept; for yours, edit the record again and sync: garland records "
        "edit RECORD --vendor " +
        vendor + " --set /MEMBER=VALUE");
  return Exit::ok;
}

} // namespace garland::cli
