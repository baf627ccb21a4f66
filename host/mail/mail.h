// Mail that comes in: from the bytes of a message to the object that a connector reads.
//
// Reading is done with GMime (mime_reader.cpp); what arrives by SMTP is taken in by Listener, what lies in a
// vendor's own mailbox is fetched by Visitor. What a mail means, and what becomes of one that nobody
// understands, is the connector's and the intake's business.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/base/task.h"
#include "host/sync/sync.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace garland::mail {

// What a mail may be at most. A mail beyond a limit is an error, never a mail that was cut.
struct Limits {
  std::size_t max_bytes = 10U << 20U;   // of the message as it came
  std::size_t max_header = 256U << 10U; // of its own header
  std::size_t max_parts = 200;
  std::size_t max_depth = 32;       // parts within parts, mails within mails
  std::size_t max_text = 1U << 20U; // of the text, and of the HTML, in UTF-8
};

// {"message_id","from":[{"name","address"}],"to","reply_to","subject","date","text","html",
//  "headers":[[name,value]],"attachments":[{"name","type","bytes"}]}
//
// All text is UTF-8: encoded words, transfer encodings and charsets are undone; bytes that mean nothing in
// the charset they claim become U+FFFD or '?'. `message_id` is without its angle brackets, `date` RFC 3339 in
// UTC; what the mail does not say is "" or an empty list. A mail that was forwarded as an attachment
// stands in `text` (and `html`) under lines that name its sender, date and subject, as mail programs write
// it.
//
// Broken mail is read as well as it can be. Errors: hostLimit (a limit, with the part and the line),
// invalidInput (nothing of a mail in it). Never throws but for want of memory. [any thread]
Result<json::object> readMail(std::string_view bytes, Limits const& limits = {});

// A mail that is there and cannot be had.
struct Unfetched {
  std::string key; // the same for the same mail
  std::string why;
};

// Where mails go. [loop thread]
class Inbox {
public:
  virtual ~Inbox() = default;
  // Whether there is a connection behind the address lead-<token>@domain.
  virtual bool knows(std::string_view token) = 0;
  // Ends when the mail is durable; the same mail again is nothing new. `quota` and passing errors make the
  // sender try again, invalidInput and notFound tell it to give up.
  virtual Task<void> keep(std::string token, std::string bytes) = 0;
  // The same for a mail whose connection is known.
  virtual Task<void> keepFor(std::string connection_id, std::string bytes) = 0;
  // A person is told of it.
  virtual Task<void> keepUnfetched(std::string connection_id, Unfetched mail) = 0;
};

// Mails become items of the intake: those that cannot be read too, with the reason in place of their content
// (a header "Garland-Unreadable"), so that a person sees them. The intake must outlive it.
std::unique_ptr<Inbox> intakeInbox(sync::Intake& intake);

// What makes a mail (as readMail gives it) the same as one that came before.
std::string identityOf(json::value const& mail);

struct ListenOptions {
  std::string address = "127.0.0.1";
  unsigned short port = 0;        // 0: any
  std::string domain;             // of the addresses
  std::string host = "localhost"; // by which the server calls itself
  std::string certificate;        // PEM files; "": STARTTLS is not offered
  std::string certificate_key;
  std::size_t max_bytes = Limits().max_bytes;
  std::size_t max_bytes_together = 64U
                                   << 20U; // of all mails that are just coming in; a quarter for one address
  std::size_t max_connections = 100;
  std::size_t max_per_peer = 20;      // of one address; with IPv6, of one network (/64)
  Milliseconds idle_timeout{300'000}; // for each command and each piece of a mail (RFC 5321, 4.5.3.2)
  Milliseconds lifetime{1'800'000};   // of a connection, whatever it does
  Milliseconds nameless_for{60'000};  // likewise, until it has named one of our addresses
  // Told of each mail that is for nobody here, and of who sent it: an address, or a network of IPv6.
  std::function<void(std::string const& peer)> refused = nullptr;
};

struct Surroundings {
  asio::any_io_executor executor;
  Clock& clock;
  Log const& log;
  Inbox& inbox;
};

// Whether a listener could be started: tries certificate and address, and listens on nothing.
Result<void> tryListen(ListenOptions const& options);

// SMTP. A mail is acknowledged when Inbox::keep has ended well for each of its recipients. [loop thread]
class Listener {
public:
  // The surroundings must outlive the listener's stop().
  static Result<std::shared_ptr<Listener>> start(Surroundings with, ListenOptions options);
  virtual ~Listener() = default;
  virtual unsigned short port() const = 0;
  virtual void refuse() = 0; // takes nothing new; what is being kept goes on
  virtual asio::awaitable<void> stop() = 0;
};

struct VisitOptions {
  Milliseconds every{300'000};    // between two visits that went well
  Milliseconds look_every{5'000}; // for mailboxes that are due
  std::size_t max_bytes = Limits().max_bytes;
  int visits = 8; // at once
  int mails_per_visit = 200;
};

// Vendors' own mailboxes, by IMAP. [loop thread]
class Visitor {
public:
  // The surroundings and mailboxes must outlive stop().
  static std::shared_ptr<Visitor> start(Surroundings with, sync::Mailboxes& mailboxes, VisitOptions options);
  virtual ~Visitor() = default;
  virtual asio::awaitable<void> stop() = 0;
};

} // namespace garland::mail
