#include "tests/hostile/driver/footprint.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace garland::hostile {
namespace {

namespace fs = std::filesystem;

std::string folderOf(pid_t pid) { return "/proc/" + std::to_string(pid) + "/"; }

std::string contents(std::string const& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The rest of the line that begins with `name`.
std::string field(std::string const& text, std::string const& name) {
  auto const at = ("\n" + text).find("\n" + name);
  if (at == std::string::npos) return {};
  auto const from = at + name.size();
  auto const begin = text.find_first_not_of(" \t", from);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Links of a folder: what each points to, and how often. Null if it may not be seen.
json::value linksIn(std::string const& folder) {
  json::object out;
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  if (failed) return nullptr;
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    std::error_code gone;
    auto const target = fs::read_symlink(entry->path(), gone).string();
    if (gone) continue;
    auto& count = out[target];
    count = count.is_null() ? 1 : count.as_int64() + 1;
  }
  return out;
}

// Files that code is mapped from, and memory that is writable as well as executable.
json::value executableMappings(std::string const& maps) {
  json::object out;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string range, access, offset, device, inode, name;
    words >> range >> access >> offset >> device >> inode >> name;
    if (access.size() < 3 || access[2] != 'x') continue;
    if (access[1] == 'w') out["writable and executable memory"] = 1;
    out[name.empty() ? "executable memory without a file" : name] = 1;
  }
  return out;
}

bool isPublicFile(std::string_view target) {
  for (std::string_view const place : {"/lib", "/usr/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache"})
    if (target.starts_with(place)) return true;
  return false;
}

void compareSets(json::value const& before, json::value const& after, std::string_view pointer,
                 std::string_view what, std::vector<std::string>& gained) {
  auto const* const old = find(before, pointer);
  auto const* const now = find(after, pointer);
  if (!old || !now || !old->is_object() || !now->is_object()) return;
  for (auto const& [name, count] : now->as_object()) {
    auto const* const had = old->as_object().if_contains(name);
    if ((!had || had->as_int64() < count.as_int64()) && !isPublicFile(name))
      gained.push_back("the worker gained " + std::string(what) + " " + std::string(name));
  }
}

// Without what differs from process to process: numbers of sockets and pipes, namespaces.
json::value withoutNames(json::value look) {
  if (!look.is_object()) return look;
  look.as_object().erase("namespaces");
  auto* const descriptors = look.as_object().if_contains("descriptors");
  if (!descriptors || !descriptors->is_object()) return look;
  json::object kinds;
  for (auto const& [name, count] : descriptors->as_object()) {
    auto& sum = kinds[name.substr(0, name.find(":["))];
    sum = (sum.is_null() ? 0 : sum.as_int64()) + count.as_int64();
  }
  *descriptors = std::move(kinds);
  return look;
}

void compareTexts(json::value const& before, json::value const& after, std::string_view pointer,
                  std::string_view what, std::vector<std::string>& gained) {
  auto const old = textOr(before, pointer, "");
  auto const now = textOr(after, pointer, "");
  if (old != now) gained.push_back("the worker's " + std::string(what) + " became " + now);
}

struct Kin {
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
};

Kin kinOf(std::string const& stat) {
  Kin kin;
  auto const end = stat.rfind(") ");
  if (end == std::string::npos) return kin;
  std::istringstream words(stat.substr(end + 2));
  words >> kin.state >> kin.parent >> kin.group;
  return kin;
}

bool readAll(int fd, void* to, std::size_t size) {
  for (auto* at = static_cast<char*>(to); size > 0;) {
    auto const got = ::read(fd, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool writeAll(int fd, void const* from, std::size_t size) {
  for (auto const* at = static_cast<char const*>(from); size > 0;) {
    auto const put = ::send(fd, at, size, MSG_NOSIGNAL);
    if (put <= 0) return false;
    at += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

} // namespace

json::value lookAt(pid_t pid) {
  auto const folder = folderOf(pid);
  auto const status = contents(folder + "status");
  if (status.empty()) return nullptr;
  json::object out;
  out["state"] = field(status, "State:");
  out["threads"] = field(status, "Threads:");
  out["uid"] = field(status, "Uid:");
  out["seccomp"] = field(status, "Seccomp_filters:");
  out["peak_kib"] = std::atoll(field(status, "VmHWM:").c_str());
  out["files_limit"] = field(contents(folder + "limits"), "Max open files");
  out["users"] = contents(folder + "uid_map");
  out["descriptors"] = linksIn(folder + "fd");
  out["namespaces"] = linksIn(folder + "ns");
  if (auto const maps = contents(folder + "maps"); !maps.empty())
    out["executable"] = executableMappings(maps);
  return out;
}

std::vector<std::string> gainedBetween(json::value const& before, json::value const& after) {
  std::vector<std::string> gained;
  compareTexts(before, after, "/threads", "number of threads", gained);
  compareTexts(before, after, "/uid", "user", gained);
  compareTexts(before, after, "/users", "map of users", gained);
  compareTexts(before, after, "/seccomp", "number of filters", gained);
  compareTexts(before, after, "/files_limit", "limit on open files", gained);
  compareSets(before, after, "/descriptors", "the descriptor", gained);
  compareSets(before, after, "/namespaces", "the namespace", gained);
  compareSets(before, after, "/executable", "the code", gained);
  auto const state = textOr(after, "/state", "");
  if (!state.empty() && (state[0] == 'T' || state[0] == 't')) gained.emplace_back("the worker is stopped");
  return gained;
}

std::vector<std::string> gainedOver(json::value const& ordinary, json::value const& suspect) {
  return gainedBetween(withoutNames(ordinary), withoutNames(suspect));
}

std::vector<pid_t> processesOf(pid_t group) {
  std::vector<pid_t> found;
  std::error_code failed;
  for (fs::directory_iterator entry("/proc", failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const name = entry->path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    auto const kin = kinOf(contents("/proc/" + name + "/stat"));
    if (kin.state == 'Z' || kin.state == '?') continue;
    if (kin.group == group || kin.parent == group) found.push_back(pid);
  }
  return found;
}

json::value Observer::look(pid_t pid) const {
  if (socket_ < 0) return lookAt(pid);
  std::uint32_t size = 0;
  if (!writeAll(socket_, &pid, sizeof pid) || !readAll(socket_, &size, sizeof size)) return nullptr;
  std::string text(size, '\0');
  if (!readAll(socket_, text.data(), text.size())) return nullptr;
  auto value = parseJson(text);
  return value ? *value : json::value();
}

void Observer::serve(int socket) {
  pid_t pid = 0;
  while (readAll(socket, &pid, sizeof pid)) {
    auto const text = json::serialize(lookAt(pid));
    auto const size = static_cast<std::uint32_t>(text.size());
    if (!writeAll(socket, &size, sizeof size) || !writeAll(socket, text.data(), text.size())) return;
  }
}

} // namespace garland::hostile
