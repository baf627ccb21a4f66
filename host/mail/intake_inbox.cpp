// From a received mail to an item of the intake.
#include "host/mail/mail.h"
#include "host/sync/sync.h"
#include "host/vault/vault.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace garland::mail {

namespace {

constexpr std::size_t max_identity = 400; // of a dedupe key's 500 bytes
constexpr std::size_t max_summary = 200;

// What a connector is given in place of a mail that could not be read, so that it waits for a person.
json::object unreadable(std::string const& why) {
  json::array headers; // by push_back: braces around one array would copy it
  headers.push_back(json::array{"Garland-Unreadable", why});
  return json::object{{"message_id", ""},
                      {"from", json::array()},
                      {"to", json::array()},
                      {"reply_to", json::array()},
                      {"subject", ""},
                      {"date", ""},
                      {"text", ""},
                      {"html", ""},
                      {"headers", std::move(headers)},
                      {"attachments", json::array()}};
}

// At most so many bytes, and no character cut in two.
std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  text.resize(bytes);
  return text;
}

Task<json::object> reading(std::string const* bytes) { co_return readMail(*bytes); }

class IntakeInbox final : public Inbox {
public:
  explicit IntakeInbox(sync::Intake& intake) : intake_(intake) {}
  ~IntakeInbox() override { readers_.join(); }

  bool knows(std::string_view token) override {
    return intake_.findDoor(sync::IntakeSource::mail, token).has_value();
  }

  Task<void> keep(std::string token, std::string bytes) override {
    auto const door = intake_.findDoor(sync::IntakeSource::mail, token);
    if (!door) co_return Error(ErrorKind::notFound, "the address is nobody's any more");
    auto keeping = keepFor(door->connection_id, std::move(bytes));
    co_return co_await std::move(keeping);
  }

  Task<void> keepFor(std::string connection_id, std::string bytes) override {
    // A mail of some megabytes takes its time, which the loop has not.
    auto read_elsewhere = asio::co_spawn(readers_, reading(&bytes), asio::use_awaitable);
    auto mail = co_await std::move(read_elsewhere);
    bool const read = mail.has_value();
    sync::Delivery delivery;
    delivery.connection_id = std::move(connection_id);
    delivery.source = sync::IntakeSource::mail;
    json::object content = read ? std::move(*mail) : unreadable(mail.error().message);
    delivery.dedupe_key = read ? identityOf(content) : "sha256:" + vault::sha256Hex(bytes);
    delivery.summary =
        read ? cut(textOr(content, "/subject", ""), max_summary) : "a mail that cannot be read";
    delivery.content = std::move(content);
    delivery.raw = std::move(bytes);
    auto accepting = intake_.accept(std::move(delivery));
    auto const accepted = co_await std::move(accepting);
    if (!accepted) co_return accepted.error();
    co_return Result<void>();
  }

  Task<void> keepUnfetched(std::string connection_id, Unfetched mail) override {
    sync::Delivery delivery;
    delivery.connection_id = std::move(connection_id);
    delivery.source = sync::IntakeSource::mail;
    delivery.dedupe_key = std::move(mail.key);
    delivery.summary = "a mail that cannot be fetched";
    delivery.content = unreadable(mail.why);
    auto accepting = intake_.accept(std::move(delivery));
    auto const accepted = co_await std::move(accepting);
    if (!accepted) co_return accepted.error();
    co_return Result<void>();
  }

private:
  sync::Intake& intake_;
  asio::thread_pool readers_{1};
};

} // namespace

// The same mail on another way has the same id and says the same; a second mail with an id that was used
// before does not.
std::string identityOf(json::value const& mail) {
  auto const said = vault::sha256Hex(json::serialize(
      json::array{textOr(mail, "/subject", ""), textOr(mail, "/text", ""), textOr(mail, "/html", "")}));
  auto const id = textOr(mail, "/message_id", "");
  if (id.empty()) return "date:" + textOr(mail, "/date", "") + ":" + said;
  return (id.size() <= max_identity ? id : vault::sha256Hex(id)) + ":" + said;
}

std::unique_ptr<Inbox> intakeInbox(sync::Intake& intake) { return std::make_unique<IntakeInbox>(intake); }

} // namespace garland::mail
