// Fuzz target: forms, JSON by field maps, delays. Bytes from outside end in a value or a Failure.
#include <garland/sdk/errors.hpp>
#include <garland/sdk/fields.hpp>
#include <garland/sdk/form.hpp>

#include <cstdlib>

namespace {

using namespace garland::sdk;
using namespace garland::sdk::fields;

constexpr Word words[] = {{"a", "b"}};
constexpr Field map[] = {{"/text", "/a"},
                         {"/integer", "/a", Integer{}},
                         {"/boolean", "/b", Boolean{}},
                         {"/date", "/c", Date{}},
                         {"/moment", "/c", Timestamp{Timestamp::Form::milliseconds}},
                         {"/when", "/c", When{"/d", "/e", "/f", "/b"}},
                         {"/phone", "/d", Phone{}},
                         {"/email", "/e", Email{}},
                         {"/word", "/f", Words{words, "other"}},
                         {"/amount", "/a", Amount{.form = AmountForm::number, .currency = "/g"}},
                         {"/name", "/d", JoinName{"/e"}},
                         {"/first", "/d", SplitName{"/last"}},
                         {"/pairs", "/h", Pairs{"/k", "/v"}},
                         {"/texts", "/h", Texts{}}};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  Context const context{.currency = "EUR", .calling_code = "44"};
  static_cast<void>(attempt([&] {
    auto const document = form::decode(text);
    // What was read is written so that it reads the same.
    if (form::decode(form::encode(document)) != document) std::abort();
  }));
  json::value theirs;
  if (attempt([&] { theirs = parse(text); })) return 0;
  for (auto const& row : map) {
    json::object ours;
    if (attempt([&] { ours = read({&row, 1}, theirs, context); })) continue;
    // What was read is no change.
    if (json::value(write({&row, 1}, ours, theirs, context)) != theirs) std::abort();
  }
  static_cast<void>(errors::delayOf(text, errors::DelayHeader::Form::date, TimePoint()));
  return 0;
}
