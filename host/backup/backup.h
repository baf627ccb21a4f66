// A backup: a whole host as one file. It is a tar file of a manifest, which stands first, and of the members
// that it lists with their digests. What nobody else may read is encrypted to a passphrase, together with the
// manifest: who has the passphrase knows that nobody without it has changed anything.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::backup {

// Members that every backup has.
inline constexpr std::string_view kDatabase = "database";
inline constexpr std::string_view kVault = "vault";
inline constexpr std::string_view kPrivate = "private";
// Those under this are files of the data folder, by their path there.
inline constexpr std::string_view kFiles = "files/";

struct Member {
  std::string name;
  std::int64_t bytes = 0;
  std::string sha256; // 64 hexadecimal digits
  bool operator==(Member const&) const = default;
};

struct Manifest {
  std::string id;          // "bak_..."
  TimePoint made;          // all that was durable then is in it, and perhaps more
  std::string version;     // of the Garland that made it
  std::int64_t schema = 0; // of its database: the newest migration
  std::string driver;      // "sqlite" or "postgresql"
  std::vector<Member> members;
  bool operator==(Manifest const&) const = default;
};

json::value toJson(Manifest const& manifest);
// invalidInput: no manifest, or a member with a name or size that none has; unsupported: of a later form.
Result<Manifest> manifestFrom(std::string_view text);

struct PrivateFile {
  std::string name; // "garland.toml", "api.key"
  std::string text;
};

// The member "private": `manifest` lists all other members. Blocks for half a second.
Result<std::string> sealPrivate(Manifest const& manifest, std::vector<PrivateFile> const& files,
                                Secret const& passphrase, Random& random, int cost = 17);
// invalidInput: a wrong passphrase, or the backup was changed by somebody who does not have it.
Result<std::vector<PrivateFile>> openPrivate(std::string_view member, Manifest const& manifest,
                                             Secret const& passphrase, Random& random);

// A file that is to be a member.
struct Source {
  std::string name;
  std::string path;
};
// As it is now. hostLimit, notFound.
Result<Member> describe(Source const& source);

// These block on the disk. [any thread]

// Writes the file whole or not at all, readable by its owner only, durable on return; the sources are the
// manifest's members in their order. conflict if it is there; transient if a source is another by now.
Result<void> write(std::string const& file, Manifest const& manifest, std::vector<Source> const& sources);
// Reads all of it: every member is there, whole, and nothing else. Errors: notFound, invalidInput (what is
// damaged), unsupported.
Result<Manifest> verify(std::string const& file);
// The same, and its members in the folder, which must be empty: files/a/b as DIR/files/a/b.
Result<Manifest> unpack(std::string const& file, std::string const& folder);
// The member "private" of one that is whole.
Result<std::string> readPrivate(std::string const& file);
// Of bytes in memory, as verify().
Result<Manifest> verifyBytes(std::string_view bytes);

// ---------------------------------------------------------------- what a database knows of it

std::vector<store::Migration> migrations();
std::vector<PersonalTable> personalData();

struct Restored {
  std::string backup_id;
  TimePoint made;
};
// For store::putBack(): the database came from this backup, and is not settled.
std::string restoredSql(Manifest const& manifest);
// None: there is nothing to settle.
Task<std::optional<Restored>> unsettled(store::Store& store);
// For the unit that settles it; conflict if somebody else has.
store::Statement settled(Restored const& restored, TimePoint now);

} // namespace garland::backup
