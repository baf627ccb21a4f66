#include "host/store/pg_target.h"

#include "host/store/pg_errors.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>

namespace garland::store {
namespace {

bool isHostName(PgTarget const& target) {
  auto const* host = target.find("host");
  if (host == nullptr || target.find("hostaddr") != nullptr) return false;
  if (host->empty() || host->front() == '/' || host->front() == '@') return false;
  if (host->find(',') != std::string::npos) return false;
  boost::system::error_code code;
  asio::ip::make_address(*host, code);
  return code.failed();
}

} // namespace

std::string const* PgTarget::find(std::string_view keyword) const {
  for (auto const& [name, value] : parameters)
    if (name == keyword) return &value;
  return nullptr;
}

void PgTarget::set(std::string keyword, std::string value) {
  std::erase_if(parameters, [&keyword](auto const& parameter) { return parameter.first == keyword; });
  parameters.emplace_back(std::move(keyword), std::move(value));
}

Result<PgTarget> parseTarget(std::string const& url) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  if (!options)
    return Error(
        ErrorKind::invalidInput,
        "the database URL is not a valid PostgreSQL URL; write postgresql://user@host:port/name with "
        "special characters percent-encoded",
        "/database/url");
  PgTarget target;
  for (auto const* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) target.parameters.emplace_back(option->keyword, option->val);
  auto const shown = [&target](std::string_view keyword, std::string_view otherwise) {
    auto const* value = target.find(keyword);
    return value == nullptr ? std::string(otherwise) : *value;
  };
  target.place = shown("host", shown("hostaddr", "the local socket")) + ":" + shown("port", "5432") + "/" +
                 shown("dbname", "");
  // A server that has vanished without a word must be noticed.
  if (target.find("tcp_user_timeout") == nullptr) target.set("tcp_user_timeout", "30000");
  if (target.find("gssencmode") == nullptr) target.set("gssencmode", "disable");
  target.set("fallback_application_name", "garland");
  target.set("client_encoding", "UTF8");
  return target;
}

Task<PgTarget> resolveTarget(asio::any_io_executor executor, PgTarget target) {
  if (!isHostName(target)) co_return target;
  auto const host = *target.find("host");
  asio::ip::tcp::resolver resolver(executor);
  auto const token = asio::as_tuple(asio::use_awaitable);
  auto const [code, found] = co_await resolver.async_resolve(host, "", token);
  if (code || found.empty())
    co_return unreachable(target.place, "the name cannot be resolved: " + code.message());
  std::string hosts;
  std::string addresses;
  for (auto const& entry : found) {
    hosts += (hosts.empty() ? "" : ",") + host;
    addresses += (addresses.empty() ? "" : ",") + entry.endpoint().address().to_string();
  }
  target.set("host", hosts);
  target.set("hostaddr", addresses);
  co_return target;
}

} // namespace garland::store
