// garland-dev-host: runs one operation of one connector for the person who writes it. Started by
// `garland dev run` and `garland dev replay`, which explain the options; garlandd never starts it.
//
// The plugin is fed recorded answers; no request leaves this machine. Exit codes: 0 the operation ended well
// (a replay: the plugin did not die), 1 findings, 2 wrong usage, 3 it could not be run at all.
#include "host/runtime/crash_capsule.h"
#include "host/runtime/image.h"
#include "host/runtime/tainted.h"
#include "host/worker/dev_options.h"
#include "host/worker/dev_refusals.h"
#include "host/worker/dev_run.h"
#include "host/worker/dev_source_lines.h"

#include <cstdio>
#include <iostream>
#include <iterator>

namespace garland::runtime::dev {
namespace {

enum Exit { exitOk = 0, exitFindings = 1, exitUsage = 2, exitEnvironment = 3 };

constexpr std::size_t kMaxFile = 16U << 20U;

// What is run: from the command line, or from a capsule.
struct Job {
  Options options;
  wire::Call call;
  std::vector<HostCall> host_calls;
  std::optional<CrashReport> capsule;
  std::string plugin; // bytes
};

Result<std::string> fileText(std::string const& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = readPluginFile(path, kMaxFile);
  if (!text) return Error(ErrorKind::notFound, path + " " + text.error().message);
  return text;
}

Result<json::value> jsonFile(std::string const& path) {
  TRY(text, fileText(path));
  auto value = parseJson(text);
  if (!value) return std::move(value).error().within(path);
  return value;
}

Result<void> readRun(Job& job) {
  auto const& options = job.options;
  job.call.operation = options.operation;
  job.call.input = "{}";
  json::object account{{"account_id", "con_dev"}, {"settings", json::object()}, {"slots", json::array()}};
  if (!options.input.empty()) {
    TRY(input, jsonFile(options.input));
    job.call.input = json::serialize(input);
  }
  if (!options.account.empty()) {
    TRY(given, jsonFile(options.account));
    if (!given.is_object())
      return Error(ErrorKind::invalidInput,
                   options.account + " must be an object: {\"settings\":{...},\"slots\":[...]}");
    for (auto const& [name, value] : given.get_object()) account[name] = value;
  }
  job.call.account_id = textOr(account, "/account_id", "con_dev");
  job.call.account = json::serialize(account);
  if (options.answers.empty()) return {};
  TRY(answers, jsonFile(options.answers));
  TRY(calls, parseHostCalls(answers));
  job.host_calls = std::move(calls);
  return {};
}

Result<void> readReplay(Job& job) {
  TRY(text, fileText(job.options.capsule));
  auto capsule = parseCapsule(text);
  if (!capsule) return std::move(capsule).error().within(job.options.capsule);
  if (capsule->operation.empty())
    return Error(ErrorKind::unsupported,
                 "this capsule is of a plugin that died outside of an operation; run one "
                 "with: garland dev run");
  job.call.operation = capsule->operation;
  job.call.account_id = capsule->account_id;
  job.call.account = json::serialize(capsule->account);
  job.call.input = json::serialize(capsule->input);
  job.host_calls = capsule->host_calls;
  if (job.options.plugin.empty()) job.options.plugin = capsule->plugin_path;
  job.capsule = std::move(*capsule);
  return {};
}

Result<Job> readJob(Options options) {
  Job job;
  job.options = std::move(options);
  TRY_VOID(job.options.replay ? readReplay(job) : readRun(job));
  auto bytes = readPluginFile(job.options.plugin, kMaxPluginBytes);
  if (!bytes) return Error(ErrorKind::notFound, job.options.plugin + " " + bytes.error().message);
  job.plugin = std::move(*bytes);
  return job;
}

// The story goes to standard error, what it comes to goes to standard output.
void tell(std::string const& line) { std::cerr << cleanText(line, 4096) + "\n" << std::flush; }

json::value parsedOrText(std::string const& text) {
  auto value = parseJson(text.empty() ? "null" : text);
  return value ? std::move(*value) : json::value(text);
}

// A plugin that was built with a sanitizer wants its runtime from the program that loads it.
std::string_view loadHint(std::string_view reason) {
  for (auto const* prefix :
       {"undefined symbol: __asan_", "undefined symbol: __ubsan_", "undefined symbol: __tsan_"})
    if (reason.find(prefix) != std::string_view::npos)
      return "; the plugin is built with a sanitizer and this worker is not: use one that is "
             "(--worker build/asan/bin/garland-worker)";
  return {};
}

struct Report {
  json::object json;
  std::vector<std::string> lines;
  bool died = false;
  bool failed = false;
};

void addEnd(Job const& job, Ran const& ran, Report& report) {
  auto const& outcome = ran.outcome;
  report.died = !ran.how.empty();
  if (report.died) {
    auto const stack = symbolise(outcome.stack, job.plugin);
    report.json["died"] = ran.how;
    report.lines.push_back("it " + cleanText(ran.how, 1024));
    json::array frames;
    for (auto const& frame : describe(stack, job.options.plugin)) {
      report.lines.push_back("  " + frame);
      frames.emplace_back(frame);
    }
    report.json["stack"] = std::move(frames);
    return;
  }
  if (outcome.load_failed) {
    report.failed = true;
    auto const reason =
        cleanText(outcome.load_failed->reason, 1024) + std::string(loadHint(outcome.load_failed->reason));
    report.json["load_failed"] = reason;
    report.lines.push_back("it could not be loaded: " + reason);
    return;
  }
  if (auto const& error = outcome.done->error) {
    report.failed = true;
    report.json["error"] = toJson(*error);
    report.lines.push_back(job.call.operation + " failed: " + std::string(name(error->kind)) + ": " +
                           cleanText(error->message, 4096));
    return;
  }
  report.json["result"] = parsedOrText(outcome.done->result);
  report.lines.push_back(job.call.operation + " ended well: " +
                         (outcome.done->result.empty() ? "no result" : outcome.done->result));
}

void addRefusals(Job const& job, Ran const& ran, Report& report) {
  if (job.options.mode != Mode::audit) return;
  auto const found = refusals(ran.outcome.refused, job.plugin, job.options.plugin);
  json::array list;
  report.lines.emplace_back(found.empty() ? "the sandbox would refuse nothing" : "the sandbox refuses:");
  for (auto const& one : found) {
    list.push_back(
        json::object{{"call", one.call}, {"answer", one.answer}, {"place", one.place}, {"times", one.times}});
    report.lines.push_back("  " + one.call + " = " + one.answer + ", " + std::to_string(one.times) +
                           (one.times == 1 ? " time" : " times") +
                           (one.place.empty() ? "" : ", at " + one.place));
  }
  report.failed = report.failed || !found.empty();
  report.json["refused"] = std::move(list);
}

void addVerdict(Job const& job, Ran const& ran, Report& report) {
  if (!job.capsule) return;
  auto const now = symbolise(ran.outcome.stack, job.plugin);
  auto const* then_at = culprit(job.capsule->stack);
  auto const* now_at = culprit(now);
  bool const same = then_at != nullptr && now_at != nullptr && then_at->function == now_at->function &&
                    then_at->offset == now_at->offset;
  report.json["dies_again"] = report.died;
  report.json["same_place"] = same;
  report.lines.emplace_back(!report.died
                                ? "it does not die this time; it " + job.capsule->how
                                : (same ? "it dies again, in the same place"
                                        : "it dies again, in another place; it " + job.capsule->how));
}

void addCounts(RecordedAnswers const& answers, Ran const& ran, Report& report) {
  report.json["emitted"] = ran.outcome.emitted;
  report.json["checkpoints"] = ran.outcome.checkpoints;
  json::array missing;
  for (auto const& one : answers.missing()) {
    missing.emplace_back(one);
    report.lines.push_back("no recorded answer for " + one);
  }
  report.json["missing_answers"] = std::move(missing);
}

Exit run(Options options) {
  auto job = readJob(std::move(options));
  if (!job) {
    std::cerr << "garland-dev-host: " << job.error().message << "\n";
    return job.error().kind == ErrorKind::invalidInput ? exitUsage : exitEnvironment;
  }
  if (job->capsule && !isBuildOf(*job->capsule, job->plugin))
    tell("note: " + job->options.plugin + " is another build than the one that died");
  auto const& path = job->options.plugin;
  Session::Teller const teller{[](std::string const& line) { tell(line); },
                               [&path](std::string const& line) { tell("| " + withNames(line, path)); }};
  RecordedAnswers answers(job->host_calls);
  auto const ran = job->options.mode == Mode::inProcess
                       ? runHere(job->options, job->call, answers, teller)
                       : runInWorker(job->options, job->plugin, job->call, answers, teller);
  if (!ran) {
    std::cerr << "garland-dev-host: " << ran.error().message << "\n";
    return exitEnvironment;
  }
  Report report;
  addEnd(*job, *ran, report);
  addRefusals(*job, *ran, report);
  addVerdict(*job, *ran, report);
  addCounts(answers, *ran, report);
  if (job->options.json)
    std::cout << json::serialize(report.json) << "\n";
  else
    for (auto const& line : report.lines) std::cout << cleanText(line, 64U << 10U) << "\n";
  bool const sound = job->capsule ? !report.died : !report.died && !report.failed;
  return sound ? exitOk : exitFindings;
}

} // namespace
} // namespace garland::runtime::dev

int main(int argc, char** argv) {
  using namespace garland::runtime::dev;
  auto options = readOptions({argv + 1, argv + argc});
  if (!options) {
    std::cerr << "garland-dev-host: " << options.error().message
              << "\nIt is started by `garland dev`; see: garland dev run --help\n";
    return exitUsage;
  }
  return run(std::move(*options));
}
