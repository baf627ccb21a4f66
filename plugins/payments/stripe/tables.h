// What is where at Stripe: records, acts and errors, as tables.
#pragma once

#include <garland/sdk/payments.hpp>

#include <span>

namespace garland::stripe {

extern std::span<sdk::payments::Entity const> const entities;
extern std::span<sdk::payments::Act const> const acts;
extern sdk::payments::Lines const lines;
extern sdk::payments::Declines const declines;
extern sdk::webhooks::Table const hooks;
extern sdk::errors::Mapper const errors;

} // namespace garland::stripe
