#include "host/cli/watched_folder.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMoment = 150; // milliseconds; editors save in several steps

Error failed(std::string const& what) {
  return Error(ErrorKind::transient, what + ": " + std::strerror(errno));
}

bool isSource(fs::path const& file) {
  auto const kind = file.extension();
  return kind == ".c" || kind == ".cpp" || kind == ".h" || kind == ".hpp" || kind == ".json" ||
         file.filename() == "CMakeLists.txt";
}

bool isLeftOut(fs::path const& folder, fs::path const& except) {
  return folder == except || folder.filename().string().starts_with('.');
}

// The last source among the events in the buffer; "" if none is.
std::string sourceAmong(char const* bytes, std::size_t size) {
  std::string found;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event event{};
    std::memcpy(&event, bytes + at, sizeof event);
    if (event.len > 0) {
      std::string const name(bytes + at + sizeof event);
      if (!name.starts_with('.') && isSource(name)) found = name;
    }
    at += sizeof event + event.len;
  }
  return found;
}

} // namespace

Result<WatchedFolder> WatchedFolder::open(fs::path const& folder, fs::path const& except) {
  WatchedFolder out(::inotify_init1(IN_CLOEXEC));
  if (out.handle_ < 0) return failed("nothing can be watched on this machine");
  auto const watch = [&](fs::path const& path) {
    return ::inotify_add_watch(out.handle_, path.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) >= 0;
  };
  if (!watch(folder)) return failed(folder.string() + " cannot be watched");
  std::error_code ignored;
  for (auto each = fs::recursive_directory_iterator(folder, ignored);
       each != fs::recursive_directory_iterator(); each.increment(ignored)) {
    if (!each->is_directory(ignored)) continue;
    if (isLeftOut(each->path(), except))
      each.disable_recursion_pending();
    else
      watch(each->path());
  }
  return out;
}

std::vector<fs::path> sourcesIn(fs::path const& folder, fs::path const& except) {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (auto each = fs::recursive_directory_iterator(folder, ignored);
       each != fs::recursive_directory_iterator(); each.increment(ignored)) {
    if (each->is_directory(ignored) && isLeftOut(each->path(), except))
      each.disable_recursion_pending();
    else if (isSource(each->path()) && each->is_regular_file(ignored))
      out.push_back(each->path());
  }
  return out;
}

WatchedFolder::~WatchedFolder() {
  if (handle_ >= 0) ::close(handle_);
}

Result<std::string> WatchedFolder::wait() {
  std::string saved;
  for (;;) {
    pollfd waiting{handle_, POLLIN, 0};
    auto const ready = ::poll(&waiting, 1, saved.empty() ? -1 : kMoment);
    if (ready < 0 && errno != EINTR) return failed("the folder cannot be watched any more");
    if (ready == 0) return saved;
    if (ready < 0) continue;
    std::array<char, 16'384> bytes{};
    auto const size = ::read(handle_, bytes.data(), bytes.size());
    if (size < 0 && errno != EINTR) return failed("the folder cannot be watched any more");
    if (size <= 0) continue;
    if (auto found = sourceAmong(bytes.data(), static_cast<std::size_t>(size)); !found.empty())
      saved = std::move(found);
  }
}

} // namespace garland::cli
