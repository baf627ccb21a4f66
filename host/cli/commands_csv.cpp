// Tables in and out: a provider's CSV export into a connection, a vendor's records into a file.
#include "host/cli/commands.h"

#include "host/base/bytes.h"
#include "host/base/file_text.h"
#include "host/cli/named_file.h"
#include "host/cli/next_step.h"
#include "host/csv/csv.h"

#include <garland/schemas.hpp>
#include <garland/sdk/mapped_table.hpp>

#include <algorithm>
#include <chrono>
#include <map>

namespace garland::cli {
namespace {

std::string const kBase = "/api/integrations";
constexpr std::size_t kShown = 20; // rows that do not fit, told one by one

void tell(Output& output, csv::Table const& table) {
  auto const about = csv::toJson(table);
  output.line(std::to_string(table.rows.size()) + " rows of " + std::to_string(table.header.size()) +
              " columns, " + std::string(csv::name(table.encoding)) + ", separated by " +
              (table.separator == ','   ? "commas"
               : table.separator == ';' ? "semicolons"
                                        : "tabs"));
  std::size_t shown = 0;
  for (auto const& row : table.uneven) {
    if (++shown > kShown) break;
    output.line("  " + csv::describe(row, table));
  }
  if (table.uneven.size() > kShown)
    output.line("  and " + std::to_string(table.uneven.size() - kShown) + " more rows that do not fit");
}

Error doNotFit(csv::Table const& table) {
  return {ErrorKind::invalidInput, std::to_string(table.uneven.size()) +
                                       (table.uneven.size() == 1 ? " row does" : " rows do") +
                                       " not fit the header, so nothing was imported; correct the file, or "
                                       "leave them out with --skip-uneven"};
}

// A part as a file of its own, for the daemon.
std::string textOf(csv::Table const& part) {
  csv::Writer writer;
  writer.add(part.header);
  for (auto const& row : part.rows) writer.add(row.cells);
  return writer.take();
}

std::string fileName(std::string const& path) { return path.substr(path.rfind('/') + 1); }

// Before a long file is read. A connector that is not installed any more takes its files when it is again.
Result<void> checkTakes(Context with, ImportWords const& words) {
  TRY(connection, with.client.get(kBase + "/connections/" + percentEncode(words.connection)));
  auto const plugin = with.client.get(kBase + "/plugins/" + percentEncode(textOr(connection, "/plugin", "")));
  return plugin ? checkTakesCsv(*plugin, words.connection, words.kind) : Result<void>();
}

// Hands the parts in, one after another; the items that they became, or of a dry run what would become of
// them.
Result<json::array> handIn(Context with, ImportWords const& words, csv::Table const& table) {
  auto path = kBase + "/connections/" + percentEncode(words.connection) + "/import?" +
              parameter("file", fileName(shownFile(words.file)));
  if (!words.kind.empty()) path += "&" + parameter("kind", words.kind);
  if (words.dry_run) path += "&dry_run=1";
  auto const* const wanted = words.dry_run ? "/readings" : "/items";
  json::array items;
  std::uint64_t done = 0;
  for (auto const& part : csv::partsOf(table)) {
    auto const first = "&first_row=" + std::to_string(part.rows.front().number);
    auto answer = with.client.postText(path + first, "text/csv", textOf(part));
    if (!answer) return std::move(answer).error().within("after " + std::to_string(done) + " rows");
    if (auto const* list = find(*answer, wanted); list != nullptr && list->is_array())
      for (auto const& item : list->get_array()) items.push_back(item);
    done += part.rows.size();
    with.output.progress(done, table.rows.size(), "rows");
  }
  with.output.progressDone();
  return items;
}

// What the connector would make of the rows; whether none would wait for a person.
bool tellReadings(Output& output, json::array const& readings) {
  std::map<std::string, std::int64_t> records;
  bool all_read = true;
  for (auto const& reading : readings) {
    bool const waits = textOr(reading, "/state", "") == "review";
    all_read = all_read && !waits;
    if (auto const* found = find(reading, "/records"); found != nullptr && found->is_object())
      for (auto const& [kind, count] : found->get_object()) records[kind] += count.to_number<std::int64_t>();
    auto const reason = textOr(reading, "/reason", "");
    if (!output.json() && !reason.empty())
      output.line("  " + textOr(reading, "/summary", "") +
                  (waits ? " would wait for a person: " : " would be ignored: ") + reason);
  }
  std::string brought;
  for (auto const& [kind, count] : records)
    brought += (brought.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
  if (!output.json())
    output.line(brought.empty() ? "its connector would bring nothing in" : "would bring in: " + brought);
  return all_read;
}

// Waits until the connector has read each item, or five minutes; puts what became of it into the row.
Result<bool> followUp(Context with, json::array& items) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  bool all_taken = true;
  for (auto& item : items) {
    TRY(seen,
        with.client.getUntil(kBase + "/intake/" + textOr(item, "/id", ""), [end](json::value const& now) {
          return textOr(now, "/state", "") != "waiting" || std::chrono::steady_clock::now() > end;
        }));
    auto const state = textOr(seen, "/state", "");
    item.as_object()["state"] = state;
    item.as_object()["reason"] = textOr(seen, "/reason", "");
    all_taken = all_taken && (state == "taken" || state == "ignored" || state == "dismissed");
  }
  return all_taken;
}

// Whether the connection knows the record; `connection` "": any.
bool isOf(json::value const& record, std::string const& connection) {
  if (connection.empty()) return true;
  auto const& links = record.at("links").as_array();
  return std::any_of(links.begin(), links.end(), [&](json::value const& link) {
    return textOr(link, "/connection_id", "") == connection;
  });
}

// The data of all records, page after page.
Result<std::vector<json::value>> allRecords(Context with, ExportWords const& words) {
  auto const path = kBase + "/records?" + parameter("vendor_id", words.vendor) + "&" +
                    parameter("kind", words.kind) + "&limit=1000";
  std::vector<json::value> records;
  std::string after;
  do {
    TRY(page, with.client.get(after.empty() ? path : path + "&" + parameter("after", after)));
    for (auto const& record : page.at("items").as_array())
      if (isOf(record, words.connection)) records.push_back(record.at("data"));
    after = textOr(page, "/next_after", "");
  } while (!after.empty());
  return records;
}

struct Mapped {
  std::string text;
  std::size_t columns = 0;
  std::vector<std::string> losses; // "row 7: /budget is lost"
};

// The names of rows are their numbers, where the mapping knows no better ones.
Result<Mapped> mappedTableOf(std::vector<json::value> const& records, ExportWords const& words) {
  TRY(file, readFileText(words.mapping));
  std::vector<json::object> all;
  for (auto const& record : records) all.push_back(record.as_object());
  Mapped out;
  auto failure = sdk::attempt([&] {
    sdk::intake::Mapping const mapping(file);
    sdk::intake::MappedTable const table(mapping, words.kind, all);
    csv::Writer writer;
    auto const header = table.header();
    writer.add(header);
    out.columns = header.size();
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto const cells = table.row(all[i], std::to_string(i + 1));
      writer.add(cells);
      if (auto const loss = table.loss(all[i], cells))
        out.losses.push_back("row " + std::to_string(i + 2) + ": " + *loss);
    }
    out.text = writer.take();
  });
  if (failure) return Error(ErrorKind::invalidInput, words.mapping + ": " + failure->message);
  return out;
}

Exit tellOf(Context with, ExportWords const& words, std::size_t records, Mapped const& made) {
  if (with.output.json() && words.out != "-") {
    json::array losses(made.losses.begin(), made.losses.end());
    json::object answer{{"file", words.out}, {"records", records}, {"columns", made.columns}};
    if (!words.mapping.empty()) answer["losses"] = std::move(losses);
    with.output.value(answer);
  } else if (words.out != "-") {
    with.output.line("wrote " + std::to_string(records) + " records to " + words.out);
    for (std::size_t i = 0; i < made.losses.size() && i < kShown; ++i)
      with.output.line("  " + made.losses[i]);
    if (made.losses.size() > kShown)
      with.output.line("  and " + std::to_string(made.losses.size() - kShown) +
                       " more that do not come back whole");
  }
  return made.losses.empty() ? Exit::ok : Exit::findings;
}

std::string tableOf(std::vector<json::value> const& records, std::vector<csv::Column> const& columns) {
  csv::Writer writer;
  csv::Cells names;
  for (auto const& column : columns) names.push_back(column.name);
  writer.add(names);
  for (auto const& record : records) writer.add(csv::cellsOf(record, columns));
  return writer.take();
}

} // namespace

Exit importCsv(Context with, ImportWords const& words) {
  if (auto const fits = checkTakes(with, words); !fits) return with.output.error(fits.error());
  auto const bytes = readNamedFile(words.file);
  if (!bytes) return with.output.error(bytes.error());
  auto table = csv::read(*bytes);
  if (!table) return with.output.error(std::move(table).error().within(shownFile(words.file)));
  json::object answer = csv::toJson(*table);
  if (!with.output.json()) tell(with.output, *table);
  bool const refused = !table->uneven.empty() && !words.skip_uneven;
  if (words.dry_run) {
    auto readings = handIn(with, words, *table);
    if (!readings) return with.output.error(readings.error());
    bool const all_read = tellReadings(with.output, *readings);
    answer["readings"] = std::move(*readings);
    if (with.output.json()) with.output.value(answer);
    return refused || !all_read ? Exit::findings : Exit::ok;
  }
  if (refused) return with.output.error(doNotFit(*table));
  auto items = handIn(with, words, *table);
  if (!items) return with.output.error(items.error());
  auto const taken = words.wait ? followUp(with, *items) : Result<bool>(true);
  if (!taken) return with.output.error(taken.error());
  answer["items"] = *items;
  with.output.table(answer,
                    {{"ITEM", "/id"}, {"ROWS", "/summary"}, {"STATE", "/state"}, {"REASON", "/reason"}},
                    "the file has no rows");
  return *taken ? Exit::ok : Exit::findings;
}

Exit exportCsv(Context with, ExportWords const& words) {
  auto const schema = parseJson(schemaText("record." + words.kind + ".json"));
  if (!schema)
    return with.output.error(
        Error(ErrorKind::invalidInput,
              "there is no kind of records called \"" + words.kind + "\"; garland schema lists them"));
  if (!words.connection.empty()) // a mistyped one would make an empty file
    if (auto const there = with.client.get(kBase + "/connections/" + percentEncode(words.connection)); !there)
      return with.output.error(there.error());
  auto const records = allRecords(with, words);
  if (!records) return with.output.error(records.error());
  Mapped made;
  if (words.mapping.empty()) {
    auto const columns = csv::columnsOf(*schema, *records);
    made.text = tableOf(*records, columns);
    made.columns = columns.size();
  } else {
    auto mapped = mappedTableOf(*records, words);
    if (!mapped) return with.output.error(mapped.error());
    made = *std::move(mapped);
  }
  if (auto const written = writeNamedFile(with.output, words.out, made.text); !written)
    return with.output.error(written.error());
  return tellOf(with, words, records->size(), made);
}

} // namespace garland::cli
