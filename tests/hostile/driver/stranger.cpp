// A plugin that a stranger wrote: called as it offers, watched as the acts are.
#include "host/runtime/elf_image.h"
#include "host/vault/vault.h"
#include "tests/hostile/driver/adoption.h"
#include "tests/hostile/driver/company.h"
#include "tests/hostile/driver/stopper.h"
#include "tests/hostile/driver/trial.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace garland::hostile {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEntry = "garland_entry_v1";
constexpr Milliseconds kDeadline{3'000};
constexpr int kGuesses = 3; // id, version, and the call itself
constexpr std::string_view kUsual[] = {"health.check/1", "calendar.discover/1", "calendar.pull/1",
                                       "calendar.upsert/1", "calendar.delete/1"};

std::string contents(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The text between quotes that follows `words`; "" if they are not there.
std::string quotedAfter(std::string const& text, std::string_view words) {
  auto at = text.find(words);
  if (at == std::string::npos) return {};
  at += words.size();
  return text.substr(at, text.find('"', at) - at);
}

struct Arrival {
  runtime::PluginInfo plugin;
  std::string remark;  // how it had to be let in; "" if it came as a connector does
  std::string refusal; // why it cannot be a plugin at all, or the host would not have it; "" otherwise
};

void write(fs::path const& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// As the daemon would install it, by the manifest that it carries.
std::optional<runtime::PluginInfo> asInstalled(std::string const& bytes, std::string const& note,
                                               fs::path const& folder, std::string& why_not) {
  auto const manifest = runtime::parseManifest(note);
  if (!manifest) {
    why_not = note.empty() ? "it carries no manifest" : manifest.error().message;
    return std::nullopt;
  }
  write(folder / manifest->id / "connector.so", bytes);
  write(folder / manifest->id / "connector.json", note);
  auto const schema = Schema::compile(parseJson(schemas::schemaText("manifest.json")).value()).value();
  auto const catalogue = runtime::Catalogue::scan({folder.string()}, schema);
  auto const* const found = catalogue.find(manifest->id);
  if (found && found->refusal.empty()) return *found;
  why_not = found ? found->refusal : "the catalogue does not list it";
  return std::nullopt;
}

// Past the catalogue, with a manifest that says nothing but what will be called.
runtime::PluginInfo neutral(std::string const& bytes, fs::path const& folder) {
  runtime::PluginInfo plugin;
  plugin.manifest.id = "stranger.plugin";
  plugin.manifest.name = "Stranger";
  plugin.manifest.version = "0.0.0";
  plugin.manifest.category = "calendar";
  plugin.manifest.operations.assign(std::begin(kUsual), std::end(kUsual));
  plugin.manifest.document = json::object{{"id", plugin.manifest.id}};
  auto const adopted = withManifest(bytes, json::serialize(plugin.manifest.document));
  auto const path = folder / "adopted" / "connector.so";
  write(path, adopted);
  plugin.path = path.string();
  plugin.digest = vault::sha256Hex(adopted);
  return plugin;
}

class Visit {
public:
  Visit(Setting const& setting, std::vector<std::string> operations)
      : setting_(setting), observer_(setting.observer), operations_(std::move(operations)) {}
  Visit(Visit const&) = delete;
  Visit& operator=(Visit const&) = delete;
  ~Visit() { fs::remove_all(folder_); }

  Verdict perform(std::string const& file);

private:
  Arrival letIn(std::string const& file);
  void meet(Arrival& arrival);
  Task<void> play(Stage& stage, Company& company, runtime::PluginInfo plugin);
  void judge(Company const& company);

  Setting const& setting_;
  Observer observer_;
  std::vector<std::string> operations_;
  Scene scene_;
  fs::path folder_ = scene_.folder() + "-stranger";
  Host host_{&scene_};
  Verdict verdict_;
  std::set<pid_t> workers_;
  std::vector<std::string> gained_;
};

Arrival Visit::letIn(std::string const& file) {
  Arrival arrival;
  auto const bytes = contents(file);
  auto const image = runtime::readBareElf(bytes);
  if (!image) {
    arrival.refusal = "the file " + image.error().message;
    return arrival;
  }
  if (std::ranges::find(image->exports, kEntry) == image->exports.end()) {
    arrival.refusal = "the shared object does not export " + std::string(kEntry);
    return arrival;
  }
  auto const named = operationsNamedIn(bytes);
  operations_.insert(operations_.end(), named.begin(), named.end());
  std::string why_not;
  if (auto plugin = asInstalled(bytes, image->manifest, folder_, why_not)) {
    arrival.plugin = std::move(*plugin);
  } else {
    arrival.plugin = neutral(bytes, folder_);
    auto& offered = arrival.plugin.manifest.operations;
    offered.insert(offered.end(), operations_.begin(), operations_.end());
    arrival.remark = "the daemon would not have listed it (" + why_not + "); it ran with a neutral manifest";
  }
  meet(arrival);
  return arrival;
}

// The first call. The host insists on the id and version of the manifest, and says what it heard instead.
void Visit::meet(Arrival& arrival) {
  for (int guess = 0; guess < kGuesses; ++guess) {
    Stage stage(scene_, optionsFor(setting_.tier));
    Result<json::value> out = Error();
    auto const ask = [&]() -> Task<void> {
      out =
          co_await stage.call(arrival.plugin, kAttacker, "health.check/1", json::object(), kDeadline, host_);
      co_return Result<void>();
    };
    stage.run(ask());
    if (out || out.error().provider_code != "plugin_refused") return;
    auto const id = quotedAfter(out.error().message, "calls itself \"");
    auto const version = quotedAfter(out.error().message, "says it is version \"");
    arrival.refusal = out.error().message;
    if (id.empty() && version.empty()) return;
    arrival.refusal.clear();
    if (!id.empty()) arrival.plugin.manifest.id = id;
    if (!version.empty()) arrival.plugin.manifest.version = version;
  }
}

Verdict Visit::perform(std::string const& file) {
  auto const arrival = letIn(file);
  verdict_.refusal = arrival.refusal;
  if (arrival.plugin.path.empty()) {
    verdict_.outcome = "refused";
    verdict_.worker = "was not started";
    return std::move(verdict_);
  }
  std::vector<std::string> all;
  for (auto const* list : {&arrival.plugin.manifest.operations, &std::as_const(operations_)})
    for (auto const& one : *list)
      if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  operations_ = std::move(all);
  {
    Stage stage(scene_, optionsFor(setting_.tier));
    Company company(stage, scene_);
    stage.run(play(stage, company, arrival.plugin));
    judge(company);
  }
  if (!arrival.remark.empty()) verdict_.seen.insert(verdict_.seen.begin(), arrival.remark);
  for (auto const worker : workers_)
    for (auto const pid : processesOf(worker)) {
      verdict_.seen.push_back("process " + std::to_string(pid) + " was left behind");
      verdict_.outcome = "got through";
      ::kill(pid, SIGKILL);
    }
  return std::move(verdict_);
}

Task<void> Visit::play(Stage& stage, Company& company, runtime::PluginInfo plugin) {
  CO_TRY_VOID(co_await company.gather(std::nullopt));
  auto const bystander = stage.worker("hostile.bystander", kAttacker);
  auto const ordinary = observer_.look(bystander->pid);
  for (auto const& operation : operations_) {
    auto result = co_await stage.call(plugin, kAttacker, operation, scene_.briefing(company.neighbour()),
                                      kDeadline, host_);
    auto text = result ? json::serialize(*result) : result.error().message;
    scene_.hear(text);
    json::object line;
    line["operation"] = operation;
    line["answer"] = text.substr(0, 500);
    verdict_.operations.emplace_back(std::move(line));
    auto const worker = stage.worker(plugin.manifest.id, kAttacker);
    if (worker && worker->pid != 0) workers_.insert(worker->pid);
    // One that was refused is on its way out and not to be compared.
    if (worker && worker->pid != 0 && verdict_.refusal.empty()) {
      auto gained = gainedOver(ordinary, observer_.look(worker->pid));
      std::erase_if(gained, [](auto const& one) { return one.find("the code /") != std::string::npos; });
      gained_.insert(gained_.end(), gained.begin(), gained.end());
    }
    verdict_.worker = stage.lastExit(plugin.manifest.id, kAttacker);
  }
  CO_TRY_VOID(co_await company.moreCalls());
  CO_TRY_VOID(co_await company.leave());
  co_return Result<void>();
}

void Visit::judge(Company const& company) {
  company.report(verdict_);
  auto harm = scene_.harm();
  harm.insert(harm.end(), gained_.begin(), gained_.end());
  bool const covered = setting_.tier.letter == 'A' || setting_.tier.letter == 'C';
  verdict_.outcome = !harm.empty() ? "got through" : verdict_.refusal.empty() ? "survived" : "refused";
  if (harm.size() == 1 && !covered && harm[0].find("size of a private file") != std::string::npos)
    verdict_.outcome = "not covered";
  verdict_.what_stopped_it = stopperByEnd(verdict_.worker);
  if (verdict_.worker.empty()) verdict_.worker = "went on";
  verdict_.seen = std::move(harm);
  if (auto trouble = company.trouble(); !trouble.empty()) {
    verdict_.outcome = "bystander hurt";
    verdict_.seen.push_back(std::move(trouble));
  }
  verdict_.seen.push_back("it sent " + std::to_string(host_.requests) + " requests, " +
                          std::to_string(host_.records) + " records and " + std::to_string(host_.log_lines) +
                          " log lines");
}

} // namespace

Verdict performStranger(std::string const& file, std::vector<std::string> const& operations,
                        Setting const& setting) {
  return Visit(setting, operations).perform(fs::absolute(file).string());
}

} // namespace garland::hostile
