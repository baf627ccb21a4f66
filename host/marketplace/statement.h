// A JSON object that somebody signed: {"key","signature","statement"}. Signed are the words "garland
// statement 1", a line feed and the statement in canonical JSON; its member "type" keeps one kind from
// passing for another.
#pragma once

#include "host/base/json.h"
#include "host/marketplace/marketplace.h"

namespace garland::marketplace {

struct Statement {
  json::value said;
  std::string key; // that signed it
};

inline constexpr std::size_t kMostStatement = 1U << 20U; // bytes

std::string signStatement(json::value const& said, SigningKey const& key);
// invalidInput unless it is one of this type, of at most so many bytes, written in its one form, with a
// signature that is right.
Result<Statement> readStatement(std::string_view text, std::string_view type,
                                std::size_t most = kMostStatement);

// keys.cpp
bool isSignatureOf(std::string_view public_key, std::string_view message, std::string_view signature);

bool isDigest(std::string_view text); // 64 lower-case hexadecimal digits

} // namespace garland::marketplace
