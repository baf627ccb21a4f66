// What is where in VSCO Workspace: resources and fields, as tables.
#pragma once

#include <garland/sdk/crm.hpp>

#include <span>

namespace garland::tave {

extern std::span<sdk::crm::Entity const> const entities;
extern sdk::webhooks::Table const hooks;
extern sdk::errors::Mapper const errors;

} // namespace garland::tave
