// The outer form: an uncompressed tar file of plain files. libarchive is used here alone.
#include "host/backup/backup.h"

#include "host/vault/vault.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace garland::backup {
namespace {

namespace fs = std::filesystem;

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Reader = std::unique_ptr<archive, Deleter<archive_read_free>>;
using Writer = std::unique_ptr<archive, Deleter<archive_write_free>>;
using Entry = std::unique_ptr<archive_entry, Deleter<archive_entry_free>>;

constexpr std::size_t kChunk = std::size_t{1} << 20U;
constexpr std::string_view kManifest = "manifest.json";
constexpr std::int64_t kLongestManifest = 8 << 20;

Error damaged(std::string const& what) { return {ErrorKind::invalidInput, "the backup is damaged: " + what}; }

Error fileError(std::string const& what, std::string const& path) {
  auto const kind = errno == ENOENT ? ErrorKind::notFound : ErrorKind::hostLimit;
  return {kind, what + " " + path + ": " + std::strerror(errno)};
}

// An open file that is closed with it.
class File {
public:
  File(std::string path, int flags, mode_t mode = 0)
      : path_(std::move(path)), fd_(::open(path_.c_str(), flags | O_CLOEXEC, mode)) {}
  File(File const&) = delete;
  File& operator=(File const&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool isOpen() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  std::string const& path() const { return path_; }
  Result<std::string_view> read(std::string& buffer) const {
    auto got = ::read(fd_, buffer.data(), buffer.size());
    while (got < 0 && errno == EINTR) got = ::read(fd_, buffer.data(), buffer.size());
    if (got < 0) return fileError("cannot read", path_);
    return std::string_view(buffer.data(), static_cast<std::size_t>(got));
  }
  Result<void> write(std::string_view bytes) const {
    while (!bytes.empty()) {
      auto const put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fileError("cannot write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }
  Result<void> makeDurable() const {
    if (::fsync(fd_) == 0) return {};
    return fileError("cannot write", path_);
  }

private:
  std::string path_;
  int fd_;
};

// ---------------------------------------------------------------- writing

Error notWritten(archive* writer) {
  auto const* const why = archive_error_string(writer);
  return {ErrorKind::hostLimit, "the backup could not be written: " + std::string(why ? why : "no memory")};
}

Result<void> putHeader(archive* writer, std::string_view name, std::int64_t bytes) {
  Entry const entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), std::string(name).c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), 0, 0);
  archive_entry_set_size(entry.get(), bytes);
  if (archive_write_header(writer, entry.get()) != ARCHIVE_OK) return notWritten(writer);
  return {};
}

Result<void> putData(archive* writer, std::string_view bytes) {
  if (archive_write_data(writer, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()))
    return {};
  return notWritten(writer);
}

Result<void> putMember(archive* writer, Member const& member, Source const& source) {
  File const file(source.path, O_RDONLY);
  if (!file.isOpen()) return fileError("cannot read", source.path);
  TRY_VOID(putHeader(writer, member.name, member.bytes));
  std::string buffer(kChunk, '\0');
  vault::Sha256 digest;
  std::int64_t left = member.bytes;
  while (left > 0) {
    TRY(some, file.read(buffer));
    if (some.empty()) break;
    some = some.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(left, std::ssize(some))));
    digest.add(some);
    TRY_VOID(putData(writer, some));
    left -= std::ssize(some);
  }
  if (left == 0 && digest.hex() == member.sha256) return {};
  return Error(ErrorKind::transient,
               source.path + " was changed while it was taken in; make the backup again");
}

Result<void> putAll(archive* writer, Manifest const& manifest, std::vector<Source> const& sources) {
  auto const text = canonicalJson(toJson(manifest)) + "\n";
  TRY_VOID(manifestFrom(text)); // what nobody could read is not written
  TRY_VOID(putHeader(writer, kManifest, std::ssize(text)));
  TRY_VOID(putData(writer, text));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    TRY_VOID(putMember(writer, manifest.members.at(i), sources[i]));
  }
  if (archive_write_close(writer) != ARCHIVE_OK) return notWritten(writer);
  return {};
}

Result<void> writeTo(File const& file, Manifest const& manifest, std::vector<Source> const& sources) {
  Writer const writer(archive_write_new());
  archive_write_set_format_pax_restricted(writer.get()); // plain ustar, but for what is too large for it
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (archive_write_open_fd(writer.get(), file.fd()) != ARCHIVE_OK) return notWritten(writer.get());
  TRY_VOID(putAll(writer.get(), manifest, sources));
  return file.makeDurable();
}

Result<void> makeDurable(fs::path const& folder) {
  File const above(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
  if (!above.isOpen()) return fileError("cannot open", folder.string());
  return above.makeDurable();
}

// ---------------------------------------------------------------- reading

// Takes what a member holds, some at a time.
using Sink = std::function<Result<void>(std::string_view)>;
using SinkOf = std::function<Result<Sink>(Member const&)>;

Error unreadable(archive* reader) {
  auto const* const why = archive_error_string(reader);
  return damaged(why ? std::string(why).substr(0, 200) : "it is cut short");
}

// The next entry, which must be a plain file of this name. Its size.
Result<std::int64_t> nextFile(archive* reader, std::string_view name) {
  archive_entry* entry = nullptr; // the reader's
  auto const next = archive_read_next_header(reader, &entry);
  if (next == ARCHIVE_EOF) return damaged("it ends before " + std::string(name));
  if (next != ARCHIVE_OK) return unreadable(reader);
  auto const* const path = archive_entry_pathname(entry);
  bool const plain = archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr &&
                     archive_entry_sparse_count(entry) == 0;
  if (!plain || path == nullptr || path != name)
    return damaged("where " + std::string(name) + " should be is something else");
  return std::int64_t{archive_entry_size(entry)};
}

Result<void> readData(archive* reader, Sink const& sink) {
  std::string buffer(kChunk, '\0');
  while (true) {
    auto const got = archive_read_data(reader, buffer.data(), buffer.size());
    if (got < 0) return unreadable(reader);
    if (got == 0) return {};
    TRY_VOID(sink(std::string_view(buffer.data(), static_cast<std::size_t>(got))));
  }
}

Result<Manifest> readManifest(archive* reader) {
  TRY(bytes, nextFile(reader, kManifest));
  if (bytes > kLongestManifest) return damaged("its manifest is too long");
  std::string text;
  TRY_VOID(readData(reader, [&text](std::string_view some) {
    text += some;
    return Result<void>();
  }));
  auto manifest = manifestFrom(text);
  if (!manifest) return std::move(manifest.error()).within("the backup");
  return manifest;
}

Result<void> readMember(archive* reader, Member const& member, Sink const& sink) {
  TRY(bytes, nextFile(reader, member.name));
  vault::Sha256 digest;
  if (bytes == member.bytes) {
    TRY_VOID(readData(reader, [&](std::string_view some) {
      digest.add(some);
      return sink(some);
    }));
  }
  if (bytes != member.bytes || digest.hex() != member.sha256)
    return damaged(member.name + " is not what was written");
  return {};
}

Result<Manifest> readAll(archive* reader, SinkOf const& sink_of) {
  TRY(manifest, readManifest(reader));
  for (auto const& member : manifest.members) {
    TRY(sink, sink_of(member));
    TRY_VOID(readMember(reader, member, sink));
  }
  archive_entry* entry = nullptr;
  if (archive_read_next_header(reader, &entry) != ARCHIVE_EOF)
    return damaged("it goes on after its last member");
  return manifest;
}

Result<Sink> nowhere(Member const&) {
  return Sink([](std::string_view) { return Result<void>(); });
}

Result<Manifest> readFile(std::string const& path, SinkOf const& sink_of) {
  File const file(path, O_RDONLY);
  if (!file.isOpen()) return fileError("cannot read", path);
  Reader const reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_fd(reader.get(), file.fd(), kChunk) != ARCHIVE_OK) return unreadable(reader.get());
  return readAll(reader.get(), sink_of);
}

// The file of a member.
Result<Sink> fileOf(std::string const& folder, Member const& member) {
  auto const path = folder + "/" + member.name;
  std::error_code failed;
  fs::create_directories(fs::path(path).parent_path(), failed);
  auto const file = std::make_shared<File const>(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file->isOpen()) return fileError("cannot write", path);
  return Sink([file](std::string_view some) { return file->write(some); });
}

} // namespace

Result<Member> describe(Source const& source) {
  File const file(source.path, O_RDONLY);
  if (!file.isOpen()) return fileError("cannot read", source.path);
  Member member;
  member.name = source.name;
  vault::Sha256 digest;
  std::string buffer(kChunk, '\0');
  while (true) {
    TRY(some, file.read(buffer));
    if (some.empty()) break;
    digest.add(some);
    member.bytes += std::ssize(some);
  }
  member.sha256 = digest.hex();
  return member;
}

Result<void> write(std::string const& path, Manifest const& manifest, std::vector<Source> const& sources) {
  std::error_code unreadable;
  if (fs::exists(path, unreadable) || unreadable)
    return Error(ErrorKind::conflict, path + " is there already, and is not overwritten");
  auto const fresh = path + ".new";
  {
    File const file(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (!file.isOpen()) return fileError("cannot write", fresh);
    if (auto const written = writeTo(file, manifest, sources); !written) {
      ::unlink(fresh.c_str());
      return written.error();
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    auto error = fileError("cannot write", path);
    ::unlink(fresh.c_str());
    return error;
  }
  return makeDurable(fs::path(path).parent_path());
}

Result<Manifest> verify(std::string const& file) { return readFile(file, nowhere); }

Result<Manifest> unpack(std::string const& file, std::string const& folder) {
  return readFile(file, [&folder](Member const& member) { return fileOf(folder, member); });
}

Result<std::string> readPrivate(std::string const& file) {
  std::string text;
  auto const take = [&text](std::string_view some) {
    text += some;
    return Result<void>();
  };
  TRY_VOID(readFile(file, [&](Member const& member) -> Result<Sink> {
    if (member.name == kPrivate) return Sink(take);
    return nowhere(member);
  }));
  return text;
}

Result<Manifest> verifyBytes(std::string_view bytes) {
  Reader const reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return unreadable(reader.get());
  return readAll(reader.get(), nowhere);
}

} // namespace garland::backup
