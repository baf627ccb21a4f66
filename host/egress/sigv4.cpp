#include "host/egress/sigv4.h"

#include "host/base/bytes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

namespace garland::egress {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kDate = "x-amz-date";
constexpr std::string_view kToken = "x-amz-security-token";
constexpr std::string_view kBodyHash = "x-amz-content-sha256";

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return copy;
}

// "20150830T123600Z"
std::string compactTime(TimePoint now) {
  auto const seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

// Spaces around it are dropped, runs of them inside become one.
std::string compared(std::string_view value) {
  std::string out;
  for (char const c : value)
    if (bool const space = c == ' ' || c == '\t'; !space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string encodedPath(std::string_view path) {
  std::string out;
  for (;;) {
    auto const slash = path.find('/');
    out += percentEncode(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    out += '/';
    path.remove_prefix(slash + 1);
  }
}

bool isS3(std::string const& service) { return service == "s3" || service.starts_with("s3-"); }

// S3 signs the path as it is meant, all others the path as it is sent, encoded once more and without empty
// steps (libcurl took out "." and ".." before).
std::string canonicalPath(std::string const& path, std::string const& service) {
  if (isS3(service)) return encodedPath(percentDecode(path));
  std::string plain;
  for (char const c : path)
    if (c != '/' || !plain.ends_with('/')) plain += c;
  return encodedPath(plain);
}

// Of the caller's headers those that AWS wants signed. A proxy may touch the others.
bool isSigned(std::string const& name) {
  return !isOwnOfSigV4(name) && !isReserved(name) &&
         (name == "content-type" || name == "content-md5" || name.starts_with("x-amz-"));
}

std::map<std::string, std::string> signedHeaders(Signable const& what, Credential const& credential,
                                                 std::string const& time) {
  std::map<std::string, std::string> headers;
  for (auto const& header : what.headers) {
    auto const name = lower(header.name);
    if (!isSigned(name)) continue;
    auto const [at, is_first] = headers.try_emplace(name, compared(header.value));
    if (!is_first) at->second += "," + compared(header.value);
  }
  headers["host"] = authorityOf(what.url);
  headers[std::string(kDate)] = time;
  if (!what.body.empty()) headers["content-length"] = std::to_string(what.body.size());
  if (isS3(credential.signing.service)) headers[std::string(kBodyHash)] = hex(sha256(what.body));
  if (auto const token = credential.signing.session_token.reveal(); !token.empty())
    headers[std::string(kToken)] = compared(token);
  return headers;
}

Secret signingKey(Credential const& credential, std::string const& day) {
  std::string first;
  first.reserve(credential.secret.reveal().size() + sizeof(std::string));
  first.append("AWS4").append(credential.secret.reveal());
  Secret key(std::move(first));
  auto const& signing = credential.signing;
  for (std::string_view const step : {std::string_view(day), std::string_view(signing.region),
                                      std::string_view(signing.service), std::string_view("aws4_request")})
    key = Secret(hmac(Hash::sha256, key.reveal(), step));
  return key;
}

} // namespace

bool isOwnOfSigV4(std::string_view name) { return name == kDate || name == kToken || name == kBodyHash; }

SigV4 signV4(Signable const& what, Credential const& credential, TimePoint now) {
  auto const time = compactTime(now);
  auto const day = time.substr(0, time.find('T'));
  auto const& signing = credential.signing;
  SigV4 made;
  made.headers = signedHeaders(what, credential, time);
  std::string lines;
  for (auto const& [name, value] : made.headers) {
    if (!made.signed_names.empty()) made.signed_names += ';';
    made.signed_names += name;
    lines += name + ":" + value + "\n";
  }
  made.canonical_request = what.method + "\n" + canonicalPath(what.url.path(), signing.service) + "\n" +
                           sortedForm(formPairs(what.url.query())) + "\n" + lines + "\n" + made.signed_names +
                           "\n" + hex(sha256(what.body));
  wipe(lines.data(), lines.size()); // a session token is among them
  made.scope = day + "/" + signing.region + "/" + signing.service + "/aws4_request";
  auto const text =
      std::string(kAlgorithm) + "\n" + time + "\n" + made.scope + "\n" + hex(sha256(made.canonical_request));
  made.signature = hex(hmac(Hash::sha256, signingKey(credential, day).reveal(), text));
  return made;
}

void addSigV4(HeaderList& list, Signable const& what, Credential const& credential, TimePoint now) {
  auto made = signV4(what, credential, now);
  for (auto const name : {kDate, kToken, kBodyHash})
    if (auto const found = made.headers.find(std::string(name)); found != made.headers.end())
      list.add(name, found->second);
  list.add("Authorization", std::string(kAlgorithm) + " Credential=" + credential.username + "/" +
                                made.scope + ", SignedHeaders=" + made.signed_names +
                                ", Signature=" + made.signature);
  wipe(made.canonical_request.data(), made.canonical_request.size());
  for (auto& [name, value] : made.headers) wipe(value.data(), value.size());
}

} // namespace garland::egress
