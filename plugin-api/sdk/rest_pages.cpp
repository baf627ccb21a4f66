// Requests for lists, and where the next page is.
#include <garland/sdk/rest.hpp>

#include <algorithm>
#include <charconv>

namespace garland::sdk::rest {
namespace {

std::int64_t numberIn(std::string_view text, std::int64_t otherwise) {
  std::int64_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The URL of rel="next" in a Link header.
std::string nextIn(std::string_view header) {
  while (!header.empty()) {
    auto const open = header.find('<');
    auto const close = header.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    auto const end = std::min(header.find(',', close), header.size());
    auto const parameters = header.substr(close, end - close);
    if (parameters.find("rel=\"next\"") != std::string_view::npos || parameters.ends_with("rel=next"))
      return std::string(header.substr(open + 1, close - open - 1));
    header.remove_prefix(end);
  }
  return {};
}

bool isTrue(json::value const& document, std::string_view pointer) {
  auto const* value = find(document, pointer);
  return value != nullptr && *value == json::value(true);
}

// Adds what a page's request needs.
struct Ask {
  Request& request;
  std::string const& position;
  Query query;

  void operator()(OnePage const&) const {}
  void operator()(PageNumber const& paging) {
    query.emplace_back(paging.page, position.empty() ? std::to_string(paging.first) : position);
    if (!paging.size.empty()) query.emplace_back(paging.size, std::to_string(paging.per_page));
  }
  void operator()(Offset const& paging) {
    query.emplace_back(paging.offset, position.empty() ? "0" : position);
    query.emplace_back(paging.limit, std::to_string(paging.per_page));
  }
  void operator()(Cursor const& paging) {
    if (!position.empty()) query.emplace_back(paging.parameter, position);
  }
  void operator()(NextLink const&) { link(); }
  void operator()(LinkHeader const&) { link(); }
  void operator()(StartingAfter const& paging) {
    if (!position.empty()) query.emplace_back(paging.parameter, position);
    query.emplace_back(paging.limit, std::to_string(paging.per_page));
  }
  void link() {
    if (position.empty()) return;
    request.url = position;
    query.clear(); // the link has it all
  }
};

// The position after a page; empty: there is none.
struct Next {
  std::string const& position;
  Response const& response;
  json::value const& document;
  json::array const& records;
  std::string_view id;

  std::string operator()(OnePage const&) const { return {}; }
  std::string operator()(PageNumber const& paging) const {
    auto const page = position.empty() ? paging.first : numberIn(position, paging.first);
    if (records.empty()) return {};
    if (paging.last.empty()) {
      if (records.size() < static_cast<std::size_t>(paging.per_page)) return {};
    } else if (numberIn(textOr(document, paging.last), 0) <= page) {
      return {};
    }
    return std::to_string(page + 1);
  }
  std::string operator()(Offset const& paging) const {
    if (records.size() < static_cast<std::size_t>(paging.per_page)) return {};
    return std::to_string(numberIn(position, 0) + paging.per_page);
  }
  std::string operator()(Cursor const& paging) const { return textOr(document, paging.next); }
  std::string operator()(NextLink const& paging) const { return textOr(document, paging.next); }
  std::string operator()(LinkHeader const&) const { return nextIn(response.header("Link")); }
  std::string operator()(StartingAfter const& paging) const {
    return records.empty() || !isTrue(document, paging.more) ? std::string() : textOr(records.back(), id);
  }
};

} // namespace

json::value fetch(Account& account, errors::Mapper const& errors, Request request, Response* answer) {
  request.headers.push_back({"Accept", "application/json"});
  auto const asked = request;
  auto const response = account.send(std::move(request));
  if (answer != nullptr) *answer = response;
  errors::expectSuccess(errors, asked, response, account.call().now());
  if (response.body.empty()) return nullptr;
  auto body = response.body;
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  try {
    return parse(body);
  } catch (Failure& failure) {
    auto const type = response.header("Content-Type");
    bool const html = type.find("html") != std::string_view::npos || body.starts_with('<');
    failure.http_status = response.status;
    throw std::move(failure).within("the answer of " + asked.method + " " + shownUrl(asked.url) +
                                    (html ? " (a web page)" : ""));
  }
}

Pages::Pages(Account& account, Resource const& resource, Query query, std::string position)
    : account_(account), resource_(resource), query_(std::move(query)), position_(std::move(position)) {}

Request Pages::request() const {
  Request request;
  request.url = resource_.path;
  Ask ask{request, position_, {}};
  for (auto const& parameter : resource_.query) ask.query.emplace_back(parameter.name, parameter.value);
  ask.query.insert(ask.query.end(), query_.begin(), query_.end());
  std::visit(ask, resource_.paging);
  request.url = withQuery(request.url, ask.query);
  return request;
}

bool Pages::next() {
  if (done_) return false;
  read();
  // The page before once more is a stale answer, which is gone when asked again, or the provider does not
  // look at where we are.
  auto const again = [this](std::string const& print) { return !print.empty() && print == print_; };
  if (again(printOf())) read();
  if (again(printOf())) refuseCircle(position_);
  advance();
  return true;
}

void Pages::read() {
  account_.call().stopIfCancelled();
  auto const request = this->request();
  document_ = nullptr;
  document_ = fetch(account_, resource_.errors, request, &response_);
  received_ += response_.body.size();
  auto const* records = find(document_, resource_.records);
  if (records == nullptr || !records->is_array())
    throw Failure(Kind::providerBug, "the answer of GET " + shownUrl(request.url) + ": " +
                                         std::string(resource_.records) + ": must be an array");
  records_ = &records->get_array();
  // One that is none may be that record's fault; where all are none, it is no list of records.
  if (records_->size() > 1 &&
      std::ranges::none_of(*records_, [](auto const& each) { return each.is_object(); }))
    throw Failure(Kind::providerBug, "the answer of GET " + shownUrl(request.url) + ": " +
                                         std::string(resource_.records) + ": holds no objects");
}

std::string Pages::printOf() const {
  std::string print;
  for (auto const& record : *records_) print += textOr(record, resource_.id) + "\n";
  return print;
}

void Pages::advance() {
  current_ = position_;
  Next const next{current_, response_, document_, *records_, resource_.id};
  position_ = std::visit(next, resource_.paging);
  done_ = position_.empty();
  if (!been_.insert(current_).second) refuseCircle(current_);
  if (!done_ && been_.contains(position_)) refuseCircle(position_);
  print_ = printOf();
}

void Pages::refuseCircle(std::string const& from) {
  throw Failure(Kind::providerBug, "the pages of " + std::string(resource_.path) +
                                       " lead in a circle: they come back to " + shownUrl(from));
}

void Pages::back(std::int64_t pages) {
  auto const* numbers = std::get_if<PageNumber>(&resource_.paging);
  auto const* offsets = std::get_if<Offset>(&resource_.paging);
  if (numbers == nullptr && offsets == nullptr)
    throw Failure(Kind::pluginBug, "pages can only be read again where they have numbers");
  std::int64_t const first = numbers != nullptr ? numbers->first : 0;
  std::int64_t const step = numbers != nullptr ? 1 : offsets->per_page;
  position_ = std::to_string(std::max(first, numberIn(current_, first) - pages * step));
  done_ = false;
  been_.clear();
  print_.clear();
}

bool Pages::atFirst() const {
  if (current_.empty()) return true;
  auto const* numbers = std::get_if<PageNumber>(&resource_.paging);
  return current_ == std::to_string(numbers != nullptr ? numbers->first : 0);
}

} // namespace garland::sdk::rest
