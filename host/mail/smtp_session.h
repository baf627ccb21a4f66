// One conversation of SMTP (RFC 5321) as the server leads it: bytes in, replies and mails out. No socket, no
// clock, no database: those are the listener's.
//
// A line ends with CR LF and a mail with CR LF "." CR LF, and nothing else does: what servers read
// differently is how mails are smuggled into others. Not offered: AUTH, CHUNKING, VRFY and EXPN; nobody's
// mail is passed on.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace garland::mail {

// Bytes of mails that are being received, of all conversations together; whoever knows one of our addresses
// cannot hold the share of the others. [loop thread]
struct Budget {
  explicit Budget(std::size_t limit_in) : Budget(limit_in, limit_in) {}
  Budget(std::size_t limit_in, std::size_t limit_of_one_in)
      : limit(limit_in), limit_of_one(limit_of_one_in) {}

  bool take(std::string const& token, std::size_t bytes) {
    auto& of_one = used_by[token];
    if (used + bytes > limit || of_one + bytes > limit_of_one) return false;
    used += bytes;
    of_one += bytes;
    return true;
  }
  void giveBack(std::string const& token, std::size_t bytes) {
    used -= bytes;
    auto const one = used_by.find(token);
    if (one == used_by.end()) return;
    one->second -= bytes;
    if (one->second == 0) used_by.erase(one);
  }

  std::size_t limit;        // of all mails
  std::size_t limit_of_one; // of those to one address, by its token
  std::size_t used = 0;
  std::map<std::string, std::size_t> used_by;
};

struct SessionOptions {
  std::string host = "localhost"; // in the greeting
  std::string domain;             // of recipients; compared without case
  std::size_t max_bytes = 10U << 20U;
  std::size_t max_recipients = 20;
  bool tls_offered = false;
  std::function<bool(std::string_view token)> knows; // whether it is somebody's address
  std::function<void()> refused;                     // told of a recipient who is nobody's; may be null
  std::shared_ptr<Budget> budget;                    // may be null
};

struct ReceivedMail {
  std::vector<std::string> tokens; // of the recipients
  std::string bytes;
};

// What became of a mail for its recipients.
enum class Delivered {
  kept,     // committed for each of them
  later,    // not for all: the client tries again, and those who have it do not get it twice
  full,     // a quota: likewise
  unwanted, // it will never be taken
};

class Session {
public:
  explicit Session(SessionOptions options);
  ~Session();
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  enum class Wants {
    input,    // more bytes
    delivery, // take() the mail, then settle()
    tls,      // a handshake, then startedTls()
    end,      // close when the replies are out
  };

  std::string greeting() const;
  // Takes what it can from the front of `input` and appends what is to be said to `replies`.
  Wants advance(std::string& input, std::string& replies);
  ReceivedMail take();
  void settle(Delivered outcome, std::string& replies);
  void startedTls();
  // Whether it has ever named somebody who is here: a stranger cannot guess one.
  bool hasNamed() const { return has_named_; }

private:
  enum class State { command, data };

  Wants command(std::string_view line, std::string& replies);
  void hello(std::string_view rest, bool extended, std::string& replies);
  void mail(std::string_view rest, std::string& replies);
  void recipient(std::string_view rest, std::string& replies);
  void beginData(std::string_view rest, std::string& replies);
  Wants startTls(std::string_view rest, std::string& replies);
  // Why a parameter of MAIL FROM cannot be taken; "" if it can.
  std::string objectionTo(std::string_view parameter) const;
  Wants tooLong(std::string& input, std::string& replies);
  // True if the mail has ended.
  bool readData(std::string& input);
  void keep(std::string_view bytes);
  void giveBack(); // its share of the budget
  void refuse(std::string_view reply, std::string& replies);
  void reset();

  SessionOptions options_;
  State state_ = State::command;
  bool greeted_ = false;
  bool tls_ = false;
  bool has_sender_ = false;
  bool skipping_line_ = false; // the rest of a line that was too long
  std::size_t errors_ = 0;
  ReceivedMail mail_;
  std::size_t reserved_ = 0;  // of the budget
  std::string charged_;       // the token that it is counted for: the first recipient's
  bool at_line_start_ = true; // of the data
  bool has_named_ = false;
  bool oversize_ = false; // read on and dropped
  bool over_budget_ = false;
};

} // namespace garland::mail
