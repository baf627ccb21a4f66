// What messaging connectors share: the operations, and how an input becomes a body.
#include <garland/sdk/messaging.hpp>

namespace garland::sdk::messaging {

namespace {

constexpr std::string_view our_tags = "garland_";

// One of the sender's own would hide ours from whoever looks for the message.
void refuseOurTags(json::value const& message) {
  auto const* tags = sdk::find(message, "/tags");
  if (tags == nullptr || !tags->is_object()) return;
  for (auto const& tag : tags->get_object()) {
    std::string const name(tag.key());
    if (name.starts_with(our_tags))
      throw Failure(Kind::invalidInput, "/tags: no name may begin with garland_: " + name).withField("/tags");
  }
}

} // namespace

json::object bodyOf(fields::Map map, json::value const& message) {
  refuseOurTags(message);
  json::object body;
  auto wrong = attempt([&] { body = fields::write(map, message, {}, {}); });
  if (wrong && wrong->field.starts_with("/data")) wrong->field.erase(0, 5); // here the input is the record
  if (wrong) throw std::move(*wrong);
  return body;
}

void MessagingConnector::get(Account&, records::GetRequest const& request) {
  throw Failure(Kind::unsupported, "single records of " + request.entity + " cannot be read here");
}

webhooks::Parsed MessagingConnector::hints(Account&, webhooks::Delivery const&) {
  throw Failure(Kind::unsupported, "this connector takes no webhooks");
}

std::span<OperationEntry const> MessagingConnector::operations() {
  using Self = MessagingConnector;
  static constexpr OperationEntry table[] = {
      operation<&Self::check>("health.check/1"),      operation<&Self::pull>("messaging.pull/1"),
      operation<&Self::send>("messaging.send/1"),     operation<&Self::sendBatch>("messaging.send_batch/1"),
      operation<&Self::cancel>("messaging.cancel/1"), operation<&Self::find>("messaging.find/1"),
      operation<&Self::get>("records.get/1"),         operation<&Self::hints>("webhooks.parse/1"),
  };
  return table;
}

} // namespace garland::sdk::messaging
