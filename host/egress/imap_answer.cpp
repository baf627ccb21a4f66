#include "host/egress/imap_answer.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace garland::egress {
namespace {

Error odd(std::string what) {
  Error error(ErrorKind::providerBug, std::move(what));
  error.provider_code = "bad_imap";
  return error;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool beginsWith(std::string_view text, std::string_view upper_word) {
  return text.size() >= upper_word.size() && std::equal(upper_word.begin(), upper_word.end(), text.begin(),
                                                        [](char a, char b) { return a == upper(b); });
}

// UIDs and the numbers about them: 1 to 2^32-1 (RFC 3501, nz-number).
std::optional<std::uint32_t> numberOf(std::string_view digits) {
  std::uint32_t value = 0;
  auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || value == 0) return std::nullopt;
  return value;
}

// The next line without its end; nothing if there is none, or it is cut off.
std::optional<std::string_view> takeLine(std::string_view& answer) {
  auto const end = answer.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto line = answer.substr(0, end);
  answer.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::uint32_t> codeOf(std::string_view line, std::string_view code) {
  constexpr std::string_view kOk = "* OK [";
  if (!beginsWith(line, kOk)) return std::nullopt;
  line.remove_prefix(kOk.size());
  if (!beginsWith(line, code)) return std::nullopt;
  line.remove_prefix(code.size());
  return numberOf(line.substr(0, line.find(']')));
}

// " 4 8 15"
Result<void> addUids(std::string_view list, std::uint32_t first, std::uint32_t last,
                     std::vector<std::uint32_t>& uids) {
  while (!list.empty()) {
    if (list.front() != ' ') return odd("its list of mails cannot be read");
    list.remove_prefix(1);
    auto const word = list.substr(0, list.find(' '));
    list.remove_prefix(word.size());
    if (word.empty()) continue; // some end the line with a space
    auto const uid = numberOf(word);
    if (!uid) return odd("its list of mails holds what is no number of a mail");
    if (*uid < first || *uid > last) return odd("its list of mails holds some that were not asked for");
    uids.push_back(*uid);
  }
  return {};
}

} // namespace

Result<MailboxStatus> readExamine(std::string_view answer) {
  MailboxStatus status;
  while (auto const line = takeLine(answer)) {
    if (auto const validity = codeOf(*line, "UIDVALIDITY ")) status.validity = *validity;
    if (auto const next = codeOf(*line, "UIDNEXT ")) status.next = *next;
  }
  if (status.validity == 0 || status.next == 0)
    return odd("it does not number its mails in a lasting way (no UIDVALIDITY or UIDNEXT)");
  return status;
}

Result<std::vector<std::uint32_t>> readSearch(std::string_view answer, std::uint32_t first,
                                              std::uint32_t last) {
  constexpr std::string_view kSearch = "* SEARCH";
  std::vector<std::uint32_t> uids;
  bool found = false;
  while (auto const line = takeLine(answer)) {
    if (!beginsWith(*line, kSearch)) continue;
    found = true;
    TRY_VOID(addUids(line->substr(kSearch.size()), first, last, uids));
  }
  if (!found || !answer.empty()) return odd("its list of mails is not complete");
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  return uids;
}

} // namespace garland::egress
