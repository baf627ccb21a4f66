#include "host/api/twin_codec.h"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>

#include <algorithm>
#include <array>

namespace garland::api {

namespace http = boost::beast::http;
namespace zlib = boost::beast::zlib;

namespace {

// The host frames the message, whatever the twin says of it.
bool framesTheMessage(std::string_view name) {
  static constexpr std::array<std::string_view, 4> framing{"content-length", "transfer-encoding",
                                                           "connection", "keep-alive"};
  return std::ranges::any_of(framing, [&](auto known) { return boost::beast::iequals(known, name); });
}

void appendNumber(std::string& out, std::uint32_t number) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xFFU);
}

} // namespace

EncodedAnswer encodeTwinAnswer(TwinAnswer answer, std::string_view method, bool keep_alive) {
  http::response<http::empty_body> message(static_cast<http::status>(answer.status), 11);
  for (auto const& header : answer.headers)
    if (!framesTheMessage(header.name)) message.insert(header.name, header.value);
  message.keep_alive(keep_alive);
  bool const has_body = answer.status != 204 && answer.status != 304;
  if (has_body) message.content_length(answer.body.size());

  EncodedAnswer out;
  http::response_serializer<http::empty_body> serializer(message);
  auto const append = [&](boost::system::error_code& code, auto const& buffers) {
    code = {};
    std::size_t taken = 0;
    for (auto const buffer : boost::beast::buffers_range_ref(buffers)) {
      out.head.append(static_cast<char const*>(buffer.data()), buffer.size());
      taken += buffer.size();
    }
    serializer.consume(taken);
  };
  boost::system::error_code code;
  while (!serializer.is_done()) serializer.next(code, append);
  if (has_body && method != "HEAD") out.body = std::move(answer.body);
  return out;
}

std::string zipBomb(std::uint64_t size) {
  std::string const blanks(64U << 10U, ' ');
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10); // RFC 1952: deflate, no name, no time
  zlib::deflate_stream deflate;
  boost::crc_32_type check;
  std::array<char, 4096> room{};
  auto const pack = [&](std::string_view bytes, zlib::Flush flush) {
    check.process_bytes(bytes.data(), bytes.size());
    zlib::z_params step{};
    step.next_in = bytes.data();
    step.avail_in = bytes.size();
    do {
      step.next_out = room.data();
      step.avail_out = room.size();
      boost::system::error_code code;
      deflate.write(step, flush, code);
      out.append(room.data(), room.size() - step.avail_out);
    } while (step.avail_out == 0);
  };
  auto left = std::max<std::uint64_t>(size, 2) - 2;
  for (; left > 0; left -= std::min<std::uint64_t>(left, blanks.size()))
    pack(std::string_view(blanks).substr(
             0, static_cast<std::size_t>(std::min<std::uint64_t>(left, blanks.size()))),
         zlib::Flush::none);
  pack("{}", zlib::Flush::finish);
  appendNumber(out, check.checksum());
  appendNumber(out, static_cast<std::uint32_t>(std::max<std::uint64_t>(size, 2)));
  return out;
}

} // namespace garland::api
