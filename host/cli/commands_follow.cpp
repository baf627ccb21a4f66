// `garland stream`: prints changes as they come, and goes on where it was when the connection broke.
#include "host/cli/commands.h"
#include "host/cli/event_source.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace garland::cli {
namespace {

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{10'000};

class Follower {
public:
  Follower(Context with, FollowWords const& words) : with_(with), words_(words), after_(words.after) {}

  Exit follow() {
    for (;;) {
      auto const ended =
          readEvents(with_.client, path(), [this](ServerEvent const& event) { return take(event); });
      if (ended && !*ended) return Exit::ok;
      if (!ended && !passes(ended.error())) return with_.output.error(ended.error());
      rest();
    }
  }

private:
  std::string path() const {
    auto out = "/api/integrations/stream?" + parameter("vendor_id", words_.vendor);
    std::string kinds;
    for (auto const& kind : words_.kinds) kinds += (kinds.empty() ? "" : ",") + kind;
    if (!kinds.empty()) out += "&" + parameter("kinds", kinds);
    if (!words_.wedding.empty()) out += "&" + parameter("wedding", words_.wedding);
    if (after_ >= 0) out += "&after=" + std::to_string(after_);
    return out;
  }

  // Of a daemon that was never there, or of what will be refused again, it is told at once.
  bool passes(Error const& error) const {
    return began_ && error.kind == ErrorKind::transient && error.http_status != 401;
  }

  bool take(ServerEvent const& event) {
    began_ = true;
    pause_ = kFirstPause;
    // Also of what is not printed: "from now on" is a number once the stream has begun.
    std::from_chars(event.id.data(), event.id.data() + event.id.size(), after_);
    if (event.type != "change") return true;
    auto const said = parseJson(event.data);
    if (!said) return true;
    tell(*said);
    ++seen_;
    return words_.count == 0 || seen_ < words_.count;
  }

  void tell(json::value const& change) {
    if (with_.output.json()) return with_.output.lineNow(json::serialize(change));
    std::string line;
    for (auto const* member : {"/sequence", "/at", "/action", "/kind", "/record_id", "/origin"})
      line += (line.empty() ? "" : "  ") + plain(find(change, member));
    with_.output.lineNow(line);
  }

  void rest() {
    if (!with_.output.json()) with_.output.note("the stream ended; it is followed again in a moment");
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  Context with_;
  FollowWords const& words_;
  std::int64_t after_;
  std::int64_t seen_ = 0;
  bool began_ = false;
  std::chrono::milliseconds pause_ = kFirstPause;
};

} // namespace

Exit followStream(Context with, FollowWords const& words) { return Follower(with, words).follow(); }

} // namespace garland::cli
