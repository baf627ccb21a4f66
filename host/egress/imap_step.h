// One step of a visit to a mailbox: a command of ours with its untagged answers, or one message. libcurl
// speaks: it shakes hands, signs in, selects the folder and frames the message.
#pragma once

#include "host/egress/address.h"
#include "host/egress/egress.h"
#include "host/egress/exchange.h"
#include "host/egress/transfer.h"

#include <memory>
#include <string>

namespace garland::egress {

// Where a visit goes, as it was checked.
struct MailServer {
  bool tls_first = true; // imaps; else STARTTLS
  std::string host;
  std::string port;
  std::string origin() const { return (tls_first ? "imaps://" : "imap://") + host + ":" + port; }
};
Result<MailServer> mailServerOf(MailboxPlace const& place);

// What the steps of a visit share. It must outlive the transport, whose connection tells it of its socket.
struct MailLine {
  MailboxPlace place;
  MailServer server;
  bool allow_private = false;
  AddressCheck kind_of = nullptr;
  bool opened = false; // the folder is open for reading; a second connection would open it for writing
  int socket = -1;
  std::string refused_address;
  std::shared_ptr<Verdict> verdict = std::make_shared<Verdict>();
};

// [loop thread]
class ImapStep final : public Exchange {
public:
  struct What {
    std::string command; // "UID SEARCH ..."; empty: the message of `uid`
    std::uint32_t uid = 0;
    std::size_t max_bytes = 0; // of the answer
  };
  ImapStep(std::shared_ptr<Transport> transport, MailLine& line, What what);

  // Why there is no answer; nothing if there is one.
  std::optional<Error> failure() const;
  bool signedIn() const { return signed_in_; }
  std::size_t bytesIn() const { return answer_.size(); }
  std::string takeAnswer() { return std::move(answer_); }

private:
  static std::size_t onBody(char* data, std::size_t size, std::size_t count, void* step);
  static curl_socket_t openSocket(void* line, curlsocktype purpose, curl_sockaddr* address);
  static int closeSocket(void* line, curl_socket_t socket);
  static int beforeCommand(void* step, char* remote_ip, char* local_ip, int remote_port, int local_port);
  static CURLcode onTls(CURL* handle, void* context, void* step);
  void setUp();
  void setUpSafety();
  std::optional<Error> byCode() const;

  MailLine& line_;
  What what_;
  bool signed_in_ = false;
  bool too_large_ = false;
  std::string answer_;
};

} // namespace garland::egress
