#include "host/marketplace/statement.h"

#include "host/base/bytes.h"

namespace garland::marketplace {
namespace {

std::string messageOf(json::value const& said) { return "garland statement 1\n" + canonicalJson(said); }

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }

} // namespace

bool isDigest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string signStatement(json::value const& said, SigningKey const& key) {
  json::object out{{"key", key.publicKey()}, {"signature", hex(key.sign(messageOf(said)))}};
  out["statement"] = said;
  return canonicalJson(out) + "\n";
}

Result<Statement> readStatement(std::string_view text, std::string_view type, std::size_t most) {
  auto const document = parseJson(text, JsonLimits{most, 16});
  if (!document) return bad("is " + document.error().message);
  auto const* said = find(*document, "/statement");
  auto const key = textOr(*document, "/key", "");
  auto const signature = fromHex(textOr(*document, "/signature", ""));
  if (!document->is_object() || document->get_object().size() != 3 || !said || !said->is_object() ||
      !isPublicKey(key))
    return bad("is no signed statement: it must have the members key, signature and statement");
  if (textOr(*said, "/type", "") != type)
    return bad("is a statement of another type than \"" + std::string(type) + "\"");
  if (canonicalJson(*document) + "\n" != text)
    return bad("is not written in its one form (canonical JSON and a line feed)");
  if (!signature || !isSignatureOf(key, messageOf(*said), *signature))
    return bad("has a signature that is not right: it was changed after it was signed");
  return Statement{*said, key};
}

} // namespace garland::marketplace
