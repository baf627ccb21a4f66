// A canary in every place that a person can come to: exported, then erased, then looked for in the bytes of
// all files.
#include "host/base/file_text.h"
#include "host/crm/crm.h"
#include "host/privacy/privacy.h"
#include "host/sync/testing/house.h"
#include "host/vault/vault.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace garland::privacy {
namespace {

using sync::testing::House;
using ::testing::HasSubstr;

constexpr char const* kMail = "rosa@canary.example";
constexpr char const* kPhone = "+34600123456";
constexpr char const* kName = "Rosa Canaria";

// A studio whose CRM has Rosa, Tom and their project.
class Erasure : public ::testing::Test {
protected:
  Erasure() {
    clients().emitted_kind = "crm.client";
    projects().emitted_kind = "crm.project";
    clients().put("client-77", json::object{{"kind", "person"},
                                            {"name", kName},
                                            {"email", kMail},
                                            {"phones", json::object{{"mobile", kPhone}}}});
    clients().put("client-78",
                  json::object{{"kind", "person"}, {"name", "Tom Finch"}, {"email", "tom@x.example"}});
    projects().put("project-1",
                   json::object{{"name", "Wedding"}, {"stage", "lead"}, {"notes", "ask 600 123 456"}});
    vendor = house.vendor();
    connection = house.connect(vendor, "p", "test.crm.studio");
    EXPECT_EQ(house.sync(connection).state, "done");
    std::filesystem::create_directories(folder / "capsules");
    std::ofstream(folder / "capsules/a.json") << R"({"input":{"email":"rosa@canary.example"}})";
    std::ofstream(folder / "capsules/b.json") << R"({"input":{"email":"tom@x.example"}})";
    arrive();
    office = Office::create(dependencies());
  }

  sync::testing::FakeProvider& clients() { return house.provider("p/crm.client"); }
  sync::testing::FakeProvider& projects() { return house.provider("p/crm.project"); }

  Dependencies dependencies() {
    auto tables = sync::personalData();
    for (auto& one : audit::personalData()) tables.push_back(std::move(one));
    return Dependencies{house.loop.get_executor(),
                        house.clock,
                        house.random,
                        house.log,
                        *house.store,
                        *house.book,
                        *house.engine,
                        crm::kinds(),
                        std::move(tables),
                        folders(),
                        folder / "exports"};
  }
  std::vector<Folder> folders() const {
    return {Folder{"crash capsules", folder / "capsules"}, Folder{"exports", folder / "exports", "bak_"}};
  }

  void put(std::string sql) {
    for (auto const& [mark, text] : {std::pair<std::string, std::string>{"VEN", vendor}, {"CON", connection}})
      for (auto at = sql.find(mark); at != std::string::npos; at = sql.find(mark)) sql.replace(at, 3, text);
    house.write(std::move(sql));
  }

  // What other features keep, as they would have written it.
  void arrive() {
    put("INSERT INTO inbox "
        "(vendor_id,item_id,connection_id,source,dedupe_key,content_key,summary,content,raw,bytes,"
        "received,state,reason,attempts,records,revision) VALUES ('VEN','itm_1','CON','mail','k','','a lead',"
        "'{\"from\":\"Rosa <rosa@canary.example>\"}',CAST('RAW-CANARY' AS BLOB),9,1,'done','',1,1,1)");
    put("INSERT INTO webhooks (vendor_id,connection_id,dedupe_key,webhook_id,received,bytes,shown,body) "
        "VALUES "
        "('VEN','CON','whk','whk_1',1,9,'{}',CAST('name=x&mail=rosa%40canary.example' AS BLOB))");
    put("INSERT INTO hints (vendor_id,connection_id,kind,external_id,stamp) VALUES "
        "('VEN','CON','crm.client','client-77','1')");
    put("INSERT INTO actions "
        "(vendor_id,action_id,connection_id,operation,idempotency_key,provider_key,input,state,"
        "known_by,output,error,attempts,lookups,lookup_problem,revision,created,finished) VALUES "
        "('VEN','act_1','CON','test.send/1','for "
        "rosa@canary.example','p','{\"to\":\"rosa@canary.example\"}','done',"
        "'provider','{\"id\":7}','',1,0,'',1,1,2), "
        "('VEN','act_2','CON','test.send/1','open','p','{\"to\":\"tom@x.example\"}','waiting',"
        "'','','',1,0,'',1,1,NULL)");
    put("INSERT INTO conflicts "
        "(vendor_id,conflict_id,record_id,connection_id,members,decision,base,local,remote,at) "
        "VALUES ('VEN','cfl_1','rec_1','CON','[]','remote','null','{\"phone\":\"0600 123 456\"}','null',1)");
    put("INSERT INTO plugin_kv (vendor_id,connection_id,name,value,version,expires) VALUES "
        "('VEN','CON','last',CAST('rosa@canary.example' AS BLOB),1,0)");
    put("INSERT INTO egress_audit "
        "(vendor_id,audit_id,connection_id,operation,at,method,host,path,status,outcome,took,"
        "bytes_out,bytes_in,credential_used) VALUES "
        "('VEN','aud_1','CON','o',1,'GET','h','/rosa%40canary.example',200,"
        "'ok',1,1,1,1)");
    put("INSERT INTO person_audit (vendor_id,audit_id,connection_id,at,who,act,subject,detail) VALUES "
        "('VEN','aud_2','CON',1,'rosa@canary.example','intake.accept','itm_1','')");
    put("INSERT INTO cursors (vendor_id,connection_id,kind,cursor_json) VALUES "
        "('VEN','CON','crm.order','{\"after\":\"rosa@canary.example\"}')");
    put("INSERT INTO missed (vendor_id,connection_id,kind,remote_id,looked) VALUES "
        "('VEN','CON','crm.client','client-77',1)");
    put("INSERT INTO runs (vendor_id,connection_id,run_id,state,document,started,finished) VALUES "
        "('VEN','CON','run_1','done','{\"problems\":[{\"message\":\"Rosa Canaria has no street\"}]}',1,2)");
    put("INSERT INTO pushes "
        "(vendor_id,connection_id,record_id,kind,state,op_id,action,payload,record_version,"
        "sent_version,dispatches,created,reason) VALUES ('VEN','CON','rec_1','crm.project','parked','op_1',"
        "'upsert','{\"data\":{\"notes\":\"for Rosa Canaria\"}}',1,1,1,1,'600 123 456 is no number there')");
  }

  // Files with any of the canaries in them.
  std::vector<std::string> found() {
    std::vector<std::string> places;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (!entry.is_regular_file()) continue;
      auto const bytes = readFileText(entry.path().string()).value();
      for (auto const* canary : {"canary.example", "600123456", "600 123 456", "Rosa", "RAW-CANARY"})
        if (bytes.find(canary) != std::string::npos)
          places.push_back(entry.path().filename().string() + ": " + canary);
    }
    return places;
  }

  json::object place(Receipt const& receipt, std::string_view name) {
    for (auto const& one : receipt.at("receipt").at("places").as_array())
      if (textOr(one, "/place", "") == name) return one.as_object();
    return {};
  }
  Receipt erase(std::vector<std::string> known_as) {
    return house.run(office->erasePerson(Person{std::move(known_as), ""})).value();
  }

  TestFolder folder;
  House house{folder.path()};
  std::string vendor, connection;
  std::unique_ptr<Office> office;
};

TEST_F(Erasure, LeavesNothingOfThePersonInAnyFileAndEverythingOfOthers) {
  ASSERT_FALSE(found().empty()) << "a test that could not fail";
  auto const receipt = erase({kMail, kName});
  EXPECT_THAT(found(), ::testing::IsEmpty());
  for (auto const* canary : {"canary.example", "600123456", "Rosa"})
    EXPECT_THAT(house.log_text, ::testing::Not(HasSubstr(canary)));
  EXPECT_TRUE(std::filesystem::exists(folder / "capsules/b.json"));
  auto const rows = house.rows("SELECT data FROM records WHERE deleted=0 ORDER BY kind");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].text(0), HasSubstr("tom@x.example"));
  EXPECT_THAT(rows[1].text(0), HasSubstr("ask psn_"));
  EXPECT_EQ(house.rows("SELECT 1 FROM actions").size(), 2U) << "a key stays good for one effect";
  EXPECT_EQ(place(receipt, "records").at("removed"), 1);
  EXPECT_EQ(place(receipt, "records").at("rewritten"), 1);
  EXPECT_EQ(place(receipt, "crash capsules").at("removed"), 1);
  for (auto const* table :
       {"inbox", "webhooks", "hints", "conflicts", "plugin_kv", "egress_audit", "cursors", "missed"})
    EXPECT_EQ(place(receipt, table).at("removed"), 1) << table;
  for (auto const* table : {"actions", "person_audit", "runs", "pushes"})
    EXPECT_EQ(place(receipt, table).at("rewritten"), 1) << table;
  EXPECT_EQ(receipt.at("receipt").at("at_providers").at(connection), 1);
}

TEST_F(Erasure, IsNotUndoneByTheNextSync) {
  erase({kMail, kName});
  clients().put("client-77", json::object{{"kind", "person"}, {"name", kName}, {"email", kMail}});
  EXPECT_EQ(house.sync(connection).state, "done");
  house.run(house.engine->resync(connection)).value();
  EXPECT_EQ(house.sync(connection).state, "done");
  EXPECT_EQ(house.rows("SELECT 1 FROM records WHERE deleted=0 AND kind='crm.client'").size(), 1U);
  EXPECT_TRUE(house.rows("SELECT 1 FROM links WHERE remote_id='client-77'").empty());
}

TEST_F(Erasure, TellsWhoFollowsTheFeed) {
  auto const before = house.run(house.engine->changes(vendor, 0, 100)).value().size();
  erase({kMail});
  auto const changes = house.run(house.engine->changes(vendor, 0, 100)).value();
  std::vector<std::string> actions;
  for (auto at = before; at < changes.size(); ++at) actions.push_back(changes[at].action);
  EXPECT_THAT(actions, ::testing::UnorderedElementsAre("deleted", "updated"));
}

TEST_F(Erasure, LeavesWhatIsUnderWayAndSaysSo) {
  auto const receipt = erase({"tom@x.example"});
  auto const actions = place(receipt, "actions");
  EXPECT_EQ(actions.at("busy"), 1);
  EXPECT_EQ(actions.at("rewritten"), 0);
  EXPECT_THAT(textOr(actions, "/why", ""), HasSubstr("settle them"));
}

TEST_F(Erasure, LeavesWhatAnotherAccountCallsByTheSameId) {
  auto const other = house.connect(vendor, "q", "test.crm.studio");
  auto const note = [&](std::string const& id, std::string const& at) {
    put("INSERT INTO records (vendor_id,record_id,kind,identity,data,version,deleted,updated) VALUES "
        "('VEN','" +
        id + "','crm.note','','{\"client\":\"client-77\"}',1,0,1)");
    put("INSERT INTO links (vendor_id,connection_id,kind,remote_id,record_id,scope,base,base_hash,"
        "remote_version,state,pushed_run) VALUES ('VEN','" +
        at + "','crm.note','7','" + id + "','','{\"client\":\"client-77\"}','h','1','active','')");
  };
  note("rec_hers", connection);
  note("rec_of_another", other);
  erase({kMail});
  auto const left = house.rows("SELECT record_id FROM records WHERE kind='crm.note' AND deleted=0");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].text(0), "rec_of_another");
}

// Two in the same book who have Rosa's telephone.
class SharedTelephone : public Erasure {
protected:
  SharedTelephone() {
    keep("79",
         R"({"kind":"person","name":"Leo Finch","email":"leo@x.example","phones":{"home":"+34600123456"}})");
    keep("80", R"({"kind":"person","name":"a call of Monday","phones":{"home":"+34600123456"}})");
  }
  void keep(std::string const& id, std::string const& data) {
    put("INSERT INTO records (vendor_id,record_id,kind,identity,data,version,deleted,updated) VALUES "
        "('VEN','rec_" +
        id + "','crm.client','','" + data + "',1,0,1)");
    put("INSERT INTO links (vendor_id,connection_id,kind,remote_id,record_id,scope,base,base_hash,"
        "remote_version,state,pushed_run) VALUES ('VEN','CON','crm.client','client-" +
        id + "','rec_" + id + "','','" + data + "','h','1','active','')");
  }
  std::string left() {
    std::string text;
    for (auto const& row : house.rows("SELECT data FROM records WHERE deleted=0 AND kind='crm.client'"))
      text += row.text(0);
    return text;
  }
};

TEST_F(SharedTelephone, ThatWasLearntTakesNobodyAlongWhoHasAnotherAddress) {
  EXPECT_EQ(place(erase({kMail}), "records").at("removed"), 2) << "hers, and the one that has no address";
  EXPECT_THAT(left(), ::testing::AllOf(HasSubstr("tom@x.example"), HasSubstr("leo@x.example"),
                                       HasSubstr("psn_"), ::testing::Not(HasSubstr("600123456"))));
  EXPECT_EQ(house.rows("SELECT 1 FROM links WHERE remote_id='client-79'").size(), 1U);
}

TEST_F(SharedTelephone, ThatWasGivenTakesEverybodyAlongWhoHasIt) {
  EXPECT_EQ(place(erase({kMail, kPhone}), "records").at("removed"), 3);
  EXPECT_THAT(left(), ::testing::Not(HasSubstr("leo@x.example")));
}

TEST_F(Erasure, LeavesARecordThatIsJustBeingWrittenAndSaysSo) {
  put("INSERT INTO pushes (vendor_id,connection_id,record_id,kind,state,op_id,action,payload,record_version,"
      "sent_version,dispatches,created) SELECT "
      "'VEN','CON',record_id,kind,'sent','op_1','upsert','{}',1,1,1,1 "
      "FROM links WHERE remote_id IN ('client-77','project-1')");
  auto const left = place(erase({kMail}), "records");
  EXPECT_EQ(left.at("busy"), 2);
  EXPECT_EQ(left.at("removed"), 0);
  EXPECT_EQ(left.at("rewritten"), 0);
  EXPECT_THAT(textOr(left, "/why", ""), HasSubstr("under way"));
  EXPECT_EQ(house.rows("SELECT 1 FROM records WHERE deleted=0").size(), 3U);
  put("DELETE FROM pushes"); // they have ended
  auto const gone = place(erase({kMail}), "records");
  EXPECT_EQ(gone.at("busy"), 0);
  EXPECT_EQ(gone.at("removed"), 1);
  EXPECT_EQ(gone.at("rewritten"), 1);
}

TEST_F(Erasure, TakesBackupsAlongAndTellsWhichFilesNobodyLookedInto) {
  std::filesystem::create_directories(folder / "exports");
  std::ofstream(folder / "exports/bak_1") << "compressed";
  std::ofstream(folder / "exports/rosa.jsonl") << "";
  std::filesystem::resize_file(folder / "exports/rosa.jsonl", std::uintmax_t{1} << 31U); // of holes
  auto const kept = place(erase({kMail}), "exports");
  EXPECT_EQ(kept.at("removed"), 1);
  EXPECT_EQ(kept.at("kept"), 1);
  EXPECT_THAT(textOr(kept, "/why", ""), HasSubstr("1 GiB"));
  std::ofstream(folder / "exports/bak_2.new") << "half of it";
  auto const busy = place(erase({kMail}), "exports");
  EXPECT_EQ(busy.at("busy"), 1);
  EXPECT_THAT(textOr(busy, "/why", ""), HasSubstr("a backup is being made"));
  EXPECT_EQ(busy.at("kept"), 1);
  EXPECT_THAT(textOr(busy, "/why", ""), HasSubstr("1 GiB")) << "one reason does not hide the other";
  EXPECT_TRUE(std::filesystem::exists(folder / "exports/bak_2.new"));
}

TEST_F(Erasure, GivesAReceiptThatNamesNobodyAndCannotBeChanged) {
  auto receipt = json::value(erase({kMail, kName, kPhone}));
  auto const text = json::serialize(receipt);
  for (auto const* canary : {"rosa", "Rosa", "canary", "600123456"})
    EXPECT_EQ(text.find(canary), std::string::npos);
  EXPECT_THAT(text, HasSubstr("the data folders of other daemons on this database")) << "nobody looked there";
  auto const key = house.book->state().key;
  EXPECT_TRUE(isGenuine(receipt, key));
  EXPECT_FALSE(isGenuine(receipt, "ed25519:" + std::string(64, '0')));
  receipt.at("receipt").as_object()["act"] = "erase_vendor";
  EXPECT_FALSE(isGenuine(receipt, key));
  EXPECT_EQ(house.verdict().faults_in_all, 0) << "the chain still holds";
}

TEST_F(Erasure, IsToldInTheAuditChainWithTheHashOfItsReceiptAndWhatItDid) {
  auto const receipt = erase({kMail, kName}).at("receipt");
  json::value told;
  for (auto const& row : house.run(house.book->rows("", -1, 1000)).value()) {
    for (auto const* canary : {"rosa", "Rosa", "canary", "600123456"})
      EXPECT_EQ(row.entry.find(canary), std::string::npos) << row.entry;
    auto const entry = parseJson(row.entry).value();
    if (textOr(entry, "/act", "") == "privacy.erase") told = entry;
  }
  ASSERT_TRUE(told.is_object());
  EXPECT_EQ(textOr(told, "/subject", ""), textOr(receipt, "/receipt", "-"));
  EXPECT_EQ(textOr(told, "/person", ""), house.book->pseudonym(kMail));
  EXPECT_EQ(textOr(told, "/facts/receipt_sha256", ""), vault::sha256Hex(canonicalJson(receipt)));
  EXPECT_EQ(textOr(told, "/facts/summary/act", ""), "erase_person");
  EXPECT_EQ(integerOr(told, "/facts/summary/places/records/removed", 0), 1);
  EXPECT_EQ(integerOr(told, "/facts/summary/places/records/rewritten", 0), 1);
  EXPECT_EQ(integerOr(told, "/facts/summary/at_providers/" + connection, 0), 1);
}

TEST_F(Erasure, OfAVendorTakesAllOfItAndNothingOfAnother) {
  auto const other = house.vendor();
  auto const receipt = house.run(office->eraseVendor(vendor)).value();
  EXPECT_THAT(found(), ::testing::Contains(HasSubstr("a.json"))) << "no file names this vendor";
  for (auto const& table : sync::personalData())
    if (table.of_vendor)
      EXPECT_TRUE(house.rows("SELECT 1 FROM " + table.name + " WHERE vendor_id='" + vendor + "'").empty())
          << table.name;
  EXPECT_EQ(house.rows("SELECT 1 FROM vendors WHERE vendor_id='" + other + "'").size(), 1U);
  EXPECT_TRUE(isGenuine(json::value(receipt), house.book->state().key));
  EXPECT_EQ(house.run(office->eraseVendor(vendor)).error().kind, ErrorKind::notFound);
}

TEST_F(Erasure, IsPrecededByAnExportOfTheSamePlaces) {
  auto const name = house.run(office->exportPerson(Person{{kMail}, vendor})).value();
  auto const text = readFileText(folder / ("exports/" + name)).value();
  for (auto const* table : {"records", "links", "inbox", "webhooks", "actions", "conflicts", "plugin_kv"})
    EXPECT_THAT(text, HasSubstr("{\"table\":\"" + std::string(table) + "\"")) << text;
  EXPECT_THAT(text, HasSubstr(kPhone)) << "learnt from their own record";
  EXPECT_EQ(text.find("tom@x.example"), std::string::npos);
  EXPECT_EQ(house.run(office->exportPerson(Person{{kMail}, "ven_none"})).error().kind, ErrorKind::notFound);
  EXPECT_EQ(house.run(office->exportPerson(Person{{}, ""})).error().kind, ErrorKind::invalidInput);
}

} // namespace
} // namespace garland::privacy
