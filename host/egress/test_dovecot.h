// A real IMAP server of one test, see tests/end_to_end/dovecot.
#pragma once

#include <cstdint>
#include <string>

namespace garland::egress::testing {

class TestDovecot {
public:
  // Starts it; throws with its words if it does not come up, which fails the test.
  TestDovecot(std::string user, std::string password);
  ~TestDovecot(); // ends it
  TestDovecot(TestDovecot const&) = delete;
  TestDovecot& operator=(TestDovecot const&) = delete;

  int imaps() const { return imaps_; }
  int imap() const { return imap_; }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  // Delivers a mail to INBOX, as a mail server does (Maildir). Its UID, counted from 1.
  std::uint32_t add(std::string const& mail);
  // Whether any mail is marked as read or as something else.
  bool anyRead() const;

private:
  std::string user_, password_, folder_;
  int imaps_ = 0, imap_ = 0;
  int pid_ = 0, input_ = -1;
  std::uint32_t added_ = 0;
};

} // namespace garland::egress::testing
