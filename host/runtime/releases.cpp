#include "host/runtime/releases.h"

#include "host/runtime/semver.h"

#include <algorithm>

namespace garland::runtime {
namespace {

using Outcome = Adoption::Outcome;

std::string digestOf(Build const& build) { return build ? build->digest : ""; }

} // namespace

Releases::Releases(KeptBuilds kept, Log const& log, Options options)
    : kept_(std::move(kept)), log_(log), options_(options) {
  restore();
}

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
  if (runs && runs->digest == plugin.digest) return told(Outcome::unchanged, id + " " + version + " runs");
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
    return title + " was quarantined in this very build; install a corrected version";
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

void Releases::install(Build const& build) {
  auto& line = lines_[build->manifest.id];
  if (line.good) line.last_good = line.current;
  line.current = build;
  line.good = false;
  line.bad.erase(build->digest);
  line.highest = build->manifest.version;
  line.highest_digest = build->digest;
  save();
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
  save();
}

void Releases::provedGood(Build const& build) {
  auto const line = lines_.find(build->manifest.id);
  if (line == lines_.end() || line->second.current != build || line->second.good) return;
  line->second.good = true;
  save();
}

Build Releases::fallBack(Build const& quarantined) {
  auto const found = lines_.find(quarantined->manifest.id);
  if (found == lines_.end()) return nullptr;
  auto& line = found->second;
  if (line.current != quarantined) return line.current;
  if (!line.last_good) return nullptr;
  line.bad.insert(quarantined->digest);
  line.current = std::exchange(line.last_good, nullptr);
  line.good = true;
  log_.error("a quarantined plugin falls back to its last good version",
             {{"plugin", quarantined->manifest.id},
              {"quarantined", quarantined->manifest.version},
              {"runs", line.current->manifest.version}});
  save();
  return line.current;
}

// ---------------------------------------------------------------- across restarts

void Releases::restore() {
  auto const notes = kept_.notes();
  auto const* const plugins = garland::find(notes, "/plugins");
  if (!plugins || !plugins->is_object()) return;
  std::set<std::string> wanted;
  for (auto const& [id, note] : plugins->as_object()) {
    Line line;
    auto const load = [&](std::string_view pointer) -> Build {
      auto kept = kept_.load(textOr(note, pointer, ""));
      if (!kept || kept->manifest.id != std::string_view(id)) return nullptr;
      wanted.insert(kept->digest);
      return std::make_shared<PluginInfo>(std::move(*kept));
    };
    line.current = load("/current");
    line.last_good = load("/last_good");
    line.good = line.current && boolOr(note, "/good", false);
    line.highest = textOr(note, "/highest", "");
    line.highest_digest = textOr(note, "/highest_digest", "");
    if (auto const* bad = garland::find(note, "/quarantined"); bad && bad->is_array())
      for (auto const& digest : bad->as_array())
        if (digest.is_string()) line.bad.emplace(digest.as_string());
    lines_.emplace(std::string(id), std::move(line));
  }
  kept_.prune(wanted);
}

void Releases::save() {
  json::object plugins;
  for (auto const& [id, line] : lines_) {
    json::array bad;
    for (auto const& digest : line.bad) bad.emplace_back(digest);
    plugins[id] = json::object{{"current", digestOf(line.current)},     {"good", line.good},
                               {"last_good", digestOf(line.last_good)}, {"highest", line.highest},
                               {"highest_digest", line.highest_digest}, {"quarantined", std::move(bad)}};
  }
  auto const written = kept_.write(json::object{{"plugins", std::move(plugins)}});
  if (!written)
    log_.warn("which builds run could not be written down", {{"reason", written.error().message}});
}

} // namespace garland::runtime
