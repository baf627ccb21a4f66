#include "host/worker/dev_options.h"

#include <charconv>
#include <filesystem>
#include <map>
#include <string_view>

namespace garland::runtime::dev {
namespace {

Error wrong(std::string what) { return Error(ErrorKind::invalidInput, std::move(what)); }

// A plugin's folder stands for the shared object in it.
std::string sharedObject(std::string const& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? path + "/connector.so" : path;
}

Result<void> readMode(std::string_view value, Options& options) {
  if (value == "on")
    options.mode = Mode::worker;
  else if (value == "audit")
    options.mode = Mode::audit;
  else if (value == "off")
    options.mode = Mode::inProcess;
  else
    return wrong("--sandbox takes on, audit or off");
  return {};
}

Result<void> readLimit(std::string_view value, Options& options) {
  long seconds = 0;
  auto const* const end = value.data() + value.size();
  auto const read = std::from_chars(value.data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end || seconds < 1 || seconds > 86'400)
    return wrong("--deadline takes 1 to 86400 seconds");
  options.limit = std::chrono::seconds(seconds);
  return {};
}

Result<void> readOption(std::string_view word, Options& options) {
  std::map<std::string_view, bool*> const flags = {{"--wait-debugger", &options.wait_for_debugger},
                                                   {"--allow-degraded-sandbox", &options.allow_degraded},
                                                   {"--json", &options.json}};
  if (auto const flag = flags.find(word); flag != flags.end()) {
    *flag->second = true;
    return {};
  }
  auto const equals = word.find('=');
  auto const name = word.substr(0, equals);
  if (equals == std::string_view::npos) return wrong("there is no option " + std::string(word));
  auto const value = word.substr(equals + 1);
  if (name == "--sandbox") return readMode(value, options);
  if (name == "--deadline") return readLimit(value, options);
  std::map<std::string_view, std::string*> const texts = {{"--input", &options.input},
                                                          {"--account", &options.account},
                                                          {"--answers", &options.answers},
                                                          {"--worker", &options.worker},
                                                          {"--plugin", &options.plugin}};
  auto const text = texts.find(name);
  if (text == texts.end()) return wrong("there is no option " + std::string(name));
  *text->second = value;
  return {};
}

} // namespace

Result<Options> readOptions(std::vector<std::string> const& words) {
  Options options;
  std::vector<std::string> places;
  for (auto const& word : words) {
    if (!word.starts_with("--")) {
      places.push_back(word);
      continue;
    }
    TRY_VOID(readOption(word, options));
  }
  bool const run = places.size() == 3 && places[0] == "run";
  options.replay = places.size() == 2 && places[0] == "replay";
  if (!run && !options.replay) return wrong("say: run PLUGIN OPERATION, or: replay CAPSULE");
  if (run) {
    options.plugin = places[1];
    options.operation = places[2];
  } else {
    options.capsule = places[1];
  }
  if (options.wait_for_debugger && options.mode != Mode::inProcess)
    return wrong("--wait-debugger needs --in-process: a worker's sandbox lets no debugger in");
  if (!options.plugin.empty()) options.plugin = sharedObject(options.plugin);
  return options;
}

} // namespace garland::runtime::dev
