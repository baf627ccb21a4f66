// What tests read first; system headers only (cmake/Precompiled.cmake).
#include "room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
