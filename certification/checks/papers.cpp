// Checks of what people read: the guide for setting it up, limits, changes, the icon, the sentences of
// errors, and whether what is said is what happens.
#include "certification/checks/exercise.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace garland::certification {
namespace {

std::string const* document(Trial const& trial, std::string const& path) {
  auto const& all = trial.subject().documents;
  auto const at = all.find(path);
  return at == all.end() ? nullptr : &at->second;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The text below the first heading that has one of these words, up to the next heading of its rank.
std::string sectionOf(std::string const& text, std::initializer_list<std::string_view> words) {
  std::string out;
  std::size_t rank = 0;
  bool fenced = false;
  for (std::size_t at = 0; at < text.size();) {
    auto const end = std::min(text.find('\n', at), text.size());
    auto const line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("```")) fenced = !fenced;
    auto const marks = fenced ? 0 : std::min(line.find_first_not_of('#'), line.size());
    if (marks > 0 && rank > 0 && marks <= rank) return out;
    auto const title = lower(line);
    bool const wanted = marks > 0 && rank == 0 && std::ranges::any_of(words, [&](auto word) {
                          return title.find(word) != std::string::npos;
                        });
    if (wanted)
      rank = marks;
    else if (rank > 0)
      out += line + "\n";
  }
  return out;
}

std::string guideOf(Trial const& trial) {
  if (auto const* own = document(trial, "docs/setup.md")) return *own;
  auto const* readme = document(trial, "README.md");
  return readme == nullptr
             ? ""
             : sectionOf(*readme, {"setting it up", "setting up", "set up", "setup", "connecting"});
}

struct Input {
  std::string name;
  bool required = false;
};

// What a vendor types, in the order of the screens: credentials, then settings.
std::vector<Input> inputsOf(Subject const& subject) {
  std::vector<Input> out;
  for (auto const& slot : subject.plugin.manifest.auth)
    for (std::size_t i = 0; i < slot.fields.size(); ++i)
      out.push_back({slot.fields[i], i + slot.may_lack < slot.fields.size()});
  auto const& schema = subject.plugin.manifest.settings_schema;
  std::set<std::string> required;
  if (auto const* list = garland::find(schema, "/required"); list != nullptr && list->is_array())
    for (auto const& each : list->get_array())
      if (auto const* text = each.if_string()) required.emplace(*text);
  if (auto const* all = garland::find(schema, "/properties"); all != nullptr && all->is_object())
    for (auto const& member : all->get_object())
      out.push_back({std::string(member.key()), required.contains(std::string(member.key()))});
  return out;
}

std::string nothingToType(Subject const& subject) {
  return inputsOf(subject).empty() ? "the manifest asks vendors for nothing" : "";
}

// ---- DOC-01
void guidesThrough(Trial& trial) {
  auto const guide = guideOf(trial);
  if (!trial.expect(!guide.empty(), "no guide says how it is set up (README.md, a section \"Setting it up\")",
                    "README.md"))
    return;
  std::size_t last = 0;
  std::string before;
  for (auto const& input : inputsOf(trial.subject())) {
    auto const at = guide.find("`" + input.name + "`");
    auto const* readme = document(trial, "README.md");
    bool const there = at != std::string::npos || (!input.required && readme != nullptr &&
                                                   readme->find(input.name) != std::string::npos);
    trial.expect(there, "the guide does not say what goes into \"" + input.name + "\"",
                 "README.md, Setting it up");
    if (!there || !input.required) continue;
    trial.expect(at >= last, "\"" + input.name + "\" comes before \"" + before + "\", on the screen after it",
                 "README.md, Setting it up");
    last = at;
    before = input.name;
  }
}

// ---- DOC-03
bool helps(std::string const& message) {
  auto const has = [&](std::string_view word) { return message.find(word) != std::string::npos; };
  bool const jargon =
      has("{") || has("HTTP") || has("JSON") || has("status ") || has("nullptr") || has("exception");
  return message.size() >= 25 && message.find(' ') != std::string::npos && !jargon;
}

void saysWhatToDo(Trial& trial) {
  std::set<std::string> told;
  auto const look = [&](Journal const& journal, std::string const& step) {
    if (journal.result) return;
    auto const& error = journal.result.error();
    if (error.kind == ErrorKind::cancelled) return;
    trial.expect(helps(error.user_message),
                 "an error of kind " + std::string(garland::name(error.kind)) +
                     " tells the vendor nothing of use: \"" + error.user_message + "\"",
                 step);
    told.insert(std::string(garland::name(error.kind)));
  };
  for (auto const& operation : trial.subject().plugin.manifest.operations) {
    if (operation == "health.check/1") continue;
    look(trial.run(oddAsk(operation)), operation);
  }
  for (auto const* name :
       {"status_401", "status_403", "status_409", "status_429_seconds", "status_500", "status_503", "refused",
        "tls_failure", "truncated_json", "wrong_content_type", "timeout_after_send"}) {
    World world;
    world.seed = trial.seed();
    trial.newBench(std::move(world));
    for (auto const& operation : {std::string("health.check/1"), std::string()}) {
      Ask ask;
      ask.operation = operation;
      auto const entities = pulledEntities(trial.subject());
      if (operation.empty() && entities.empty()) continue;
      if (operation.empty()) ask = pullAsk(entities.front(), nullptr);
      if (!trial.subject().offers(ask.operation)) continue;
      ask.fault = FaultOrder{faultNamed(name), 0};
      auto const step = ask.operation + ", " + std::string(faultNamed(name)->says);
      look(trial.run(std::move(ask)), step);
    }
  }
  trial.expect(!told.empty(), "nothing could be made to fail", "errors");
}

// ---- DOC-04
// "every 10 minutes": what it says of its own polling.
std::optional<std::int64_t> secondsSaid(std::string const& text) {
  for (auto at = text.find("every "); at != std::string::npos; at = text.find("every ", at + 1)) {
    auto const begin = at + 6;
    auto const end = text.find_first_not_of("0123456789", begin);
    if (end == begin || end == std::string::npos) continue;
    std::int64_t number = 0;
    for (auto i = begin; i < end; ++i) number = number * 10 + (text[i] - '0');
    auto const unit = lower(text.substr(end, 8));
    if (unit.starts_with(" minute")) return number * 60;
    if (unit.starts_with(" second")) return number;
    if (unit.starts_with(" hour")) return number * 3600;
  }
  return std::nullopt;
}

void tellsItsLimits(Trial& trial) {
  auto const* readme = document(trial, "README.md");
  if (!trial.expect(readme != nullptr, "there is no README.md", "README.md")) return;
  auto const* own = document(trial, "docs/limits.md");
  auto const limits = own != nullptr ? *own
                                     : sectionOf(*readme, {"limits", "limitations", "what it does not do",
                                                           "not supported", "not certain"});
  trial.expect(std::ranges::count(limits, '\n') >= 2, "it tells no limits (README.md, a section \"Limits\")",
               "README.md");
  auto const& manifest = trial.subject().plugin.manifest;
  if (auto const* entities = garland::find(manifest.document, "/entities");
      entities != nullptr && entities->is_object())
    for (auto const& member : entities->get_object())
      trial.expect(readme->find(std::string(member.key())) != std::string::npos,
                   "it does not say what happens to " + std::string(member.key()), "README.md");
  if (auto const said = secondsSaid(*readme))
    trial.expect(*said == manifest.poll_every.count() / 1000,
                 "it says that it is asked every " + std::to_string(*said) + " seconds, the manifest every " +
                     std::to_string(manifest.poll_every.count() / 1000),
                 "README.md");
}

// ---- DOC-05
void tellsChanges(Trial& trial) {
  auto const* changes = document(trial, "CHANGELOG.md");
  if (!trial.expect(changes != nullptr, "there is no CHANGELOG.md", "CHANGELOG.md")) return;
  auto const& version = trial.subject().plugin.manifest.version;
  auto const what = sectionOf(*changes, {version});
  trial.expect(what.find_first_not_of(" \n") != std::string::npos, "it says nothing of version " + version,
               "CHANGELOG.md");
  // A new major version breaks something: those who have it need a way over.
  bool const breaking = version.ends_with(".0.0") && !version.starts_with("1.") && !version.starts_with("0.");
  if (breaking)
    trial.expect(lower(what).find("migrat") != std::string::npos,
                 "version " + version + " breaks something, and nobody says how to go over to it",
                 "CHANGELOG.md");
}

// ---- DOC-06
double channel(double value) {
  value /= 255;
  // The linear value by sRGB is a power of 2.4; 2.2 is near enough for a threshold.
  double const root = value <= 0.03928 ? value / 12.92 : (value + 0.055) / 1.055;
  return value <= 0.03928 ? root : root * root * (0.6 + 0.4 * root);
}

std::optional<double> luminance(std::string const& colour) {
  if (colour.size() != 7 || colour[0] != '#') return std::nullopt;
  double part[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    int value = 0;
    for (char const c : colour.substr(1 + 2 * i, 2)) {
      auto const digit = std::string_view("0123456789abcdef")
                             .find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<int>(digit);
    }
    part[i] = channel(value);
  }
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
}

void hasAnIcon(Trial& trial) {
  auto const* icon = document(trial, "icon.svg");
  if (!trial.expect(icon != nullptr, "there is no icon.svg", "icon.svg")) return;
  auto const text = lower(*icon);
  auto const has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  trial.expect(has("<svg") && has("viewbox") && has("</svg>"), "it is no SVG drawing with a viewBox",
               "icon.svg");
  trial.expect(icon->size() <= 32'768, "it is larger than 32 KiB", "icon.svg");
  trial.expect(has("<title>") || has("aria-label="), "it has no name for those who cannot see it (<title>)",
               "icon.svg");
  for (auto const* word :
       {"<script", "<foreignobject", "<image", "href=\"http", "url(http", "onload=", "<!entity"})
    trial.expect(!has(word), "it loads or runs something: " + std::string(word), "icon.svg");
  // Something of it must be seen on a white list, and something on a black one.
  double best_on_white = 1;
  double best_on_black = 1;
  for (auto at = text.find('#'); at != std::string::npos; at = text.find('#', at + 1))
    if (auto const light = luminance(text.substr(at, 7))) {
      best_on_white = std::max(best_on_white, 1.05 / (*light + 0.05));
      best_on_black = std::max(best_on_black, (*light + 0.05) / 0.05);
    }
  trial.expect(best_on_white >= 3 && best_on_black >= 3,
               "its colours cannot be told from a white or a black page (contrast of 3 to 1)", "icon.svg");
}

// ---- DOC-07
// Names that are kept free for examples lead to nobody, and neither does what a template left to fill in.
bool leadsNowhere(std::string const& text) {
  for (auto const* word : {"example.com", "example.org", "example.net", ".example", ".test", ".invalid",
                           "localhost", "127.0.0.1", "todo", "your-", "you@", "changeme"})
    if (text.find(word) != std::string::npos) return true;
  return false;
}

bool isAddress(std::string const& word) {
  if (word.starts_with("https://")) return word.find('.') != std::string::npos;
  auto const at = word.find('@');
  return at != std::string::npos && at > 0 && word.find('.', at) != std::string::npos;
}

void namesWhoAnswers(Trial& trial) {
  auto const* own = document(trial, "docs/support.md");
  auto const* readme = document(trial, "README.md");
  auto const text = lower(own != nullptr      ? *own
                          : readme != nullptr ? sectionOf(*readme, {"support", "getting help"})
                                              : "");
  std::string const where = "README.md, Support";
  if (!trial.expect(text.find_first_not_of(" \n") != std::string::npos,
                    "nobody is named who answers when it fails (README.md, a section \"Support\")", where))
    return;
  bool reachable = text.find("issue tracker") != std::string::npos;
  std::string word;
  for (char const c : text + " ") {
    if (std::string_view(" \n\t<>()[],;`\"").find(c) == std::string_view::npos) {
      word += c;
      continue;
    }
    reachable = reachable || (isAddress(word) && !leadsNowhere(word));
    trial.expect(!isAddress(word) || !leadsNowhere(word), "nobody can be reached at " + word, where);
    word.clear();
  }
  trial.expect(reachable, "it gives no address, and no issue tracker, to write to", where);
  trial.expect(text.find("version") != std::string::npos,
               "it does not say what to send along: at least the connector's version", where);
}

// ---- DOC-08
void isQuick(Trial& trial) {
  std::size_t required = 0;
  for (auto const& input : inputsOf(trial.subject())) required += input.required ? 1 : 0;
  trial.expect(required <= 4,
               "a vendor has to type " + std::to_string(required) + " things before anything comes",
               "connector.json /auth, /settings");
  auto const began = trial.bench().now();
  if (trial.subject().offers("health.check/1")) {
    auto const health = trial.run("health.check/1", json::object());
    trial.expect(health.ok(), "the first look at the account ended with: " + health.ending(),
                 "health.check/1");
  }
  bool came = false;
  for (auto const& entity : pulledEntities(trial.subject())) {
    auto const journal = trial.run(pullAsk(entity, nullptr));
    came = came || std::ranges::any_of(journal.records, [](auto const& each) { return each.durable; });
    if (came) break;
  }
  auto const took = trial.bench().now() - began;
  trial.expect(came, "nothing came", "first pull");
  trial.expect(took <= Milliseconds(60'000),
               "the first record came after " + std::to_string(took.count() / 1000) + " seconds",
               "first pull");
}

// ---- DOC-09
void doesWhatItSays(Trial& trial) {
  auto const& subject = trial.subject();
  auto const* declared = garland::find(subject.plugin.manifest.document, "/entities");
  if (!trial.expect(declared != nullptr && declared->is_object(),
                    "the manifest does not say what it reads and writes", "connector.json /entities"))
    return;
  std::set<std::string> brought;
  for (auto const& member : declared->get_object()) {
    std::string const entity(member.key());
    bool const reads = boolOr(member.value(), "/read", false);
    bool const writes = boolOr(member.value(), "/write", false);
    auto const pull = operationFor(entity, "pull");
    if (subject.offers(pull)) {
      auto const journal = trial.run(pullAsk(entity, nullptr));
      for (auto const& record : journal.records) brought.insert(record.kind);
      auto const unknown = !journal.result && journal.result.error().kind == ErrorKind::unsupported;
      trial.expect(!reads || !unknown, "it says that it reads " + entity + ", and cannot",
                   "connector.json /entities");
      trial.expect(reads || journal.records.empty(), "it reads " + entity + ", and does not say so",
                   "connector.json /entities");
    }
    auto const upsert = operationFor(entity, "upsert");
    if (!subject.offers(upsert)) {
      trial.expect(!writes, "it says that it writes " + entity + ", and has no operation for it",
                   "connector.json /entities");
      continue;
    }
    auto const* words = subject.brief.entity(entity);
    auto const* record = words != nullptr ? garland::find(*words, "/record") : nullptr;
    json::object input{{"entity", entity}, {"key", idNamed("op", "use-1")}};
    input["data"] = record != nullptr ? *record : json::value(json::object());
    auto const journal = trial.run(upsert, std::move(input));
    bool const sends = std::ranges::any_of(journal.exchanges, [](auto const& each) {
      return each.ask.method != "GET" && each.ask.method != "HEAD" && each.reached;
    });
    bool const unknown = !journal.result && journal.result.error().kind == ErrorKind::unsupported;
    trial.expect(!writes || !unknown, "it says that it writes " + entity + ", and cannot",
                 "connector.json /entities");
    trial.expect(writes || !sends, "it writes " + entity + ", and does not say so",
                 "connector.json /entities");
  }
  for (auto const& kind : brought)
    trial.expect(kind.starts_with("garland.") || declared->get_object().contains(kind),
                 "it brings in " + kind + ", which it does not name", "connector.json /entities");
}

constexpr Check kChecks[] = {
    {.id = "DOC-01", .run = guidesThrough, .skip = nothingToType, .needs_twin = false, .calls_plugin = false},
    {.id = "DOC-03", .run = saysWhatToDo},
    {.id = "DOC-04", .run = tellsItsLimits, .needs_twin = false, .calls_plugin = false},
    {.id = "DOC-05", .run = tellsChanges, .needs_twin = false, .calls_plugin = false},
    {.id = "DOC-06", .run = hasAnIcon, .needs_twin = false, .calls_plugin = false},
    {.id = "DOC-07", .run = namesWhoAnswers, .needs_twin = false, .calls_plugin = false},
    {.id = "DOC-08", .run = isQuick, .skip = noPulls, .brief = "/entities/<entity>"},
    {.id = "DOC-09", .run = doesWhatItSays, .skip = noPulls},
};

} // namespace

std::span<Check const> paperChecks() { return kChecks; }

} // namespace garland::certification
