#include "host/cli/request_files.h"

#include "host/cli/named_file.h"

#include <algorithm>

namespace garland::cli {
namespace {

// Exit code 1 means "reject" here, so that everything that is wrong with the words is wrong usage.
Error wrong(std::string const& sentence) { return {ErrorKind::invalidInput, sentence}; }

bool hasByteOrderMark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") || text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

Error byteOrderMark(std::string const& option, std::string const& file) {
  return wrong(option + ": " + file +
               " begins with a byte order mark, which an editor put there and no provider sends: save it as "
               "UTF-8 without one");
}

// What may be the name of a header (RFC 9110).
bool isHeaderName(std::string_view name) {
  constexpr std::string_view further = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           further.find(c) != std::string_view::npos;
  });
}

bool isHeaderLine(std::string_view line) {
  auto const colon = line.find(':');
  return colon != std::string_view::npos && isHeaderName(line.substr(0, colon));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view takeLine(std::string_view& rest) {
  auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<void> readHeaders(std::string_view text, FiledRequest& filed) {
  if (hasByteOrderMark(text)) return byteOrderMark("--headers", filed.headers_file);
  for (int number = 1; !text.empty(); ++number) {
    auto const line = takeLine(text);
    if (line.empty()) continue;
    if (!isHeaderLine(line))
      return wrong("--headers: line " + std::to_string(number) + " of " + filed.headers_file +
                   " is not \"Name: value\"");
    auto const colon = line.find(':');
    filed.request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    filed.header_lines.push_back(number);
  }
  return {};
}

bool areSwapped(std::string_view headers, std::string_view body) {
  return !headers.empty() && !isHeaderLine(takeLine(headers)) && isHeaderLine(takeLine(body));
}

// The header that the verdict speaks of, if it stands on two lines.
std::optional<Error> standsTwice(FiledRequest const& filed, std::string const& sentence) {
  auto const& headers = filed.request.headers;
  auto const told = lower(sentence);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    auto const name = lower(headers[i].first);
    if (told.find("the header " + name + " ") == std::string::npos) continue;
    for (std::size_t before = 0; before < i; ++before)
      if (lower(headers[before].first) == name)
        return wrong("--headers: line " + std::to_string(filed.header_lines[i]) + " of " +
                     filed.headers_file + " has the header " + headers[i].first + " again, after line " +
                     std::to_string(filed.header_lines[before]) +
                     "; a request that has it twice is refused: leave the line out that did not come");
  }
  return std::nullopt;
}

} // namespace

Result<std::string> contentOf(std::string const& option, std::string const& file) {
  auto text = readNamedFile(file);
  if (!text) return wrong(option + ": " + text.error().message);
  return text;
}

Result<FiledRequest> requestFromFiles(std::string const& headers_file, std::string const& body_file) {
  FiledRequest filed;
  filed.headers_file = shownFile(headers_file);
  filed.body_file = shownFile(body_file);
  std::string headers;
  if (!headers_file.empty()) {
    TRY(text, contentOf("--headers", headers_file));
    headers = std::move(text);
  }
  if (!body_file.empty()) {
    TRY(text, contentOf("--body", body_file));
    filed.request.body = std::move(text);
  }
  if (areSwapped(headers, filed.request.body))
    return wrong("--headers, --body: line 1 of " + filed.headers_file + " is no header, and line 1 of " +
                 filed.body_file + " is one; name them the other way round");
  TRY_VOID(readHeaders(headers, filed));
  return filed;
}

std::optional<Error> spoiltByFiles(FiledRequest const& filed, webhooks::Verdict const& verdict) {
  if (verdict.accepted()) return std::nullopt;
  if (hasByteOrderMark(filed.request.body)) return byteOrderMark("--body", filed.body_file);
  if (verdict.reason == webhooks::Reason::duplicated) return standsTwice(filed, verdict.sentence);
  return std::nullopt;
}

} // namespace garland::cli
