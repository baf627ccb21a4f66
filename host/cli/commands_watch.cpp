// `garland dev`: builds the connector in this folder whenever a file of it is saved, serves its twin, and
// calls what reads, with everything that went over the line. Ctrl-C ends it; the twin goes with it.
#include "host/cli/build_mark.h"
#include "host/cli/commands.h"
#include "host/cli/own_folder.h"
#include "host/cli/rehearsed_lines.h"
#include "host/cli/watched_folder.h"

#include "host/base/file_text.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;
namespace cert = certification;

// The connector's twin, served by another `garland twin serve`; ends with this object, or with this process.
class ServedTwin {
public:
  ServedTwin() = default;
  ServedTwin(ServedTwin const&) = delete;
  ServedTwin& operator=(ServedTwin const&) = delete;
  ~ServedTwin() { stop(); }

  std::string const& url() const { return url_; }

  Result<void> start(std::vector<std::string> words) {
    stop();
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return Error(ErrorKind::transient, "no pipe can be made");
    words.insert(words.begin(), (programFolder() / "garland").string());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::dup2(pipe[1], STDOUT_FILENO);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(pipe[1]);
    auto const line = firstLine(pipe[0]);
    ::close(pipe[0]);
    auto const told = parseJson(line);
    url_ = told ? textOr(*told, "/url", "") : "";
    if (pid_ > 0 && !url_.empty()) return {};
    stop();
    return Error(ErrorKind::transient, "the twin cannot be served; what it said stands above");
  }

  void stop() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      ::waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
    url_.clear();
  }

private:
  static std::string firstLine(int pipe) {
    std::string line;
    char c = 0;
    while (::read(pipe, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  pid_t pid_ = -1;
  std::string url_;
};

struct Built {
  bool well = false;
  std::string said;
};

Built shell(std::string const& command) {
  Built out;
  auto* const pipe = ::popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return {false, "no shell can be started"};
  std::array<char, 4096> bytes{};
  for (std::size_t size = 0; (size = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;)
    out.said.append(bytes.data(), size);
  out.well = ::pclose(pipe) == 0;
  return out;
}

// One connector being written.
class Workshop {
public:
  Workshop(Output& output, WatchWords const& words, ConnectorFolder folder)
      : output_(output), words_(words), folder_(std::move(folder)) {}

  // Builds, serves, calls. Whether all of it went well.
  bool round() {
    if (!build()) return false;
    if (auto const served = serve(); !served) {
      output_.error(served.error());
      return false;
    }
    auto rehearsal = open();
    if (!rehearsal) {
      output_.error(rehearsal.error());
      return false;
    }
    return callAll(*rehearsal);
  }

private:
  bool build() {
    auto const began = std::chrono::steady_clock::now();
    auto const place = shellQuoted(folder_.build().string());
    Built done{true, ""};
    std::error_code ignored;
    BuildMark mark(folder_.folder, folder_.build());
    bool const anew = mark.isUnsure(); // then no file's time tells what has to be built
    mark.begin();
    if (anew || !fs::exists(folder_.build() / "CMakeCache.txt", ignored))
      done = shell("cmake -S " + shellQuoted(folder_.folder.string()) + " -B " + place +
                   " -DCMAKE_PREFIX_PATH=" + shellQuoted(programFolder().parent_path().string()));
    if (done.well) {
      done = shell("cmake --build " + place + (anew ? " --clean-first" : ""));
      mark.end();
    }
    bool const unsure = done.well && mark.isUnsure();
    auto const took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    auto const seconds =
        std::to_string(took.count() / 1000) + "." + std::to_string(took.count() / 100 % 10) + " s";
    if (output_.json()) {
      json::object line{{"built", done.well}};
      if (unsure) line["saved_meanwhile"] = true;
      if (!done.well) line["said"] = done.said;
      output_.line(json::serialize(line));
    } else if (done.well) {
      output_.line(output_.good("built") + " in " + seconds +
                   (unsure ? ", without what was saved meanwhile, which the next build takes in" : ""));
    } else {
      output_.line(done.said);
      output_.line(output_.bad("not built") + " after " + seconds + "; waiting for the next save");
    }
    std::cout.flush();
    return done.well;
  }

  // Again only if it is another twin: what stands at it stays.
  Result<void> serve() {
    auto const file = folder_.twins() / (folder_.id + "-twin") / "connector.so";
    TRY(object, readFileText(file.string()));
    auto const mark = std::hash<std::string>{}(object);
    if (twin_mark_ == mark && !twin_.url().empty()) return {};
    std::vector<std::string> words{"twin",     "serve",
                                   folder_.id, "--json",
                                   "--dir",    folder_.twins().string(),
                                   "--seed",   std::to_string(words_.rehearsal.seed)};
    auto const volume = words_.rehearsal.volume < 0 ? std::int64_t{5} : words_.rehearsal.volume;
    auto const port =
        twin_.url().empty() ? std::to_string(words_.port) : twin_.url().substr(twin_.url().rfind(':') + 1);
    for (auto const& [name, value] : {std::pair<std::string, std::string>{"--volume", std::to_string(volume)},
                                      {"--port", port},
                                      {"--worker", words_.rehearsal.worker}})
      if (!value.empty()) words.insert(words.end(), {name, value});
    if (words_.rehearsal.allow_degraded) words.emplace_back("--allow-degraded-sandbox");
    std::cout.flush();
    TRY_VOID(twin_.start(std::move(words)));
    twin_mark_ = mark;
    cursors_.clear();
    if (output_.json())
      output_.line(json::serialize(json::object{{"twin", twin_.url()}}));
    else
      output_.line("twin at " + twin_.url() + " (" + twin_.url() +
                   "/_twin/ledger, /_twin/state; /_twin/edit changes it)");
    std::cout.flush();
    return {};
  }

  Result<cert::Rehearsal> open() {
    TRY(options, rehearsalOptions(words_.rehearsal));
    options.served_at = twin_.url();
    return cert::Rehearsal::open(options);
  }

  bool callAll(cert::Rehearsal& rehearsal) {
    bool all_well = true;
    for (auto const& operation : rehearsal.operations()) {
      bool const pulls = operation.find(".pull/") != std::string::npos;
      if (!pulls && operation != "health.check/1" && operation.find(".discover/") == std::string::npos)
        continue;
      for (auto input : rehearsal.inputs(operation)) {
        auto const which = operation + " " + textOr(input, "/entity", "");
        if (pulls && cursors_.contains(which)) input.as_object()["cursor"] = cursors_[which];
        auto const done = rehearsal.run(operation, input);
        all_well = all_well && done.result.has_value();
        if (pulls && !done.cursors.empty()) cursors_[which] = done.cursors.back();
        if (output_.json())
          output_.line(json::serialize(rehearsedJson(done, input)));
        else
          tellRehearsed(output_, done, input, false);
        std::cout.flush();
      }
    }
    return all_well;
  }

  Output& output_;
  WatchWords const& words_;
  ConnectorFolder folder_;
  ServedTwin twin_;
  std::optional<std::size_t> twin_mark_;
  std::map<std::string, json::value> cursors_; // by operation and entity, as a host would keep them
};

} // namespace

Exit watchConnector(Output& output, WatchWords const& words) {
  auto folder = connectorFolder(words.rehearsal.dir);
  if (!folder) return output.error(folder.error());
  auto watched = WatchedFolder::open(folder->folder, folder->build());
  if (!watched) {
    output.error(watched.error());
    return Exit::environment;
  }
  Workshop workshop(output, words, std::move(*folder));
  bool const well = workshop.round();
  if (words.once) return well ? Exit::ok : Exit::findings;
  for (;;) {
    if (!output.json()) output.line("waiting for a save; Ctrl-C ends it");
    std::cout.flush();
    auto const saved = watched->wait();
    if (!saved) {
      output.error(saved.error());
      return Exit::environment;
    }
    if (!output.json()) output.line("\n" + *saved + " was saved");
    workshop.round();
  }
}

} // namespace garland::cli
