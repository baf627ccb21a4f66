#include "lead_connector.h"

#include <garland/sdk/json.hpp>

namespace lead_email {

namespace {

struct Settings {
  std::string account;
  std::optional<std::string> authserv_id, unproven, forwarders;
  std::optional<std::string> currency, date_order, calling_code; // the mapping's
};
GARLAND_RECORD(Settings, account, authserv_id, unproven, forwarders, currency, date_order, calling_code)

Trust trustIn(Settings const& settings) {
  Trust trust;
  trust.authserv_id = settings.authserv_id.value_or("");
  trust.take_unproven = settings.unproven == "take";
  auto const all = settings.forwarders.value_or("");
  for (std::size_t begin = 0; begin < all.size();) {
    auto const end = std::min(all.find_first_of(" ,;\n", begin), all.size());
    if (end > begin) trust.forwarders.push_back(lowerCase(all.substr(begin, end - begin)));
    begin = end + 1;
  }
  return trust;
}

} // namespace

garland::sdk::HealthReport LeadConnector::check(garland::sdk::Account& account, garland::sdk::Call&) {
  return {account.settingsAs<Settings>().account};
}

intake::Outcome LeadConnector::parse(garland::sdk::Account& account, intake::Item const& item,
                                     intake::Records& records) {
  if (!item.mail) return intake::unknown("this connector reads mails only");
  if (!mapping_) {
    mapping_.emplace(text_);
    layout_ = readLayout(garland::sdk::parse(text_, garland::sdk::Kind::pluginBug));
  }
  mapping_->use(account.settings());
  auto trust = trustIn(account.settingsAs<Settings>());
  trust.accepted = item.item.accepted.value_or(false);
  auto const reading = readLead(*item.mail, layout_, trust);
  if (!reading.objection.empty()) return intake::unknown(reading.objection);
  auto const* rule = mapping_->find("mail", reading.document);
  // A person's word is asked for only where a lead would come of it.
  if (!reading.doubt.empty())
    return rule == nullptr ? intake::unknown(reading.doubt + ", and no rule of the mapping fits this mail")
                           : intake::unproven(reading.doubt);
  if (rule == nullptr)
    return intake::unknown("no rule of the mapping fits this mail of " + layout_.provider +
                           ": its subject or its layout is not known");
  if (rule->ignore) return intake::ignored(*rule->ignore);
  intake::MadeUpIds made_up;
  mapping_->put(*rule, reading.document, {"mail"}, made_up, records);
  return intake::taken();
}

} // namespace lead_email
