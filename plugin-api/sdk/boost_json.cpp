// Boost.JSON compiled into the SDK: Debian's static library cannot go into a shared object.
#include <boost/json/src.hpp>
