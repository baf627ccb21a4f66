#include "host/api/import_csv.h"

#include "host/vault/vault.h"

#include <algorithm>

namespace garland::api {
namespace {

// Rows that come again after that are read again: somebody may have edited the records meanwhile.
constexpr auto kSameFor = std::chrono::hours(24);

json::array texts(csv::Cells const& cells) { return json::array(cells.begin(), cells.end()); }

sync::Delivery deliveryOf(csv::Table const& part, ImportWish const& wish) {
  json::array rows;
  for (auto const& row : part.rows) rows.push_back(texts(row.cells));
  auto const first = part.rows.front().number;
  auto const last = part.rows.back().number;
  json::object content{{"file", wish.file}, {"first_row", first}};
  content["header"] = texts(part.header);
  sync::Delivery delivery;
  delivery.connection_id = wish.connection_id;
  delivery.source = sync::IntakeSource::csv;
  delivery.dedupe_key =
      "csv " + vault::sha256Hex(json::serialize(content.at("header")) + json::serialize(rows));
  delivery.same_for = kSameFor;
  delivery.summary =
      wish.file + (first == last ? ", row " + std::to_string(first)
                                 : ", rows " + std::to_string(first) + " to " + std::to_string(last));
  content["rows"] = std::move(rows);
  delivery.content = std::move(content);
  return delivery;
}

// As the rows are numbered in the file that this is a part of.
void renumber(csv::Table& table, std::int64_t first_row) {
  auto const by = first_row - (table.header_row + 1);
  for (auto& row : table.rows) row.number += by;
  for (auto& row : table.uneven) row.row += by;
}

} // namespace

Result<std::vector<sync::Delivery>> deliveriesOf(csv::Table table, ImportWish const& wish) {
  if (wish.first_row) renumber(table, *wish.first_row);
  if (!table.uneven.empty() && !wish.skip_uneven) {
    Error error(ErrorKind::invalidInput,
                csv::describe(table.uneven.front(), table) +
                    "; nothing was imported: correct the file, or have such rows left out "
                    "(skip_uneven)");
    error.detail = csv::toJson(table);
    return error;
  }
  std::vector<sync::Delivery> deliveries;
  for (auto const& part : csv::partsOf(table)) deliveries.push_back(deliveryOf(part, wish));
  return deliveries;
}

} // namespace garland::api
