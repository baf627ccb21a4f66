#include "certification/checks/pulls.h"

#include <algorithm>
#include <set>

namespace garland::certification {

namespace {

// Puts the lead's number wherever the brief says {n}.
void number(json::value& value, std::string const& n) {
  if (auto* text = value.if_string()) {
    std::string filled(*text);
    for (auto at = filled.find("{n}"); at != std::string::npos; at = filled.find("{n}"))
      filled.replace(at, 3, n);
    *text = filled;
  }
  if (auto* list = value.if_array())
    for (auto& item : *list) number(item, n);
  if (auto* object = value.if_object())
    for (auto& member : *object) number(member.value(), n);
}

} // namespace

std::string operationFor(std::string_view entity, std::string_view verb) {
  return std::string(entity.substr(0, entity.find('.'))) + "." + std::string(verb) + "/1";
}

std::vector<std::string> pulledEntities(Subject const& subject) {
  auto out = subject.brief.entities();
  std::erase_if(out, [&](auto const& entity) { return !subject.offers(operationFor(entity, "pull")); });
  return out;
}

std::vector<std::string> writtenEntities(Subject const& subject) {
  auto out = subject.brief.entities();
  std::erase_if(out, [&](auto const& entity) {
    auto const* words = subject.brief.entity(entity);
    return words == nullptr || garland::find(*words, "/record") == nullptr ||
           !subject.offers(operationFor(entity, "upsert"));
  });
  return out;
}

std::vector<std::string> pulledCases(Subject const& subject, Profile) { return pulledEntities(subject); }
std::vector<std::string> writtenCases(Subject const& subject, Profile) { return writtenEntities(subject); }

std::string noPulls(Subject const& subject) {
  auto const& all = subject.plugin.manifest.operations;
  bool const any =
      std::ranges::any_of(all, [](auto const& each) { return each.find(".pull/") != std::string::npos; });
  return any ? "" : "the manifest names no pull";
}

std::string noWrites(Subject const& subject) {
  auto const& all = subject.plugin.manifest.operations;
  bool const any =
      std::ranges::any_of(all, [](auto const& each) { return each.find(".upsert/") != std::string::npos; });
  return any ? "" : "the manifest names no upsert";
}

Ask pullAsk(std::string_view entity, json::value cursor) {
  Ask ask;
  ask.operation = operationFor(entity, "pull");
  if (entity.starts_with("calendar."))
    ask.input = json::object{{"cursor", std::move(cursor)}, {"calendars", json::array()}};
  else
    ask.input = json::object{{"entity", entity}, {"cursor", std::move(cursor)}};
  return ask;
}

void Held::take(Journal const& journal, std::string_view entity) {
  came_ = 0;
  went_ = 0;
  // By scope; what was listed stays listed to the call's end, as in host/sync.
  std::map<std::string, std::set<std::string>> listed;
  for (auto const& record : journal.records) {
    if (!record.durable) continue;
    auto const id = textOr(record.value, "/id", "");
    if (record.kind == entity && boolOr(record.value, "/deleted", false)) {
      went_ += records_.erase(id);
    } else if (record.kind == entity) {
      ++came_;
      records_[id] = record.value;
    }
    if (record.kind != "garland.listing") continue;
    auto const scope = textOr(record.value, "/scope", "");
    auto& there = listed[scope];
    if (auto const* ids = garland::find(record.value, "/ids"); ids != nullptr && ids->is_array())
      for (auto const& each : ids->get_array())
        if (auto const* text = each.if_string()) there.emplace(*text);
    if (!boolOr(record.value, "/last", false)) continue;
    went_ += std::erase_if(records_, [&](auto const& each) {
      return textOr(each.second, "/scope", "") == scope && !there.contains(each.first);
    });
  }
  if (!journal.cursors.empty()) cursor_ = journal.cursors.back();
}

std::size_t lostIn(Journal const& pull, Journal const& whole) {
  if (pull.cursors.empty()) return 0;
  auto const idsOf = [](Journal const& journal, bool problems) {
    std::set<std::string> out;
    for (auto const& record : journal.records) {
      bool const own = record.kind.starts_with("garland.");
      if (record.durable && (!own || (problems && record.kind == "garland.problem")))
        out.insert(textOr(record.value, "/id", ""));
    }
    return out;
  };
  auto const told = idsOf(pull, true);
  auto const all = idsOf(whole, false);
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](auto const& id) { return !told.contains(id); }));
}

std::size_t truthOf(Trial& trial, std::string_view entity) {
  auto const* words = trial.subject().brief.entity(entity);
  auto const pointer = words != nullptr ? textOr(*words, "/truth", "") : std::string();
  auto const state = trial.bench().state();
  auto const* found = state ? garland::find(*state, "/twin" + pointer) : nullptr;
  if (found != nullptr && found->is_array()) return found->get_array().size();
  if (found == nullptr || !found->is_number()) {
    trial.giveUp("certification.json: /entities/" + std::string(entity) +
                 "/truth is no pointer to a number or a list in what the twin tells of its state");
    return 0;
  }
  return found->to_number<std::size_t>();
}

json::value editAs(Trial& trial, std::string_view entity, std::string_view what, std::string const& id) {
  auto const* words = trial.subject().brief.entity(entity);
  auto const* edit = words != nullptr ? garland::find(*words, "/edit/" + std::string(what)) : nullptr;
  if (edit == nullptr) return nullptr;
  json::value filled = *edit;
  fill(filled, id);
  auto done = trial.bench().edit(std::move(filled));
  if (!done) {
    trial.giveUp("certification.json: /entities/" + std::string(entity) + "/edit/" + std::string(what) +
                 ": " + done.error().message);
    return nullptr;
  }
  return *done;
}

json::object upsertInput(Subject const& subject, std::string_view entity, std::string const& key,
                         std::string const& id, std::string const& version) {
  auto const& words = *subject.brief.entity(entity);
  json::object data = garland::find(words, "/record")->as_object();
  json::object input{{"key", idNamed("op", key)}};
  if (!entity.starts_with("calendar.")) input["entity"] = entity;
  if (!id.empty()) {
    input["id"] = id;
    if (auto const* change = garland::find(words, "/change"); change != nullptr && change->is_object())
      for (auto const& [name, value] : change->get_object()) data[name] = value;
  }
  if (!version.empty()) input["version"] = version;
  input["data"] = std::move(data);
  return input;
}

Ask deleteAsk(std::string_view entity, std::string const& key, std::string const& id,
              std::string const& version) {
  Ask ask;
  ask.operation = operationFor(entity, "delete");
  json::object input{{"key", idNamed("op", key)}, {"id", id}};
  if (!entity.starts_with("calendar.")) input["entity"] = entity;
  if (!version.empty()) input["version"] = version;
  ask.input = std::move(input);
  return ask;
}

std::vector<json::object> intakeDeliveries(json::value const& lead, int n) {
  std::vector<json::object> out;
  auto const* all = garland::find(lead, "/deliveries");
  if (all == nullptr || !all->is_array()) return out;
  for (auto each : all->get_array()) {
    number(each, std::to_string(n));
    out.push_back(each.as_object());
  }
  return out;
}

json::object intakeInput(json::object delivery, std::string const& id, TimePoint received) {
  auto const* source = delivery.contains("mail") ? "mail" : delivery.contains("hook") ? "hook" : "csv";
  delivery["item"] =
      json::object{{"id", idNamed("itm", id)}, {"source", source}, {"received_at", rfc3339(received)}};
  return delivery;
}

std::size_t createdIn(Trial& trial, std::string_view entity) {
  auto const* words = trial.subject().brief.entity(entity);
  auto const what = words != nullptr ? textOr(*words, "/created", "") : std::string();
  auto const ledger = trial.bench().ledger();
  if (what.empty() || !ledger) {
    trial.giveUp("certification.json: /entities/" + std::string(entity) +
                 "/created names no entry of the ledger");
    return 0;
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(*ledger, [&](auto const& entry) { return textOr(entry, "/what", "") == what; }));
}

CaseWords caseWords(std::string const& case_name) {
  auto const slash = case_name.find('/');
  if (slash == std::string::npos) return {case_name, ""};
  return {case_name.substr(0, slash), case_name.substr(slash + 1)};
}

bool contains(json::value const& whole, json::value const& part) {
  if (!part.is_object()) return canonicalJson(whole) == canonicalJson(part);
  if (!whole.is_object()) return false;
  return std::ranges::all_of(part.get_object(), [&](auto const& member) {
    auto const* found = whole.get_object().if_contains(member.key());
    return found != nullptr && contains(*found, member.value());
  });
}

} // namespace garland::certification
