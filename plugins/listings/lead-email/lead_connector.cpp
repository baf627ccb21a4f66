#include "lead_connector.h"

#include <garland/sdk/json.hpp>

namespace lead_email {

namespace {

std::string textIn(json::object const& settings, std::string_view name) {
  auto const* value = settings.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

Trust trustIn(json::object const& settings) {
  Trust trust;
  trust.authserv_id = textIn(settings, "authserv_id");
  trust.take_unproven = textIn(settings, "unproven") == "take";
  auto const all = textIn(settings, "forwarders");
  for (std::size_t begin = 0; begin < all.size();) {
    auto const end = std::min(all.find_first_of(" ,;\n", begin), all.size());
    if (end > begin) trust.forwarders.push_back(lowerCase(all.substr(begin, end - begin)));
    begin = end + 1;
  }
  return trust;
}

} // namespace

intake::Outcome LeadConnector::parse(garland::sdk::Account& account, intake::Item const& item,
                                     intake::Records& records) {
  if (!item.mail) return intake::unknown("this connector reads mails only");
  if (!mapping_) {
    mapping_.emplace(text_);
    layout_ = readLayout(garland::sdk::parse(text_, garland::sdk::Kind::pluginBug));
  }
  mapping_->use(account.settings());
  auto const reading = readLead(*item.mail, layout_, trustIn(account.settings()));
  if (!reading.objection.empty()) return intake::unknown(reading.objection);
  auto const* rule = mapping_->find("mail", reading.document);
  if (rule == nullptr)
    return intake::unknown("no rule of the mapping fits this mail of " + layout_.provider +
                           ": its subject or its layout is not known");
  if (rule->ignore) return intake::ignored(*rule->ignore);
  mapping_->put(*rule, reading.document, "mail", records);
  return intake::taken();
}

} // namespace lead_email
