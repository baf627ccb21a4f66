// URLs by Boost.URL, made lenient where servers are.
#include <garland/sdk/error.hpp>
#include <garland/sdk/url.hpp>

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>

namespace garland::sdk {
namespace {

namespace urls = boost::urls;

bool isHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Percent-encodes what RFC 3986 has no place for: controls, space, quotes, brackets of all kinds,
// bytes above 0x7f, and a "%" that starts no escape.
std::string lenient(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    bool const stray = c == '%' && !(i + 2 < text.size() && isHex(text[i + 1]) && isHex(text[i + 2]));
    bool const illegal = static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
                         std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
    if (stray || illegal)
      out += percentEncode(std::string_view(&c, 1));
    else
      out += c;
  }
  return out;
}

// RFC 3986, 5.2.4, on the encoded path: "%2F" is part of a name and stays.
std::string withoutDotSegments(std::string_view path) {
  if (path.empty()) return {};
  std::vector<std::string_view> kept;
  bool folder = false; // does the result end in a slash?
  for (bool more = true; more;) {
    auto const slash = path.find('/');
    auto const segment = path.substr(0, slash);
    more = slash != std::string_view::npos;
    if (more) path.remove_prefix(slash + 1);
    bool const up = segment == "..";
    folder = !more && (up || segment == "." || segment.empty());
    if (up && kept.size() > 1) kept.pop_back();
    if (!up && segment != "." && !folder) kept.push_back(segment);
  }
  std::string out;
  for (std::size_t i = 0; i < kept.size(); ++i) out.append(i == 0 ? "" : "/").append(kept[i]);
  return folder ? out + "/" : out;
}

// RFC 3986, 5.2.3: everything of the base's path up to its last slash, then the reference.
std::string merged(std::string_view base, std::string_view reference) {
  if (base.empty()) return "/" + std::string(reference);
  return std::string(base.substr(0, base.rfind('/') + 1)) + std::string(reference);
}

} // namespace

// RFC 3986, 5.2.2, on what the library took apart. Its own resolve() decodes "%2F" in paths.
std::string resolve(std::string_view base, std::string_view reference) {
  auto const from = urls::parse_uri(base);
  if (from.has_error() || !from->has_authority())
    throw Failure(Kind::invalidInput, "\"" + shownUrl(base) + "\" is not an absolute URL");
  auto const text = lenient(reference);
  auto const parsed = urls::parse_uri_reference(text);
  if (parsed.has_error())
    throw Failure(Kind::providerBug, "\"" + shownUrl(reference) + "\" is not a URL reference");
  urls::url_view const& to = *parsed;
  if (to.has_scheme() && !to.has_authority())
    throw Failure(Kind::providerBug, "\"" + shownUrl(reference) + "\" is not a URL with a host");

  std::string const path(to.encoded_path());
  bool const own_place = to.has_authority();
  bool const base_query = !own_place && path.empty() && !to.has_query();
  std::string out(to.has_scheme() ? to.scheme() : from->scheme());
  out += "://" + std::string(own_place ? to.encoded_authority() : from->encoded_authority());
  if (own_place || path.starts_with('/'))
    out += withoutDotSegments(path);
  else if (path.empty())
    out += std::string(from->encoded_path());
  else
    out += withoutDotSegments(merged(std::string(from->encoded_path()), path));
  auto const& queried = base_query ? *from : to;
  if (queried.has_query()) out += "?" + std::string(queried.encoded_query());
  return out;
}

std::string withQuery(std::string_view url, Query const& query) {
  std::string out(url);
  char separator = url.find('?') == std::string_view::npos ? '?' : '&';
  for (auto const& [name, value] : query) {
    out += separator + percentEncode(name) + "=" + percentEncode(value);
    separator = '&';
  }
  return out;
}

std::string shownUrl(std::string_view url) {
  if (url.starts_with("slot:")) return "the secret address";
  url = url.substr(0, url.find_first_of("?#"));
  auto const scheme = url.find("://");
  auto const begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  auto const at = url.substr(begin, url.find_first_of("/\\", begin) - begin).rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, begin)) + std::string(url.substr(begin + at + 1));
}

std::string percentEncode(std::string_view text) { return urls::encode(text, urls::unreserved_chars); }

std::string percentDecode(std::string_view text) {
  std::string out;
  auto const nibble = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && isHex(text[i + 1]) && isHex(text[i + 2])) {
      out += static_cast<char>(nibble(text[i + 1]) * 16 + nibble(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

} // namespace garland::sdk
