// People and vendors in all that is kept: found, written out for them, and erased, with a signed receipt.
// Which tables hold what of people is said, as data, by the rooms that own them.
#pragma once

#include "host/audit/audit.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/personal_data.h"
#include "host/base/random.h"
#include "host/base/task.h"
#include "host/store/store.h"
#include "host/sync/sync.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace garland::privacy {

// Who is meant: addresses, telephone numbers and whole names of one person. The first is what their pseudonym
// is made of.
struct Person {
  std::vector<std::string> known_as;
  std::string vendor_id; // "": of every vendor
};

// {"receipt": {...}, "signature"}: what became of whom, place by place, without naming anybody. The signature
// is Ed25519, in hexadecimal digits, over kReceipt as of audit::isSigned and the receipt in canonical JSON.
using Receipt = json::object;
inline constexpr std::string_view kReceipt = "erasure receipt";
// Whether it is a receipt that was signed with this key.
bool isGenuine(json::value const& receipt, std::string_view public_key);

// Files of people outside of the database. One goes if its text names the person.
struct Folder {
  std::string name; // "crash capsules"
  std::string path;
  // What its name begins with if it holds everybody, compressed or in pieces, so that no search of its bytes
  // would tell: such a file goes whoever is erased. While it is being made it has an extension. "": none.
  std::string whole = {};
};

// Everything must outlive it.
struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
  store::Store& store;
  audit::Book& audit;
  sync::Engine& engine;
  std::vector<sync::Kind> kinds;
  std::vector<PersonalTable> tables;
  std::vector<Folder> folders;
  std::string exports; // where exports are written; made if it is missing
};

// [loop thread] One at a time: `conflict` while another goes on. Errors: invalidInput (nobody is named),
// notFound (no such vendor), and the store's. What was interrupted is asked for again: what is erased stays
// so.
class Office {
public:
  static std::unique_ptr<Office> create(Dependencies dependencies);
  virtual ~Office() = default;

  // Everything that names the person, a row each, as JSON lines in a new file of the folder; its name.
  virtual Task<std::string> exportPerson(Person person) = 0;
  // Everything of the vendor, in the same way; secrets are not in it.
  virtual Task<std::string> exportVendor(std::string vendor_id) = 0;
  // Nothing is asked of a provider.
  virtual Task<Receipt> erasePerson(Person person) = 0;
  // Its connections are ended, and whatever waits there is given up.
  virtual Task<Receipt> eraseVendor(std::string vendor_id) = 0;
};

} // namespace garland::privacy
