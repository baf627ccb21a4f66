// What is where at Resend: messages, errors and resources, as tables.
#pragma once

#include <garland/sdk/messaging.hpp>

#include <span>

namespace garland::resend {

extern std::span<sdk::records::Entity const> const entities;
extern sdk::messaging::Traces const traces;
extern sdk::fields::Map const mail_map;                     // from an input to the body that sends it
extern std::span<std::string_view const> const as_they_are; // members of it that are handed on unchanged
extern sdk::errors::Mapper const errors;
extern sdk::webhooks::Table const hooks; // which mail a delivery is about

} // namespace garland::resend
