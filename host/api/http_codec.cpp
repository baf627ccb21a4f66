// HTTP/1.1 by Beast's parser over plain strings: no composed read or write operation
// is instantiated, which keeps this file at a few seconds of compile time.
#include "host/api/http_codec.h"

#include "host/base/secret.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/grammar/hexdig_chars.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/pchars.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace garland::api {

namespace http = boost::beast::http;
namespace urls = boost::urls;

namespace {

// A chunk extension or trailer that does not end is not worth more memory than this.
constexpr std::size_t stuck_limit = 64U << 10U;
constexpr std::size_t kUsualHeaders = 16;

HttpFault faultOf(boost::system::error_code const& code, CodecLimits const& limits) {
  if (code == http::error::body_limit || code == http::error::buffer_overflow)
    return {413,
            "the body is larger than " + std::to_string(limits.max_body) + " bytes, the most that is taken"};
  if (code == http::error::header_limit)
    return {431,
            "the request line and headers are larger than " + std::to_string(limits.max_header) + " bytes"};
  if (code == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "the request is not valid HTTP: " + code.message()};
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool isRawTarget(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f; });
}

HttpFault badTarget() { return {400, "the request target is not a valid path"}; }

std::optional<HttpFault> readTarget(urls::url_view const& url, Request& out) {
  out.segments.reserve(url.segments().size());
  for (auto const segment : url.segments()) out.segments.emplace_back(segment);
  for (auto const parameter : url.params()) out.query.emplace_back(parameter.key, parameter.value);
  auto const bad = [](std::string const& text) { return hasControl(text); };
  if (std::any_of(out.segments.begin(), out.segments.end(), bad)) return badTarget();
  return std::nullopt;
}

// Forms and programs that build URLs by hand leave marks as they are that a query should have escaped. The
// path is never theirs, and stays.
std::string withEscapedQuery(std::string_view target) {
  auto const mark = std::min(target.find('?'), target.size());
  std::string out(target.substr(0, mark));
  for (auto rest = target.substr(mark); !rest.empty(); rest.remove_prefix(1)) {
    char const c = rest.front();
    bool const escape = c == '%' && rest.size() > 2 && urls::grammar::hexdig_chars(rest[1]) &&
                        urls::grammar::hexdig_chars(rest[2]);
    bool const fits =
        urls::pchars(static_cast<unsigned char>(c)) || c == '/' || c == '?' || c == '=' || c == '&';
    out += escape ? "%"
           : fits ? std::string(1, c)
                  : urls::encode(std::string_view(&c, 1), urls::unreserved_chars);
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

} // namespace

struct RequestReader::Impl {
  http::request_parser<http::string_body> parser;
  CodecLimits limits;
};

RequestReader::RequestReader(CodecLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
  impl_->parser.header_limit(static_cast<std::uint32_t>(limits.max_header));
  impl_->parser.body_limit(limits.max_body);
  impl_->parser.eager(true);
}

RequestReader::~RequestReader() = default;

std::optional<HttpFault> RequestReader::feed(std::string& bytes) {
  auto& parser = impl_->parser;
  while (!bytes.empty() && !parser.is_done()) {
    boost::system::error_code code;
    auto const used = parser.put(boost::asio::buffer(bytes), code);
    wipe(bytes.data(), used);
    bytes.erase(0, used);
    if (code == http::error::need_more) break;
    if (code) return faultOf(code, impl_->limits);
    if (used == 0) break;
  }
  if (!parser.is_done() && bytes.size() > std::max(stuck_limit, impl_->limits.max_header))
    return HttpFault{400, "a chunk header or trailer does not end"};
  return std::nullopt;
}

bool RequestReader::headerDone() const { return impl_->parser.is_header_done(); }
bool RequestReader::done() const { return impl_->parser.is_done(); }
bool RequestReader::keepAlive() const { return impl_->parser.get().keep_alive(); }
std::string RequestReader::method() const { return std::string(impl_->parser.get().method_string()); }

bool RequestReader::expectsContinue() const {
  auto const& fields = impl_->parser.get();
  return fields.version() >= 11 && boost::beast::iequals(fields[http::field::expect], "100-continue");
}

std::optional<HttpFault> RequestReader::take(Request& out) {
  auto message = impl_->parser.release();
  out.method = std::string(message.method_string());
  out.target = std::string(message.target());
  out.body = std::move(message.body());
  std::size_t hosts = 0;
  out.headers.reserve(kUsualHeaders);
  for (auto const& field : message) {
    out.headers.push_back(Header{lower(field.name_string()), std::string(field.value())});
    if (field.name() == http::field::host) ++hosts;
  }
  if (hosts != 1) return HttpFault{400, "exactly one Host header is needed"};
  if (impl_->limits.raw_targets) return isRawTarget(out.target) ? std::nullopt : std::optional(badTarget());
  if (out.target == "*") return std::nullopt;
  auto url = urls::parse_origin_form(out.target);
  std::string escaped; // outlives its view
  if (!url) {
    escaped = withEscapedQuery(out.target);
    url = urls::parse_origin_form(escaped);
  }
  if (!url) return badTarget();
  return readTarget(*url, out);
}

namespace {

using Field = std::pair<std::string_view, std::string_view>;

// A name stands there once, with what was said last; each cookie is one of its own.
void put(std::vector<Field>& fields, std::string_view name, std::string_view value) {
  auto const known = std::ranges::find_if(
      fields, [&](Field const& field) { return boost::beast::iequals(field.first, name); });
  if (known == fields.end() || name == "set-cookie")
    fields.emplace_back(name, value);
  else
    known->second = value;
}

// Of the answer, which has to outlive them.
std::vector<Field> fieldsOf(Response const& response) {
  constexpr std::size_t kUsualFields = 16;
  std::vector<Field> fields;
  fields.reserve(kUsualFields);
  fields.emplace_back("Server", "garlandd");
  fields.emplace_back("Cache-Control", "no-store");
  fields.emplace_back("X-Content-Type-Options", "nosniff");
  // Nothing here is a page; whatever a browser takes for one may load nothing, run nothing and be framed by
  // nobody.
  fields.emplace_back("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  fields.emplace_back("X-Frame-Options", "DENY");
  fields.emplace_back("Referrer-Policy", "no-referrer");
  if (!response.content_type.empty()) fields.emplace_back("Content-Type", response.content_type);
  for (Header const& field : response.headers) put(fields, field.name, field.value);
  return fields;
}

// Beast's fields and serializer make the same bytes in a dozen pieces of memory.
std::string bytesOf(int status, std::vector<Field> const& fields, std::string_view body) {
  constexpr std::size_t kUsualHead = 640;
  std::string out;
  out.reserve(kUsualHead + body.size());
  out += "HTTP/1.1 " + std::to_string(status) + " ";
  out += std::string_view(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status))));
  out += "\r\n";
  for (auto const& [name, value] : fields) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  out += "\r\n";
  out += body;
  return out;
}

} // namespace

std::string encode(Response const& response, bool keep_alive, bool head) {
  auto const length = std::to_string(response.body.size());
  auto fields = fieldsOf(response);
  if (!keep_alive) put(fields, "Connection", "close");
  if (response.status != 204) put(fields, "Content-Length", length);
  return bytesOf(response.status, fields, head ? std::string_view() : response.body);
}

std::string encodeStreamHead(Response const& response) {
  auto fields = fieldsOf(response);
  put(fields, "Connection", response.status == 101 ? "Upgrade" : "close");
  return bytesOf(response.status, fields, {});
}

std::string_view continueLine() { return "HTTP/1.1 100 Continue\r\n\r\n"; }

} // namespace garland::api
