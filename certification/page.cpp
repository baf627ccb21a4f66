#include "certification/page.h"

#include "certification/escape.h"

namespace garland::certification {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--dim:#666}
@media(prefers-color-scheme:dark){:root{--good:#3fb950;--bad:#ff7b72;--dim:#9a9a9a}}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:52rem;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
.dim{color:var(--dim);font-size:.85rem}.levels{display:flex;gap:.5rem;flex-wrap:wrap;margin:1rem 0}
.level{flex:1 1 9rem;border:1px solid var(--line);border-radius:.5rem;padding:.6rem}
.yes{border-color:var(--good)}.yes b{color:var(--good)}.no b{color:var(--bad)}
details{border-top:1px solid var(--line);padding:.5rem 0}summary{cursor:pointer}
details details,.level details{border:0;padding:0}details details{margin-left:1rem}.level summary{font-size:.85rem}
.o{display:inline-block;min-width:5.5rem;font-size:.8rem;font-weight:600}
@media(max-width:30rem){.o{min-width:0;margin-right:.3rem}details details{margin-left:.5rem}}
.pass{color:var(--good)}.skip,.waived,.warn{color:var(--dim)}
.fail,.crash,.hang,.violation,.leak,.inconclusive{color:var(--bad)}
code{font-size:.8rem;background:#8882;padding:.1rem .3rem;border-radius:.2rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}td{border-top:1px solid var(--line);padding:.3rem;
vertical-align:top}td:not(:last-child){overflow-wrap:normal}.more td:first-child{color:var(--bad);font-weight:600}
svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:currentColor}
svg rect{fill:#4078c0}
)css";

} // namespace

std::string tag(std::string_view element, std::string_view attributes, std::string const& inner) {
  return "<" + std::string(element) + (attributes.empty() ? "" : " " + std::string(attributes)) + ">" +
         inner + "</" + std::string(element) + ">\n";
}

std::string page(std::string_view title, std::string const& body) {
  return "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
         "<meta name=viewport content=\"width=device-width,initial-scale=1\"><title>" +
         xmlText(title) + "</title><style>" + std::string(kStyle) + "</style></head><body>\n" + body +
         "</body></html>\n";
}

} // namespace garland::certification
