// Checks of what is put into requests and read from answers: text stays text, and whatever comes in is read
// without harm.
#include "certification/checks/exercise.h"

#include "host/base/utf8.h"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <random>
#include <set>

namespace garland::certification {
namespace {

using runtime::HttpAnswer;
using runtime::HttpAsk;

World worldOf(Trial& trial) {
  World world;
  world.seed = trial.seed();
  return world;
}

// ---- SEC-07: the shape of a request is everything of it but the values.
std::string shapeOf(json::value const& value) {
  if (auto const* object = value.if_object()) {
    std::set<std::string> members;
    for (auto const& member : *object)
      members.insert(std::string(member.key()) + ":" + shapeOf(member.value()));
    std::string out = "{";
    for (auto const& member : members) out += member + ",";
    return out + "}";
  }
  if (auto const* list = value.if_array()) {
    std::string out = "[";
    for (auto const& item : *list) out += shapeOf(item) + ",";
    return out + "]";
  }
  return value.is_string() ? "text" : value.is_number() ? "number" : value.is_bool() ? "bool" : "null";
}

std::string formShape(std::string const& body) {
  std::multiset<std::string> names;
  for (std::size_t at = 0; at <= body.size();) {
    auto const end = std::min(body.find('&', at), body.size());
    auto const pair = body.substr(at, end - at);
    names.insert(pair.substr(0, pair.find('=')) + (std::ranges::count(pair, '=') > 1 ? "==" : ""));
    at = end + 1;
  }
  std::string out;
  for (auto const& name : names) out += name + "&";
  return out;
}

std::string tagShape(std::string const& body) {
  std::string out;
  for (auto at = body.find('<'); at != std::string::npos; at = body.find('<', at + 1))
    out += body.substr(at, body.find_first_of(" />", at + 1) - at);
  return out;
}

std::string bodyShape(HttpAsk const& ask) {
  std::string type;
  for (auto const& [name, value] : ask.headers)
    if (name.size() == 12 && (name[0] == 'c' || name[0] == 'C') && (name[8] == 't' || name[8] == 'T'))
      type = value;
  if (auto const document = parseJson(ask.body)) return shapeOf(*document);
  if (type.find("urlencoded") != std::string::npos) return formShape(ask.body);
  if (type.find("xml") != std::string::npos) return tagShape(ask.body);
  return ask.body.empty() ? "" : "text of " + type;
}

std::string shapeOf(HttpAsk const& ask) {
  auto const url = boost::urls::parse_uri(ask.url);
  if (!url) return "an address that cannot be read";
  std::string out = ask.method + " " + std::string(url->encoded_host_and_port());
  for (auto const segment : url->encoded_segments()) {
    std::string const text(segment);
    out += text == ".." || text == "." ? "/" + text : "/_";
  }
  out += url->has_fragment() ? "#" : "";
  for (auto const parameter : url->encoded_params()) out += "?" + std::string(parameter.key);
  std::multiset<std::string> headers;
  for (auto const& [name, value] : ask.headers)
    headers.insert(name + (value.find_first_of("\r\n") == std::string::npos ? "" : " with a line break"));
  for (auto const& name : headers) out += " " + name;
  return out + " " + bodyShape(ask);
}

constexpr std::string_view kPayloads[] = {"x\",\"admin\":true,\"y\":\"",
                                          "x&amount=1&currency=usd",
                                          "x?a=1&b=2#c",
                                          "x\r\nX-Evil: 1",
                                          "x</name><admin>1</admin>",
                                          "../../v1/account",
                                          "x%26amount%3D1%00",
                                          "a/b/c",
                                          "{{id}}{id}$(id)`id`",
                                          "x' OR '1'='1"};
constexpr std::string_view kHarmless = "plain words";

bool takesText(std::string_view member) {
  constexpr std::string_view members[] = {"name",  "first_name", "last_name", "notes",     "description",
                                          "title", "company",    "job_title", "reference", "subject",
                                          "text",  "group",      "location",  "summary"};
  return std::ranges::find(members, member) != std::end(members);
}

json::object filled(json::object from, std::string_view text) {
  for (auto& member : from)
    if (takesText(member.key()) && member.value().is_string()) member.value() = text;
  return from;
}

// Calls that carry somebody's text: in a record, in an act, as an id.
std::vector<Ask> carrying(Trial& trial, std::string_view text) {
  auto const& subject = trial.subject();
  std::vector<Ask> out;
  auto const add = [&](std::string operation, json::object input) {
    Ask ask;
    ask.operation = std::move(operation);
    ask.input = std::move(input);
    out.push_back(std::move(ask));
  };
  for (auto const& entity : writtenEntities(subject)) {
    auto input = upsertInput(subject, entity, "injection-1");
    input["data"] = filled(input["data"].as_object(), text);
    add(operationFor(entity, "upsert"), input);
    input["id"] = text;
    add(operationFor(entity, "upsert"), input);
  }
  auto const* actions = garland::find(subject.brief.document, "/actions");
  if (actions != nullptr && actions->is_object())
    for (auto const& member : actions->get_object()) {
      auto const* given = garland::find(member.value(), "/input");
      if (given == nullptr || !given->is_object()) continue;
      auto input = filled(given->get_object(), text);
      input["idempotency_key"] = keyNamed("injection-1");
      if (member.key() == "payments.authorize/1") input["description"] = text, input["reference"] = text;
      add(member.key(), std::move(input));
    }
  for (auto const* act : {"payments.capture/1", "payments.cancel/1"})
    if (subject.offers(act)) add(act, {{"idempotency_key", keyNamed("injection-1")}, {"payment", text}});
  if (subject.offers("records.get/1"))
    for (auto const& entity : pulledEntities(subject))
      add("records.get/1", {{"entity", entity}, {"ids", json::array{json::value(text)}}});
  return out;
}

std::vector<std::vector<std::string>> shapesWith(Trial& trial, std::string_view text) {
  std::vector<std::vector<std::string>> out;
  trial.newBench(worldOf(trial));
  for (auto& ask : carrying(trial, text)) {
    auto const journal = trial.run(std::move(ask));
    auto& shapes = out.emplace_back();
    for (auto const& exchange : journal.exchanges) shapes.push_back(shapeOf(exchange.ask));
  }
  return out;
}

std::string cut(std::string const& text) { return text.size() > 300 ? text.substr(0, 300) + "..." : text; }

// Where the brief has what the operation is given.
std::string inputOf(std::string const& operation) {
  if (operation.find(".upsert/") != std::string::npos) return "/entities/<entity>/record";
  return "/actions/" + operation + "/input";
}

// Pulls, what comes in, the list of calendars and the health check are given nothing that goes into a
// request.
void carriesNoText(Trial& trial) {
  for (auto const& operation : trial.subject().plugin.manifest.operations)
    if (operation != "health.check/1" && operation != "intake.parse/1" &&
        operation != "calendar.discover/1" && operation.find(".pull/") == std::string::npos)
      return trial.giveUp(operation +
                          " can be given somebody's text; fill in certification.json: " + inputOf(operation));
  for (auto const& use : usesOf(trial.subject())) {
    auto const journal = trial.run(askFor(use));
    trial.expect(use.operation != "intake.parse/1" || journal.exchanges.empty(),
                 "what came in makes it send a request", use.title);
  }
}

void keepsTextText(Trial& trial) {
  auto const harmless = shapesWith(trial, kHarmless);
  auto const asks = carrying(trial, kHarmless);
  if (asks.empty()) return carriesNoText(trial);
  std::size_t compared = 0;
  for (auto const payload : kPayloads) {
    auto const shapes = shapesWith(trial, payload);
    for (std::size_t i = 0; i < shapes.size(); ++i)
      // What is refused sends less; what is sent is the same.
      for (std::size_t k = 0; k < std::min(shapes[i].size(), harmless[i].size()); ++k, ++compared)
        trial.expect(shapes[i][k] == harmless[i][k],
                     "a text changed what the request is: " + cut(shapes[i][k]) + " instead of " +
                         cut(harmless[i][k]),
                     asks[i].operation + " with the text " + json::serialize(json::value(payload)));
  }
  if (compared == 0)
    trial.giveUp("no operation that is given somebody's text sent a request; fill in certification.json: "
                 "/entities/<entity>/record or /actions/<operation>/input");
}

// ---- SEC-12: what a run looks like from outside is what guides it: an input that makes a new one is kept.
class Mutator {
public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t most) { return most == 0 ? 0 : random_() % most; }

  std::string mutated(std::string text) {
    for (auto times = below(4) + 1; times > 0; --times) once(text);
    return text;
  }

private:
  void once(std::string& text) {
    static constexpr std::string_view words[] = {"null",     "true", "-1", "1e999",   "99999999999999999999",
                                                 "\"\"",     "{}",   "[]", "\\u0000", "\\ud800",
                                                 "\xc3\x28", ":",    ",",  "\"",      "[[[[[[[[",
                                                 "0.1"};
    auto const at = below(text.size() + 1);
    auto const span = std::min(below(40) + 1, text.size() - at);
    switch (below(6)) {
    case 0: text.erase(at, span); break;
    case 1: text.insert(at, words[below(std::size(words))]); break;
    case 2: text.replace(at, span, words[below(std::size(words))]); break;
    case 3: text.insert(at, text.substr(below(text.size() + 1), below(200))); break;
    case 4:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(8)));
      break;
    default: text.resize(at); break;
    }
  }
  std::mt19937_64 random_;
};

std::string looks(Journal const& journal) {
  std::string out = std::to_string(std::min<std::size_t>(journal.records.size(), 4)) + "/" +
                    std::to_string(std::min<std::size_t>(journal.exchanges.size(), 6)) + " ";
  auto const& words = journal.result ? std::string("well") : journal.ending();
  for (char const c : words)
    if ((c < '0' || c > '9') && out.size() < 120) out += c;
  return out;
}

using Mutate = std::string (*)(Mutator&, std::string const&);
std::string anyByte(Mutator& mutator, std::string const& text) { return mutator.mutated(text); }

void collectTexts(json::value& value, std::vector<json::string*>& out) {
  if (auto* text = value.if_string()) out.push_back(text);
  if (auto* list = value.if_array())
    for (auto& item : *list) collectTexts(item, out);
  if (auto* object = value.if_object())
    for (auto& member : *object) collectTexts(member.value(), out);
}

// What came in is a document that the host has made: texts in it are UTF-8, with U+FFFD where a sender's
// bytes were none. So half of the time one text of it changes, mostly the longest, and nothing of its form.
std::string anyText(Mutator& mutator, std::string const& document) {
  auto value = mutator.below(2) == 0 ? parseJson(document) : Result<json::value>(Error());
  std::vector<json::string*> texts;
  if (value) collectTexts(*value, texts);
  if (texts.empty()) return mutator.mutated(document);
  auto const longest = std::ranges::max_element(texts, {}, [](auto const* text) { return text->size(); });
  auto& text = mutator.below(2) == 0 ? **longest : *texts[mutator.below(texts.size())];
  auto changed = mutator.mutated(std::string(text));
  if (mutator.below(4) == 0) changed.insert(mutator.below(changed.size() + 1), "\xC3");
  text = asUtf8(changed);
  return json::serialize(*value);
}

template <class RunOne>
void fuzz(Trial& trial, std::vector<std::string> corpus, Mutate mutate, RunOne&& run_one) {
  if (corpus.empty())
    return trial.giveUp("there is nothing to begin with; fill in certification.json: /webhooks/triggers, "
                        "/intake or /entities/<entity>");
  Mutator mutator(trial.seed());
  std::set<std::string> seen;
  int const runs = trial.profile() == Profile::full ? 20'000 : 250;
  for (int i = 0; i < runs && trial.findings().empty(); ++i) {
    auto const input = mutate(mutator, corpus[mutator.below(corpus.size())]);
    auto const journal = run_one(input);
    auto const wrong = !journal.result && (journal.result.error().kind == ErrorKind::pluginBug);
    trial.expect(!wrong,
                 "input " + std::to_string(i + 1) + " ended with: " + journal.ending() + "; it was " +
                     cut(input),
                 trial.caseName());
    if (seen.insert(looks(journal)).second && corpus.size() < 500) corpus.push_back(input);
  }
}

// On a heap where what is written beside a block, or after its time, is seen.
void expectOwnMemory(Trial& trial) {
  if (!trial.findings().empty()) return;
  auto const said = deed(trial, "tell");
  if (said.is_null()) return;
  trial.expect(integerOr(said, "/guarded_heap/overruns", 0) == 0 &&
                   integerOr(said, "/guarded_heap/bad_frees", 0) == 0,
               "an input makes it write beside memory, or give back what is not its own", trial.caseName());
}

std::vector<std::string> fuzzCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  if (subject.offers("webhooks.parse/1")) out.emplace_back("webhooks.parse");
  if (subject.offers("intake.parse/1")) out.emplace_back("intake.parse");
  for (auto const& entity : pulledEntities(subject)) out.push_back("answer/" + entity);
  bool const asks = subject.offers("webhooks.parse/1") || noPulls(subject).empty();
  if (asks && subject.offers("health.check/1")) out.emplace_back("answer/health");
  return out;
}

void standsWhatComesIn(Trial& trial) {
  std::vector<std::string> corpus;
  for (auto const& use : intakesOf(trial.subject())) corpus.push_back(json::serialize(use.input));
  probed(trial);
  if (deed(trial, "set", {{"heap", true}}).is_null()) return;
  fuzz(trial, std::move(corpus), anyText, [&](std::string const& input) {
    Ask ask;
    ask.operation = "intake.parse/1";
    ask.raw_input = input;
    return trial.run(std::move(ask));
  });
  expectOwnMemory(trial);
}

void standsAnything(Trial& trial) {
  auto const& what = trial.caseName();
  if (what == "intake.parse") return standsWhatComesIn(trial);
  bool const health = what == "answer/health";
  if (what == "webhooks.parse") {
    auto const* notice = garland::find(trial.subject().brief.document, "/payments/notice");
    std::vector<std::string> corpus{
        R"({"id":"1","type":"x","created":1767225600,"data":{"object":{"id":"a"}}})", "{}", "[]"};
    if (notice != nullptr) corpus.push_back(json::serialize(*notice));
    probed(trial);
    if (deed(trial, "set", {{"heap", true}}).is_null()) return;
    fuzz(trial, std::move(corpus), anyByte, [&](std::string const& body) {
      json::object const input{{"headers", json::object()},
                               {"query", json::object{{"event", "job.created"}}},
                               {"content_type", "application/json"}};
      auto filled_in = input;
      filled_in["body"] = body;
      return trial.run("webhooks.parse/1", std::move(filled_in));
    });
    return expectOwnMemory(trial);
  }
  auto const asked = [&] {
    auto ask = health ? Ask() : pullAsk(what.substr(7), nullptr);
    if (health) ask.operation = "health.check/1";
    return ask;
  };
  trial.newBench(worldOf(trial));
  auto const clean = trial.mustRun(asked(), "without a change");
  std::vector<std::string> corpus;
  for (auto const& exchange : clean.exchanges)
    if (exchange.answer && exchange.answer->body.size() < 100'000) corpus.push_back(exchange.answer->body);
  auto const body = std::make_shared<std::string>();
  auto world = worldOf(trial);
  world.intercepts.request = [body](HttpAsk const&) {
    HttpAnswer answer;
    answer.status = 200;
    answer.headers = {{"content-type", "application/json"}};
    answer.body = *body;
    answer.effect = Effect::applied;
    return std::optional<Result<HttpAnswer>>(std::move(answer));
  };
  probed(trial, std::move(world));
  if (deed(trial, "set", {{"heap", true}}).is_null()) return;
  fuzz(trial, std::move(corpus), anyByte, [&](std::string const& input) {
    *body = input;
    return trial.run(asked());
  });
  expectOwnMemory(trial);
}

std::string nothingToRead(Subject const& subject) {
  return subject.offers("webhooks.parse/1") || subject.offers("intake.parse/1") || noPulls(subject).empty()
             ? ""
             : "the manifest names nothing that reads";
}

constexpr Check kChecks[] = {
    {.id = "SEC-07", .run = keepsTextText},
    {.id = "SEC-12",
     .run = standsAnything,
     .skip = nothingToRead,
     .cases = fuzzCases,
     .from = Profile::standard,
     .brief = "/entities/<entity> or /intake"},
};

} // namespace

std::span<Check const> injectionChecks() { return kChecks; }

} // namespace garland::certification
