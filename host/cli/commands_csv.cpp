// A vendor's records as a table, for other programs.
#include "host/cli/commands.h"

#include "host/csv/csv.h"

#include <garland/schemas.hpp>

#include <fstream>

namespace garland::cli {
namespace {

// The data of all records, page after page.
Result<std::vector<json::value>> allRecords(Context with, ExportWords const& words) {
  auto const path = "/api/integrations/records?" + parameter("vendor_id", words.vendor) + "&" +
                    parameter("kind", words.kind) + "&limit=1000";
  std::vector<json::value> records;
  std::string after;
  do {
    TRY(page, with.client.get(after.empty() ? path : path + "&" + parameter("after", after)));
    for (auto const& record : page.at("items").as_array()) records.push_back(record.at("data"));
    after = textOr(page, "/next_after", "");
  } while (!after.empty());
  return records;
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

Exit exportCsv(Context with, ExportWords const& words) {
  auto const schema = parseJson(schemaText("record." + words.kind + ".json"));
  if (!schema)
    return with.output.error(
        Error(ErrorKind::invalidInput,
              "there is no kind of records called \"" + words.kind + "\"; garland schema lists them"));
  auto const records = allRecords(with, words);
  if (!records) return with.output.error(records.error());
  auto const columns = csv::columnsOf(*schema, *records);
  auto const text = tableOf(*records, columns);
  std::ofstream file(words.out == "-" ? "/dev/stdout" : words.out, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file) return with.output.error(Error(ErrorKind::invalidInput, words.out + " cannot be written"));
  if (words.out == "-") return Exit::ok;
  if (with.output.json())
    with.output.value(
        json::object{{"file", words.out}, {"records", records->size()}, {"columns", columns.size()}});
  else
    with.output.line("wrote " + std::to_string(records->size()) + " records to " + words.out);
  return Exit::ok;
}

} // namespace garland::cli
