// What accounts at the twin of Stripe hold, and what all their records have in common: lists with cursors,
// events and the notices made of them, the lines of the balance. Which records there are is further down
// the line: twin_marketplace.h, twin.cpp. Only the twin includes this.
#pragma once

#include "twin_request.h"

#include <garland/sdk/twin.hpp>

#include <deque>
#include <map>
#include <set>

namespace garland::stripe_twin {

using Row = json::object;
using Rows = Table<Row>;

std::int64_t unixTime(TimePoint when);
std::int64_t numberIn(Row const& row, std::string_view member);
std::string_view textIn(Row const& row, std::string_view member); // empty if it is null

// What belongs to one account, the platform's own or a connected one.
struct Account {
  std::string id; // "acct_..."; empty: the platform's own
  Rows customers, intents, refunds, transfers, disputes, payouts, events, balance;
  std::map<std::string, std::int64_t> refunded = {}; // by charge
  std::map<std::string, std::int64_t> funds = {};    // by currency: what all lines add up to
  std::deque<std::string> pending = {};              // lines that are not available yet, by age
  std::deque<std::string> available = {};            // lines that no payout has taken
  std::map<std::string, std::string> paid_by = {};   // payout by line
};

// A line of the balance, before it has an id.
struct Booking {
  std::string type;
  std::string category = {}; // for reports; empty: the type
  std::string source;
  std::string currency;
  std::int64_t amount = 0;
  std::int64_t fee = 0;
  bool at_once = false; // available at once, not after a week
};

class Book : public Twin {
public:
  using Twin::Twin;

protected:
  // The account that the running request is for.
  Account& own() { return *own_; }
  Account& account(std::string const& id) { // made when it is first heard of
    auto& found = accounts_[id];
    found.id = id;
    return found;
  }
  void use(std::string const& id) { own_ = &account(id); }
  Account const& platform() const { return accounts_.at(""); }
  void begun() { begun_ = true; } // what happens from now on is told

  // An event: to the log, to whoever wants to be told, to the ledger.
  void changed(Row const& row, std::string const& type) { changed(own(), row, type); }
  void changed(Account& where, Row const& row, std::string const& type);
  // The id of the line.
  std::string book(Account& where, Booking const& booking);
  // Lines whose week is over can be paid out.
  void mature(Account& where);

  // Every row of a list that `keep` accepts, by the request's cursor and range. `filters`: what parameters
  // there are besides.
  template <class Keep>
  Response listed(Request const& request, Rows const& rows, std::initializer_list<std::string_view> filters,
                  Keep keep) {
    Parameters const given(request, {"limit", "starting_after", "ending_before", "created"}, filters);
    return page(request, given,
                rows.where([&](Row const& row) { return inRange(row, given) && keep(row, given); }));
  }
  // The same where every filter is a member that has to be equal.
  Response listed(Request const& request, Rows const& rows, std::initializer_list<std::string_view> members) {
    return listed(request, rows, members,
                  [members](Row const& row, Parameters const& given) { return equal(row, given, members); });
  }
  // Keeps rows that have the parameter's value in the member of its name.
  static bool equal(Row const& row, Parameters const& given, std::initializer_list<std::string_view> members);
  static Response page(Request const& request, Parameters const& given, std::vector<Row const*> rows);

  [[noreturn]] static void missing(std::string_view param);
  [[noreturn]] static void noSuch(std::string_view object, std::string const& id);
  static Row& find(Rows& rows, std::string const& id, std::string_view object);
  // Members with an empty value go, others are put.
  static void mergeMetadata(Row& row, Parameters const& given);
  static std::string currencyOf(Parameters const& given); // in small letters
  static bool takes(std::string_view currency);
  static std::int64_t amountOf(Parameters const& given, std::string const& currency);

  // The customer that a request names, if it names one, has to be one of the account's own.
  void knowCustomer(Parameters const& given);

  Response createCustomer(Request const& request);
  Response showCustomer(Request const& request);
  Response showEvent(Request const& request);
  Response listEvents(Request const& request);
  Response showLine(Request const& request);
  Response listLines(Request const& request);
  Response createHook(Request const& request);
  Response listHooks(Request const& request);
  Response deleteHook(Request const& request);

private:
  static bool inRange(Row const& row, Parameters const& given);
  void tell(Row const& hook, std::string const& id, Row const& event);

  std::map<std::string, Account> accounts_{{"", Account{}}};
  Account* own_ = &accounts_.at("");
  Rows hooks_;
  std::map<std::string, std::string> secrets_; // by webhook endpoint
  bool begun_ = false;
};

} // namespace garland::stripe_twin
