// Which system calls stand behind the functions of the C library that an object imports: what it can ask of
// the kernel at all, seen without running it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace garland::certification {

// Empty: it asks the kernel nothing.
std::vector<std::string> systemCallsBehind(std::string_view symbol);
// Whether the sandbox's profile lets a plugin make it.
bool profileAllows(std::string_view system_call);

} // namespace garland::certification
