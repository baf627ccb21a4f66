// What the checks of money share: acting at the provider by way of the connector, and the provider's own
// books.
#pragma once

#include "certification/check.h"

#include <string>
#include <vector>

namespace garland::certification {

json::object money(std::int64_t amount, std::string_view currency);
// For Check::skip: the manifest names no payments, or not all that the check is about.
std::string noPaymentActions(Subject const& subject);
std::string noEscrow(Subject const& subject);
std::string noDisputes(Subject const& subject);
std::string noReconciliation(Subject const& subject);
std::string noPaymentNotices(Subject const& subject);

// A case's payments; certification.json /payments says how this provider's twin is talked to. Whatever is
// missing there gives the case up.
class Till {
public:
  explicit Till(Trial& trial) : trial_(trial) {}

  // Of the brief's /payments; "" gives up.
  std::string word(std::string_view pointer);
  json::value const* said(std::string_view pointer) const; // null: it is not there

  // One act with a key of its own, or with this one.
  Journal act(std::string_view verb, json::object input, std::string key = "");
  Journal act(std::string_view verb, json::object input, std::string const& key, FaultOrder fault);
  // An amount that is held; "" if that failed, which is a finding.
  std::string authorized(std::int64_t amount, std::string_view currency = "EUR");
  // And taken.
  std::string captured(std::int64_t amount, std::string_view currency = "EUR");
  // The record as it is now, by records.get/1; null if it did not come.
  json::value record(std::string_view entity, std::string const& id);

  // What the provider's ledger tells of this kind ("captured"), by the brief's name for it: the records.
  std::vector<json::value> told(std::string_view kind);
  // The sum of an amount member over them, in the provider's units.
  std::int64_t sum(std::string_view kind, std::string_view member);
  // Somebody else's doing, by the brief's /payments/edit/NAME with {id} filled in; null gives up.
  json::value elsewhere(std::string_view name, std::string const& id);

private:
  Trial& trial_;
  int keys_ = 0;
};

// The record in an act's answer.
json::value const& dataOf(Journal const& journal);
std::string idOf(Journal const& journal);
// What the connector says of a refusal: of one of these kinds, and that nothing was done.
void expectRefused(Trial& trial, Journal const& journal, std::vector<ErrorKind> const& kinds,
                   std::string const& step);

} // namespace garland::certification
