#include "host/csv/text.h"

#include "host/base/utf8.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace garland::csv {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kUtf16Little = "\xFF\xFE";
constexpr std::string_view kUtf16Big = "\xFE\xFF";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

Error noText(std::string message) { return {ErrorKind::invalidInput, std::move(message)}; }

class Converter {
public:
  Converter(char const* from) : handle_(iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (good()) iconv_close(handle_);
  }
  Converter(Converter const&) = delete;
  Converter& operator=(Converter const&) = delete;

  bool good() const { return handle_ != reinterpret_cast<iconv_t>(-1); }
  // Converts from the front as much as it can. False: `in` begins with what is no character, or half of one.
  bool run(std::string_view& in, std::string& out) {
    while (!in.empty()) {
      char buffer[4096];
      char* from = const_cast<char*>(in.data()); // iconv does not write there
      std::size_t from_left = in.size();
      char* to = buffer;
      std::size_t to_left = sizeof buffer;
      auto const done = iconv(handle_, &from, &from_left, &to, &to_left);
      bool const stopped = done == static_cast<std::size_t>(-1) && errno != E2BIG;
      in.remove_prefix(in.size() - from_left);
      out.append(buffer, sizeof buffer - to_left);
      if (stopped) return false;
    }
    return true;
  }

private:
  iconv_t handle_;
};

// By the name that iconv has for it; nullptr for those that are not in the list. ISO-8859-1 is what programs
// say who send Windows-1252.
char const* known(std::string_view charset) {
  struct Row {
    std::string_view name;
    char const* as;
  };
  static constexpr Row rows[] = {
      {"iso-8859-1", "WINDOWS-1252"}, {"windows-1252", "WINDOWS-1252"}, {"iso-8859-15", "ISO-8859-15"}};
  auto const* const row =
      std::find_if(std::begin(rows), std::end(rows), [&](Row const& one) { return one.name == charset; });
  return row == std::end(rows) ? nullptr : row->as;
}

Result<std::string> convert(std::string_view bytes, char const* from, std::size_t unit) {
  Converter converter(from);
  if (!converter.good())
    return Error(ErrorKind::unsupported, std::string("this machine cannot convert ") + from);
  std::string out;
  while (!converter.run(bytes, out)) {
    if (bytes.size() < unit) return noText("the file is cut off in the middle of a character");
    out += kReplacement;
    bytes.remove_prefix(unit);
  }
  return out;
}

} // namespace

Result<Text> textOf(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04"))
    return noText("this is a workbook (.xlsx, .ods) or another archive; save the table as CSV");
  Text text;
  if (bytes.starts_with(kUtf16Little) || bytes.starts_with(kUtf16Big)) {
    text.encoding = Encoding::utf16;
    auto const* const from = bytes.starts_with(kUtf16Little) ? "UTF-16LE" : "UTF-16BE";
    TRY(utf8, convert(bytes.substr(2), from, 2));
    text.utf8 = std::move(utf8);
  } else if (isUtf8(bytes)) {
    text.utf8 = std::string(bytes.starts_with(kUtf8Mark) ? bytes.substr(kUtf8Mark.size()) : bytes);
  } else {
    text.encoding = Encoding::windows1252;
    TRY(utf8, convert(bytes, "WINDOWS-1252", 1));
    text.utf8 = std::move(utf8);
  }
  if (auto const zero = text.utf8.find('\0'); zero != std::string::npos)
    return noText(
        "this is no text: it holds a zero byte (UTF-16 without a byte order mark? save it as UTF-8)");
  return text;
}

std::optional<std::string> utf8Of(std::string_view bytes, std::string_view charset) {
  std::string name(charset);
  for (auto& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  auto const* from = known(name);
  std::size_t unit = 1;
  if (name == "utf-16" && (bytes.starts_with(kUtf16Little) || bytes.starts_with(kUtf16Big))) {
    from = bytes.starts_with(kUtf16Little) ? "UTF-16LE" : "UTF-16BE";
    unit = 2;
    bytes.remove_prefix(unit);
  }
  if (from == nullptr) return std::nullopt;
  auto text = convert(bytes, from, unit);
  if (!text) return std::nullopt;
  return *std::move(text);
}

} // namespace garland::csv
