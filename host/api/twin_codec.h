// A twin's answers as bytes: exactly its headers, nothing of the host's but what frames the message.
// Boost.Beast lives in twin_codec.cpp alone.
#pragma once

#include "host/api/http.h"

#include <cstdint>
#include <string>
#include <vector>

namespace garland::api {

struct TwinAnswer {
  int status = 200;
  std::vector<Header> headers; // repeated ones stay repeated
  std::string body;
};

struct EncodedAnswer {
  std::string head; // with its empty line
  std::string body; // "" for HEAD, 204 and 304
};

EncodedAnswer encodeTwinAnswer(TwinAnswer answer, std::string_view method, bool keep_alive);

// A gzip body of a few kilobytes a megabyte that unpacks to `size` bytes of JSON: blanks and "{}".
std::string zipBomb(std::uint64_t size);

} // namespace garland::api
