/// O_DIRECT where the file system has it. Where it has not (tmpfs), the page cache is told after
/// every buffer to let go of what is written or read. The tail of a file that is no whole block is
/// written without O_DIRECT, and synced with the rest.

#include "agent/host/direct_file.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "agent/host/relay.h"
#include "common/base/handle.h"

namespace relab::agent {

namespace {

constexpr std::size_t buffer_count = 4;
constexpr std::size_t buffer_size = std::size_t{2} << 20U;

using Place = std::filesystem::path;

Error error_of(int error, const Place& path) {
  if (error == ENOENT || error == ENOTDIR)
    return {.fault = Fault::missing, .what = fmt::format("there is no {}", path.string())};
  if (error == EEXIST)
    return {.fault = Fault::conflict, .what = fmt::format("{} is there already", path.string())};
  if (error == ENOSPC || error == EDQUOT)
    return {.fault = Fault::busy,
            .what = fmt::format("the disk is full: {}", path.string()),
            .hint = "make room on it, or take a larger one"};
  return {.fault = Fault::damaged, .what = fmt::format("{}: {}", path.string(), words_of(error))};
}

tl::unexpected<Error> stopped() {
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

struct Opened {
  Fd fd;
  bool direct;
};

Result<Opened> open_direct(const Place& path, int flags) {
  constexpr mode_t mode = 0600;
  Fd direct(::open(path.c_str(), flags | O_CLOEXEC | O_DIRECT, mode));
  if (direct) return Opened{.fd = std::move(direct), .direct = true};
  if (errno != EINVAL) return fail(error_of(errno, path));
  // Some file systems make the file before they refuse.
  const int again = (flags & O_EXCL) != 0 ? flags & ~O_EXCL : flags;
  Fd cached(::open(path.c_str(), again | O_CLOEXEC, mode));
  if (!cached) return fail(error_of(errno, path));
  return Opened{.fd = std::move(cached), .direct = false};
}

Result<void> sync_folder(const Place& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail(error_of(errno, folder));
  return {};
}

/// 0, or the errno. Never in place of something: where a file system has no such renaming, as ZFS
/// before 2.2, the file has both names for a moment.
int give_name(const Place& from, const Place& name) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::link(from.c_str(), name.c_str()) != 0) return errno;
  return ::unlink(from.c_str()) == 0 ? 0 : errno;
}

class DirectWriter final : public NewFile {
 public:
  DirectWriter(Place path, Opened opened, std::stop_token stop)
      : path_(std::move(path)),
        file_(std::move(opened.fd)),
        direct_(opened.direct),
        stop_(std::move(stop)),
        relay_(buffer_count, buffer_size),
        writer_([this] { write_all(); }) {}

  DirectWriter(const DirectWriter&) = delete;
  DirectWriter& operator=(const DirectWriter&) = delete;
  ~DirectWriter() override {
    relay_.stop();
    if (writer_.joinable()) writer_.join();
    if (!published_) ::unlink(path_.c_str());
  }

  std::span<std::uint8_t> room() override {
    if (current_ == nullptr && (current_ = relay_.empty()) == nullptr) return {};
    return {current_->data() + current_->size, current_->room()};
  }

  Result<void> take(ByteView piece) override {
    while (!piece.empty()) {
      if (stop_.stop_requested()) return stopped();
      const auto there = room();
      if (there.empty()) return failure();
      const auto count = std::min(piece.size(), there.size());
      if (piece.data() != there.data()) std::copy_n(piece.data(), count, there.data());
      current_->size += count;
      piece = piece.subspan(count);
      if (current_->room() == 0) relay_.pass(std::exchange(current_, nullptr));
    }
    return {};
  }

  Result<void> publish(const Place& name) override {
    if (current_ != nullptr) relay_.pass(std::exchange(current_, nullptr));
    relay_.end();
    writer_.join();
    if (error_ != 0) return failure();
    if (::fsync(file_.get()) != 0) return fail(error_of(errno, path_));
    if (stop_.stop_requested()) return stopped();
    if (const auto error = give_name(path_, name); error != 0) return fail(error_of(error, name));
    published_ = true;
    return sync_folder(name.parent_path());
  }

 private:
  /// Of the writing thread; `error_` is read by the other one once that has stopped.
  tl::unexpected<Error> failure() {
    if (writer_.joinable()) writer_.join();
    auto error = error_of(error_, path_);
    error.what += fmt::format(", after {} bytes", written_);
    return fail(std::move(error));
  }
  void write_all() {
    while (auto* buffer = relay_.full()) {
      const auto written = write(buffer->filled());
      relay_.give_back(buffer);
      if (!written) return relay_.stop();
    }
  }
  bool write(ByteView bytes) {
    const auto whole =
        direct_ ? bytes.size() / Buffer::alignment * Buffer::alignment : bytes.size();
    if (!write_plain(bytes.first(whole))) return false;
    if (whole == bytes.size()) return true;
    // The tail: what comes after it would be no whole block either, so it is the last.
    if (::fcntl(file_.get(), F_SETFL, 0) != 0) return note_error();
    direct_ = false;
    return write_plain(bytes.subspan(whole));
  }
  bool write_plain(ByteView bytes) {
    while (!bytes.empty()) {
      const auto count = ::write(file_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return note_error();
      written_ += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    if (direct_) return true;
    if (::fdatasync(file_.get()) != 0) return note_error();
    static_cast<void>(::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED));
    return true;
  }
  bool note_error() {
    error_ = errno;
    return false;
  }

  Place path_;
  Fd file_;
  bool direct_;
  std::stop_token stop_;
  Relay relay_;
  Buffer* current_ = nullptr;
  int error_ = 0;
  std::uint64_t written_ = 0;
  bool published_ = false;
  /// Last: it uses all the others.
  std::jthread writer_;
};

class DirectReader {
 public:
  DirectReader(const Place& path, Opened opened, const Range& range)
      : path_(path),
        file_(std::move(opened.fd)),
        direct_(opened.direct),
        read_(range.offset),
        left_(range.size),
        relay_(buffer_count, buffer_size),
        reader_([this] { read_all(); }) {}
  DirectReader(const DirectReader&) = delete;
  DirectReader& operator=(const DirectReader&) = delete;
  ~DirectReader() { relay_.stop(); }

  Result<void> pass_all(Sink& sink, const std::stop_token& stop) {
    while (auto* buffer = relay_.full()) {
      if (stop.stop_requested()) return stopped();
      RELAB_CHECK(sink.take(buffer->filled()));
      relay_.give_back(buffer);
    }
    reader_.join();
    if (error_ == 0) return {};
    auto error = error_of(error_, path_);
    error.what += fmt::format(", at byte {}", read_);
    return fail(std::move(error));
  }

 private:
  void read_all() {
    if (!direct_) static_cast<void>(::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED));
    while (auto* buffer = relay_.empty()) {
      const auto count = fill(*buffer);
      if (count <= 0) break;
      relay_.pass(buffer);
    }
    relay_.end();
  }
  /// 0 at the end, below that after an error.
  ssize_t fill(Buffer& buffer) {
    while (left_ > 0) {
      const auto count =
          ::pread(file_.get(), buffer.data(), buffer.capacity(), static_cast<off_t>(read_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) error_ = errno;
      if (count > 0) {
        const auto wanted = std::min(static_cast<std::uint64_t>(count), left_);
        read_ += wanted;
        left_ -= wanted;
        buffer.size = static_cast<std::size_t>(wanted);
        if (!direct_) static_cast<void>(::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED));
      }
      return count;
    }
    return 0;
  }

  const Place& path_;
  Fd file_;
  bool direct_;
  /// Where the next byte is, and how many are still wanted.
  std::uint64_t read_;
  std::uint64_t left_;
  Relay relay_;
  int error_ = 0;
  std::jthread reader_;
};

}  // namespace

Result<std::unique_ptr<NewFile>> create_direct(const Place& path, std::stop_token stop) {
  RELAB_TRY(auto opened, open_direct(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW));
  return std::make_unique<DirectWriter>(path, std::move(opened), std::move(stop));
}

Result<void> read_direct(const Place& path, const Range& range, Sink& sink,
                         const std::stop_token& stop) {
  RELAB_ASSERT(range.offset % Range::alignment == 0);
  RELAB_TRY(auto opened, open_direct(path, O_RDONLY | O_NONBLOCK));
  struct stat info {};
  if (::fstat(opened.fd.get(), &info) != 0) return fail(error_of(errno, path));
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
    return fail(Fault::invalid, fmt::format("{} is neither a file nor a disk", path.string()));
  DirectReader reader(path, std::move(opened), range);
  return reader.pass_all(sink, stop);
}

}  // namespace relab::agent
