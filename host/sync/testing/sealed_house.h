// A house with a row in every table that has secrets, on a folder with its master key, and the custody over
// it.
#pragma once

#include "host/custody/custody.h"
#include "host/sync/testing/house.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace garland::sync::testing {

inline vault::KeySource keyAt(std::string const& path) { return vault::keySourceNamed(path).value(); }

class SealedHouse {
public:
  SealedHouse() : house(folder.path()) {
    for (auto const& migration : custody::migrations()) house.write(migration.sql);
  }

  // The new key first, as after a change of the settings.
  std::unique_ptr<vault::Vault> rotated() {
    return vault::Vault::open({keyAt(folder / "new.key"), keyAt(folder / "master.key")}, true, random)
        .value();
  }
  std::unique_ptr<vault::Vault> onlyNew() {
    return vault::Vault::open({keyAt(folder / "new.key")}, false, random).value();
  }

  // `vault`: must outlive it. `store`: instead of the house's own.
  custody::Dependencies with(vault::Vault& vault, store::Store* store = nullptr) {
    auto const executor = house.loop.get_executor();
    return custody::Dependencies{executor,
                                 executor,
                                 house.clock,
                                 random,
                                 house.log,
                                 store != nullptr ? *store : *house.store,
                                 vault,
                                 secretTables(),
                                 folder / "exports",
                                 Milliseconds(20),
                                 10};
  }

  void commit(std::string sql, std::vector<store::Value> args) {
    store::Unit unit;
    unit.emplace_back(std::move(sql), std::move(args));
    house.run(house.store->commit(std::move(unit))).value();
  }
  std::string sealed(std::string const& secret) { return house.vault->seal(Secret(secret), "place").value(); }

  // So many credentials, none of a connection that there is: "secret of con_0", ...
  void addCredentials(int count) {
    for (int i = 0; i < count; ++i) {
      auto const connection = "con_" + std::to_string(i);
      commit("INSERT INTO credentials (vendor_id,connection_id,slot,sealed) VALUES ('ven_1',$1,'login',$2)",
             {connection, sealed("secret of " + connection)});
    }
  }
  // A connection with all that it can have.
  void addEverything() {
    commit("INSERT INTO vendors (vendor_id,name,created) VALUES ('ven_1','Ada',1)", {});
    commit("INSERT INTO counters (vendor_id,name,value) VALUES ('ven_1','changes',7)", {});
    commit("INSERT INTO vendor_plugins (vendor_id,plugin_id,enabled) VALUES ('ven_1','test.crm.studio',1)",
           {});
    addConnection("con_0");
    commit("INSERT INTO connection_storage "
           "(vendor_id,connection_id,records,record_bytes,stored_values,value_bytes) "
           "VALUES ('ven_1','con_0',1,2,3,4)",
           {});
    addCredentials(1);
    commit(
        "INSERT INTO intake_doors (vendor_id,connection_id,source,token_hash,created,signing,sealed) VALUES "
        "('ven_1','con_0','hook','hash',1,'{}',$1), ('ven_1','con_0','mail','other hash',1,'','')",
        {sealed("of the hook")});
    commit("INSERT INTO mailboxes "
           "(vendor_id,connection_id,url,folder,username,sealed,revision,created,uid_validity,"
           "taken_to,next_visit,failures,problem) VALUES "
           "('ven_1','con_0','imaps://x','INBOX','ada',$1,3,1,5,6,7,0,'')",
           {sealed("of the mailbox")});
    commit("INSERT INTO webhook_endpoints (vendor_id,connection_id,plugin_id,name,created,sealed,revision) "
           "VALUES "
           "('ven_1','con_0','test.crm.studio','whe_1',1,$1,1)",
           {sealed("of the webhook")});
  }
  void addConnection(std::string const& id) {
    commit("INSERT INTO connections (vendor_id,connection_id,plugin_id,account_name,account_key,settings,"
           "allow_private_network,state,state_reason,created,next_due,confirm_deletes) VALUES "
           "('ven_1',$1,'test.crm.studio','ada','key of ada','{}',0,'connected','',1,9,0)",
           {id});
  }

  // What each secret is, by table and key; "" for one that this vault cannot open.
  std::map<std::string, std::string> secrets(vault::Vault& vault) {
    std::map<std::string, std::string> all;
    for (auto const& table : secretTables()) {
      if (!table.sealed) continue;
      std::string key = "vendor_id";
      for (std::size_t i = 1; i < table.keys.size(); ++i) key += "||'/'||" + table.keys[i];
      for (auto const& row :
           house.rows("SELECT " + key + ", sealed FROM " + table.name + " WHERE sealed<>''")) {
        auto const opened = vault.open(row.text(1), "place");
        all[table.name + " " + row.text(0)] = opened ? std::string(opened->reveal()) : "";
      }
    }
    return all;
  }

  TestFolder folder;
  SystemRandom random;
  House house;
};

} // namespace garland::sync::testing
