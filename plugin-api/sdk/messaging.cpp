// What messaging connectors share: the operations, and how an input becomes a body.
#include <garland/sdk/messaging.hpp>

namespace garland::sdk::messaging {

json::object bodyOf(fields::Map map, json::value const& message) {
  json::object body;
  auto wrong = attempt([&] { body = fields::write(map, message, {}, {}); });
  if (wrong && wrong->field.starts_with("/data")) wrong->field.erase(0, 5); // here the input is the record
  if (wrong) throw std::move(*wrong);
  return body;
}

std::span<OperationEntry const> MessagingConnector::operations() {
  using Self = MessagingConnector;
  static constexpr OperationEntry table[] = {
      operation<&Self::check>("health.check/1"),      operation<&Self::pull>("messaging.pull/1"),
      operation<&Self::send>("messaging.send/1"),     operation<&Self::sendBatch>("messaging.send_batch/1"),
      operation<&Self::cancel>("messaging.cancel/1"), operation<&Self::find>("messaging.find/1"),
  };
  return table;
}

} // namespace garland::sdk::messaging
