// What a provider's error answers mean, as a table. Without a row that fits, the HTTP status decides
// (failureOf in http.hpp), so a table holds only what a provider does in its own way.
//
//   constexpr errors::Meaning meanings[] = {{402, "card_declined", Kind::invalidInput, Effect::notApplied},
//                                           {429, "", Kind::rateLimited}};
//   constexpr errors::Mapper mapper{.code = "/error/code", .message = "/error/message", .meanings =
//   meanings};
#pragma once

#include <garland/sdk/http.hpp>
#include <garland/sdk/json.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace garland::sdk::errors {

// One row: the first that fits decides. Its effect, if it has one, is that of the whole operation.
struct Meaning {
  int status = 0;             // 0: any
  std::string_view code = {}; // the provider's code; empty: any
  Kind kind = Kind::providerBug;
  std::optional<Effect> effect = {};
  bool shown = false; // the provider's message is meant for people: it may be shown to the vendor
};

// Something more that an error answer says, kept as a member of the failure's detail.
struct Detail {
  std::string_view member;
  std::string_view at; // JSON Pointer into the body: a text
};

// A header that says when to come again, for providers that have another than Retry-After.
struct DelayHeader {
  enum class Form {
    seconds,      // from now, "1.5" too
    milliseconds, // from now
    date,         // RFC 3339 or an HTTP date
    unixSeconds,  // a moment
  };
  std::string_view name;
  Form form = Form::seconds;
};

// JSON Pointers into the body of an error answer. A body that is no JSON has no code and no message.
struct Mapper {
  std::string_view code = {};
  std::string_view type = {};    // a broader code, that counts where there is no other
  std::string_view message = {}; // text, or an object of texts by field, as in {"email": "is not one"}
  std::string_view field = {};   // name of the bad parameter
  std::span<Meaning const> meanings = {};
  std::span<DelayHeader const> delays = {}; // looked at in this order if there is no Retry-After
  // A header of every answer that counts how many more requests are taken before that delay is over. At 0 a
  // pull waits instead of being refused.
  std::string_view left = {};
  std::span<Detail const> details = {};
  // A header that says whether the same request may be sent again, "true" or "false". It outweighs the
  // status: true is transient, and false never is.
  std::string_view retry = {};
  // A provider that answers errors with status 200: where `true` means success ("/ok").
  std::string_view success = {};
};

// The answer's failure. `now` is for headers that name a moment.
Failure failureOf(Mapper const& mapper, Request const& request, Response const& response, TimePoint now);

// Throws failureOf() if the answer is an error by its status or by `success`.
void expectSuccess(Mapper const& mapper, Request const& request, Response const& response, TimePoint now);

// How long to wait before the next request, since none is left; nothing if the answer does not say so.
std::optional<Milliseconds> pauseAfter(Mapper const& mapper, Response const& response, TimePoint now);

// What such a header asks for, never below zero; nothing if it cannot be read.
std::optional<Milliseconds> delayOf(std::string_view text, DelayHeader::Form form, TimePoint now);

} // namespace garland::sdk::errors
