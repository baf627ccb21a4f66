#include "host/cli/event_reader.h"

#include <algorithm>
#include <utility>

namespace garland::cli {

std::vector<ServerEvent> EventReader::feed(std::string_view bytes) {
  std::vector<ServerEvent> out;
  for (char const c : bytes) {
    if (too_long_) break;
    bool const second_of_crlf = c == '\n' && after_cr_;
    after_cr_ = c == '\r';
    if (second_of_crlf) continue;
    if (c != '\n' && c != '\r') {
      line_ += c;
      too_long_ = line_.size() + data_.size() > longest;
      continue;
    }
    std::string_view line = line_;
    if (!begun_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    begun_ = true;
    takeLine(line, out);
    line_.clear();
  }
  return out;
}

void EventReader::takeLine(std::string_view line, std::vector<ServerEvent>& out) {
  if (line.empty()) {
    bool const moved = std::exchange(last_id_, id_) != id_;
    if (has_data_)
      out.push_back(ServerEvent{type_.empty() ? "message" : type_, data_, last_id_});
    else if (moved)
      out.push_back(ServerEvent{"", "", last_id_});
    type_.clear();
    data_.clear();
    has_data_ = false;
    return;
  }
  auto const colon = std::min(line.find(':'), line.size());
  auto const field = line.substr(0, colon);
  auto value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") type_ = value;
  if (field == "id" && value.find('\0') == std::string_view::npos) id_ = value;
  if (field != "data") return;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

} // namespace garland::cli
