// What comes after a payment at the twin of Stripe: transfers to connected accounts, disputes, payouts to
// the bank. Only the twin includes this.
#pragma once

#include "twin_book.h"

namespace garland::stripe_twin {

class Marketplace : public Book {
public:
  using Book::Book;

protected:
  struct Transfer {
    std::int64_t amount = 0;
    std::string currency;
    std::string destination;
    std::optional<std::string> source = {}; // the charge that it is taken from
    std::optional<std::string> group = {};
    std::optional<std::string> description = {};
    std::int64_t fee = 0; // what the platform takes of it at the other end
  };
  Row& passOn(Transfer const& transfer);
  Response createTransfer(Request const& request);
  Response showTransfer(Request const& request);
  Response listTransfers(Request const& request);

  // A client's bank takes a payment back.
  Row& dispute(Row const& intent, std::string const& reason);
  Row& decide(std::string const& id, bool won);
  Response showDispute(Request const& request);
  Response listDisputes(Request const& request);
  Response updateDispute(Request const& request);

  // Everything of this currency that is available and was not paid out.
  Row& payOut(std::string const& currency);
  Response showPayout(Request const& request);
  Response listPayouts(Request const& request);

  Response showAccount(Request const& request);
};

} // namespace garland::stripe_twin
