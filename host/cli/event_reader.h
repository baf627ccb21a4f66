// Server-sent events out of bytes, as the HTML standard reads them. No sockets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace garland::cli {

struct ServerEvent {
  std::string type; // "message" if it has none; "": no event, only an id that has moved on
  std::string data;
  std::string id; // the last one that was seen
};

class EventReader {
public:
  // The events that are whole now. Takes nothing more once too_long().
  std::vector<ServerEvent> feed(std::string_view bytes);
  bool tooLong() const { return too_long_; }

  static constexpr std::size_t longest = 1U << 20U; // of an event

private:
  void takeLine(std::string_view line, std::vector<ServerEvent>& out);

  std::string line_;
  std::string type_, data_, last_id_, id_;
  bool begun_ = false; // a byte order mark may stand at the very beginning
  bool after_cr_ = false;
  bool has_data_ = false;
  bool too_long_ = false;
};

} // namespace garland::cli
