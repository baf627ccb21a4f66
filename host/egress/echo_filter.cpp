#include "host/egress/echo_filter.h"

#include "host/base/bytes.h"
#include "host/base/secret_forms.h"

#include <algorithm>

namespace garland::egress {
namespace {

constexpr std::size_t kShortestForm = 16;
constexpr std::size_t kShortestInFailure = 6;
constexpr std::string_view kHidden = "[secret]";

void replaceAll(std::string& text, std::string const& form) {
  auto at = text.find(form);
  if (at == std::string::npos) return;
  std::string out;
  out.reserve(text.size());
  std::size_t from = 0;
  for (; at != std::string::npos; at = text.find(form, from)) {
    out.append(text, from, at - from).append(kHidden);
    from = at + form.size();
  }
  out.append(text, from);
  wipe(text.data(), text.size());
  text = std::move(out);
}

// A longer form before one that is part of it.
void longestFirst(std::vector<std::string>& forms) {
  std::sort(forms.begin(), forms.end(),
            [](auto const& a, auto const& b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
}

// Path and query of a URL: what is secret of it, however scheme and host are written.
std::string_view behindHost(std::string_view url) {
  auto const host = url.find("://");
  auto const end = host == std::string_view::npos ? host : url.find_first_of("/?", host + 3);
  return end == std::string_view::npos || url.size() - end < kShortestForm ? url : url.substr(end);
}

} // namespace

void EchoFilter::add(std::string_view secret) {
  if (secret.empty()) return;
  SecretForms const all(secret);
  forms_.insert(forms_.end(), all.all().begin(), all.all().end());
  short_forms_.insert(short_forms_.end(), all.quoted().begin(), all.quoted().end());
}

EchoFilter::EchoFilter(Credential const& credential) {
  if (credential.scheme == Credential::Scheme::none) return;
  bool const address = credential.scheme == Credential::Scheme::address;
  add(address ? behindHost(credential.secret.reveal()) : credential.secret.reveal());
  add(credential.signing.token_secret.reveal());
  add(credential.signing.session_token.reveal());
  std::erase_if(short_forms_, [](std::string const& form) {
    return form.size() < kShortestInFailure || form.size() >= kShortestForm;
  });
  longestFirst(short_forms_);
  if (credential.scheme == Credential::Scheme::basic)
    forms_.push_back(base64(credential.username + ":" + std::string(credential.secret.reveal())));
  std::erase_if(forms_, [](std::string const& form) { return form.size() < kShortestForm; });
  longestFirst(forms_);
}

EchoFilter::~EchoFilter() {
  for (auto& form : forms_) wipe(form.data(), form.size());
  for (auto& form : short_forms_) wipe(form.data(), form.size());
}

void EchoFilter::clean(std::string& text) const {
  for (auto const& form : forms_) replaceAll(text, form);
}

void EchoFilter::clean(Response& response) const {
  clean(response.body);
  clean(response.final_url);
  for (auto& header : response.headers) clean(header.value);
  if (response.status < 400) return;
  for (auto const& form : short_forms_) {
    replaceAll(response.body, form);
    for (auto& header : response.headers) replaceAll(header.value, form);
  }
}

} // namespace garland::egress
