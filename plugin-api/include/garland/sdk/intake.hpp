// Intake: connectors of providers without an API. They are given what comes in by itself (a hook, a mail,
// rows of a CSV file) and emit the records that they find. The contract is
// plugin-api/schemas/intake.parse.1.*.json.
//
//   class Example final : public intake::IntakeConnector {
//   public:
//     intake::Outcome parse(Account& account, intake::Item const& item, intake::Records& records) override {
//       if (!item.mail) return intake::unknown("this is no mail");
//       records.put("crm.lead", item.mail->message_id, {{"status", "new"}, {"message", item.mail->text}});
//       return intake::taken();
//     }
//   };
//   GARLAND_CONNECTOR(Example)
#pragma once

#include <garland/sdk/connector.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::intake {

struct Origin {
  std::string id; // the same whenever this item is parsed again
  std::string source;
  TimePoint received_at;
  std::optional<bool> accepted = {}; // a person says that it is genuine: no proof of its sender is needed
};
GARLAND_RECORD(Origin, id, source, received_at, accepted)

struct Hook {
  std::string content_type; // lower case, no parameters
  json::object query;       // texts, or arrays of texts where a name comes more than once
  std::optional<json::value> json_;
  std::optional<json::object> form; // as the query
  std::optional<std::string> text;
};
GARLAND_RECORD(Hook, content_type, query, json_, form, text)

struct Address {
  std::string name;
  std::string address;
};
GARLAND_RECORD(Address, name, address)

struct Attachment {
  std::string name;
  std::string type;
  std::int64_t bytes = 0;
};
GARLAND_RECORD(Attachment, name, type, bytes)

struct Mail {
  std::string message_id; // without angle brackets
  std::vector<Address> from;
  std::vector<Address> to;
  std::vector<Address> reply_to;
  std::string subject;
  std::string date; // RFC 3339 in UTC; "" if it has none
  std::string text;
  std::string html;
  std::vector<std::vector<std::string>> headers; // name, value
  std::vector<Attachment> attachments;
};
GARLAND_RECORD(Mail, message_id, from, to, reply_to, subject, date, text, html, headers, attachments)

struct Csv {
  std::string file;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows; // each as long as the header
  std::int64_t first_row = 2;                 // its number in the file; the header is row 1
};
GARLAND_RECORD(Csv, file, header, rows, first_row)

// Exactly one of hook, mail and csv.
struct Item {
  Origin item;
  std::optional<Hook> hook;
  std::optional<Mail> mail;
  std::optional<Csv> csv;
};
GARLAND_RECORD(Item, item, hook, mail, csv)

struct Outcome {
  std::string outcome; // "taken", "ignored", "unknown"
  std::optional<std::string> reason = {};
  std::optional<std::string> dedupe_key = {}; // two items with one key are one item
  std::optional<bool> acceptable = {};        // of unknown: see unproven()
};
GARLAND_RECORD(Outcome, outcome, reason, dedupe_key, acceptable)

Outcome taken();
Outcome ignored(std::string reason);
Outcome unknown(std::string reason); // a person looks at it; nothing that was put is kept
// The same, and the only thing missing is a proof that it is genuine. If the person says that it is, it comes
// again with Origin::accepted. Not for what is not understood: nobody's word makes records of that.
Outcome unproven(std::string reason);

// What the item says. All [suspends].
class Records {
public:
  explicit Records(Call& call) : call_(call) {}

  // `data` is what the item says of the record; what it leaves out stays as it is. `places`: where that
  // stands in the item, for people who are told what is wrong with it, by pointer into the record; "" for all
  // that is not named: {"": "row 4", "/email": "row 4, column e_mail"}.
  void put(std::string_view kind, std::string_view id, json::object data, json::object places = {});
  void gone(std::string_view kind, std::string_view id);
  // One part (a row) cannot be read: the rest is kept, and a person looks at the item.
  void problem(std::string_view place, Failure const& failure) { call_.problem(place, failure); }
  std::int64_t count() const { return count_; }
  Call& call() { return call_; }

private:
  Call& call_;
  std::int64_t count_ = 0;
};

class IntakeConnector : public Connector {
public:
  // The account's name: what the vendor typed as the setting "account"; by it an account is told from
  // another.
  virtual HealthReport check(Account& account, Call& call);
  virtual Outcome parse(Account& account, Item const& item, Records& records) = 0;

  static std::span<OperationEntry const> operations();
};

} // namespace garland::sdk::intake
