// Who is looked for: what a person typed, and what was learnt from the records that are theirs. Case counts
// only beyond ASCII; percent-encoding, and how a telephone number is written, do not. No I/O.
#pragma once

#include "host/base/json.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::privacy {

class Subject {
public:
  explicit Subject(std::string pseudonym) : pseudonym_(std::move(pseudonym)) {}

  // A name, an address, or a telephone number. False: it is known already. invalidInput if it is so short
  // that it would be found everywhere.
  Result<bool> add(std::string_view text);
  // What a provider calls a record of theirs. False: it is known already.
  bool addRemote(std::string_view connection_id, std::string_view remote_id);

  bool isNamedIn(std::string_view text) const; // plain text or JSON
  bool isNamedIn(json::value const& value) const;
  bool isRemote(std::string const& connection_id, std::string const& remote_id) const;

  // The same with the pseudonym wherever the person was named; JSON stays JSON.
  std::string without(std::string_view text) const;
  json::value without(json::value const& value) const;

  std::string const& pseudonym() const { return pseudonym_; }

private:
  using Span = std::pair<std::size_t, std::size_t>; // begin, length
  std::vector<Span> placesIn(std::string_view text) const;
  std::string plainWithout(std::string_view text) const;

  std::string pseudonym_;
  std::set<std::string> words_;  // in lower case
  std::set<std::string> phones_; // digits
  std::set<std::pair<std::string, std::string>> remotes_;
};

} // namespace garland::privacy
