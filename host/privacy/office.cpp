// One request at a time: whom it is about, what was done, and the receipt of it.
#include "host/base/ids.h"
#include "host/privacy/eraser.h"
#include "host/privacy/files.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::privacy {
namespace {

constexpr std::int64_t kAtOnce = 500; // rows of a vendor
constexpr std::size_t kMostNames = 20;

// Set while a request goes on.
class Turn {
public:
  explicit Turn(bool& taken) : taken_(taken) { taken_ = true; }
  ~Turn() { taken_ = false; }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

private:
  bool& taken_;
};

// What no receipt can speak for.
json::array notReached() {
  json::array out;
  out.push_back("backups that were taken away before: erase again after one of them was restored");
  out.push_back("exports that were written before, wherever they were taken to");
  out.push_back("capsules, exports and backups in the data folders of other daemons on this database");
  out.push_back("what providers, subscribers and endpoints were told or have of their own");
  out.push_back("the audit chain: it names people by pseudonyms, and nothing is taken out of it");
  return out;
}

// What the audit chain keeps of a receipt, which may get lost: numbers and names of places.
json::object summaryOf(json::object const& receipt) {
  json::object places;
  for (auto const& place : receipt.at("places").as_array()) {
    json::object counts;
    for (auto const* member : {"removed", "rewritten", "kept", "busy"})
      if (auto const count = integerOr(place, "/" + std::string(member), 0); count > 0)
        counts[member] = count;
    if (!counts.empty()) places[textOr(place, "/place", "")] = std::move(counts);
  }
  json::object summary;
  summary["act"] = receipt.at("act");
  summary["places"] = std::move(places);
  summary["at_providers"] = receipt.at("at_providers");
  summary["scrubbed"] = boolOr(receipt, "/database/scrubbed", false);
  return summary;
}

// What a person may read of a row: bytes as text, if they are any.
json::object lineOf(PersonalTable const& table, FoundRow const& row) {
  json::object keys;
  for (std::size_t i = 0; i < table.keys.size(); ++i) keys[table.keys[i].name] = textOf(row.keys[i]);
  json::object values;
  for (std::size_t i = 0; i < table.personal.size(); ++i) {
    auto const text = textOf(row.personal[i]);
    auto parsed = parseJson(text);
    if (parsed && (parsed->is_object() || parsed->is_array()))
      values[table.personal[i].name] = std::move(*parsed);
    else
      values[table.personal[i].name] = text;
  }
  json::object line;
  line["table"] = table.name;
  line["row"] = std::move(keys);
  line["holds"] = std::move(values);
  return line;
}

class OneOffice final : public Office {
public:
  explicit OneOffice(Dependencies with) : with_(std::move(with)) {}

  Task<std::string> exportPerson(Person person) override;
  Task<std::string> exportVendor(std::string vendor_id) override;
  Task<Receipt> erasePerson(Person person) override;
  Task<Receipt> eraseVendor(std::string vendor_id) override;

private:
  Result<void> refuseIfBusy() const;
  Task<void> require(std::string vendor_id);
  Result<Subject> subjectOf(Person const& person) const;
  Task<void> disconnectAll(std::string vendor_id, std::vector<std::string>* names);
  Task<std::int64_t> removeAll(PersonalTable const* table, std::string vendor_id);
  std::string whyOf(std::string const& place, Tally const& tally) const;
  bool isFolder(std::string const& place) const;
  std::string whyBusy(std::string const& place) const;
  std::string whyKept(std::string const& place) const;
  json::array placesOf(std::map<std::string, Tally> const& tallies) const;
  Task<Receipt> finish(json::object receipt, audit::Event event);

  Dependencies with_;
  bool busy_ = false;
};

Result<void> OneOffice::refuseIfBusy() const {
  if (!busy_) return {};
  return Error(ErrorKind::conflict, "another export or erasure is under way; ask again when it has ended");
}

Task<void> OneOffice::require(std::string vendor_id) {
  if (vendor_id.empty()) co_return Result<void>();
  CO_TRY(all, co_await with_.engine.vendors());
  bool const is_there = std::ranges::find(all, vendor_id, &sync::Vendor::id) != all.end();
  if (!is_there)
    co_return Error(ErrorKind::notFound, "there is no vendor \"" + vendor_id + "\"", "/vendor_id");
  co_return Result<void>();
}

Result<Subject> OneOffice::subjectOf(Person const& person) const {
  if (person.known_as.empty() || person.known_as.size() > kMostNames)
    return Error(ErrorKind::invalidInput,
                 "name the person by 1 to 20 addresses, telephone numbers or whole names", "/person");
  Subject subject(with_.audit.pseudonym(person.known_as.front()));
  for (auto const& text : person.known_as) {
    TRY_VOID(subject.add(text));
  }
  return subject;
}

Task<std::string> OneOffice::exportPerson(Person person) {
  CO_TRY_VOID(refuseIfBusy());
  Turn const turn(busy_);
  CO_TRY_VOID(co_await require(person.vendor_id));
  CO_TRY(subject, subjectOf(person));
  CO_TRY(file, LinesFile::make(with_.exports, with_.random));
  Eraser finder(with_, std::move(subject), person.vendor_id);
  CO_TRY_VOID(co_await finder.learn());
  Eraser::Visitor const write = [&file](PersonalTable const& table, FoundRow const& row) {
    return file.write(lineOf(table, row));
  };
  CO_TRY_VOID(co_await finder.visit(write));
  co_return file.keep();
}

Task<std::string> OneOffice::exportVendor(std::string vendor_id) {
  CO_TRY_VOID(refuseIfBusy());
  Turn const turn(busy_);
  CO_TRY_VOID(co_await require(vendor_id));
  CO_TRY(file, LinesFile::make(with_.exports, with_.random));
  for (auto const& table : with_.tables) {
    if (!table.of_vendor || table.personal.empty()) continue;
    Search search(with_.store, table, vendor_id);
    for (;;) {
      CO_TRY(rows, co_await search.next());
      if (rows.empty()) break;
      for (auto const& row : rows) {
        CO_TRY_VOID(file.write(lineOf(table, row)));
      }
    }
  }
  co_return file.keep();
}

// Some may be busy and others kept, each for a reason of its own.
std::string OneOffice::whyOf(std::string const& place, Tally const& tally) const {
  std::string why;
  if (tally.busy > 0) why = whyBusy(place);
  if (tally.kept > 0) why += (why.empty() ? "" : "; ") + whyKept(place);
  return why;
}

bool OneOffice::isFolder(std::string const& place) const {
  return std::ranges::find(with_.folders, place, &Folder::name) != with_.folders.end();
}

std::string OneOffice::whyBusy(std::string const& place) const {
  if (isFolder(place)) return kBeingMade;
  auto const table = std::ranges::find(with_.tables, place, &PersonalTable::name);
  if (table != with_.tables.end() && !table->why_busy.empty()) return table->why_busy;
  return "writes of them are under way; the next sync ends these";
}

std::string OneOffice::whyKept(std::string const& place) const {
  if (isFolder(place)) return kNotRead;
  auto const table = std::ranges::find(with_.tables, place, &PersonalTable::name);
  if (table != with_.tables.end() && !table->why_kept.empty()) return table->why_kept;
  return "only the provider's own id for it names the person";
}

json::array OneOffice::placesOf(std::map<std::string, Tally> const& tallies) const {
  json::array places;
  for (auto const& [place, tally] : tallies) {
    json::object one;
    one["place"] = place;
    one["removed"] = tally.removed;
    one["rewritten"] = tally.rewritten;
    one["kept"] = tally.kept;
    one["busy"] = tally.busy;
    one["why"] = whyOf(place, tally);
    places.push_back(std::move(one));
  }
  return places;
}

// The file is written anew even if little went: what was overwritten long ago may still be in it.
Task<Receipt> OneOffice::finish(json::object receipt, audit::Event event) {
  auto const scrubbed = co_await with_.store.scrub();
  json::object database;
  database["driver"] = with_.store.driver();
  database["scrubbed"] = scrubbed && *scrubbed;
  database["problem"] = "";
  if (!scrubbed) database["problem"] = scrubbed.error().message;
  if (scrubbed && !*scrubbed)
    database["problem"] =
        "DELETE FROM pg_statistic, VACUUM FULL, ANALYZE and CHECKPOINT are its administrator's";
  receipt["database"] = std::move(database);
  receipt["receipt"] = newId("rcp", with_.clock, with_.random);
  receipt["at"] = rfc3339(with_.clock.now());
  receipt["key"] = with_.audit.state().key;
  receipt["not_reached"] = notReached();
  auto const text = canonicalJson(receipt);
  CO_TRY(signature, with_.audit.sign(kReceipt, text));
  event.kind = audit::Kind::change;
  event.act = "privacy.erase";
  event.subject = textOr(receipt, "/receipt", "");
  event.facts["receipt_sha256"] = vault::sha256Hex(text);
  event.facts["summary"] = summaryOf(receipt);
  CO_TRY_VOID(co_await with_.audit.write(std::move(event)));
  Receipt out;
  out["receipt"] = std::move(receipt);
  out["signature"] = hex(signature);
  co_return out;
}

Task<Receipt> OneOffice::erasePerson(Person person) {
  CO_TRY_VOID(refuseIfBusy());
  Turn const turn(busy_);
  CO_TRY_VOID(co_await require(person.vendor_id));
  CO_TRY(subject, subjectOf(person));
  json::object receipt;
  receipt["act"] = "erase_person";
  receipt["subject"] = subject.pseudonym();
  receipt["vendor"] = person.vendor_id;
  Eraser eraser(with_, std::move(subject), person.vendor_id);
  CO_TRY_VOID(co_await eraser.learn());
  CO_TRY_VOID(co_await eraser.erase());
  receipt["places"] = placesOf(eraser.tallies());
  json::object providers;
  for (auto const& [connection, records] : eraser.atProviders()) providers[connection] = records;
  receipt["at_providers"] = std::move(providers);
  audit::Event event;
  event.vendor_id = person.vendor_id;
  event.person = person.known_as.front();
  co_return co_await finish(std::move(receipt), std::move(event));
}

Task<void> OneOffice::disconnectAll(std::string vendor_id, std::vector<std::string>* names) {
  CO_TRY(connections, co_await with_.engine.connections(vendor_id));
  for (auto const& connection : connections) {
    names->push_back(connection.id);
    CO_TRY_VOID(co_await with_.engine.disconnect(connection.id, true));
  }
  co_return Result<void>();
}

Task<std::int64_t> OneOffice::removeAll(PersonalTable const* table, std::string vendor_id) {
  std::int64_t removed = 0;
  auto const keys = keyNames(*table);
  auto const sql = "DELETE FROM " + table->name + " WHERE (" + keys + ") IN (SELECT " + keys + " FROM " +
                   table->name + " WHERE vendor_id=$1 LIMIT $2)";
  for (;;) {
    Values args(1, vendor_id);
    args.emplace_back(kAtOnce);
    store::Unit unit;
    unit.emplace_back(sql, std::move(args));
    CO_TRY(done, co_await with_.store.commit(std::move(unit)));
    removed += done[0].affected;
    if (done[0].affected < kAtOnce) co_return removed;
  }
}

// The vendor itself goes last: until then it can be asked for again.
Task<Receipt> OneOffice::eraseVendor(std::string vendor_id) {
  CO_TRY_VOID(refuseIfBusy());
  Turn const turn(busy_);
  CO_TRY_VOID(co_await require(vendor_id));
  std::vector<std::string> names(1, vendor_id);
  CO_TRY_VOID(co_await disconnectAll(vendor_id, &names));
  std::map<std::string, Tally> tallies;
  PersonalTable const* vendors = nullptr;
  for (auto const& table : with_.tables) {
    if (table.name == "vendors") vendors = &table;
    if (!table.of_vendor || table.name == "vendors") continue;
    CO_TRY(removed, co_await removeAll(&table, vendor_id));
    tallies[table.name].removed = removed;
  }
  for (auto const& folder : with_.folders) {
    auto const is_theirs = [&names](std::string const& text) {
      return std::ranges::any_of(names,
                                 [&](auto const& name) { return text.find(name) != std::string::npos; });
    };
    CO_TRY(files, removeFiles(folder, is_theirs));
    tallies[folder.name] = files;
  }
  if (vendors != nullptr) {
    CO_TRY(removed, co_await removeAll(vendors, vendor_id));
    tallies["vendors"].removed = removed;
  }
  json::object receipt;
  receipt["act"] = "erase_vendor";
  receipt["subject"] = vendor_id;
  receipt["vendor"] = vendor_id;
  receipt["places"] = placesOf(tallies);
  receipt["at_providers"] = json::object();
  audit::Event event;
  event.vendor_id = vendor_id;
  co_return co_await finish(std::move(receipt), std::move(event));
}

} // namespace

bool isGenuine(json::value const& receipt, std::string_view public_key) {
  auto const* said = find(receipt, "/receipt");
  auto const signature = fromHex(textOr(receipt, "/signature", ""));
  if (said == nullptr || !signature) return false;
  return audit::isSigned(public_key, kReceipt, canonicalJson(*said), *signature);
}

std::unique_ptr<Office> Office::create(Dependencies dependencies) {
  return std::make_unique<OneOffice>(std::move(dependencies));
}

} // namespace garland::privacy
