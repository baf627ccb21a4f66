#include "host/runtime/releases.h"

#include "host/runtime/semver.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace garland::runtime {
namespace {

using Outcome = Adoption::Outcome;

std::string digestOf(Build const& build) { return build ? build->digest : ""; }

Task<Build> prepareIn(Releases const* releases, PluginInfo plugin) { co_return releases->prepare(plugin); }

Task<void> nothing() { co_return Result<void>(); }

} // namespace

Releases::Releases(KeptBuilds kept, Log const& log, Options options)
    : kept_(std::move(kept)), log_(log), options_(std::move(options)) {
  restore();
}

Releases::~Releases() { disk_.join(); }

Build Releases::find(std::string_view plugin_id) const {
  auto const line = lines_.find(plugin_id);
  return line == lines_.end() ? nullptr : line->second.current;
}

Build Releases::current(PluginInfo const& plugin) {
  if (auto const line = lines_.find(plugin.manifest.id); line != lines_.end()) return line->second.current;
  if (!plugin.refusal.empty()) return std::make_shared<PluginInfo>(plugin);
  install(prepare(plugin));
  return find(plugin.manifest.id);
}

Adoption Releases::verdict(PluginInfo const& plugin, bool allow_downgrade) const {
  auto const& id = plugin.manifest.id;
  auto const& version = plugin.manifest.version;
  auto const known = lines_.find(id);
  auto const runs = known == lines_.end() ? nullptr : known->second.current;
  auto const told = [&](Outcome outcome, std::string words) {
    bool const takes_over = outcome != Outcome::refused && outcome != Outcome::unchanged;
    auto const running = runs ? runs->manifest.version : std::string();
    return Adoption{id, outcome, takes_over ? version : running, std::move(words)};
  };
  if (runs && runs->digest == plugin.digest)
    return told(Outcome::unchanged, id + " " + version +
                                        (known->second.bad.contains(runs->digest)
                                             ? " is in quarantine; install a corrected version, or lift it "
                                               "with `garland plugins release " +
                                                   id + "`"
                                             : " runs"));
  auto objection = plugin.refusal.empty() ? std::nullopt : std::optional(plugin.refusal);
  if (!objection && known != lines_.end()) objection = objectionTo(plugin, known->second, allow_downgrade);
  if (objection && runs) *objection += "; " + runs->manifest.version + " goes on";
  if (objection) return told(Outcome::refused, std::move(*objection));
  if (!runs) return told(Outcome::installed, id + " " + version + " is installed");
  bool const down = compareVersions(version, runs->manifest.version) < 0;
  return told(down ? Outcome::downgraded : Outcome::upgraded,
              id + " " + version + " takes new calls; running ones end in " + runs->manifest.version);
}

std::optional<std::string> Releases::objectionTo(PluginInfo const& plugin, Line const& line,
                                                 bool allow_downgrade) const {
  auto const& version = plugin.manifest.version;
  auto const title = plugin.manifest.id + " " + version;
  if (line.bad.contains(plugin.digest) && !allow_downgrade)
    return title +
           " was quarantined in this very build; install a corrected version, or lift it with `garland "
           "plugins release " +
           plugin.manifest.id + "`";
  if (line.highest.empty() || allow_downgrade) return std::nullopt;
  auto const order = compareVersions(version, line.highest);
  if (order < 0)
    return title + " is older than " + line.highest +
           ", which ran here: what a newer version has stored an older one may misread; install a newer "
           "version, "
           "or accept it with `garland plugins rescan --allow-downgrade`";
  if (order == 0 && plugin.digest != line.highest_digest && !options_.development)
    return title + " is installed with other bytes under the same version; give every build a version of its "
                   "own, or set [plugins] development = true while you write it";
  return std::nullopt;
}

Build Releases::prepare(PluginInfo const& plugin) const {
  auto kept = kept_.keep(plugin);
  if (kept) return std::make_shared<PluginInfo>(std::move(*kept));
  log_.warn("a plugin's build could not be kept; it runs from where it is installed",
            {{"plugin", plugin.manifest.id}, {"reason", kept.error().message}});
  return std::make_shared<PluginInfo>(plugin);
}

Task<Build> Releases::prepareAside(PluginInfo plugin) {
  auto copying = prepareIn(this, std::move(plugin));
  co_return co_await asio::co_spawn(disk_, std::move(copying), asio::use_awaitable);
}

Task<void> Releases::written() {
  auto last = nothing(); // the thread takes one after the other
  co_return co_await asio::co_spawn(disk_, std::move(last), asio::use_awaitable);
}

void Releases::install(Build const& build) {
  auto& line = lines_[build->manifest.id];
  if (line.good) line.last_good = line.current;
  line.current = build;
  line.good = false;
  line.doubt = {};
  line.bad.erase(build->digest);
  line.highest = build->manifest.version;
  line.highest_digest = build->digest;
  origins_[build->digest] = build->provenance;
  save();
}

Provenance Releases::provenanceOf(PluginInfo const& build) const {
  auto const told = origins_.find(build.digest);
  return told == origins_.end() ? build.provenance : told->second;
}

void Releases::retell(Catalogue const& catalogue) {
  bool changed = false;
  for (auto const& plugin : catalogue.plugins()) {
    auto const told = origins_.find(plugin.digest);
    if (told == origins_.end() || !plugin.refusal.empty() || told->second == plugin.provenance) continue;
    told->second = plugin.provenance;
    changed = true;
  }
  if (changed) save();
}

Result<void> Releases::admitted(PluginInfo const& build) const {
  return options_.admits ? options_.admits(provenanceOf(build)) : Result<void>();
}

std::vector<Releases::Withdrawn> Releases::withdraw() {
  std::vector<Withdrawn> out;
  for (auto& [id, line] : lines_) {
    if (line.last_good && !admitted(*line.last_good)) line.last_good = nullptr;
    if (!line.current) continue;
    auto const may_run = admitted(*line.current);
    if (may_run) continue;
    out.push_back({std::exchange(line.current, nullptr), may_run.error().message});
    line.good = false;
    line.doubt = {};
  }
  if (!out.empty()) save();
  return out;
}

std::vector<Build> Releases::missingIn(Catalogue const& catalogue) const {
  std::set<std::string_view> installed;
  for (auto const& plugin : catalogue.plugins()) installed.insert(plugin.manifest.id);
  std::vector<Build> out;
  for (auto const& [id, line] : lines_)
    if (line.current && !installed.contains(id)) out.push_back(line.current);
  return out;
}

void Releases::remove(std::string const& plugin_id) {
  auto const line = lines_.find(plugin_id);
  if (line == lines_.end()) return;
  line->second.current = nullptr;
  line->second.good = false;
  line->second.doubt = {};
  save();
}

void Releases::provedGood(Build const& build, std::string const& operation) {
  auto const line = lines_.find(build->manifest.id);
  if (line == lines_.end() || line->second.current != build) return;
  if (line->second.bad.contains(build->digest)) return; // a call that was under way
  bool const first = line->second.doubt.answered(operation);
  if (std::exchange(line->second.good, true) && !first) return;
  save();
}

std::optional<std::string> Releases::condemns(Build const& build, std::string const& operation,
                                              std::string const& account_id) {
  auto const line = lines_.find(build->manifest.id);
  if (line == lines_.end() || line->second.current != build) return std::nullopt;
  auto why = line->second.doubt.died(operation, account_id);
  return line->second.last_good ? why : std::nullopt;
}

Build Releases::fallBack(Build const& bad, std::string why) {
  auto const found = lines_.find(bad->manifest.id);
  if (found == lines_.end()) return nullptr;
  auto& line = found->second;
  if (line.current != bad) return line.current;
  if (!line.last_good) return nullptr;
  line.bad[bad->digest] = std::move(why);
  line.current = std::exchange(line.last_good, nullptr);
  line.good = true;
  line.doubt = {};
  log_.error("a quarantined plugin falls back to its last good version",
             {{"plugin", bad->manifest.id},
              {"quarantined", bad->manifest.version},
              {"runs", line.current->manifest.version}});
  save();
  return line.current;
}

Build Releases::quarantine(Build const& bad, std::string why) {
  auto const found = lines_.find(bad->manifest.id);
  if (found == lines_.end() || found->second.current != bad) return nullptr;
  if (auto good = fallBack(bad, why)) return good;
  found->second.good = false; // however often it has answered: nothing falls back to it
  found->second.bad[bad->digest] = std::move(why);
  save();
  return nullptr;
}

std::string const* Releases::quarantined(PluginInfo const& build) const {
  auto const line = lines_.find(build.manifest.id);
  if (line == lines_.end()) return nullptr;
  auto const why = line->second.bad.find(build.digest);
  return why == line->second.bad.end() ? nullptr : &why->second;
}

std::vector<Quarantine> Releases::quarantines() const {
  std::vector<Quarantine> out;
  for (auto const& [id, line] : lines_) {
    auto const bad = line.bad.find(line.highest_digest);
    if (bad == line.bad.end()) continue;
    bool const another = line.current && line.current->digest != bad->first;
    out.push_back({id, line.highest, bad->first, bad->second, another ? line.current->manifest.version : ""});
  }
  return out;
}

bool Releases::release(std::string const& plugin_id) {
  auto const line = lines_.find(plugin_id);
  if (line == lines_.end() || line->second.bad.empty()) return false;
  line->second.bad.clear();
  save();
  return true;
}

// ---------------------------------------------------------------- across restarts

void Releases::restore() {
  auto const notes = kept_.page(KeptBuilds::kNotes);
  auto const* const plugins = garland::find(notes, "/plugins");
  if (!plugins || !plugins->is_object()) return;
  std::set<std::string> wanted;
  for (auto const& [id, note] : plugins->as_object()) {
    auto line = lineFrom(id, note);
    for (auto const& build : {line.current, line.last_good}) wanted.insert(digestOf(build));
    lines_.emplace(std::string(id), std::move(line));
  }
  kept_.prune(wanted);
  auto const* const origins = garland::find(notes, "/origins");
  if (!origins || !origins->is_object()) return;
  for (auto const& [digest, origin] : origins->as_object())
    if (wanted.contains(std::string(digest))) origins_.emplace(digest, provenanceFrom(origin));
}

Releases::Line Releases::lineFrom(std::string_view plugin_id, json::value const& note) const {
  Line line;
  auto const load = [&](std::string_view pointer) -> Build {
    auto kept = kept_.load(textOr(note, pointer, ""));
    if (!kept || kept->manifest.id != plugin_id) return nullptr;
    return std::make_shared<PluginInfo>(std::move(*kept));
  };
  line.current = load("/current");
  line.last_good = load("/last_good");
  line.good = line.current && boolOr(note, "/good", false);
  line.highest = textOr(note, "/highest", "");
  line.highest_digest = textOr(note, "/highest_digest", "");
  if (auto const* answered = garland::find(note, "/answered"); answered && answered->is_array())
    for (auto const& operation : answered->as_array())
      if (operation.is_string()) line.doubt.answered(std::string(operation.as_string()));
  if (auto const* bad = garland::find(note, "/quarantined"); bad && bad->is_object())
    for (auto const& [digest, why] : bad->as_object())
      if (why.is_string()) line.bad.emplace(digest, why.as_string());
  return line;
}

void Releases::save() {
  json::object plugins;
  for (auto const& [id, line] : lines_) {
    json::object bad;
    for (auto const& [digest, why] : line.bad) bad[digest] = why;
    auto const& answered = line.doubt.answeredOperations();
    plugins[id] = json::object{{"current", digestOf(line.current)},
                               {"good", line.good},
                               {"answered", json::array(answered.begin(), answered.end())},
                               {"last_good", digestOf(line.last_good)},
                               {"highest", line.highest},
                               {"highest_digest", line.highest_digest},
                               {"quarantined", std::move(bad)}};
  }
  json::object origins;
  for (auto const& [digest, origin] : origins_) origins[digest] = toJson(origin);
  json::object notes{{"plugins", std::move(plugins)}, {"origins", std::move(origins)}};
  asio::post(disk_, [kept = kept_, log = &log_, notes = json::value(std::move(notes))] {
    auto const written = kept.write(KeptBuilds::kNotes, notes);
    if (!written)
      log->warn("which builds run could not be written down", {{"reason", written.error().message}});
  });
}

} // namespace garland::runtime
