// Who may call: roles, API keys, and the sessions of people; what they show is random and kept as a hash.
#pragma once

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/result.h"
#include "host/base/secret.h"
#include "host/base/task.h"
#include "host/store/store.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::access {

// ---------------------------------------------------------------- roles

enum class Role {
  operator_, // of the installation: may do everything
  vendor,    // a vendor's own program: what is that vendor's, and nothing else
  partner,   // who writes connectors: what is installed, and how it goes
  reviewer,  // of the marketplace: lets connectors in, and out of quarantine
  auditor,   // reads what happened and how the house is kept; no records of vendors
};
inline constexpr std::array<Role, 5> kRoles{Role::operator_, Role::vendor, Role::partner, Role::reviewer,
                                            Role::auditor};
std::string_view name(Role role); // "operator"
std::optional<Role> roleNamed(std::string_view word);
// "unknown" if it is none that this version knows.
std::string_view nameOrUnknown(std::optional<Role> role);

// Who asks.
struct Caller {
  Caller(std::string key_id_in, Role role_in, std::string vendor_id_in = {})
      : key_id(std::move(key_id_in)), role(role_in), vendor_id(std::move(vendor_id_in)) {}
  std::string key_id; // "key_..." or "ses_..."; kFileKey: that of the daemon's key file
  Role role;
  std::string vendor_id; // "" unless the role is vendor
  std::string person;    // of a session: who the provider says it is; "": a key
};
inline constexpr std::string_view kFileKey = "api.key";

// ---------------------------------------------------------------- the text of a key

// "gk_" and 43 characters of base64url: 256 random bits.
Secret newApiKey(Random& random);
// ... with the role in front of them: "gk_op_...".
Secret newApiKey(Role role, Random& random);
// SHA-256, hex. A key has full entropy, so no slow hash is needed.
std::string hashOf(std::string_view api_key);
// False for anything that does not have the shape of a key, of a file or of a role.
bool isApiKey(std::string_view text);
// Constant time. False for anything that does not have the shape of a key.
bool matches(std::string_view api_key, std::string_view hash);

// Reads the key file (0600), or makes a key and the file if it is not there.
// forbidden if others can read it; invalidInput if it holds no key.
Result<Secret> openKeyFile(std::string const& path, Random& random);

// ---------------------------------------------------------------- keys in the database

// The table of this room, for Store::open.
std::vector<store::Migration> migrations();
std::vector<PersonalTable> personalData();

struct Key {
  std::string id;           // "key_..."
  std::string name;         // whose it is, or what for; the operator's words
  std::optional<Role> role; // none: of a newer version, which knows more roles; good for nothing here
  std::string vendor_id;    // "" unless the role is vendor
  TimePoint created;
  TimePoint expires;
  std::optional<TimePoint> revoked;
  std::optional<TimePoint> last_used; // at most a minute late
  std::string replaced_by;            // the key that it was rotated to; "": none
};
// "active", "expired" or "revoked".
std::string_view stateOf(Key const& key, TimePoint now);

struct NewKey {
  std::string name;
  Role role = Role::auditor;
  std::string vendor_id;
  Milliseconds life{0};
};

// The only place where the text of a key is ever seen.
struct Issued {
  Key key;
  Secret text;
};

struct KeyQuery {
  std::string vendor_id; // "" = all
  std::string after_id;
  int limit = 100;
};

// What became of a key that somebody showed.
struct Admission {
  enum class Outcome { letIn, unknown, expired, revoked, roleUnknown };
  Outcome outcome = Outcome::unknown;
  Key key; // unless unknown
};

// Everything must outlive the keys.
struct KeyDependencies {
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  // What tells of "key.add", "key.rotate" or "key.revoke", for the unit of that; null: nothing does.
  std::function<store::Statement(std::string_view act, Key const& key)> told = nullptr;
};

// Every question goes to the database, so a key that is revoked by one daemon is refused by all at once.
// [loop thread]
class Keys {
public:
  virtual ~Keys() = default;
  static std::unique_ptr<Keys> create(KeyDependencies with);

  // By the hash of what was shown (hashOf). Notes the use, at most once a minute for each key.
  virtual Task<Admission> admit(std::string hash) = 0;
  // invalidInput if the role and the vendor do not go together, or the life is no time.
  virtual Task<Issued> add(NewKey wish) = 0;
  virtual Task<std::vector<Key>> list(KeyQuery query) = 0; // by id, which is by age
  // Those of them that there are, as they are now: for whoever was let in a while ago. It is no use of them.
  virtual Task<std::vector<Key>> some(std::vector<std::string> ids) = 0;
  // Another key for the same, with as long a life as this one had; this one goes on for `overlap`, or until
  // it expires. conflict: it was rotated before, counts no more, or has a role that is not known here.
  virtual Task<Issued> rotate(std::string id, Milliseconds overlap) = 0;
  // From now on it is refused; again: nothing changes.
  virtual Task<Key> revoke(std::string id) = 0;
};

// ---------------------------------------------------------------- people: sign-ins and sessions

// "gs_" and 43 characters of base64url: 256 random bits, for a cookie.
Secret newSessionKey(Random& random);
bool isSessionKey(std::string_view text);

struct Session {
  std::string id;      // "ses_..."
  std::string subject; // the provider's word for the person
  std::string name;    // for people to read: an e-mail address, or what the provider gives
  Role role = Role::auditor;
  std::string vendor_id; // "" unless the role is vendor
  TimePoint created;
  TimePoint expires;
  TimePoint last_used;            // at most a minute late
  std::optional<TimePoint> ended; // signed out, by the person or an operator
};

struct NewSession {
  std::string subject;
  std::string name;
  Role role = Role::auditor;
  std::string vendor_id;
};

// The only place where the text of a session's key is ever seen.
struct OpenedSession {
  Session session;
  Secret text;
};

// What became of a cookie that somebody showed.
struct SessionAdmission {
  enum class Outcome { letIn, unknown, expired, ended };
  Outcome outcome = Outcome::unknown;
  Session session; // unless unknown
};

struct SessionTimes {
  Milliseconds life{std::chrono::hours(8)};
  Milliseconds idle{std::chrono::hours(1)};
  Milliseconds sign_in{std::chrono::minutes(10)}; // from its begin to the provider's answer
};

// Everything must outlive the sessions.
struct SessionDependencies {
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  SessionTimes times = {};
  // What tells of "sign_in" or "sign_out", for the unit of that; null: nothing does.
  std::function<store::Statement(std::string_view act, Session const& session)> told = nullptr;
};

// As of keys, every question goes to the database: who is signed out by one daemon is refused by all at once.
// [loop thread]
class Sessions {
public:
  virtual ~Sessions() = default;
  static std::unique_ptr<Sessions> create(SessionDependencies with);

  // A sign-in begins: by the hash of what its browser keeps.
  virtual Task<void> begin(std::string hash) = 0;
  // It comes back. True once, and only in time.
  virtual Task<bool> take(std::string hash) = 0;
  // invalidInput if the role and the vendor do not go together.
  virtual Task<OpenedSession> open(NewSession wish) = 0;
  // By the hash of what was shown. Notes the use, at most once a minute for each session.
  virtual Task<SessionAdmission> admit(std::string hash) = 0;
  // What would become of those of them that there are: for whoever was let in a while ago. It is no use of
  // them.
  virtual Task<std::vector<SessionAdmission>> some(std::vector<std::string> ids) = 0;
  // Those that are neither over nor ended, oldest first.
  virtual Task<std::vector<Session>> list(std::string after_id, int limit) = 0;
  // From now on it is refused; again: nothing changes. notFound.
  virtual Task<Session> end(std::string id) = 0;
  virtual SessionTimes times() const = 0;
};

// Ends all sessions and sign-ins of a database that was put back from a backup, where those that ended since
// go on.
store::Unit endAllSessions(TimePoint now);

// ---------------------------------------------------------------- failed attempts

// A bucket of tokens for each address: a wrong key takes one, time brings them back. In a bounded table: who
// has least to wait is forgotten first. [loop thread]
class Attempts {
public:
  struct Limits {
    int burst = 10;                 // wrong keys in a row
    Milliseconds each{6'000};       // ... and one more after so long
    std::size_t addresses = 10'000; // that are remembered
  };
  Attempts(Clock const& clock, Limits limits) : clock_(clock), limits_(limits) {}
  explicit Attempts(Clock const& clock) : Attempts(clock, Limits()) {}
  // How long nobody there is asked for a key any more; 0: a key is looked at.
  Milliseconds wait(std::string_view address) const;
  void failed(std::string_view address);
  // What failed() counted last there was no wrong key after all.
  void forgive(std::string_view address);
  std::size_t remembered() const { return full_again_.size(); }

private:
  void makeRoom(Monotonic now);

  Clock const& clock_;
  Limits limits_;
  std::map<std::string, Monotonic, std::less<>> full_again_; // when the bucket of an address is
};

} // namespace garland::access
