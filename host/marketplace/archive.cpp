#include "host/marketplace/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace garland::marketplace {
namespace {

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Reader = std::unique_ptr<archive, Deleter<archive_read_free>>;
using Writer = std::unique_ptr<archive, Deleter<archive_write_free>>;
using Entry = std::unique_ptr<archive_entry, Deleter<archive_entry_free>>;

constexpr std::size_t kBlock = 512;
constexpr std::string_view kPlainName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";

struct Magic {
  std::string_view bytes;
  char const* name;
};
constexpr std::array<Magic, 7> kCompressed{{{{"\x1f\x8b", 2}, "gzip"},
                                            {{"BZh", 3}, "bzip2"},
                                            {{"\xfd"
                                              "7zXZ",
                                              5},
                                             "xz"},
                                            {{"\x28\xb5\x2f\xfd", 4}, "zstd"},
                                            {{"\x04\x22\x4d\x18", 4}, "lz4"},
                                            {{"PK\x03\x04", 4}, "zip"},
                                            {{"7z\xbc\xaf", 4}, "7-Zip"}}};

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }

Error damaged(archive* reader) {
  auto const* const why = archive_error_string(reader);
  return bad("is cut short or damaged" + (why ? ": " + std::string(why).substr(0, 200) : std::string()));
}

Result<void> checkStart(std::string_view bytes) {
  if (bytes.empty()) return bad("is empty");
  if (bytes.size() > kMaxPackageBytes)
    return bad("is larger than " + std::to_string(kMaxPackageBytes >> 20U) +
               " MiB, the most that a package may have");
  for (auto const& magic : kCompressed)
    if (bytes.starts_with(magic.bytes))
      return bad("is compressed (" + std::string(magic.name) +
                 "); a package is a plain tar file, as `garland pack` makes it");
  return {};
}

char const* kindOf(archive_entry* entry) {
  if (archive_entry_hardlink(entry)) return "a hard link";
  switch (archive_entry_filetype(entry)) {
  case AE_IFREG: return archive_entry_sparse_count(entry) > 0 ? "a sparse file" : nullptr;
  case AE_IFLNK: return "a symbolic link";
  case AE_IFDIR: return "a folder";
  case AE_IFCHR:
  case AE_IFBLK: return "a device";
  case AE_IFIFO: return "a pipe";
  case AE_IFSOCK: return "a socket";
  default: return "of an unknown kind";
  }
}

Error otherForm(std::string const& what) {
  return bad(
      "is not in the one form that a package has (plain ustar, files sorted, mode 0644, owner 0, time 0): " +
      what + "; make it with `garland pack`");
}

bool isFilled(char const* text) { return text != nullptr && *text != '\0'; }

// What an entry tells of itself that no entry of a package does; nullptr: nothing.
char const* oddityOf(archive_entry* entry) {
  if (archive_entry_perm(entry) != 0644) return "another mode than 0644";
  if (archive_entry_uid(entry) != 0 || archive_entry_gid(entry) != 0) return "another owner or group than 0";
  if (isFilled(archive_entry_uname(entry)) || isFilled(archive_entry_gname(entry)))
    return "an owner or a group with a name";
  return archive_entry_mtime(entry) != 0 ? "another time than 0" : nullptr;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Reads what follows the header; `left` bytes are all that the file can still hold.
Result<std::string> dataOf(archive* reader, archive_entry* entry, std::size_t left, std::string const& path) {
  auto const size = archive_entry_size(entry);
  if (size < 0 || static_cast<std::uint64_t>(size) > left)
    return bad("is cut short: the entry " + inQuotes(path) + " is said to have " + std::to_string(size) +
               " bytes, and the file ends before");
  std::string out(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    auto const got = archive_read_data(reader, out.data() + have, out.size() - have);
    if (got <= 0) return damaged(reader);
    have += static_cast<std::size_t>(got);
  }
  return out;
}

class Listing {
public:
  Result<void> admit(archive* reader, archive_entry* entry) {
    auto const* const raw = archive_entry_pathname(entry);
    std::string const path = raw ? raw : "";
    if (files_.size() >= kMaxEntries)
      return bad("holds more than " + std::to_string(kMaxEntries) + " entries");
    TRY_VOID(checkPath(path));
    if (auto const* const kind = kindOf(entry))
      return bad("holds the entry " + inQuotes(path) + ", which is " + kind +
                 "; a package holds plain files only");
    if (archive_format(reader) != ARCHIVE_FORMAT_TAR_USTAR)
      return bad("uses an extension of tar at the entry " + inQuotes(path) + " (" +
                 archive_format_name(reader) + "); a package is plain ustar, as `garland pack` makes it");
    if (auto const* const oddity = oddityOf(entry))
      return otherForm("the entry " + inQuotes(path) + " has " + oddity);
    if (!seen_.insert(lowered(path)).second)
      return bad("holds the entry " + inQuotes(path) + " twice, upper and lower case taken as one");
    if (!files_.empty() && path < files_.back().path)
      return bad("is not sorted: the entry " + inQuotes(path) + " comes after " +
                 inQuotes(files_.back().path));
    files_.push_back({path, ""});
    return {};
  }
  void fill(std::string bytes) { files_.back().bytes = std::move(bytes); }
  std::string const& last() const { return files_.back().path; }
  std::vector<PackedFile> take() && { return std::move(files_); }

private:
  std::vector<PackedFile> files_;
  std::set<std::string> seen_;
};

la_ssize_t append(archive*, void* to, void const* bytes, std::size_t size) {
  static_cast<std::string*>(to)->append(static_cast<char const*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Entry plainFile(PackedFile const& file) {
  Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), file.path.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_uid(entry.get(), 0);
  archive_entry_set_gid(entry.get(), 0);
  archive_entry_set_mtime(entry.get(), 0, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.bytes.size()));
  return entry;
}

Result<std::vector<PackedFile>> list(std::string_view bytes) {
  Reader const reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return damaged(reader.get());
  Listing listing;
  archive_entry* entry = nullptr; // the reader's
  for (;;) {
    auto const next = archive_read_next_header(reader.get(), &entry);
    if (next == ARCHIVE_EOF) break;
    if (next < ARCHIVE_WARN) return damaged(reader.get());
    TRY_VOID(listing.admit(reader.get(), entry));
    // Such as of a name that this machine's locale cannot write: whether the name may be, was judged just
    // now.
    if (next != ARCHIVE_OK) return damaged(reader.get());
    auto const used = static_cast<std::size_t>(archive_read_header_position(reader.get())) + kBlock;
    TRY(data, dataOf(reader.get(), entry, bytes.size() - std::min(used, bytes.size()), listing.last()));
    listing.fill(std::move(data));
  }
  return std::move(listing).take();
}

// Of bytes that are not those which writeArchive() gives: where the first other one stands.
std::string firstOddity(std::vector<PackedFile> const& files, std::string_view right,
                        std::string_view bytes) {
  auto const at = static_cast<std::size_t>(std::ranges::mismatch(right, bytes).in1 - right.begin());
  std::size_t end = 0;
  for (auto const& file : files) {
    end += kBlock;
    if (at < end) return "the header of the entry " + inQuotes(file.path) + " is written in another way";
    end += (file.bytes.size() + kBlock - 1) / kBlock * kBlock;
    if (at < end) return "what fills up the entry " + inQuotes(file.path) + " is not zero";
  }
  return "its end is not zero";
}

} // namespace

std::string inQuotes(std::string_view name) {
  constexpr std::size_t kShown = 120;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (char const c : name.substr(0, kShown)) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\')
      out += c;
    else
      out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out + (name.size() > kShown ? "...\"" : "\"");
}

Result<void> checkPath(std::string_view path) {
  if (path.empty()) return bad("holds an entry without a name");
  if (path.size() > kMaxPath)
    return bad("holds the entry " + inQuotes(path) + ", whose name is longer than " +
               std::to_string(kMaxPath) + " bytes");
  if (path.front() == '/')
    return bad("holds the entry " + inQuotes(path) + ", an absolute path; its files have relative ones");
  for (std::size_t at = 0; at <= path.size();) {
    auto const end = std::min(path.find('/', at), path.size());
    auto const part = path.substr(at, end - at);
    if (part == "..") return bad("holds the entry " + inQuotes(path) + ", which leads out of the package");
    if (part.empty() || part.front() == '.')
      return bad("holds the entry " + inQuotes(path) + ", with a part that is empty or begins with a dot");
    at = end + 1;
  }
  if (path.find_first_not_of(kPlainName) != std::string_view::npos)
    return bad(
        "holds the entry " + inQuotes(path) +
        ", whose name has other characters than letters, digits, \".\", \"_\" and \"-\"; not every file "
        "system keeps them alike");
  return {};
}

Result<std::string> writeArchive(std::vector<PackedFile> const& files) {
  std::string out;
  Writer const writer(archive_write_new());
  archive_write_set_format_ustar(writer.get());
  archive_write_set_bytes_per_block(writer.get(), kBlock);
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  auto const failed = [&] {
    auto const* const why = archive_error_string(writer.get());
    return Error(ErrorKind::hostLimit,
                 "the package could not be written: " + std::string(why ? why : "no memory"));
  };
  if (archive_write_open(writer.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK) return failed();
  for (auto const& file : files) {
    auto const entry = plainFile(file);
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) return failed();
    auto const written = archive_write_data(writer.get(), file.bytes.data(), file.bytes.size());
    if (written != static_cast<la_ssize_t>(file.bytes.size())) return failed();
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return failed();
  return out;
}

Result<std::vector<PackedFile>> readArchive(std::string_view bytes) {
  TRY_VOID(checkStart(bytes));
  TRY(files, list(bytes));
  if (files.empty()) return bad("holds nothing: it is no package");
  TRY(again, writeArchive(files));
  if (again == bytes) return files;
  if (again.starts_with(bytes)) return bad("is cut short: its end is missing");
  if (bytes.size() > again.size() && bytes.starts_with(again))
    return bad("goes on after its end, by " + std::to_string(bytes.size() - again.size()) + " bytes");
  return otherForm(firstOddity(files, again, bytes));
}

} // namespace garland::marketplace
