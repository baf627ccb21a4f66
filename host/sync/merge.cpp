#include "host/sync/merge.h"

#include <algorithm>
#include <set>

namespace garland::sync {
namespace {

struct Group {
  std::vector<std::string> members;
};

void addNames(std::set<std::string>& names, json::object const& object) {
  for (auto const& member : object) names.emplace(member.key());
}

// The kind's atomic groups, then every other projected member as a group of its own.
std::vector<Group> groupsOf(Kind const& kind, std::set<std::string> names) {
  std::vector<Group> groups;
  for (auto const& members : kind.atomic_groups) {
    groups.push_back(Group{members});
    for (auto const& member : members) names.erase(member);
  }
  for (auto const& name : names) groups.push_back(Group{{name}});
  return groups;
}

json::object part(json::object const& from, Group const& group) {
  json::object out;
  for (auto const& member : group.members)
    if (auto const* value = from.if_contains(member)) out[member] = *value;
  return out;
}

json::object asObject(json::value const& value) {
  auto const* object = value.if_object();
  return object == nullptr ? json::object() : *object;
}

void takeGroup(json::object& into, json::object const& from, Group const& group) {
  for (auto const& member : group.members) {
    if (auto const* value = from.if_contains(member))
      into[member] = *value;
    else
      into.erase(member);
  }
}

// Members that no projection knows follow the provider, who is the only one to write them.
void takeUnmapped(json::object& into, json::object const& remote, std::vector<Group> const& groups) {
  for (auto const& member : remote) {
    bool const mapped = std::any_of(groups.begin(), groups.end(), [&](Group const& group) {
      return std::find(group.members.begin(), group.members.end(), member.key()) != group.members.end();
    });
    if (!mapped) into[member.key()] = member.value();
  }
}

} // namespace

Projection projectionOf(Kind const& kind, json::value const& data) {
  return projectionFrom(canonicalJson(kind.project(data)));
}

Projection projectionFrom(std::string_view stored_text) {
  Projection projection;
  projection.text = stored_text;
  projection.hash = vault::sha256Hex(stored_text);
  boost::system::error_code failed;
  auto const value = json::parse(stored_text, failed);
  if (!failed) projection.fields = asObject(value);
  return projection;
}

std::vector<GroupConflict> notTaken(Kind const& kind, json::object const& base, json::value const& sent,
                                    json::value const& returned, Merged const& merged) {
  auto const ours = projectionOf(kind, sent);
  auto const theirs = projectionOf(kind, returned);
  std::set<std::string> names;
  addNames(names, base);
  addNames(names, ours.fields);
  addNames(names, theirs.fields);
  std::vector<GroupConflict> lost;
  for (auto const& group : groupsOf(kind, std::move(names))) {
    auto const b = part(base, group);
    auto const l = part(ours.fields, group);
    auto const r = part(theirs.fields, group);
    if (l != b && r == b && part(merged.projection.fields, group) == r)
      lost.push_back(GroupConflict{group.members, b, l, r});
  }
  return lost;
}

Merged merge(Kind const& kind, MergeInput const& input) {
  auto const local = projectionOf(kind, input.local);
  auto const remote = projectionOf(kind, input.remote);
  std::set<std::string> names;
  addNames(names, input.base);
  addNames(names, local.fields);
  addNames(names, remote.fields);

  auto const remote_data = asObject(input.remote);
  auto data = asObject(input.local);
  auto const groups = groupsOf(kind, std::move(names));
  Merged merged;
  for (auto const& group : groups) {
    auto const b = part(input.base, group);
    auto const l = part(local.fields, group);
    auto const r = part(remote.fields, group);
    if (l == r || r == b) continue;
    if (input.local_changed && l != b) merged.conflicts.push_back(GroupConflict{group.members, b, l, r});
    takeGroup(data, remote_data, group);
  }
  takeUnmapped(data, remote_data, groups);
  merged.data = std::move(data);
  merged.projection = projectionOf(kind, merged.data);
  merged.differs_from_local = merged.projection.hash != local.hash;
  merged.differs_from_remote = merged.projection.hash != remote.hash;
  return merged;
}

} // namespace garland::sync
