// Running a connector by hand. Plugin code may be mapped on the way, so this program becomes another one
// (exec, no child): a debugger that was started on it follows.
#include "host/cli/commands.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

namespace garland::cli {
namespace {

void add(std::vector<std::string>& words, char const* name, std::string const& value) {
  if (!value.empty()) words.push_back(std::string(name) + "=" + value);
}

std::vector<std::string> wordsFor(DevWords const& dev, bool json) {
  std::vector<std::string> words;
  if (dev.capsule.empty())
    words = {"run", dev.plugin, dev.operation};
  else
    words = {"replay", dev.capsule};
  if (!dev.capsule.empty()) add(words, "--plugin", dev.plugin);
  add(words, "--sandbox", dev.in_process ? "off" : dev.sandbox);
  add(words, "--input", dev.input);
  add(words, "--account", dev.account);
  add(words, "--answers", dev.answers);
  add(words, "--worker", dev.worker);
  if (dev.deadline != 0) add(words, "--deadline", std::to_string(dev.deadline));
  if (dev.wait_debugger) words.emplace_back("--wait-debugger");
  if (dev.allow_degraded) words.emplace_back("--allow-degraded-sandbox");
  if (json) words.emplace_back("--json");
  return words;
}

} // namespace

Exit runDev(Output& output, DevWords const& dev) {
  if (dev.in_process && dev.sandbox == "audit")
    return output.error(
        Error(ErrorKind::invalidInput,
              "--sandbox=audit and --in-process exclude each other: an audit lists what the "
              "sandbox of a worker refuses, and in process there is none; leave out one of them"));
  std::error_code ignored;
  auto const here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  auto const program = (here / "garland-dev-host").string();
  auto words = wordsFor(dev, output.json());
  words.insert(words.begin(), program);
  std::vector<char*> arguments;
  std::cerr << "running:";
  for (auto& word : words) {
    std::cerr << ' ' << shellQuoted(word);
    arguments.push_back(word.data());
  }
  std::cerr << '\n' << std::flush;
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  std::cerr << "garland: " << program << " cannot be run (" << std::strerror(errno)
            << "): is Garland installed whole?\n";
  return Exit::environment;
}

} // namespace garland::cli
