// All that a host leaves behind, to be searched for what must not be in it. What is packed is unpacked first:
// no search of compressed bytes finds anything.
#pragma once

#include "tests/end_to_end/host_test_kit.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace garland::testing {

class Haystack {
public:
  void add(std::string const& place, std::string text) { texts_[place] = std::move(text); }
  // Each file under it, by its path there behind `place`.
  void addFolder(std::string const& place, std::string const& folder);
  // What a PostgreSQL database holds, as SQL text; with it a text that has to be there is asked for.
  void addDump(std::string const& database, std::string_view holds);
  // The members of a backup, the database of PostgreSQL as SQL text, which holds something.
  void addBackup(std::string const& file, std::string_view holds);
  // The host's own: its folder (settings, log, data folder), the export of its audit chain, a backup made
  // now, and its database if that is PostgreSQL's. It runs, and has a vendor of that name.
  void addAllOf(Host& host, std::string const& vendor_name);

  // Where it stands, in any spelling: "garlandd.log: c2VjcmV0".
  std::vector<std::string> placesOf(std::string_view secret) const;
  std::string const& at(std::string const& place) const { return texts_.at(place); }

private:
  std::map<std::string, std::string> texts_; // by place
};

} // namespace garland::testing
