// A network that answers as the test says, at once or when it is let go.
#pragma once

#include "host/egress/egress.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace garland::api::testing {

class FakeEgress final : public egress::Client {
public:
  explicit FakeEgress(asio::any_io_executor const& executor)
      : let_go_(executor, asio::steady_timer::time_point::max()) {}

  Task<egress::Response> fetch(egress::Request request, egress::Policy policy, egress::Credential) override {
    requests.push_back(request);
    policies.push_back(std::move(policy));
    if (holds) co_await let_go_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!answer) co_return Error(ErrorKind::transient, "nobody answers");
    co_return answer(request);
  }
  void onAudit(std::function<void(egress::AuditEntry const&)>) override {}
  void shutdown() override { letGo(); }
  void letGo() {
    holds = false;
    let_go_.cancel();
  }
  void answers(int status, std::string body) {
    egress::Response response;
    response.status = status;
    response.body = std::move(body);
    answer = [response](egress::Request const&) { return response; };
  }

  bool holds = false;
  std::function<Result<egress::Response>(egress::Request const&)> answer;
  std::vector<egress::Request> requests;
  std::vector<egress::Policy> policies;

private:
  asio::steady_timer let_go_;
};

} // namespace garland::api::testing
