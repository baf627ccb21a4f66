#include "host/api/packed_body.h"

#include <zlib.h>

#include <array>

namespace garland::api {
namespace {

constexpr int kGzipOrZlib = 15 + 32; // the largest window; zlib tells the two apart by their headers

class Inflater {
public:
  Inflater() : good_(inflateInit2(&stream_, kGzipOrZlib) == Z_OK) {}
  ~Inflater() {
    if (good_) inflateEnd(&stream_);
  }
  Inflater(Inflater const&) = delete;
  Inflater& operator=(Inflater const&) = delete;

  Result<std::string> run(std::string_view packed) {
    if (!good_) return Error(ErrorKind::hostLimit, "there is no memory to unpack it");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data())); // zlib does not write there
    stream_.avail_in = static_cast<uInt>(packed.size());
    std::string out;
    std::array<char, 16'384> room;
    for (int state = Z_OK; state != Z_STREAM_END;) {
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = static_cast<uInt>(room.size());
      state = inflate(&stream_, Z_NO_FLUSH);
      if (state != Z_OK && state != Z_STREAM_END)
        return Error(ErrorKind::invalidInput, "it is broken or cut off");
      out.append(room.data(), room.size() - stream_.avail_out);
      if (out.size() > kMostUnpacked)
        return Error(ErrorKind::invalidInput,
                     "it unpacks to more than " + std::to_string(kMostUnpacked) + " bytes");
    }
    if (stream_.avail_in != 0) return Error(ErrorKind::invalidInput, "more comes behind its end");
    return out;
  }

private:
  z_stream stream_{};
  bool good_;
};

std::string lower(std::string_view text) {
  std::string out;
  for (char const c : text)
    if (c != ' ' && c != '\t') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

} // namespace

Result<std::string> unpacked(std::string_view encoding, std::string_view body) {
  auto const name = lower(encoding);
  if (name.empty() || name == "identity") return std::string(body);
  if (name != "gzip" && name != "x-gzip" && name != "deflate")
    return Error(ErrorKind::unsupported, "only gzip and deflate are unpacked");
  return Inflater().run(body);
}

} // namespace garland::api
