#include "host/cli/record_table.h"

#include <initializer_list>

namespace garland::cli {
namespace {

constexpr std::size_t kWidest = 60;

// The first of these members that the record has.
json::value const* firstOf(json::value const& record, std::initializer_list<char const*> members) {
  for (auto const* member : members)
    if (auto const* value = find(record, std::string("/data/") + member);
        value != nullptr && !value->is_null())
      return value;
  return nullptr;
}

// {"amount": 12050, "currency": "EUR"}: as it is stored, since how many digits are minor is the currency's.
std::string moneyIn(json::value const* value) {
  if (value == nullptr || !value->is_object()) return {};
  return plain(find(*value, "/amount")) + " " + plain(find(*value, "/currency"));
}

std::string whatIs(json::value const& record) {
  auto text = plain(firstOf(record, {"title", "name", "subject"}));
  if (text.empty()) {
    auto const first = plain(firstOf(record, {"first_name"}));
    auto const last = plain(firstOf(record, {"last_name"}));
    text = first + (first.empty() || last.empty() ? "" : " ") + last;
  }
  if (text.empty())
    text = plain(firstOf(record, {"email", "venue", "description", "memo", "text", "message", "reference",
                                  "payment", "source", "destination", "client", "project"}));
  return shortened(text, kWidest);
}

void summarise(json::value& record) {
  json::object row;
  row["when"] = plain(firstOf(record, {"start/date", "start/local", "start/utc", "event_date", "date",
                                       "received_date", "received", "due_date", "inquiry_date", "created"}));
  row["status"] = plain(firstOf(record, {"status", "stage", "kind"}));
  row["amount"] = moneyIn(firstOf(record, {"amount", "total", "revenue", "budget"}));
  row["what"] = whatIs(record);
  row["deleted"] = boolOr(record, "/deleted", false) ? "deleted" : "";
  record.as_object()["row"] = std::move(row);
}

// Events have a time of their own kind, which one column would blur.
std::vector<Column> eventColumns() {
  return {{"ID", "/id"},
          {"DELETED", "/row/deleted"},
          {"DATE", "/data/start/date"},
          {"LOCAL", "/data/start/local"},
          {"UTC", "/data/start/utc"},
          {"ZONE", "/data/start/zone"},
          {"STATUS", "/data/status"},
          {"TITLE", "/data/title"}};
}

} // namespace

std::vector<Column> recordColumns(json::value& page, std::string const& kind) {
  std::vector<Column> columns{
      {"ID", "/id"},         {"KIND", "/kind"},         {"DELETED", "/row/deleted"},
      {"WHEN", "/row/when"}, {"STATUS", "/row/status"}, {"AMOUNT (MINOR UNITS)", "/row/amount"},
      {"WHAT", "/row/what"}};
  if (kind == "calendar.event") columns = eventColumns();
  if (!kind.empty()) std::erase_if(columns, [](Column const& column) { return column.title == "KIND"; });
  auto& records = page.as_object()["items"].as_array();
  for (auto& record : records) summarise(record);
  std::erase_if(columns, [&](Column const& column) {
    for (auto const& record : records)
      if (!plain(find(record, column.pointer)).empty()) return false;
    return !records.empty();
  });
  return columns;
}

} // namespace garland::cli
