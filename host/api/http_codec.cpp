// HTTP/1.1 by Beast's parser and fields over plain strings: no composed read or write operation
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

using Message = http::response<http::string_body>;

Message messageOf(Response response) {
  Message message(static_cast<http::status>(response.status), 11);
  message.set(http::field::server, "garlandd");
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  // Nothing here is a page; whatever a browser takes for one may load nothing, run nothing and be framed by
  // nobody.
  message.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  message.set("X-Frame-Options", "DENY");
  message.set("Referrer-Policy", "no-referrer");
  if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
  for (Header const& field : response.headers) {
    if (field.name == "set-cookie")
      message.insert(field.name, field.value); // each is a cookie of its own
    else
      message.set(field.name, field.value);
  }
  message.body() = std::move(response.body);
  return message;
}

// Of Beast's serializer, which makes the same bytes, nothing is needed here: no chunks, no pieces.
std::string bytesOf(Message const& message, bool head) {
  constexpr std::size_t kUsualHead = 640;
  std::string out;
  out.reserve(kUsualHead + message.body().size());
  out += "HTTP/1.1 " + std::to_string(message.result_int()) + " ";
  out += std::string_view(message.reason());
  out += "\r\n";
  for (auto const& field : message) {
    out += std::string_view(field.name_string());
    out += ": ";
    out += std::string_view(field.value());
    out += "\r\n";
  }
  out += "\r\n";
  if (!head) out += message.body();
  return out;
}

} // namespace

std::string encode(Response response, bool keep_alive, bool head) {
  int const status = response.status;
  auto message = messageOf(std::move(response));
  message.keep_alive(keep_alive);
  if (status != 204) message.content_length(message.body().size());
  return bytesOf(message, head);
}

std::string encodeStreamHead(Response response) {
  bool const upgrades = response.status == 101;
  auto message = messageOf(std::move(response));
  message.set(http::field::connection, upgrades ? "Upgrade" : "close");
  return bytesOf(message, true);
}

std::string_view continueLine() { return "HTTP/1.1 100 Continue\r\n\r\n"; }

} // namespace garland::api
