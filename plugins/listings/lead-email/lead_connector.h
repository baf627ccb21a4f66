// The connector that all lead mails share; a provider is a mapping.
#pragma once

#include "lead_mail.h"

#include <garland/sdk/mapping.hpp>

#include <optional>
#include <string_view>

namespace lead_email {

class LeadConnector : public intake::IntakeConnector {
public:
  explicit LeadConnector(std::string_view mapping) : text_(mapping) {}
  garland::sdk::HealthReport check(garland::sdk::Account& account, garland::sdk::Call& call) override;
  intake::Outcome parse(garland::sdk::Account& account, intake::Item const& item,
                        intake::Records& records) override;

private:
  std::string_view text_;
  MailLayout layout_;
  std::optional<intake::Mapping> mapping_; // read at first use, where a failure can be told
};

} // namespace lead_email
