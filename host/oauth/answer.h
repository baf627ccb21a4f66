// What a provider's answer to a request for tokens means. No I/O; the bytes come from outside.
#pragma once

#include "host/oauth/oauth.h"

namespace garland::oauth {

enum class Verdict {
  given,
  grantRefused,  // for good: a person has to connect the account again
  clientRefused, // whoever's account it is
  later,
};

struct Answer {
  Verdict verdict = Verdict::later;
  Secret access;                    // given
  Secret refresh;                   // given; "": the one that was sent goes on
  std::optional<Milliseconds> life; // given, if the answer tells
  std::string why;                  // not given; part of a sentence: "it answered 502"
  std::string by = "provider";      // whose doing that is, as in Status
  bool in_doubt = false;            // not given, and yet the provider may have given tokens
  std::optional<Milliseconds> retry_after;
};

// As it came, and as it is kept.
struct Reply {
  int status = 0;
  std::optional<Milliseconds> retry_after;
  std::string body;
};

Answer readAnswer(Provider const& provider, Reply const& reply);
// There was none.
Answer noAnswer(Error const& error);

// Of any answer: whether a header or a query can carry it; a number, "3600" too; and what is wrong, where
// providers write that (RFC 6749 is the first), as words only.
bool isToken(std::string const& text);
std::int64_t numberAt(json::value const& document, std::string_view pointer);
std::vector<std::string> codesOf(json::value const& document);

// For keeping a reply. invalidInput if the text is none.
Secret textOf(Reply const& reply);
Result<Reply> replyFrom(Secret const& text);

} // namespace garland::oauth
