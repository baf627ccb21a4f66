// From a mail to one flat document of texts, {"name": "Anna", "wedding_date": "June 12, 2027", ...}, which
// the mapping's rules (its "mail") then read as they read a hook. What a provider's mails look like is the
// mapping's "mail_layout".
#pragma once

#include "lead_lines.h"

#include <garland/sdk/intake.hpp>

#include <string>
#include <utility>
#include <vector>

namespace lead_email {

namespace intake = garland::sdk::intake;

// The mapping's "mail_layout".
struct MailLayout {
  struct Subject {
    std::string like; // "New inquiry from {name}": what stands for {name} becomes a value of that name, for
                      // {_} nothing
    std::string kind; // the value "mail_kind"
  };
  std::string provider;             // its name, for people
  std::vector<std::string> domains; // from which it sends
  std::vector<Subject> subjects;    // the first that fits counts
  Labels labels;
};
MailLayout readLayout(json::value const& mapping);

// What the vendor said, the connection's settings.
struct Trust {
  std::string authserv_id;             // the mail server whose word is believed
  bool take_unproven = false;          // From is enough
  std::vector<std::string> forwarders; // addresses that forward by hand
  bool accepted = false;               // a person said of this mail that it is genuine: no proof is asked for
};

struct Reading {
  json::object document;
  std::string objection; // why it cannot be read at all; "" if it can
  std::string doubt;     // why nobody proves who sent it, which a person may know better; "" if it is proven
};

// Never fails: what cannot be used is an objection.
Reading readLead(intake::Mail const& mail, MailLayout const& mapping, Trust const& trust);

} // namespace lead_email
