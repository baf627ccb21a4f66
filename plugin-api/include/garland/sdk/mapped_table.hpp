// The way back of a mapping: records as rows of a CSV file that the same mapping reads as the same records.
//
// A mapping was written for reading, and not everything can be turned round: an amount without a column, two
// words of theirs that are one of ours. So each row is read again, and what does not come back is told.
#pragma once

#include <garland/sdk/mapping.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::intake {

class MappedTable {
public:
  // By the first rule of the section "csv" that makes records of this kind, one of each row if there is such
  // a rule. `records`: all that will be written, for the names of the columns of `rest`. Both must outlive
  // it. Failure(invalidInput): there is no such rule.
  MappedTable(Mapping const& mapping, std::string_view kind, std::vector<json::object> const& records);

  std::vector<std::string> header() const;
  // `id`: what the row is called where the rule wants an id and has no way to make one.
  std::vector<std::string> row(json::object const& record, std::string_view id) const;
  // What is not the same once the row is read; nothing if all is.
  std::optional<std::string> loss(json::object const& record, std::vector<std::string> const& row) const;

private:
  struct Column {
    std::string name;
    std::vector<rules::Field const*> fields; // that are read from it; none: `constant`, or a member of `rest`
    std::string constant;
    std::string rest; // pointer into the record
    bool id = false;
  };
  Column& column(std::string const& name);
  void addConditions();
  void addFields();
  void addWanted();
  void addRest(std::vector<json::object> const& records);
  bool isRead(std::string const& name) const;
  std::string cell(Column const& column, json::object const& record) const;

  Mapping const& mapping_;
  rules::Rule const* rule_ = nullptr;
  rules::Emit const* emit_ = nullptr;
  std::vector<Column> columns_;
};

} // namespace garland::sdk::intake
