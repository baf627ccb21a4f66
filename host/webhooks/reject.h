// A rejection on its way up inside this room.
#pragma once

#include "host/base/result.h"
#include "host/webhooks/webhooks.h"

namespace garland::webhooks {

struct Reject {
  Reason reason = Reason::missing;
  std::string sentence;
};

template <class T> using Found = boost::system::result<T, Reject>;

[[noreturn]] void throw_exception_from_error(Reject const& reject, boost::source_location const& where);

} // namespace garland::webhooks
