// Finding a message whose answer was lost.
#include <garland/sdk/messaging.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace garland::sdk::messaging {
namespace {

// A request that has not arrived after so long does not arrive any more.
constexpr auto settled_after = std::chrono::minutes(10);
constexpr auto clock_skew = std::chrono::minutes(5);
// Where nobody says when something was sent, it is looked for among the messages of so long.
constexpr auto recent = std::chrono::hours(48);

std::string bareAddress(std::string text) {
  if (auto const open = text.rfind('<'); open != std::string::npos && text.ends_with('>'))
    text = text.substr(open + 1, text.size() - open - 2);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::set<std::string> recipients(json::value const& message, std::string_view at) {
  std::set<std::string> addresses;
  if (auto const* to = sdk::find(message, at); to != nullptr && to->is_array())
    for (auto const& one : to->get_array()) addresses.insert(bareAddress(textOr(one, "")));
  return addresses;
}

// Among those that were made about when the request was sent.
class Finder {
public:
  Finder(Account& account, Traces const& traces, FindRequest const& request)
      : account_(account), traces_(traces), request_(request),
        from_(request.sent_at.value_or(account.call().now() - recent) - clock_skew) {
    if (request.sent_at) until_ = *request.sent_at + settled_after + clock_skew;
  }

  Found one() {
    auto const found = messages(1);
    if (found.empty()) return {false, {}, missing()};
    return {true, encode(Sent{found.begin()->second}), true};
  }

  Found batch() {
    auto const* input = sdk::find(request_.input, "/messages");
    auto const size = input != nullptr && input->is_array() ? input->get_array().size() : 0;
    auto const found = messages(size);
    if (found.empty()) return {false, {}, missing()};
    if (found.size() < size && !settled()) return {};
    SentBatch answer;
    for (std::size_t place = 0; place < size; ++place) {
      auto const message = found.find(std::to_string(place));
      if (message == found.end())
        answer.messages.push_back({{}, "it was not taken; why, the lost answer said"});
      else
        answer.messages.push_back({message->second, {}});
    }
    return {true, encode(answer), true};
  }

  Found cancellation() {
    auto const id = textOr(request_.input, "/message");
    json::value message;
    auto refused = attempt([&] { message = show(id); });
    if (refused && refused->kind == Kind::notFound) return {false, {}, true};
    if (refused) throw std::move(*refused);
    auto const state = textOr(message, traces_.state);
    if (state == traces_.cancelled) return {true, encode(Sent{id}), true};
    return {false, {}, state != traces_.scheduled || settled()};
  }

private:
  // Too long ago to be still on its way.
  bool settled() const {
    return request_.sent_at && account_.call().now() - *request_.sent_at > settled_after;
  }
  bool missing() const { return settled() && !blind_; }

  json::value show(std::string const& id) {
    json::value message;
    rest::patiently(account_.call(), [&] { message = rest::get(account_, traces_.sent, id); });
    return message;
  }

  // Ids by place in the batch.
  std::map<std::string, std::string> messages(std::size_t wanted) {
    std::map<std::string, std::string> found;
    for (auto const& id : candidates()) {
      if (found.size() == wanted) break;
      json::value message;
      auto refused = attempt([&] { message = show(id); });
      if (refused && refused->kind != Kind::notFound) throw std::move(*refused);
      auto const* tags = sdk::find(message, traces_.tags);
      if (tags == nullptr || !tags->is_array() || tags->get_array().empty()) blind_ = true;
      if (tagIn(message, key_tag) == request_.idempotency_key) found.emplace(tagIn(message, place_tag), id);
    }
    return found;
  }

  std::string tagIn(json::value const& message, std::string_view name) const {
    auto const* tags = sdk::find(message, traces_.tags);
    if (tags == nullptr || !tags->is_array()) return {};
    for (auto const& tag : tags->get_array())
      if (textOr(tag, traces_.tag.key) == name) return textOr(tag, traces_.tag.value);
    return {};
  }

  // The ids of all messages of that time that may be ours.
  std::vector<std::string> candidates() {
    std::vector<std::string> ids;
    rest::Pages pages(account_, traces_.sent);
    bool more = true;
    while (more) {
      rest::patiently(account_.call(), [&] { more = pages.next(); });
      if (!more) break;
      for (auto const& message : pages.records()) {
        auto const made = parseRfc3339(textOr(message, traces_.created));
        if (made && *made < from_) return ids;
        bool const then = !made || !until_ || *made <= *until_;
        if (then && mayBeOurs(message)) ids.push_back(records::idOf(traces_.sent, message));
      }
    }
    return ids;
  }

  // One that has no recipient of ours cannot be; one that shows none at all may be by its subject. By the
  // subject alone, each mail of a newsletter would have to be read for one of them.
  bool mayBeOurs(json::value const& message) const {
    auto const theirs = recipients(message, traces_.to);
    auto const like = [&](json::value const& ours) {
      if (theirs.empty()) return textOr(ours, "/subject") == textOr(message, traces_.subject);
      return std::ranges::any_of(recipients(ours, "/to"),
                                 [&](auto const& one) { return theirs.contains(one); });
    };
    auto const* batch = sdk::find(request_.input, "/messages");
    if (batch == nullptr || !batch->is_array()) return like(request_.input);
    return std::ranges::any_of(batch->get_array(), like);
  }

  Account& account_;
  Traces const& traces_;
  FindRequest const& request_;
  TimePoint from_;
  std::optional<TimePoint> until_;
  bool blind_ = false; // one that may be ours shows no tags, or is gone: not finding our key proves nothing
};

} // namespace

Found find(Account& account, Traces const& traces, FindRequest const& request) {
  Finder finder(account, traces, request);
  if (request.operation == "messaging.send/1") return finder.one();
  if (request.operation == "messaging.send_batch/1") return finder.batch();
  if (request.operation == "messaging.cancel/1") return finder.cancellation();
  throw Failure(Kind::unsupported, "this connector has no " + request.operation).withField("/operation");
}

} // namespace garland::sdk::messaging
