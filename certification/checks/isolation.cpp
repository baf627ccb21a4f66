// Checks of the walls around a connector: system calls and files, other people's networks and data,
// downgrades, bombs, rights that nobody uses.
#include "certification/checks/audit.h"
#include "certification/checks/exercise.h"

#include "host/vault/vault.h"

#include <algorithm>
#include <array>
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

// Nobody can be led anywhere, or overheard, who asks nobody: then the manifest says so, too.
void expectAsksOrNoHosts(Trial& trial, std::size_t requests) {
  bool const none = trial.subject().plugin.manifest.hosts.empty();
  trial.expect(!none || requests == 0, "it sends requests, and its manifest names no hosts",
               "connector.json /hosts");
  if (!none && requests == 0)
    trial.giveUp("its manifest names hosts, and no operation sent a request; fill in certification.json: "
                 "/entities or /actions");
}

// ---- SEC-01, SEC-10
bool isFile(std::string const& call) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"open(", "openat(", "creat(", "readlink",
                                                                     "access", "faccessat", "getcwd",
                                                                     "getdents", "unlink", "rename", "mkdir",
                                                                     "stat", "chdir"},
                             [&](auto const begin) { return call.starts_with(begin); });
}

void audit(Trial& trial, bool files) {
  std::set<std::string> seen; // the shortest profile looks at each operation once, not at each entity
  for (auto const& use : usesOf(trial.subject())) {
    if (!seen.insert(use.operation).second && trial.profile() == Profile::quick) continue;
    auto const ask = trial.prepared(askFor(use));
    auto const clean = trial.run(ask);
    auto const audited = auditOperation(trial, ask, clean);
    if (!audited) return trial.giveUp("the audit failed: " + audited.error().message);
    std::string calls;
    for (auto const& refusal : *audited)
      if (isFile(refusal.call) == files)
        calls += (calls.empty() ? "" : "; ") + refusal.call +
                 (refusal.place.empty() ? "" : " (" + refusal.place + ")");
    trial.expect(calls.empty(),
                 (files ? "it opens what is not its own: " : "it makes a system call that it may not: ") +
                     calls,
                 use.title);
  }
}
void staysInItsProfile(Trial& trial) { audit(trial, false); }
void opensNothing(Trial& trial) { audit(trial, true); }

// ---- SEC-03
constexpr std::string_view kInside[] = {"http://169.254.169.254/latest/meta-data/",
                                        "https://169.254.169.254/latest",
                                        "https://127.0.0.1:8443/admin",
                                        "https://[::1]/",
                                        "https://localhost/",
                                        "https://2130706433/",
                                        "https://metadata.google.internal/"};

// Every address in an answer leads inside, and so do those that providers name where the next page is.
void lead(json::value& value, std::string const& to) {
  if (auto* text = value.if_string();
      text != nullptr && (text->starts_with("http://") || text->starts_with("https://")))
    value = to;
  if (auto* list = value.if_array())
    for (auto& item : *list) lead(item, to);
  if (auto* object = value.if_object())
    for (auto& member : *object) lead(member.value(), to);
}

// What stands in the href elements of WebDAV.
void leadHrefs(std::string& body, std::string const& to) {
  constexpr std::string_view name = "href>";
  for (auto at = body.find(name); at != std::string::npos; at = body.find(name, at)) {
    bool const opens = body[body.rfind('<', at) + 1] != '/';
    at += name.size();
    auto const end = body.find('<', at);
    if (!opens || end == std::string::npos) continue;
    body.replace(at, end - at, to);
    at += to.size();
  }
}

void leadInside(HttpAnswer& answer, std::string const& to) {
  answer.headers.emplace_back("link", "<" + to + ">; rel=\"next\"");
  answer.headers.emplace_back("location", to);
  answer.headers.emplace_back("content-location", to);
  auto document = parseJson(answer.body);
  if (!document) return leadHrefs(answer.body, to);
  lead(*document, to);
  if (auto* object = document->if_object()) {
    for (auto const* name :
         {"next", "next_url", "next_page_url", "nextLink", "@odata.nextLink", "self", "href"})
      object->insert_or_assign(name, to);
    (*object)["links"] = json::object{{"next", to}, {"self", to}};
    (*object)["paging"] = json::object{{"next", json::object{{"link", to}}}};
  }
  answer.body = json::serialize(*document);
}

void followsNobodyInside(Trial& trial) {
  std::size_t requests = 0;
  for (auto const inside : kInside) {
    auto world = worldOf(trial);
    world.intercepts.answer = [inside](HttpAsk const&, HttpAnswer& answer) {
      leadInside(answer, std::string(inside));
    };
    trial.newBench(std::move(world));
    for (auto const& use : usesOf(trial.subject())) {
      auto const journal = trial.run(askFor(use));
      requests += journal.exchanges.size();
      for (auto const& exchange : journal.exchanges) {
        auto const& url = exchange.ask.url;
        bool const there = std::ranges::any_of(kInside, [&](auto each) {
          auto const host = each.substr(each.find("://") + 3);
          return url.find("://" + std::string(host.substr(0, host.find('/')))) != std::string::npos;
        });
        trial.expect(!there,
                     "an answer named an address inside of somebody's network, and it asked there: " + url,
                     use.title);
      }
    }
  }
  expectAsksOrNoHosts(trial, requests);
}

// ---- SEC-06
bool isName(std::string_view key) {
  constexpr std::string_view names[] = {"name",        "firstName", "lastName",     "title",
                                        "description", "notes",     "label",        "companyName",
                                        "subject",     "leadNotes", "display_name", "payment_method"};
  return std::ranges::find(names, key) != std::end(names);
}

void mark(json::value& value, std::string const& canary) {
  if (auto* list = value.if_array())
    for (auto& item : *list) mark(item, canary);
  if (auto* object = value.if_object())
    for (auto& member : *object) {
      if (auto* text = member.value().if_string(); text != nullptr && isName(member.key()))
        member.value() = std::string(*text) + " " + canary;
      else
        mark(member.value(), canary);
    }
}

std::string allOf(Journal const& journal) {
  std::string out = journal.result_text;
  for (auto const& line : journal.logs) out += line.text + "\n";
  for (auto const& record : journal.records) out += record.text + "\n";
  for (auto const& cursor : journal.cursors) out += json::serialize(cursor) + "\n";
  for (auto const& [key, value] : journal.stored) out += key + " " + value + "\n";
  for (auto const& exchange : journal.exchanges) {
    out += exchange.ask.url + " " + exchange.ask.body + "\n";
    for (auto const& [name, value] : exchange.ask.headers) out += name + ": " + value + "\n";
  }
  if (!journal.result) out += journal.result.error().message + json::serialize(journal.result.error().detail);
  return out;
}

void collectNames(json::value const& value, std::set<std::string>& out) {
  if (auto const* list = value.if_array())
    for (auto const& item : *list) collectNames(item, out);
  auto const* object = value.if_object();
  if (object == nullptr) return;
  for (auto const& [key, member] : *object) {
    auto const* text = member.if_string();
    if (text != nullptr && !text->empty() && isName(key)) out.emplace(*text);
    collectNames(member, out);
  }
}

void markBehind(std::string& body, std::string_view what, std::string const& mark) {
  for (auto at = body.find(what); at != std::string::npos; at = body.find(what, at + what.size()))
    body.insert(at + what.size(), mark);
}

void collectTexts(json::value const& value, std::set<std::string>& out) {
  constexpr std::size_t shortest = 8; // characters; less than that may be the same by chance
  if (auto const* text = value.if_string(); text != nullptr && text->size() >= shortest) out.emplace(*text);
  if (auto const* list = value.if_array())
    for (auto const& item : *list) collectTexts(item, out);
  if (auto const* object = value.if_object())
    for (auto const& member : *object) collectTexts(member.value(), out);
}

// Of each kind of lead in the brief, the one of that number.
std::vector<json::object> leadsNumbered(Trial& trial, int n) {
  std::vector<json::object> out;
  auto const* leads = garland::find(trial.subject().brief.document, "/intake/leads");
  if (leads == nullptr || !leads->is_array()) return out;
  for (auto const& lead : leads->get_array())
    if (auto deliveries = intakeDeliveries(lead, n); !deliveries.empty())
      out.push_back(
          intakeInput(std::move(deliveries.front()), "tenant-" + std::to_string(n), trial.bench().now()));
  return out;
}

// Two accounts are sent leads by turns, each of couples of its own. Whether there was anything to tell them
// apart by.
bool keepsLeadsApart(Trial& trial) {
  if (!trial.subject().offers("intake.parse/1")) return false;
  std::map<std::string, std::set<std::string>> whose;
  for (auto const* account : {"one", "two"}) { // each alone
    trial.newBench(worldOf(trial));
    for (auto& input : leadsNumbered(trial, account == std::string_view("one") ? 1 : 2))
      for (auto const& record : trial.run("intake.parse/1", std::move(input)).records)
        collectTexts(record.value, whose[account]);
  }
  auto const one = whose["one"];
  std::erase_if(whose["one"], [&](auto const& text) { return whose["two"].contains(text); });
  std::erase_if(whose["two"], [&](auto const& text) { return one.contains(text); });
  trial.newBench(worldOf(trial));
  auto const leads = std::array{leadsNumbered(trial, 1), leadsNumbered(trial, 2)};
  for (std::size_t i = 0; i < leads[0].size() + leads[1].size(); ++i) {
    auto const* const account = i % 2 == 0 ? "one" : "two";
    Ask ask;
    ask.operation = "intake.parse/1";
    ask.input = leads[i % 2][i / 2];
    ask.account = account;
    auto const text = allOf(trial.run(std::move(ask)));
    bool const crossed = std::ranges::any_of(whose[i % 2 == 0 ? "two" : "one"], [&](auto const& each) {
      return text.find(each) != std::string::npos;
    });
    trial.expect(!crossed, "what belongs to another vendor came up", "leads of two accounts by turns");
  }
  return !whose["one"].empty() && !whose["two"].empty();
}

std::string nothingOfAnybody(Subject const& subject) {
  if (noPulls(subject).empty() || subject.offers("intake.parse/1")) return "";
  return "the manifest names no pull and no intake";
}

void keepsTenantsApart(Trial& trial) {
  auto const canaryOf = [&](std::string const& whose) {
    return vault::sha256Hex(whose + std::to_string(trial.seed())).substr(0, 20);
  };
  std::map<std::string, std::string> const canaries{{"one", canaryOf("one")}, {"two", canaryOf("two")}};
  auto const now = std::make_shared<std::string>();
  auto const names = std::make_shared<std::set<std::string>>(); // as records had them before any was marked
  auto world = worldOf(trial);
  world.intercepts.answer = [now, names](HttpAsk const&, HttpAnswer& answer) {
    auto document = parseJson(answer.body);
    if (!document) { // iCalendar, alone or in XML; or any other text with names in it
      markBehind(answer.body, "SUMMARY:", *now + " ");
      for (auto const& name : *names) markBehind(answer.body, name, " " + *now);
      return;
    }
    mark(*document, *now);
    answer.body = json::serialize(*document);
  };
  trial.newBench(std::move(world));
  bool seen = false;
  // Their settings are equal, and their credentials are for the host alone: nothing but their ids tells them
  // apart, so what is kept by settings or by addresses is kept for the wrong one, too.
  // One works, then the other, in the same process, again and again.
  for (int round = 0; round < 2; ++round)
    for (auto const& use : usesOf(trial.subject()))
      for (auto const* account : {"one", "two"}) {
        *now = canaries.at(account);
        auto mine = askFor(use);
        mine.account = account;
        auto const journal = trial.run(std::move(mine));
        if (round == 0 && account == std::string_view("one"))
          for (auto const& record : journal.records) collectNames(record.value, *names);
        auto const text = allOf(journal);
        auto const& others = canaries.at(account == std::string_view("one") ? "two" : "one");
        seen = seen || text.find(*now) != std::string::npos;
        trial.expect(text.find(others) == std::string::npos, "what belongs to another vendor came up",
                     use.title);
      }
  if (!keepsLeadsApart(trial) && !seen)
    trial.giveUp("no name came through, so nothing could cross over; fill in certification.json: "
                 "/entities/<entity> or /intake/leads");
}

// ---- SEC-08
// Behind "slot:feed" stands what the vendor typed there, which the connector never sees.
std::string addressOf(Subject const& subject, std::string const& url) {
  if (!url.starts_with("slot:")) return url;
  auto const* typed = subject.brief.credentials(SignIn::good);
  auto const* fields = typed == nullptr ? nullptr : garland::find(*typed, "/" + url.substr(5));
  for (auto const& slot : subject.plugin.manifest.auth)
    if (fields != nullptr && slot.name == url.substr(5) && slot.scheme == "address" && !slot.fields.empty())
      return textOr(*fields, "/" + slot.fields.front(), "");
  return url;
}

void neverSpeaksPlain(Trial& trial) {
  std::size_t requests = 0;
  auto const look = [&](Journal const& journal, std::string const& step) {
    requests += journal.exchanges.size();
    for (auto const& exchange : journal.exchanges)
      trial.expect(addressOf(trial.subject(), exchange.ask.url).starts_with("https://"),
                   "it asks without TLS: " + exchange.ask.url, step);
  };
  trial.newBench(worldOf(trial));
  for (auto const& use : usesOf(trial.subject())) look(trial.run(askFor(use)), use.title);
  // Whoever sits in between breaks TLS, refuses the port of it, or sends it back to plain HTTP.
  for (auto const* name : {"tls_failure", "refused", "timeout_before_send", "redirect"}) {
    auto world = worldOf(trial);
    auto const* fault = faultNamed(name);
    auto const& subject = trial.subject();
    world.intercepts.request = [fault, &subject](HttpAsk const& ask) -> std::optional<Result<HttpAnswer>> {
      if (fault != nullptr) return fault->answer(ask, nullptr);
      HttpAnswer back;
      back.status = 301;
      auto plain = addressOf(subject, ask.url);
      back.headers = {{"location", plain.replace(0, 5, "http")}};
      back.effect = Effect::notApplied;
      return back;
    };
    trial.newBench(std::move(world));
    for (auto const& use : usesOf(trial.subject())) look(trial.run(askFor(use)), use.title + ", " + name);
  }
  expectAsksOrNoHosts(trial, requests);
}

// ---- SEC-09
struct Bomb {
  std::string_view name;
  std::string (*body)(); // null: as large as allowed
  std::string_view type;
  Profile from = Profile::standard;
};
std::string deep() { return std::string(300'000, '[') + std::string(300'000, ']'); }
std::string deepObjects() {
  std::string out;
  for (int i = 0; i < 100'000; ++i) out += "{\"a\":";
  return out + "1" + std::string(100'000, '}');
}
std::string longLine() { return "\"" + std::string(12U << 20U, 'x') + "\""; }
// The harness lets no larger one through than the manifest allows, as the host does.
std::string asLargeAsAllowed(std::size_t most) { return std::string(most - 2, ' ') + "{}"; }
std::string manyNumbers() {
  std::string out = "{\"data\":[0";
  for (int i = 0; i < 2'000'000; ++i) out += ",0";
  return out + "]}";
}
std::string entities() {
  std::string out = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"ha\">";
  for (char c = 'b'; c < 'q'; ++c) {
    std::string const before(1, static_cast<char>(c - 1));
    out += "<!ENTITY " + std::string(1, c) + " \"";
    for (int i = 0; i < 10; ++i) out += "&" + before + ";";
    out += "\">";
  }
  return out + "]><x>&p;</x>";
}
std::string longNumber() { return "{\"data\":[{\"id\":" + std::string(1U << 20U, '9') + "}]}"; }

constexpr Bomb kBombs[] = {
    {"deep", deep, "application/json", Profile::quick},
    {"deep_objects", deepObjects, "application/json"},
    {"long_line", longLine, "application/json", Profile::quick},
    {"as_large_as_allowed", nullptr, "application/json"},
    {"numbers", manyNumbers, "application/json"},
    {"entities", entities, "application/xml", Profile::quick},
    {"long_number", longNumber, "application/json"},
};

std::vector<std::string> bombCases(Subject const&, Profile profile) {
  std::vector<std::string> out;
  for (auto const& bomb : kBombs)
    if (bomb.from <= profile) out.emplace_back(bomb.name);
  return out;
}

// What comes in by itself comes in through the host, which takes a megabyte of text. False: `input` is no
// item.
bool putInto(json::value& input, Bomb const& bomb, std::string const& body) {
  constexpr std::size_t most = 1U << 20U;
  auto const text = body.substr(0, most);
  auto* object = input.if_object();
  if (object == nullptr) return false;
  if (auto* hook = object->if_contains("hook")) {
    *hook = json::object{{"content_type", bomb.type}, {"query", json::object()}, {"text", text}};
    return true;
  }
  auto* mail = object->if_contains("mail");
  if (mail == nullptr || !mail->is_object()) return false;
  for (auto const* member : {"text", "html"}) mail->get_object()[member] = text;
  return true;
}

void expectNothingOf(Trial& trial, Journal const& journal, std::string const& step) {
  bool const made = std::ranges::any_of(journal.records,
                                        [](auto const& record) { return record.kind != "garland.problem"; });
  trial.expect(!made, "it made records of a bomb", step);
}

void standsBombs(Trial& trial) {
  auto const* bomb = std::ranges::find(kBombs, std::string_view(trial.caseName()), &Bomb::name);
  auto const most = trial.subject().plugin.manifest.max_body;
  auto const body =
      std::make_shared<std::string const>(bomb->body != nullptr ? bomb->body() : asLargeAsAllowed(most));
  auto world = worldOf(trial);
  auto const armed = std::make_shared<bool>(false);
  world.intercepts.request = [armed, body, most, type = std::string(bomb->type)](HttpAsk const&) {
    if (!*armed) return std::optional<Result<HttpAnswer>>();
    if (body->size() > most)
      return std::optional<Result<HttpAnswer>>(
          Error(ErrorKind::hostLimit, "the answer is larger than allowed").withEffect(Effect::unknown));
    HttpAnswer answer;
    answer.status = 200;
    answer.headers = {{"content-type", type}};
    answer.body = *body;
    answer.effect = Effect::applied;
    return std::optional<Result<HttpAnswer>>(std::move(answer));
  };
  trial.newBench(std::move(world));
  for (auto const& use : usesOf(trial.subject())) {
    *armed = false; // what is to be deleted must be there
    auto ask = trial.prepared(askFor(use));
    *armed = true;
    auto const journal = trial.run(std::move(ask));
    if (journal.exchanges.empty() && journal.ok()) continue; // it asks nobody, and met no bomb
    auto const kind = journal.result ? ErrorKind::providerBug : journal.result.error().kind;
    trial.expect(kind == ErrorKind::providerBug || kind == ErrorKind::transient ||
                     kind == ErrorKind::hostLimit,
                 "a body that is a bomb ended with: " + journal.ending(), use.title);
    expectNothingOf(trial, journal, use.title);
  }
  for (auto const& use : usesOf(trial.subject())) {
    auto ask = askFor(use);
    if (!putInto(ask.input, *bomb, *body)) continue;
    auto const step = use.title + ", with a bomb in it";
    auto const journal = trial.run(std::move(ask));
    trial.expect(journal.ok() || journal.result.error().kind == ErrorKind::invalidInput,
                 "a delivery that is a bomb ended with: " + journal.ending(), step);
    expectNothingOf(trial, journal, step);
  }
}

// ---- SEC-11
bool onlyReads(std::string const& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PROPFIND" ||
         method == "REPORT";
}

void usesWhatItDeclares(Trial& trial) {
  std::set<std::string> used;
  std::set<std::string> brought;
  trial.newBench(worldOf(trial));
  for (auto const& use : usesOf(trial.subject())) {
    auto const journal = trial.run(askFor(use));
    bool const reading =
        use.operation == "health.check/1" || use.operation.find(".pull/") != std::string::npos;
    for (auto const& exchange : journal.exchanges) {
      if (!exchange.ask.credential_slot.empty()) used.insert(exchange.ask.credential_slot);
      if (reading)
        trial.expect(onlyReads(exchange.ask.method),
                     "a reading operation sends " + exchange.ask.method + " " + exchange.ask.url, use.title);
    }
    for (auto const& record : journal.records) brought.insert(record.kind);
  }
  for (auto const& slot : trial.subject().plugin.manifest.auth)
    trial.expect(used.contains(slot.name),
                 "it asks vendors for the credential \"" + slot.name + "\", and no operation uses it",
                 "connector.json /auth");
  auto const& manifest = trial.subject().plugin.manifest.document;
  for (auto const& kind : brought) {
    if (kind.starts_with("garland.")) continue;
    trial.expect(boolOr(manifest, "/entities/" + kind + "/read", false),
                 "it brings in " + kind + ", which its manifest does not say", "connector.json /entities");
  }
}

constexpr Check kChecks[] = {
    {.id = "SEC-01", .run = staysInItsProfile, .brief = "/entities or /actions"},
    {.id = "SEC-03", .run = followsNobodyInside, .brief = "/entities or /actions"},
    {.id = "SEC-06",
     .run = keepsTenantsApart,
     .skip = nothingOfAnybody,
     .brief = "/entities/<entity> or /intake/leads"},
    {.id = "SEC-08", .run = neverSpeaksPlain, .brief = "/entities or /actions"},
    {.id = "SEC-09", .run = standsBombs, .cases = bombCases, .brief = "/entities or /actions"},
    {.id = "SEC-10", .run = opensNothing, .brief = "/entities or /actions"},
    {.id = "SEC-11", .run = usesWhatItDeclares, .brief = "/entities or /actions"},
};

} // namespace

std::span<Check const> isolationChecks() { return kChecks; }

} // namespace garland::certification
