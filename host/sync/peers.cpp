#include "host/sync/peers.h"

#include <algorithm>
#include <array>

namespace garland::sync {
namespace {

// "NODE WORD VENDOR CONNECTION": ids have no spaces.
constexpr std::array<std::pair<NewsKind, std::string_view>, 10> kWords{{{NewsKind::feed, "feed"},
                                                                        {NewsKind::webhooks, "webhooks"},
                                                                        {NewsKind::actions, "actions"},
                                                                        {NewsKind::items, "items"},
                                                                        {NewsKind::runs, "runs"},
                                                                        {NewsKind::retry, "retry"},
                                                                        {NewsKind::known, "known"},
                                                                        {NewsKind::leases, "leases"},
                                                                        {NewsKind::pauses, "pauses"},
                                                                        {NewsKind::rests, "rests"}}};

std::string_view nextWord(std::string_view& text) {
  auto const word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

} // namespace

store::Statement telling(std::string_view node_id, News const& news) {
  auto const* const word =
      std::ranges::find(kWords, news.kind, &std::pair<NewsKind, std::string_view>::first);
  std::string text(node_id);
  for (std::string_view const part :
       {word->second, std::string_view(news.vendor_id), std::string_view(news.connection_id)}) {
    text += ' ';
    text += part;
  }
  return store::notice(std::move(text));
}

std::optional<News> heard(std::string_view node_id, std::string_view text) {
  if (nextWord(text) == node_id) return std::nullopt;
  auto const name = nextWord(text);
  auto const* const word = std::ranges::find(kWords, name, &std::pair<NewsKind, std::string_view>::second);
  if (word == kWords.end()) return std::nullopt;
  std::string vendor(nextWord(text));
  return News(word->first, std::move(vendor), std::string(nextWord(text)));
}

} // namespace garland::sync
