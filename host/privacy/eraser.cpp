#include "host/privacy/eraser.h"

#include "host/privacy/files.h"

#include <algorithm>

namespace garland::privacy {
namespace {

constexpr int kRounds = 4;
constexpr std::size_t kData = 1;       // of the personal columns of `records`
constexpr std::size_t kBase = 2;       // of those of `links`
constexpr std::size_t kConnection = 1; // of the keys of `links`
constexpr std::size_t kLinksKind = 2;

json::value jsonOf(store::Value const& value) {
  auto parsed = parseJson(textOf(value));
  return parsed ? std::move(*parsed) : json::value(nullptr);
}

// All strings in a value.
void gather(json::value const& value, std::vector<std::string>& out) {
  if (value.is_string()) out.emplace_back(value.get_string());
  if (value.is_array())
    for (auto const& one : value.get_array()) gather(one, out);
  if (value.is_object())
    for (auto const& member : value.get_object()) gather(member.value(), out);
}

std::vector<std::string> contactsIn(sync::Kind const& kind, json::value const& data) {
  std::vector<std::string> contacts;
  for (auto const& member : kind.contact_members)
    if (auto const* value = find(data, member)) gather(*value, contacts);
  return contacts;
}

bool isAddress(std::string_view contact) { return contact.find('@') != std::string_view::npos; }

// What is learnt must be one person's only: a short number or a word is not.
bool reachesOne(std::string_view contact) {
  return isAddress(contact) ||
         std::ranges::count_if(contact, [](char c) { return c >= '0' && c <= '9'; }) >= 7;
}

// A record that is just being written stays until that has ended.
Result<void> leave(Tally& tally, Error const& error) {
  if (error.kind != ErrorKind::conflict) return error;
  ++tally.busy;
  return {};
}

} // namespace

Eraser::Eraser(Dependencies const& with, Subject subject, std::string vendor_id)
    : with_(with), subject_(std::move(subject)), certain_(subject_), vendor_id_(std::move(vendor_id)) {
  for (auto const& kind : with_.kinds) kinds_[kind.name] = &kind;
}

PersonalTable const* Eraser::table(std::string_view name) const {
  auto const found = std::ranges::find(with_.tables, name, &PersonalTable::name);
  return found == with_.tables.end() ? nullptr : &*found;
}

// ---------------------------------------------------------------- records

// The same id may be another person's in another account.
Eraser::Concern Eraser::concernIn(std::string const& kind_name, json::value const& data,
                                  std::string const& connection_id) const {
  auto const found = kinds_.find(kind_name);
  bool const named = subject_.isNamedIn(data);
  if (found == kinds_.end()) return named ? Concern::named : Concern::none;
  auto const& kind = *found->second;
  auto const refers = [&](std::string const& member) {
    return subject_.isRemote(connection_id, textOr(data, member, ""));
  };
  bool const referred = std::ranges::any_of(kind.person_members, refers);
  if (!named && !referred) return Concern::none;
  if (!kind.goes_with_person) return Concern::named;
  if (kind.contact_members.empty()) return Concern::own;
  return isTheirOwn(kind, data) ? Concern::own : Concern::named;
}

// Whoever has another address and nothing of theirs but a number that was learnt is somebody else, who shares
// the telephone with them.
bool Eraser::isTheirOwn(sync::Kind const& kind, json::value const& data) const {
  auto const names = [&](Subject const& subject) {
    auto const in = [&](std::string const& member) {
      auto const* value = find(data, member);
      return value != nullptr && subject.isNamedIn(*value);
    };
    return in("/name") || std::ranges::any_of(kind.contact_members, in);
  };
  if (names(certain_)) return true;
  return names(subject_) && std::ranges::none_of(contactsIn(kind, data), isAddress);
}

bool Eraser::addContacts(sync::Kind const& kind, json::value const& data) {
  bool more = false;
  for (auto const& contact : contactsIn(kind, data)) {
    if (!reachesOne(contact)) continue;
    if (isAddress(contact)) (void)certain_.add(contact);
    auto const added = subject_.add(contact);
    more = more || (added && *added);
  }
  return more;
}

Task<bool> Eraser::addRemotes(RecordName name) {
  Values args = {name.first, name.second};
  store::Statement query("SELECT connection_id, remote_id FROM links WHERE vendor_id=$1 AND record_id=$2",
                         std::move(args));
  CO_TRY(links, co_await with_.store.read(std::move(query)));
  bool more = false;
  for (auto const& row : links.rows) more = subject_.addRemote(row.text(0), row.text(1)) || more;
  co_return more;
}

Task<void> Eraser::learn() {
  for (int round = 0; round < kRounds; ++round) {
    CO_TRY(more, co_await learnOnce());
    if (!more) break;
  }
  co_return Result<void>();
}

Task<bool> Eraser::learnOnce() {
  bool more = false;
  auto const* records = table("records");
  if (records == nullptr) co_return more;
  std::vector<std::string> const besides{"kind"};
  Search search(with_.store, *records, vendor_id_, besides);
  for (;;) {
    CO_TRY(rows, co_await search.next());
    if (rows.empty()) break;
    for (auto const& row : rows) {
      auto const data = jsonOf(row.personal[kData]);
      auto const kind = kinds_.find(row.more[0]);
      bool const has_contacts = kind != kinds_.end() && !kind->second->contact_members.empty();
      if (!has_contacts || concernIn(row.more[0], data, std::string()) != Concern::own) continue;
      more = addContacts(*kind->second, data) || more;
      RecordName name(textOf(row.keys[0]), textOf(row.keys[1]));
      CO_TRY(linked, co_await addRemotes(std::move(name)));
      more = more || linked;
    }
  }
  co_return more;
}

Task<std::map<Eraser::RecordName, Eraser::Concern>> Eraser::findRecords() {
  std::map<RecordName, Concern> found;
  auto const add = [&found](std::string vendor, std::string id, Concern concern) {
    if (concern == Concern::none) return;
    auto& known = found[RecordName(std::move(vendor), std::move(id))];
    known = std::max(known, concern);
  };
  auto const* records = table("records");
  auto const* links = table("links");
  if (records == nullptr || links == nullptr) co_return found;
  std::vector<std::string> const kind{"kind"};
  Search in_records(with_.store, *records, vendor_id_, kind);
  for (;;) {
    CO_TRY(rows, co_await in_records.next());
    if (rows.empty()) break;
    for (auto const& row : rows) {
      auto const concern = concernIn(row.more[0], jsonOf(row.personal[kData]), std::string());
      add(textOf(row.keys[0]), textOf(row.keys[1]), concern);
    }
  }
  std::vector<std::string> const record{"record_id"};
  Search in_links(with_.store, *links, vendor_id_, record);
  for (;;) {
    CO_TRY(rows, co_await in_links.next());
    if (rows.empty()) break;
    for (auto const& row : rows) {
      auto concern =
          concernIn(textOf(row.keys[kLinksKind]), jsonOf(row.personal[kBase]), textOf(row.keys[kConnection]));
      if (concern == Concern::none && concerns(*links, row)) concern = Concern::named;
      add(textOf(row.keys[0]), row.more[0], concern);
    }
  }
  co_return found;
}

Task<std::vector<std::string>> Eraser::connectionsOf(RecordName name) {
  store::Statement query("SELECT DISTINCT connection_id FROM links WHERE vendor_id=$1 AND record_id=$2",
                         {name.first, name.second});
  CO_TRY(links, co_await with_.store.read(std::move(query)));
  std::vector<std::string> connections;
  for (auto const& row : links.rows) connections.push_back(row.text(0));
  co_return connections;
}

// A kept record that names the person by the provider's id does so no more.
sync::Rewriter Eraser::rewriter(std::vector<std::string> connections) const {
  return [this, at = std::move(connections)](json::value const& value) {
    auto out = subject_.without(value);
    if (!out.is_object()) return out;
    for (auto const& [name, kind] : kinds_)
      for (auto const& pointer : kind->person_members) {
        auto* const member = out.get_object().if_contains(pointer.substr(1));
        if (member == nullptr || !member->is_string()) continue;
        std::string const id(member->get_string());
        auto const is_theirs = [&](std::string const& one) { return subject_.isRemote(one, id); };
        if (std::ranges::any_of(at, is_theirs)) *member = subject_.pseudonym();
      }
    return out;
  };
}

Task<void> Eraser::eraseRecord(RecordName name, Concern concern) {
  auto& tally = tallies_["records"];
  if (concern == Concern::named) {
    CO_TRY(connections, co_await connectionsOf(name));
    auto rewrite = rewriter(std::move(connections));
    auto const changed = co_await with_.engine.rewriteRecord(name.first, name.second, std::move(rewrite));
    if (!changed) co_return leave(tally, changed.error());
    (*changed ? tally.rewritten : tally.kept) += 1;
    co_return Result<void>();
  }
  auto const erased = co_await with_.engine.eraseRecord(name.first, name.second);
  if (!erased) co_return leave(tally, erased.error());
  if (erased->existed) ++tally.removed;
  for (auto const& link : erased->links) ++at_providers_[link.connection_id];
  co_return Result<void>();
}

Task<void> Eraser::eraseRecords() {
  CO_TRY(found, co_await findRecords());
  for (auto const& [name, concern] : found) {
    CO_TRY_VOID(co_await eraseRecord(name, concern));
  }
  co_return Result<void>();
}

// ---------------------------------------------------------------- other rows

bool Eraser::concerns(PersonalTable const& table, FoundRow const& row) const {
  auto const names = [this](store::Value const& value) {
    return subject_.isNamedIn(std::string_view(textOf(value)));
  };
  if (std::ranges::any_of(row.personal, names)) return true;
  if (table.remote_id.empty()) return false;
  std::string connection;
  std::string remote;
  for (std::size_t i = 0; i < table.keys.size(); ++i) {
    if (table.keys[i].name == "connection_id") connection = textOf(row.keys[i]);
    if (table.keys[i].name == table.remote_id) remote = textOf(row.keys[i]);
  }
  return subject_.isRemote(connection, remote);
}

// It is what it was when it was read, or nothing happens, and it is found once more.
store::Statement Eraser::mended(PersonalTable const& table, FoundRow const& row) const {
  Values args = row.keys;
  auto const where = isRow(table, 1);
  if (table.fate == Fate::removed)
    return store::Statement("DELETE FROM " + table.name + " WHERE " + where, std::move(args));
  std::string sets;
  std::string as_it_was;
  for (std::size_t i = 0; i < table.personal.size(); ++i) {
    auto const& column = table.personal[i].name;
    auto const& old = row.personal[i];
    auto const text = textOf(old);
    auto fresh = subject_.without(std::string_view(text));
    if (fresh == text) continue;
    if (column == table.unique) fresh = subject_.pseudonym() + "/" + textOf(row.keys.back());
    args.push_back(valueLike(old, std::move(fresh)));
    sets += (sets.empty() ? "" : ",") + column + "=$" + std::to_string(args.size());
    args.push_back(old);
    as_it_was += " AND " + column + "=$" + std::to_string(args.size());
  }
  if (sets.empty()) return store::Statement("SELECT 1");
  auto sql = "UPDATE " + table.name + " SET " + sets + " WHERE " + where + as_it_was;
  return store::Statement(std::move(sql), std::move(args));
}

Task<void> Eraser::eraseRows(PersonalTable const* table) {
  auto& tally = tallies_[table->name];
  Search search(with_.store, *table, vendor_id_);
  for (;;) {
    CO_TRY(rows, co_await search.next());
    if (rows.empty()) break;
    store::Unit unit;
    std::set<std::string> vendors;
    for (auto const& row : rows) {
      if (!concerns(*table, row)) continue;
      if (table->fate == Fate::kept) ++tally.kept;
      if (table->fate != Fate::kept && row.busy) ++tally.busy;
      if (table->fate == Fate::kept || row.busy) continue;
      unit.push_back(mended(*table, row));
      vendors.insert(textOf(row.keys[0]));
    }
    if (unit.empty()) continue;
    auto const changes = unit.size();
    if (!table->recount.empty())
      for (auto const& vendor : vendors) unit.emplace_back(table->recount, Values(1, vendor));
    CO_TRY(done, co_await with_.store.commit(std::move(unit)));
    for (std::size_t i = 0; i < changes; ++i)
      (table->fate == Fate::removed ? tally.removed : tally.rewritten) += done[i].affected;
  }
  co_return Result<void>();
}

Result<void> Eraser::eraseFiles() {
  for (auto const& folder : with_.folders) {
    auto const names = [this](std::string const& text) { return subject_.isNamedIn(std::string_view(text)); };
    TRY(tally, removeFiles(folder, names));
    tallies_[folder.name] = tally;
  }
  return {};
}

// ---------------------------------------------------------------- all of it

// Records last: what is learnt from them is known as long as anything else is left.
Task<void> Eraser::erase() {
  auto const changed = [this] {
    std::int64_t all = 0;
    for (auto const& [place, tally] : tallies_) all += tally.removed + tally.rewritten;
    return all;
  };
  for (int round = 0; round < kRounds; ++round) {
    auto const before = changed();
    for (auto& [place, tally] : tallies_) tally.kept = tally.busy = 0;
    for (auto const& table : with_.tables) {
      if (table.personal.empty() || table.fate == Fate::ofRecord) continue;
      CO_TRY_VOID(co_await eraseRows(&table));
    }
    CO_TRY_VOID(co_await eraseRecords());
    if (changed() == before) break;
  }
  co_return eraseFiles();
}

Task<void> Eraser::visit(Visitor visitor) {
  CO_TRY(records, co_await findRecords());
  for (auto const& table : with_.tables) {
    if (table.personal.empty()) continue;
    std::vector<std::string> besides;
    if (table.name == "links") besides.emplace_back("record_id");
    Search search(with_.store, table, vendor_id_, std::move(besides));
    for (;;) {
      CO_TRY(rows, co_await search.next());
      if (rows.empty()) break;
      for (auto const& row : rows) {
        bool hit = concerns(table, row);
        if (table.fate == Fate::ofRecord) {
          auto const id = table.name == "links" ? row.more[0] : textOf(row.keys[1]);
          hit = records.contains(RecordName(textOf(row.keys[0]), id));
        }
        if (!hit) continue;
        CO_TRY_VOID(visitor(table, row));
      }
    }
  }
  co_return Result<void>();
}

} // namespace garland::privacy
