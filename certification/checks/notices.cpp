// Checks of the notices that a provider sends: what the connector makes of them, and that nothing depends on
// each of them arriving once, in order, or at all. The twin sends them to an address that is registered
// there; the check hands them on, as often and in the order it likes.
#include "certification/checks/pulls.h"

#include "host/webhooks/webhooks.h"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

constexpr char const* kParse = "webhooks.parse/1";

std::string noParsing(Subject const& subject) {
  return subject.offers(kParse) ? "" : "the manifest does not name webhooks.parse/1";
}
std::string noReading(Subject const& subject) {
  if (auto why = noParsing(subject); !why.empty()) return why;
  return subject.offers("records.get/1") ? "" : "the manifest does not name records.get/1";
}

json::value const* wordsOn(Subject const& subject, std::string_view what) {
  return garland::find(subject.brief.document, "/webhooks/" + std::string(what));
}
json::array listOf(Subject const& subject, std::string_view what) {
  auto const* words = wordsOn(subject, what);
  return words != nullptr && words->is_array() ? words->get_array() : json::array();
}

// A world in which the provider knows our address.
bool registered(Trial& trial, std::int64_t volume) {
  World world;
  world.seed = trial.seed();
  world.volume = volume;
  trial.newBench(std::move(world));
  for (auto const& request : listOf(trial.subject(), "register")) {
    auto const answer = trial.bench().request(request);
    if (answer && answer->status < 300) continue;
    trial.giveUp("certification.json: /webhooks/register: the twin does not take it: " +
                 (answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message));
    return false;
  }
  trial.bench().notices();
  return true;
}

// What the brief says that happens at the provider, once; `round` makes keys of it.
void trigger(Trial& trial, int round) {
  std::string id;
  int step = 0;
  for (auto happening : listOf(trial.subject(), "triggers")) {
    ++step;
    if (auto* edit = happening.as_object().if_contains("edit")) {
      fill(*edit, id);
      auto const done = trial.bench().edit(*edit);
      if (!done) return trial.giveUp("certification.json: /webhooks/triggers: " + done.error().message);
      if (auto made = textOr(*done, "/id", ""); !made.empty()) id = std::move(made);
      continue;
    }
    Ask ask;
    ask.operation = textOr(happening, "/operation", "");
    auto const* input = garland::find(happening, "/input");
    json::value filled = input == nullptr ? json::value(json::object()) : *input;
    fill(filled, id);
    filled.as_object()["idempotency_key"] =
        keyNamed("notice-" + std::to_string(round) + "-" + std::to_string(step));
    ask.input = std::move(filled);
    trial.bench().wait(std::chrono::seconds(5)); // for limits of the provider's
    auto const journal = trial.mustRun(std::move(ask), "what a notice is sent of");
    if (!journal.ok()) return;
    id = textOr(*journal.result, "/id", "");
  }
}

// As it leaves the provider: with the headers of its scheme, of which one may be the delivery's id.
void sign(Trial& trial, json::value& notice) {
  auto const name = textOr(notice, "/scheme", "");
  if (name.empty()) return;
  webhooks::Request request;
  request.url = textOr(notice, "/url", "");
  request.body = textOr(notice, "/body", "");
  auto const scheme = webhooks::Scheme::named(name);
  auto const signature = scheme ? webhooks::sign(*scheme, request, textOr(notice, "/id", ""),
                                                 Secret(textOr(notice, "/secret", "")), trial.bench().now())
                                : Result<std::vector<std::pair<std::string, std::string>>>(scheme.error());
  if (!signature) return trial.giveUp("the twin's notice cannot be signed: " + signature.error().message);
  auto& headers = notice.as_object()["headers"];
  if (!headers.is_array()) headers = json::array();
  for (auto const& [header, value] : *signature)
    headers.as_array().push_back(json::object{{"name", header}, {"value", value}});
}

// The notices of `rounds` times of the brief's triggers. Gives the case up if there are none.
std::vector<json::value> noticesOf(Trial& trial, int rounds) {
  if (!registered(trial, 3)) return {};
  for (int round = 0; round < rounds; ++round) {
    trigger(trial, round);
    trial.bench().wait(std::chrono::minutes(1));
  }
  auto sent = trial.bench().notices();
  for (auto& notice : sent) sign(trial, notice);
  if (sent.empty()) trial.giveUp("certification.json: /webhooks/triggers: the twin sends no notices of them");
  return std::vector<json::value>(sent.begin(), sent.end());
}

// What the host would hand over of a notice.
json::object inputOf(Subject const& subject, json::value const& notice) {
  json::object headers;
  json::object query;
  std::string type = "application/json";
  auto const& webhooks = subject.plugin.manifest.webhooks;
  auto const named = [&webhooks](char const* list, std::string_view name) {
    auto const* names = garland::find(webhooks, list);
    return names != nullptr && names->is_array() &&
           std::ranges::find(names->get_array(), json::value(name)) != names->get_array().end();
  };
  if (auto const* sent = garland::find(notice, "/headers"); sent != nullptr && sent->is_array())
    for (auto const& header : sent->get_array()) {
      auto name = textOr(header, "/name", "");
      std::ranges::transform(name, name.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      if (name == "content-type") type = textOr(header, "/value", type);
      if (named("/headers", name)) headers[name] = textOr(header, "/value", "");
    }
  auto const address = textOr(notice, "/url", "");
  if (auto const url = boost::urls::parse_uri(address))
    for (auto const& parameter : url->params())
      if (named("/query", parameter.key)) query[parameter.key] = parameter.value;
  return {{"headers", std::move(headers)},
          {"query", std::move(query)},
          {"content_type", type},
          {"body", textOr(notice, "/body", "")}};
}

Journal parsed(Trial& trial, json::object input, std::string_view step) {
  Ask ask;
  ask.operation = kParse;
  ask.input = std::move(input);
  return trial.mustRun(std::move(ask), step);
}

// By what the host knows a notice again: the connector's key, or else the body's bytes.
std::string keyOf(Journal const& journal, json::object const& input) {
  auto key = textOr(*journal.result, "/dedupe_key", "");
  return key.empty() ? "body " + std::string(input.at("body").as_string()) : "key " + key;
}

// ---- WHK-02
void knowsRepetitions(Trial& trial) {
  auto const sent = noticesOf(trial, 2);
  auto const event_id = wordsOn(trial.subject(), "event_id");
  std::map<std::string, std::string> seen; // key -> the provider's id of the event, or the body
  for (std::size_t i = 0; i < sent.size(); ++i) {
    auto const step = "notice " + std::to_string(i + 1) + " of " + std::to_string(sent.size());
    auto input = inputOf(trial.subject(), sent[i]);
    auto const first = parsed(trial, input, step);
    if (!first.ok()) continue;
    auto const key = keyOf(first, input);
    auto const body = std::string(input.at("body").as_string());
    auto document = parseJson(body);
    auto const identity =
        event_id != nullptr && document ? textOr(*document, std::string(event_id->as_string()), "") : body;
    auto const [at, fresh] = seen.emplace(key, identity);
    trial.expect(fresh || at->second == identity,
                 "two events of the provider have the same key, so one gets lost", step);
    auto const again = parsed(trial, input, step + ", a second time");
    if (again.ok())
      trial.expect(keyOf(again, input) == key, "the same notice has another key when it comes again", step);
    if (event_id == nullptr || !document || !document->is_object()) continue;
    // A repetition tells of the same event; how often it was tried stands in some bodies, too.
    document->get_object()["attempt_number"] = 2;
    input["body"] = json::serialize(*document);
    auto const later = parsed(trial, input, step + ", a later try");
    if (later.ok())
      trial.expect(keyOf(later, input) == key,
                   "a later try of the same event has another key, so it is taken for a new one", step);
  }
}

// ---- WHK-03
// Takes notices as the host does: the hinted records are read again, now.
void follow(Trial& trial, json::value const& notice, std::map<std::string, Held>& held,
            std::string const& step) {
  auto const journal = parsed(trial, inputOf(trial.subject(), notice), step);
  auto const* hints = journal.ok() ? garland::find(*journal.result, "/hints") : nullptr;
  if (hints == nullptr || !hints->is_array()) return;
  for (auto const& hint : hints->get_array()) {
    auto const kind = textOr(hint, "/kind", "");
    Ask ask;
    ask.operation = "records.get/1";
    ask.input = json::object{{"entity", kind}, {"ids", json::array{textOr(hint, "/external_id", "")}}};
    auto read = trial.mustRun(std::move(ask), step + ", the record that it names");
    for (auto& record : read.records) record.durable = true; // the host keeps them when the call has ended
    held[kind].take(read, kind);
    trial.bench().wait(std::chrono::seconds(5));
  }
}

std::vector<std::string> orders(Subject const&, Profile) { return {"in_order", "backwards", "shuffled"}; }

void orderDoesNotMatter(Trial& trial) {
  auto sent = noticesOf(trial, 3);
  if (sent.empty()) return;
  if (trial.caseName() == "backwards") std::ranges::reverse(sent);
  if (trial.caseName() == "shuffled") {
    auto state = trial.seed();
    for (std::size_t i = sent.size(); i > 1; --i) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      std::swap(sent[i - 1], sent[(state >> 33U) % i]);
    }
  }
  std::map<std::string, Held> held;
  for (std::size_t i = 0; i < sent.size(); ++i)
    follow(trial, sent[i], held, trial.caseName() + ", notice " + std::to_string(i + 1));
  std::size_t compared = 0;
  for (auto const& entity : listOf(trial.subject(), "entities")) {
    auto const name = std::string(entity.as_string());
    Held whole;
    whole.take(trial.mustRun(pullAsk(name, nullptr), name + ", everything pulled"), name);
    for (auto const& [id, record] : held[name].records()) {
      ++compared;
      auto const found = whole.records().find(id);
      trial.expect(found != whole.records().end() && canonicalJson(found->second) == canonicalJson(record),
                   "after its notices a record is not what it is at the provider", name);
    }
  }
  trial.expect(compared >= 3,
               "of the records that notices were sent of, " + std::to_string(compared) + " are held",
               trial.caseName());
}

// ---- WHK-04
void ignoresTheUnknown(Trial& trial) {
  auto const sent = noticesOf(trial, 1);
  auto const* event = wordsOn(trial.subject(), "event");
  if (sent.empty()) return;
  if (event == nullptr)
    return trial.giveUp("certification.json: /webhooks/event does not say where an event's name is");
  for (auto const* name : {"record.invented", "x", "payment_intent_v2", "contact"}) {
    auto input = inputOf(trial.subject(), sent.front());
    if (auto const query = textOr(*event, "/query", ""); !query.empty()) {
      input["query"].as_object()[query] = name;
    } else {
      auto document = parseJson(std::string(input.at("body").as_string()));
      auto const pointer = textOr(*event, "/body", "");
      if (!document || garland::find(*document, pointer) == nullptr)
        return trial.giveUp("certification.json: /webhooks/event is no place in a notice's body");
      document->at_pointer(pointer) = name;
      input["body"] = json::serialize(*document);
    }
    auto const step = std::string("an event called ") + name;
    auto const journal = parsed(trial, std::move(input), step);
    if (!journal.ok()) continue;
    auto const* hints = garland::find(*journal.result, "/hints");
    trial.expect(hints != nullptr && hints->is_array() && hints->get_array().empty(),
                 "it is taken for an event that it knows", step);
  }
}

// ---- WHK-05
std::string noHandshakes(Subject const& subject) {
  auto const* all = garland::find(subject.plugin.manifest.webhooks, "/handshakes");
  return all != nullptr && all->is_array() && !all->get_array().empty() ? ""
                                                                        : "the manifest names no handshakes";
}

// Makes the objects on the way; the names of a manifest's places have no escapes.
void putAt(json::value& document, std::string_view pointer, std::string const& text) {
  auto* at = &document;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    auto const name = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(name.size());
    if (!at->is_object()) *at = json::object();
    at = &at->get_object()[name];
  }
  *at = text;
}

// Puts a value where a handshake looks for one.
struct Handshaker {
  webhooks::Request request{
      .method = "POST", .url = "https://hooks.example.test/in/1", .headers = {}, .body = ""};
  json::value body;

  bool put(json::value const& at, std::string const& value) {
    if (auto const header = textOr(at, "/header", ""); !header.empty()) {
      request.headers.emplace_back(header, textOr(at, "/prefix", "") + value);
    } else if (auto const query = textOr(at, "/query", ""); !query.empty()) {
      request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + query + "=" + value;
    } else {
      auto const pointer = textOr(at, "/body", "");
      if (pointer.empty() || pointer.find('*') != std::string::npos) return false;
      putAt(body, pointer, value);
    }
    return true;
  }
  webhooks::Request finished() const {
    auto out = request;
    if (!body.is_null()) out.body = json::serialize(body);
    if (!body.is_null()) out.headers.emplace_back("content-type", "application/json");
    return out;
  }
};

void expectHandshake(Trial& trial, webhooks::Scheme const& scheme, json::value const& told,
                     webhooks::Keys const& keys, std::string const& where) {
  Handshaker maker;
  maker.request.method = textOr(told, "/method", "POST");
  std::vector<std::string> challenges;
  bool placed = true;
  if (auto const* required = garland::find(told, "/require"); required != nullptr && required->is_array())
    for (auto const& each : required->get_array()) {
      auto const wanted = textOr(each, "/equals", "certification");
      placed = placed && maker.put(each.at("at"), wanted);
    }
  if (auto const* values = garland::find(told, "/values"); values != nullptr && values->is_object())
    for (auto const& [name, at] : values->get_object()) {
      challenges.push_back("challenge" + std::to_string(challenges.size()) + "x" +
                           std::to_string(trial.seed()));
      placed = placed && maker.put(at, challenges.back());
    }
  if (!placed) return trial.giveUp(where + " cannot be made here");
  VirtualClock const clock(TimePoint(Milliseconds(1'767'225'600'000)));
  auto request = maker.finished();
  if (boolOr(told, "/signed", false)) {
    auto const signature = webhooks::sign(scheme, request, "msg_1", keys.secrets.front(), clock.now());
    if (!signature) return trial.giveUp(where + ": " + signature.error().message);
    for (auto const& header : *signature) request.headers.push_back(header);
  }
  auto const answer = webhooks::answerHandshake(scheme, request, keys, clock);
  if (!trial.expect(answer && answer->status == 200, "the provider's try is not answered", where)) return;
  auto whole = answer->body;
  for (auto const& [name, value] : answer->headers) whole += "\n" + value;
  auto const holds = [&whole](std::string_view text) { return whole.find(text) != std::string::npos; };
  bool const echoed = std::ranges::any_of(challenges, holds);
  trial.expect(challenges.empty() || echoed || garland::find(told, "/hmac") != nullptr,
               "the answer holds nothing of the challenge that it was asked with", where);
  trial.expect(!holds(keys.secrets.front().reveal()), "the answer tells the secret", where);
}

void answersHandshakes(Trial& trial) {
  auto const& told = trial.subject().plugin.manifest.webhooks;
  auto const scheme = webhooks::Scheme::read(told);
  if (!trial.expect(scheme.has_value(), scheme ? "" : scheme.error().message, "connector.json /webhooks"))
    return;
  webhooks::Keys keys;
  keys.secrets.emplace_back("whsec_Y2VydGlmaWNhdGlvbi1zZWNyZXQtMDAwMQ==");
  for (auto const& [name, sentence] : scheme->parameters()) keys.parameters[name] = "agreed";
  auto const& all = garland::find(told, "/handshakes")->get_array();
  for (std::size_t i = 0; i < all.size(); ++i)
    expectHandshake(trial, *scheme, all[i], keys, "connector.json /webhooks/handshakes/" + std::to_string(i));
  // What is no handshake must not be swallowed by one.
  VirtualClock const clock(TimePoint(Milliseconds(1'767'225'600'000)));
  webhooks::Request event;
  event.url = "https://hooks.example.test/in/1";
  event.headers.emplace_back("content-type", "application/json");
  event.body = R"({"id":"evt_1","type":"certification","created":1767225600,"data":{"object":{"id":"x1"}}})";
  trial.expect(!webhooks::answerHandshake(*scheme, event, keys, clock),
               "an event is answered as if the address were tried out, and gets lost",
               "connector.json /webhooks");
}

// ---- WHK-07
void parsesWithoutAsking(Trial& trial) {
  auto const sent = noticesOf(trial, 2);
  std::vector<std::string> results;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    auto const step = "notice " + std::to_string(i + 1) + " of " + std::to_string(sent.size());
    auto const journal = parsed(trial, inputOf(trial.subject(), sent[i]), step);
    for (auto const& call : journal.calls)
      trial.expect(false,
                   "reading a notice waits for the host: " + std::string(name(call.kind)) + " " + call.place,
                   step);
    trial.expect(journal.records.empty(), "reading a notice brings records", step);
    trial.expect(journal.took == Milliseconds(0),
                 "reading a notice took " + std::to_string(journal.took.count()) + " ms of virtual time",
                 step);
    results.push_back(journal.result_text);
  }
  // Nothing of a notice may stay for the next one: backwards and in a new worker they mean the same.
  World world;
  world.seed = trial.seed();
  trial.newBench(std::move(world));
  for (std::size_t i = sent.size(); i-- > 0;) {
    auto const step = "notice " + std::to_string(i + 1) + ", read after those that followed it";
    auto const journal = parsed(trial, inputOf(trial.subject(), sent[i]), step);
    trial.expect(journal.result_text == results[i], "what it means depends on what was read before", step);
  }
}

// ---- WHK-08
std::vector<std::string> hintedCases(Subject const& subject, Profile) {
  std::vector<std::string> out;
  for (auto const& entity : listOf(subject, "entities")) out.emplace_back(entity.as_string());
  std::erase_if(out, [&](auto const& entity) { return !subject.offers(operationFor(entity, "pull")); });
  return out;
}

void fillsTheGap(Trial& trial) {
  auto const& entity = trial.caseName();
  if (!registered(trial, 3)) return;
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "before the outage"), entity);
  auto const before = held.records().size();
  for (int round = 0; round < 36; ++round) {
    trigger(trial, round);
    trial.bench().wait(std::chrono::hours(2));
  }
  if (trial.bench().notices().empty())
    return trial.giveUp("certification.json: /webhooks/triggers: the twin sends no notices of them");
  auto const step = "the pull after three days without notices";
  auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), step);
  if (!journal.ok()) return;
  held.take(journal, entity);
  auto ask = pullAsk(entity, nullptr);
  ask.account = "two";
  Held whole;
  whole.take(trial.mustRun(std::move(ask), "everything pulled"), entity);
  auto const truth = truthOf(trial, entity);
  trial.expect(truth > before, "nothing has happened at the provider", step);
  trial.expect(held.records().size() == truth,
               "of " + std::to_string(truth) + " records at the provider " +
                   std::to_string(held.records().size()) + " are held",
               step);
  for (auto const& [id, record] : whole.records()) {
    auto const found = held.records().find(id);
    trial.expect(found != held.records().end() && canonicalJson(found->second) == canonicalJson(record),
                 "what happened to a record during the outage is not known after it", step);
  }
}

// ---- WHK-06
// The address once more, while it is known already or after the provider has dropped it.
bool subscribed(Trial& trial) {
  for (auto const& request : listOf(trial.subject(), "register")) {
    auto const answer = trial.bench().request(request);
    if (answer && answer->status < 300) continue;
    trial.giveUp("certification.json: /webhooks/register: the twin does not take it a second time: " +
                 (answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message));
    return false;
  }
  return true;
}

// While the old subscription lasts and the new one has begun, each event comes by both of them.
void expectOneEvent(Trial& trial, std::vector<json::value> const& sent) {
  std::map<std::string, std::set<std::string>> keys; // by what the provider says of the event
  auto const* event_id = wordsOn(trial.subject(), "event_id");
  for (std::size_t i = 0; i < sent.size(); ++i) {
    auto input = inputOf(trial.subject(), sent[i]);
    auto const journal = parsed(trial, input, "notice " + std::to_string(i + 1) + " of two subscriptions");
    if (!journal.ok()) continue;
    auto const document = parseJson(std::string(input.at("body").as_string()));
    auto const event = event_id != nullptr && document
                           ? textOr(*document, std::string(event_id->as_string()), "")
                           : std::string();
    if (!event.empty()) keys[event].insert(keyOf(journal, input));
  }
  for (auto const& [event, each] : keys)
    trial.expect(each.size() == 1,
                 "an event that came by the old subscription and by the new one has two keys",
                 "while a subscription is renewed");
}

void expectNoGap(Trial& trial, Held& held, std::string const& entity, std::string const& step) {
  auto const journal = trial.mustRun(pullAsk(entity, held.cursor()), step);
  if (!journal.ok()) return;
  held.take(journal, entity);
  auto ask = pullAsk(entity, nullptr);
  ask.account = "whole";
  Held whole;
  whole.take(trial.mustRun(std::move(ask), step + ", and everything pulled"), entity);
  trial.expect(held.records().size() == truthOf(trial, entity),
               "of " + std::to_string(truthOf(trial, entity)) + " records at the provider " +
                   std::to_string(held.records().size()) + " are held",
               step);
  for (auto const& [id, record] : whole.records()) {
    auto const found = held.records().find(id);
    trial.expect(found != held.records().end() && canonicalJson(found->second) == canonicalJson(record),
                 "what happened to a record while no notice came is not known", step);
  }
}

// No operation of this ABI subscribes: whoever connects the provider does, and a provider that drops the
// address says nothing. What is the connector's: that the next pull at its own pace misses nothing, before,
// meanwhile and after.
void outlivesItsSubscription(Trial& trial) {
  auto const& entity = trial.caseName();
  auto const pace = trial.subject().plugin.manifest.poll_every;
  if (!registered(trial, 3)) return;
  Held held;
  held.take(trial.mustRun(pullAsk(entity, nullptr), "while notices come"), entity);
  int round = 0;
  if (!subscribed(trial)) return;
  trigger(trial, round++);
  trial.bench().wait(std::chrono::minutes(1));
  auto const sent = trial.bench().notices();
  if (sent.empty())
    return trial.giveUp("certification.json: /webhooks/triggers: the twin sends no notices of them");
  expectOneEvent(trial, {sent.begin(), sent.end()});
  trial.bench().wait(pace);
  expectNoGap(trial, held, entity, "after it was renewed before its end");
  for (int lost = 0; lost < 2; ++lost) { // nobody hands these notices on: it ran out unseen
    trigger(trial, round++);
    trial.bench().wait(pace);
    trial.bench().notices();
    expectNoGap(trial, held, entity, "one interval after it ran out");
  }
  if (!subscribed(trial)) return;
  trigger(trial, round);
  trial.bench().wait(pace);
  expectNoGap(trial, held, entity, "after it was made anew");
}

constexpr Check kChecks[] = {
    {.id = "WHK-02", .run = knowsRepetitions, .skip = noParsing},
    {.id = "WHK-03", .run = orderDoesNotMatter, .skip = noReading, .cases = orders},
    {.id = "WHK-04", .run = ignoresTheUnknown, .skip = noParsing},
    {.id = "WHK-05",
     .run = answersHandshakes,
     .skip = noHandshakes,
     .needs_twin = false,
     .calls_plugin = false},
    {.id = "WHK-06",
     .run = outlivesItsSubscription,
     .skip = noParsing,
     .cases = hintedCases,
     .brief = "/webhooks/entities"},
    {.id = "WHK-07", .run = parsesWithoutAsking, .skip = noParsing},
    {.id = "WHK-08",
     .run = fillsTheGap,
     .skip = noParsing,
     .cases = hintedCases,
     .brief = "/webhooks/entities"},
};

} // namespace

std::span<Check const> noticeChecks() { return kChecks; }

} // namespace garland::certification
