// What a reviewer has to look at in a new version: what it may reach, what it may ask of the machine, what
// its manifest says otherwise than before. Read from files; nothing is run.
#include "certification/certification.h"
#include "certification/subject.h"
#include "certification/system_calls.h"

#include <algorithm>
#include <set>

namespace garland::certification {
namespace {

using Kind = Difference::Kind;
using Names = std::set<std::string>;

Names textsAt(json::value const& document, std::string_view pointer) {
  Names out;
  auto const* list = find(document, pointer);
  if (list == nullptr || !list->is_array()) return out;
  for (auto const& each : list->get_array())
    out.insert(each.is_string() ? std::string(each.get_string()) : json::serialize(each));
  return out;
}

// `missed`: vendors rely on what is there, so one that is gone is for a reviewer to decide as well.
void compareNames(std::vector<Difference>& out, std::string const& area, Names const& before,
                  Names const& after, bool missed = false) {
  for (auto const& each : after)
    if (!before.contains(each)) out.push_back({Kind::added, area, each, "", each, true});
  for (auto const& each : before)
    if (!after.contains(each)) out.push_back({Kind::removed, area, each, each, "", missed});
}

// Rights: how it signs in, and what is asked for there.
Names scopesOf(json::value const& manifest) {
  Names out;
  auto const* slots = find(manifest, "/auth");
  if (slots == nullptr || !slots->is_array()) return out;
  for (auto const& slot : slots->get_array()) {
    auto const name = textOr(slot, "/slot", "");
    out.insert(name + ": " + textOr(slot, "/scheme", ""));
    for (auto const& scope : textsAt(slot, "/scopes")) out.insert(name + ": " + scope);
    for (auto const& scope : textsAt(slot, "/oauth2/scopes")) out.insert(name + ": " + scope);
    for (auto const& field : textsAt(slot, "/fields")) out.insert(name + ", field " + field);
    // How the secret travels: the header that carries it, the method and the service that it signs for.
    for (auto const* member : {"signature", "parameter", "region", "service"})
      if (auto const text = textOr(slot, "/" + std::string(member), ""); !text.empty())
        out.insert(name + ", " + member + " " + text);
  }
  return out;
}

Names importsOf(Subject const& subject) {
  Names out;
  if (subject.elf)
    for (auto const& symbol : subject.elf->imports) out.insert(symbol.name);
  return out;
}
Names librariesOf(Subject const& subject) {
  if (!subject.elf) return {};
  return {subject.elf->needed.begin(), subject.elf->needed.end()};
}
Names systemCallsOf(Subject const& subject) {
  Names out;
  for (auto const& symbol : importsOf(subject))
    for (auto const& call : systemCallsBehind(symbol)) out.insert(call);
  return out;
}

// Every leaf that differs, by its pointer.
class Leaves {
public:
  explicit Leaves(json::value const& value) { walk(value, ""); }
  std::map<std::string, std::string> const& all() const { return all_; }

private:
  void walk(json::value const& value, std::string const& at) {
    if (auto const* object = value.if_object(); object != nullptr && !object->empty()) {
      for (auto const& member : *object) walk(member.value(), at + "/" + std::string(member.key()));
    } else if (auto const* list = value.if_array(); list != nullptr && !list->empty()) {
      // By value, not by place: a new item in front is one difference.
      for (auto const& item : *list) all_[at + " " + json::serialize(item)] = json::serialize(item);
    } else {
      all_[at] = json::serialize(value);
    }
  }
  std::map<std::string, std::string> all_;
};

// Told by themselves, under their own names.
bool isToldElsewhere(std::string_view pointer) {
  return pointer.starts_with("/hosts") || pointer.starts_with("/auth") || pointer == "/limits/max_body" ||
         pointer.starts_with("/poll") || pointer.starts_with("/operations") || pointer == "/version";
}

// Of requests; one that is gone is none at all.
bool isBudget(std::string_view pointer) { return pointer.starts_with("/limits/requests/"); }

// New actions, writable records and other budgets are more than the last reviewer saw.
bool asksForMore(std::string_view pointer) {
  return pointer.starts_with("/actions") || pointer.starts_with("/entities") ||
         pointer.starts_with("/webhooks") || pointer.starts_with("/intake") ||
         pointer.starts_with("/settings/required") || isBudget(pointer);
}

void compareFields(std::vector<Difference>& out, json::value const& before, json::value const& after) {
  Leaves const old_leaves(before);
  Leaves const new_leaves(after);
  for (auto const& [at, value] : new_leaves.all()) {
    if (isToldElsewhere(at)) continue;
    auto const found = old_leaves.all().find(at);
    if (found == old_leaves.all().end())
      out.push_back({Kind::added, "field", at.substr(0, at.find(' ')), "", value, asksForMore(at)});
    else if (found->second != value)
      out.push_back({Kind::changed, "field", at, found->second, value, asksForMore(at)});
  }
  for (auto const& [at, value] : old_leaves.all())
    if (!isToldElsewhere(at) && !new_leaves.all().contains(at))
      out.push_back({Kind::removed, "field", at.substr(0, at.find(' ')), value, "", isBudget(at)});
}

struct Budget {
  std::string_view name;
  std::int64_t before = 0;
  std::int64_t after = 0;
  bool more_is_worse = true;
};

void compareBudgets(std::vector<Difference>& out, Subject const& before, Subject const& after) {
  auto const seconds = [](Subject const& subject) {
    return subject.plugin.manifest.poll_every.count() / 1000;
  };
  auto const body = [](Subject const& subject) {
    return static_cast<std::int64_t>(subject.plugin.manifest.max_body);
  };
  auto const size = [](Subject const& subject) { return static_cast<std::int64_t>(subject.object.size()); };
  for (auto const& budget : {Budget{"max_body, bytes", body(before), body(after)},
                             Budget{"poll, seconds between pulls", seconds(before), seconds(after), false},
                             Budget{"size of the object, bytes", size(before), size(after)}}) {
    if (budget.before == budget.after) continue;
    bool const up = budget.after > budget.before;
    // An object that grows by less than a tenth is no news.
    bool const small = budget.name.starts_with("size") && budget.after < budget.before + budget.before / 10;
    out.push_back({Kind::changed, "budget", std::string(budget.name), std::to_string(budget.before),
                   std::to_string(budget.after), up == budget.more_is_worse && !small});
  }
}

} // namespace

std::string_view name(Difference::Kind kind) {
  return kind == Kind::added ? "added" : kind == Kind::removed ? "removed" : "changed";
}

std::string inWords(Difference const& difference) {
  auto head = std::string(name(difference.kind)) + " " + difference.area + " " + difference.what;
  if (difference.kind == Kind::changed) return head + ": " + difference.before + " -> " + difference.after;
  if (difference.area != "field") return head;
  return head + ": " + (difference.kind == Kind::added ? difference.after : difference.before);
}

Result<Comparison> compareVersions(std::string const& old_path, std::string const& new_path) {
  TRY(before, openSubject(old_path, {}));
  TRY(after, openSubject(new_path, {}));
  for (auto const* subject : {&before, &after})
    if (!subject->manifest_problem.empty())
      return Error(ErrorKind::invalidInput, subject->folder + ": " + subject->manifest_problem);
  auto const& old_manifest = before.plugin.manifest.document;
  auto const& new_manifest = after.plugin.manifest.document;
  Comparison out;
  out.connector_id = after.plugin.manifest.id;
  out.old_version = before.plugin.manifest.version;
  out.new_version = after.plugin.manifest.version;
  out.old_digest = before.plugin.digest;
  out.new_digest = after.plugin.digest;
  auto& list = out.differences;
  if (before.plugin.manifest.id != after.plugin.manifest.id)
    list.push_back({Kind::changed, "id", "id", before.plugin.manifest.id, after.plugin.manifest.id, true});
  compareNames(list, "host", textsAt(old_manifest, "/hosts"), textsAt(new_manifest, "/hosts"));
  compareNames(list, "scope", scopesOf(old_manifest), scopesOf(new_manifest));
  compareNames(list, "symbol", importsOf(before), importsOf(after));
  compareNames(list, "library", librariesOf(before), librariesOf(after));
  compareNames(list, "system call", systemCallsOf(before), systemCallsOf(after));
  compareNames(list, "operation", textsAt(old_manifest, "/operations"), textsAt(new_manifest, "/operations"),
               true);
  compareFields(list, old_manifest, new_manifest);
  compareBudgets(list, before, after);
  return out;
}

json::value toJson(Comparison const& comparison) {
  json::object out{{"connector", comparison.connector_id}};
  out["old"] = json::object{{"version", comparison.old_version}, {"digest", comparison.old_digest}};
  out["new"] = json::object{{"version", comparison.new_version}, {"digest", comparison.new_digest}};
  auto& list = out["differences"].emplace_array();
  for (auto const& each : comparison.differences)
    list.push_back(json::object{{"kind", name(each.kind)},
                                {"area", each.area},
                                {"what", each.what},
                                {"before", each.before},
                                {"after", each.after},
                                {"asks_for_more", each.asks_for_more},
                                {"words", inWords(each)}});
  return out;
}

} // namespace garland::certification
