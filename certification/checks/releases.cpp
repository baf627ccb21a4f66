// Checks of a connector as something that is released: what runs when it is loaded, and what may change from
// one release to the next.
#include "certification/checks/exercise.h"
#include "certification/folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

namespace garland::certification {
namespace {

// ---- PKG-02
constexpr std::string_view kRefusal = "changed since it was catalogued; scan the plugins again";
bool isLoaded(Journal const& journal) { // and offers no such operation
  return !journal.result && journal.result.error().kind == ErrorKind::unsupported;
}

void isTheOneThatWasChecked(Trial& trial) {
  constexpr int changes = 8;
  auto const& object = trial.subject().object;
  Ask ask;
  ask.operation = kNoOperation;
  auto const whole = trial.run(ask, true);
  trial.expect(isLoaded(whole), "the host does not take it: " + whole.ending(),
               "the sealed copy of connector.so");
  Folder folder;
  std::mt19937_64 dice(trial.seed());
  for (int i = 0; i < changes; ++i) {
    auto const at = i == 0 ? 0 : i == 1 ? object.size() - 1 : dice() % object.size();
    auto changed = object;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    World world;
    world.seed = trial.seed();
    world.object = folder.file("changed.so", changed);
    if (world.object.empty()) return trial.giveUp("a changed copy could not be written");
    trial.newBench(std::move(world));
    auto const journal = trial.run(ask, true);
    auto const refused = !journal.result && journal.result.error().message.ends_with(kRefusal);
    trial.expect(refused, "a copy with one other bit was not refused as one",
                 "byte " + std::to_string(at) + " of connector.so");
  }
}

// ---- PKG-07
void loadsQuietly(Trial& trial) {
  constexpr int loads = 3;
  constexpr std::int64_t most_us = 5'000; // of processor time, and binding symbols is in it
  std::int64_t best = 0;
  json::value said;
  for (int i = 0; i < loads; ++i) {
    probed(trial);
    said = deed(trial, "tell");
    if (said.is_null()) return;
    auto const took = integerOr(said, "/at_load/work_us", 0);
    best = i == 0 ? took : std::min(best, took);
  }
  std::string const where = "static constructors, garland_entry_v1";
  auto const* calls = garland::find(said, "/at_load/system_calls");
  std::string names;
  if (calls != nullptr && calls->is_array())
    for (auto const& call : calls->get_array())
      names += (names.empty() ? "" : ", ") + textOr(call, "/name", "?");
  trial.expect(calls != nullptr && names.empty(), "it makes system calls while it is loaded: " + names,
               where);
  trial.expect(integerOr(said, "/at_load/threads", 1) == 0, "it starts a thread while it is loaded", where);
  trial.figure("load_us", static_cast<double>(best));
  trial.expect(best <= most_us, "it computes for more than 5 ms while it is loaded", where);
}

// ---- PKG-08
// "Nov  7 2026", "14:02:59": what a compiler puts where it is asked for the date or the time.
bool isDate(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  auto const digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() < 11) return false;
  auto const month = months.find(text.substr(0, 3));
  return month != std::string_view::npos && month % 3 == 0 && text[3] == ' ' &&
         (digit(4) || text[4] == ' ') && digit(5) && text.substr(6, 3) == " 20" && digit(9) && digit(10);
}

bool isTime(std::string_view text) {
  constexpr std::string_view form = "##:##:##";
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == '#' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return false;
  return text.size() == form.size() || text[form.size()] == '\0';
}

void showsNoTraceOfItsBuild(Trial& trial) {
  std::string_view const object = trial.subject().object;
  std::string const where = "connector.so, compared with another clean build";
  for (auto const* folder : {"/home/", "/root/", "/tmp/", "/build/", "/builds/", "/workspace/", "/Users/"})
    trial.expect(object.find(folder) == std::string_view::npos,
                 std::string("it names a folder of the machine that built it (") + folder + "…)", where);
  bool dated = false;
  bool timed = false;
  for (std::size_t at = 0; at < object.size(); ++at) {
    dated = dated || isDate(object.substr(at, 12));
    timed = timed || isTime(object.substr(at, 9));
  }
  trial.expect(!dated, "it holds the date of its build", where);
  trial.expect(!timed, "it holds the time of its build", where);
}

// ---- what the last version promised: the manifest that --previous names
// Major, minor, patch.
using Version = std::array<std::int64_t, 3>;

Version versionOf(std::string_view text) {
  Version out{};
  auto const* at = text.data();
  auto const* const end = at + text.size();
  for (auto& part : out) {
    auto const read = std::from_chars(at, end, part);
    if (read.ptr == end || *read.ptr != '.') break;
    at = read.ptr + 1;
  }
  return out;
}

// By semver a new major version may take away what it likes. Before 1.0.0 that is a new minor one.
bool mayTakeAway(Version const& before, Version const& now) {
  return now[0] > before[0] || (before[0] == 0 && now[0] == 0 && now[1] > before[1]);
}

// What was published before, only whoever publishes knows: a version that is the first here may have any
// number.
std::string noPrevious(Subject const& subject) {
  if (!subject.previous.is_null()) return {};
  return "no version before " + subject.plugin.manifest.version +
         " was given; if there is one, `--previous PACKAGE` compares with it";
}

bool isFilled(json::value const& list) { return list.is_array() && !list.get_array().empty(); }

// A value that the rule accepts, one of many; null if none is known.
json::value valueFor(json::value const& rule, std::mt19937_64& dice) {
  if (auto const* choices = garland::find(rule, "/enum"); choices != nullptr && isFilled(*choices))
    return choices->get_array()[dice() % choices->get_array().size()];
  if (auto const* constant = garland::find(rule, "/const")) return *constant;
  if (auto const* examples = garland::find(rule, "/examples"); examples != nullptr && isFilled(*examples))
    return examples->get_array()[dice() % examples->get_array().size()];
  auto const type = textOr(rule, "/type", "");
  auto const low = integerOr(rule, "/minimum", 0);
  if (type == "boolean") return dice() % 2 == 0;
  if (type == "integer" || type == "number")
    return low + static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(std::max<std::int64_t>(
                                                        1, integerOr(rule, "/maximum", low + 9) - low + 1)));
  if (type == "array") return json::array();
  if (type == "object") return json::object();
  if (textOr(rule, "/format", "") == "uri")
    return json::value("https://example.test/" + std::to_string(dice() % 100));
  auto const number = 1 + dice() % 9;
  return textOr(rule, "/pattern", "").find("0-9") != std::string::npos
             ? json::value(std::to_string(number))
             : json::value("text " + std::to_string(number));
}

// Settings as vendors may have typed them for that release: those of the rules that the rules themselves
// accept.
json::object oldSettings(json::value const& rules, std::mt19937_64& dice) {
  json::object out;
  auto const* properties = garland::find(rules, "/properties");
  auto const* required = garland::find(rules, "/required");
  if (properties == nullptr || !properties->is_object()) return out;
  for (auto const& member : properties->get_object()) {
    bool const must =
        required != nullptr && required->is_array() &&
        std::ranges::any_of(required->get_array(), [&](auto const& name) { return name == member.key(); });
    if (must || dice() % 2 == 0) out[member.key()] = valueFor(member.value(), dice);
  }
  return out;
}

// ---- PKG-11: at any version, since what vendors typed is older than all of them
void takesOldSettings(Trial& trial) {
  constexpr int configurations = 100;
  auto const* found = garland::find(trial.subject().previous, "/settings");
  auto const rules = found != nullptr ? *found : json::value(json::object());
  auto const& now = trial.subject().plugin.manifest.settings_schema;
  auto const before = Schema::compile(rules);
  if (!before) return trial.giveUp("the last version's /settings is " + before.error().message);
  auto const after = Schema::compile(now.is_null() ? json::value(json::object()) : now);
  if (!after) return;
  std::mt19937_64 dice(trial.seed());
  int used = 0;
  for (int i = 0; i < configurations; ++i) {
    auto const settings = oldSettings(rules, dice);
    if (!before->require(settings, "settings")) continue;
    ++used;
    auto const fits = after->require(settings, "settings");
    trial.expect(fits.has_value(),
                 fits ? "" : "settings that the last release took are refused: " + fits.error().message,
                 "connector.json /settings");
  }
  if (used == 0) trial.giveUp("no settings could be made that the last version's manifest accepts");
  auto const* required = garland::find(now, "/required");
  auto const* required_before = garland::find(rules, "/required");
  if (required == nullptr || !required->is_array()) return;
  for (auto const& name : required->get_array()) {
    bool const was =
        required_before != nullptr && required_before->is_array() &&
        std::ranges::find(required_before->get_array(), name) != required_before->get_array().end();
    trial.expect(was,
                 "the setting " + json::serialize(name) + " is required now, and was not in the last release",
                 "connector.json /settings/required");
  }
}

// ---- PKG-12
void keepsItsVersionHonest(Trial& trial) {
  auto const& then = trial.subject().previous;
  auto const& manifest = trial.subject().plugin.manifest;
  auto const before = textOr(then, "/version", "");
  auto const old = versionOf(before);
  auto const now = versionOf(manifest.version);
  trial.expect(now >= old, "its version " + manifest.version + " is older than the release " + before,
               "connector.json /version");
  if (mayTakeAway(old, now)) return;
  std::string const where = "connector.json, compared with " + before;
  std::string const asks = old[0] == 0 ? ", which asks for a new minor version before 1.0.0"
                                       : ", which asks for a new major version";
  auto const must = [&](bool holds, std::string const& what) {
    trial.expect(holds, what + " is gone in version " + manifest.version + asks, where);
  };
  if (auto const* operations = garland::find(then, "/operations");
      operations != nullptr && operations->is_array())
    for (auto const& operation : operations->get_array())
      must(trial.subject().offers(std::string_view(operation.as_string())),
           std::string(operation.as_string()));
  if (auto const* entities = garland::find(then, "/entities"); entities != nullptr && entities->is_object())
    for (auto const& entity : entities->get_object())
      for (auto const& way : entity.value().as_object())
        if (way.value() == json::value(true))
          must(boolOr(manifest.document,
                      "/entities/" + std::string(entity.key()) + "/" + std::string(way.key()), false),
               "to " + std::string(way.key()) + " " + std::string(entity.key()));
  if (auto const* settings = garland::find(then, "/settings/properties");
      settings != nullptr && settings->is_object())
    for (auto const& member : settings->get_object())
      must(garland::find(manifest.settings_schema, "/properties/" + std::string(member.key())) != nullptr,
           "the setting " + std::string(member.key()));
}

constexpr Check kChecks[] = {
    {.id = "PKG-02", .run = isTheOneThatWasChecked, .needs_twin = false},
    {.id = "PKG-07", .run = loadsQuietly, .needs_twin = false},
    {.id = "PKG-08", .run = showsNoTraceOfItsBuild, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-11", .run = takesOldSettings, .skip = noPrevious, .needs_twin = false, .calls_plugin = false},
    {.id = "PKG-12",
     .run = keepsItsVersionHonest,
     .skip = noPrevious,
     .needs_twin = false,
     .calls_plugin = false},
};

} // namespace

std::span<Check const> releaseChecks() { return kChecks; }

} // namespace garland::certification
