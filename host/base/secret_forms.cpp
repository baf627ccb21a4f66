// No string here grows or is cut: what it was before would stay behind in memory that nobody wipes.
#include "host/base/secret_forms.h"

#include "host/base/bytes.h"
#include "host/base/secret.h"

#include <algorithm>
#include <utility>

namespace garland {
namespace {

constexpr std::size_t kForms = 16;
constexpr std::size_t kShortestInside = 8; // letters; fewer of them stand in other texts by chance

void wipeText(std::string& text) { wipe(text.data(), text.size()); }

// As json::serialize() has it, which leaves a copy in a buffer that nobody wipes.
std::string inJson(std::string_view secret, std::string_view slash) {
  std::string out;
  out.reserve(6 * secret.size());
  for (char const c : secret) {
    if (auto const named = std::string_view("\"\\\b\f\n\r\t").find(c); named != std::string_view::npos)
      out.append(1, '\\').append(1, "\"\\bfnrt"[named]);
    else if (c >= 0 && c < ' ')
      out.append("\\u00").append(hex({&c, 1}));
    else if (c == '/')
      out += slash;
    else
      out += c;
  }
  return out;
}

// "%2F" as "%2f", which is how libcurl writes it.
std::string withLowerEscapes(std::string text) {
  for (auto at = text.find('%'); at != std::string::npos; at = text.find('%', at + 1))
    for (auto digit = at + 1; digit < std::min(at + 3, text.size()); ++digit)
      if (text[digit] >= 'A' && text[digit] <= 'F') text[digit] = static_cast<char>(text[digit] - 'A' + 'a');
  return text;
}

std::string inUpperCase(std::string digits) {
  for (char& c : digits)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return digits;
}

// The alphabet of RFC 4648, section 5.
std::string forUrls(std::string_view letters) {
  std::string out(letters.substr(0, letters.find_last_not_of('=') + 1));
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

// The letters that nothing but the secret decides, if so many bytes stand before it; "": too few.
std::string insideOfBase64(std::string_view secret, std::size_t before) {
  std::string text;
  text.reserve(before + secret.size());
  text.append(before, ' ').append(secret);
  auto letters = base64(text);
  auto const first = (8 * before + 5) / 6;
  auto const behind = 8 * text.size() / 6;
  std::string out;
  if (behind >= first + kShortestInside) out = letters.substr(first, behind - first);
  wipeText(text);
  wipeText(letters);
  return out;
}

} // namespace

SecretForms::SecretForms(std::string_view secret) {
  all_.reserve(kForms);
  add(std::string(secret));
  add(percentEncode(secret));
  add(withLowerEscapes(percentEncode(secret)));
  add(inJson(secret, "/"));
  add(inJson(secret, "\\/"));
  quoted_ = all_.size();
  auto once = percentEncode(secret);
  add(percentEncode(once));
  wipeText(once);
  add(hex(secret));
  add(inUpperCase(hex(secret)));
  add(base64(secret));
  add(base64Url(secret));
  for (std::size_t before = 0; before < 3; ++before) {
    add(insideOfBase64(secret, before));
    auto inside = insideOfBase64(secret, before);
    add(forUrls(inside));
    wipeText(inside);
  }
}

SecretForms::~SecretForms() {
  for (auto& form : all_) wipeText(form);
}

void SecretForms::add(std::string form) {
  if (form.empty() || std::ranges::find(all_, form) != all_.end())
    wipeText(form);
  else
    all_.push_back(std::move(form));
}

} // namespace garland
