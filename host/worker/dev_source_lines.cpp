#include "host/worker/dev_source_lines.h"

#include "host/runtime/owned_fd.h"

#include <array>
#include <charconv>
#include <fcntl.h>
#include <map>
#include <regex>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>

extern char** environ;

namespace garland::runtime::dev {
namespace {

struct Place {
  std::string function;
  std::string line; // "caldav.cpp:120"
};
using Places = std::map<std::uint64_t, Place>;

std::string hexOf(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

// What a program on the PATH prints; empty if it is not there.
std::string outputOf(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  OwnedFd const from(ends[0]);
  OwnedFd to(ends[1]);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  int const failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  to.reset();
  if (failed != 0) return {};
  std::string text;
  std::array<char, 4096> bytes;
  for (ssize_t got = 0; (got = ::read(from.get(), bytes.data(), bytes.size())) > 0;)
    text.append(bytes.data(), static_cast<std::size_t>(got));
  ::waitpid(child, nullptr, 0);
  return text;
}

// Both print two lines for each place: the function, and "path:line".
Places askFor(std::vector<std::uint64_t> const& offsets, std::string const& plugin_path) {
  std::vector<std::vector<std::string>> const programs = {{"llvm-symbolizer", "--output-style=GNU",
                                                           "--no-inlines", "--demangle", "--functions",
                                                           "--obj=" + plugin_path},
                                                          {"addr2line", "-C", "-f", "-e", plugin_path}};
  for (auto words : programs) {
    for (auto const offset : offsets) words.push_back(hexOf(offset));
    std::istringstream lines(outputOf(std::move(words)));
    Places places;
    for (auto const offset : offsets) {
      Place place;
      if (!std::getline(lines, place.function) || !std::getline(lines, place.line)) break;
      if (place.function.starts_with("??")) place.function.clear();
      place.line.erase(0, place.line.rfind('/') + 1);
      place.line.erase(std::min(place.line.find(' '), place.line.size())); // "(discriminator 2)"
      // Without debug information there is a file at most, and the line is told as 0 or as "?".
      if (place.line.starts_with("??") || place.line.ends_with(":0") || place.line.ends_with(":?"))
        place.line.clear();
      places[offset] = std::move(place);
    }
    if (!places.empty()) return places;
  }
  return {};
}

std::string told(StackFrame const& frame, Place const& place) {
  if (place.function.empty()) return frame.describe();
  auto const line = place.line.empty() ? "" : place.line + ", ";
  return place.function + " (" + line + frame.object + "+" + hexOf(frame.offset) + ")";
}

} // namespace

std::vector<std::string> describe(std::vector<StackFrame> const& stack, std::string const& plugin_path) {
  std::vector<std::uint64_t> offsets;
  for (auto const& frame : stack)
    if (frame.object == "plugin") offsets.push_back(frame.offset);
  auto const places = offsets.empty() ? Places() : askFor(offsets, plugin_path);
  std::vector<std::string> out;
  for (auto const& frame : stack) {
    auto const known = frame.object == "plugin" ? places.find(frame.offset) : places.end();
    out.push_back(known == places.end() ? frame.describe() : told(frame, known->second));
  }
  return out;
}

std::string withNames(std::string const& line, std::string const& plugin_path) {
  static std::regex const kPlace(R"(\((?:/proc/self/fd/5|/memfd:[^ )]*(?: \(deleted\))?)\+0x([0-9a-f]+)\))");
  std::smatch found;
  if (!std::regex_search(line, found, kPlace)) return line;
  StackFrame frame;
  frame.object = "plugin";
  auto const digits = found[1].str();
  std::from_chars(digits.data(), digits.data() + digits.size(), frame.offset, 16);
  return found.prefix().str() + "in " + describe({frame}, plugin_path).front() + found.suffix().str();
}

} // namespace garland::runtime::dev
