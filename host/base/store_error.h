// What an error of the store means to whoever wanted something stored. The store itself is a floor above this
// one.
#pragma once

#include "host/base/result.h"

#include <utility>

namespace garland {

// It would be the same whatever was to be stored; any other is about what was.
inline bool ofTheStore(Error const& error) {
  return error.kind == ErrorKind::transient || error.kind == ErrorKind::cancelled ||
         error.kind == ErrorKind::hostLimit;
}

// Told as one that passes: what finds no room there today finds it when space was freed.
inline Error passing(Error error) {
  if (error.kind == ErrorKind::hostLimit) error.kind = ErrorKind::transient;
  return error;
}

} // namespace garland
