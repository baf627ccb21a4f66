// How the fields of a credential slot, as somebody typed them, become what egress signs in with.
#pragma once

#include "host/base/json.h"
#include "host/egress/egress.h"
#include "host/runtime/runtime.h"

namespace garland::sync {

// `fields` by the names of the slot, whose order says what each is. invalidInput if the manifest leaves a
// part to the connection's settings and they do not have it.
Result<egress::Credential> credentialOf(runtime::AuthSlot const& slot, json::value const& fields,
                                        json::value const& settings);

// All that no log and no error may show of it; valid as long as it is.
std::vector<std::string_view> secretsOf(egress::Credential const& credential);

} // namespace garland::sync
