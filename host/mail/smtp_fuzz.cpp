// Clients are anybody: how their bytes are cut into pieces must change nothing, and no mail may exceed its
// limit or reach anybody but its recipient. The first byte of the input says how it is cut.
#include "host/mail/smtp_session.h"

#include <cstdint>
#include <cstdlib>

using namespace garland;

namespace {

struct Heard {
  std::string replies;
  std::string mails;
};

Heard hear(std::string_view bytes, std::size_t piece) {
  mail::SessionOptions options;
  options.domain = "x";
  options.max_bytes = 2'000;
  options.tls_offered = true;
  options.knows = [](std::string_view token) { return token == "a"; };
  options.budget = std::make_shared<mail::Budget>(1'500);
  Heard heard;
  {
    mail::Session session(options);
    std::string input;
    auto wants = mail::Session::Wants::input;
    while (!bytes.empty() && wants != mail::Session::Wants::end) {
      input += bytes.substr(0, piece);
      bytes.remove_prefix(std::min(piece, bytes.size()));
      while ((wants = session.advance(input, heard.replies)) == mail::Session::Wants::delivery) {
        auto const mail = session.take();
        if (mail.bytes.size() > 1'500 || mail.tokens.size() != 1) std::abort();
        heard.mails += mail.bytes + '\0';
        session.settle(mail::Delivered::kept, heard.replies);
      }
      if (wants == mail::Session::Wants::tls) return heard; // what follows depends on what came with it
      if (input.size() > 70'000) std::abort();
    }
  }
  if (options.budget->used != 0) std::abort();
  return heard;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
  std::size_t const piece = 1 + data[0] % 50U;
  auto const whole = hear(bytes, 1);
  auto const cut = hear(bytes, piece);
  if (whole.mails != cut.mails) std::abort();
  bool const same = whole.replies == cut.replies;
  if (!same && cut.replies.find("554 5.7.0") == std::string::npos) std::abort();
  return 0;
}
