// A row and a checkpoint as an export has them.
#include "host/audit/audit.h"
#include "host/base/bytes.h"
#include "host/base/utf8.h"

namespace garland::audit {
namespace {

json::value shown(std::string const& text) {
  auto parsed = parseJson(text);
  if (parsed && canonicalJson(*parsed) == text) return std::move(*parsed);
  // Bytes that are no text are no line either: somebody else wrote them, and that is all to be said.
  return isUtf8(text) ? json::value(text) : json::value("not text: " + hex(text));
}

} // namespace

std::string_view name(Kind kind) {
  switch (kind) {
  case Kind::change: return "change";
  case Kind::request: return "request";
  case Kind::signIn: return "sign_in";
  case Kind::refusal: return "refusal";
  case Kind::count: return "count";
  case Kind::system: break;
  }
  return "system";
}

json::object lineOf(Row const& row) {
  json::object line;
  line["chain"] = row.chain;
  line["number"] = row.number;
  line["entry"] = shown(row.entry);
  line["hash"] = hex(row.hash);
  return line;
}

json::object lineOf(Checkpoint const& checkpoint) {
  json::object line;
  line["checkpoint"] = shown(checkpoint.body);
  line["signature"] = hex(checkpoint.signature);
  return line;
}

} // namespace garland::audit
