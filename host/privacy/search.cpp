#include "host/privacy/search.h"

namespace garland::privacy {
namespace {

constexpr std::int64_t kPage = 50; // a row may have megabytes

store::Value valueAt(store::Row const& row, std::size_t at, PersonalColumn::Type type) {
  if (row.isNull(at)) return nullptr;
  switch (type) {
  case PersonalColumn::Type::integer: return row.integer(at);
  case PersonalColumn::Type::bytes: return row.bytes(at);
  case PersonalColumn::Type::text: break;
  }
  return row.text(at);
}

} // namespace

std::string textOf(store::Value const& value) {
  if (auto const* text = std::get_if<std::string>(&value)) return *text;
  if (auto const* bytes = std::get_if<Bytes>(&value)) return std::string(bytes->begin(), bytes->end());
  if (auto const* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return {};
}

store::Value valueLike(store::Value const& old, std::string text) {
  if (std::holds_alternative<Bytes>(old)) return Bytes(text.begin(), text.end());
  return text;
}

std::string keyNames(PersonalTable const& table) {
  std::string names;
  for (auto const& key : table.keys) names += (names.empty() ? "" : ",") + key.name;
  return names;
}

std::string isRow(PersonalTable const& table, std::size_t first) {
  std::string text;
  for (auto const& key : table.keys)
    text += (text.empty() ? "" : " AND ") + key.name + "=$" + std::to_string(first++);
  return text;
}

Search::Search(store::Store& store, PersonalTable const& table, std::string vendor_id,
               std::vector<std::string> more)
    : store_(store), table_(table), vendor_id_(std::move(vendor_id)), more_(std::move(more)) {}

store::Statement Search::page() const {
  std::string sql = "SELECT " + keyNames(table_);
  for (auto const& column : table_.personal) sql += "," + column.name;
  for (auto const& column : more_) sql += "," + column;
  auto const busy = table_.busy.empty() ? std::string("1=0") : table_.busy;
  sql += ",CAST(CASE WHEN " + busy + " THEN 1 ELSE 0 END AS BIGINT) FROM " + table_.name + " WHERE 1=1";
  Values args;
  if (!vendor_id_.empty() && table_.of_vendor) {
    args.emplace_back(vendor_id_);
    sql += " AND vendor_id=$1";
  }
  if (!after_.empty()) {
    std::string places;
    for (auto const& key : after_) {
      args.push_back(key);
      places += (places.empty() ? "$" : ",$") + std::to_string(args.size());
    }
    sql += " AND (" + keyNames(table_) + ")>(" + places + ")";
  }
  args.emplace_back(kPage);
  sql += " ORDER BY " + keyNames(table_) + " LIMIT $" + std::to_string(args.size());
  return store::Statement(std::move(sql), std::move(args));
}

Task<std::vector<FoundRow>> Search::next() {
  std::vector<FoundRow> found;
  if (ended_) co_return found;
  CO_TRY(rows, co_await store_.read(page()));
  for (auto const& row : rows.rows) {
    FoundRow one;
    std::size_t at = 0;
    for (auto const& key : table_.keys) one.keys.push_back(valueAt(row, at++, key.type));
    for (auto const& column : table_.personal) one.personal.push_back(valueAt(row, at++, column.type));
    for (std::size_t i = 0; i < more_.size(); ++i) one.more.push_back(row.text(at++));
    one.busy = row.integer(at) != 0;
    found.push_back(std::move(one));
  }
  ended_ = found.size() < static_cast<std::size_t>(kPage);
  if (!found.empty()) after_ = found.back().keys;
  co_return found;
}

} // namespace garland::privacy
