#include "agent/worker/parcels.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/handle.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

constexpr auto lock_pause = std::chrono::milliseconds(100);
constexpr auto kept_for = std::chrono::days(30);

tl::unexpected<Error> broken(const fs::path& path) {
  const auto fault = errno == ENOSPC || errno == EDQUOT ? Fault::busy : Fault::damaged;
  return fail(fault, fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

Result<std::uint64_t> size_of(int fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return broken(path);
  return static_cast<std::uint64_t>(status.st_size);
}

/// Whether the open file is the one that has this name now.
bool is_named(int fd, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

Result<void> append(int fd, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return broken(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

/// The part, for this thread alone: another task may be at the same file, and have it whole by now.
Result<std::optional<Fd>> open_part(const fs::path& part, const fs::path& whole,
                                    const std::stop_token& stop) {
  for (;;) {
    Fd fd(::open(part.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0) return broken(part);
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (stop.stop_requested()) return fail(Fault::cancelled, "the task was stopped");
      std::this_thread::sleep_for(lock_pause);
    }
    std::error_code error;
    if (fs::exists(whole, error)) return std::optional<Fd>();
    if (is_named(fd.get(), part)) return std::optional(std::move(fd));
  }
}

}  // namespace

Result<fs::path> Parcels::fetch(const Parcel& parcel) {
  RELAB_CHECK(make_private_folder(folder_));
  drop_old();
  auto whole = folder_ / parcel.sha256;
  const auto part = folder_ / (parcel.sha256 + ".part");
  std::error_code error;
  if (!fs::exists(whole, error)) {
    RELAB_TRY(const auto fd, open_part(part, whole, stop_));
    if (fd) RELAB_CHECK(complete(parcel, part, fd->get()));
    if (fd && ::rename(part.c_str(), whole.c_str()) != 0) return broken(whole);
    // The other task has renamed it; what was opened meanwhile is a new one.
    if (!fd) fs::remove(part, error);
  }
  // Whatever became of it on the disk since.
  const auto found = crypto::sha256_of_file(whole);
  if (found && *found == parcel.sha256) {
    fs::last_write_time(whole, fs::file_time_type::clock::now(), error);
    return whole;
  }
  fs::remove(whole, error);
  if (!found) return fail(found.error());
  return fail(Fault::damaged, fmt::format("{} is damaged on this disk", whole.string()),
              "it is gone now: run the step again, and look after the disk");
}

Result<void> Parcels::complete(const Parcel& parcel, const fs::path& part, int fd) {
  RELAB_TRY(auto size, size_of(fd, part));
  while (size < parcel.size) {
    if (stop_.stop_requested()) return fail(Fault::cancelled, "the task was stopped");
    const auto piece = ask_({.sha256 = parcel.sha256, .offset = size});
    if (!piece || piece->of != Want{.sha256 = parcel.sha256, .offset = size}) continue;
    if (!piece->missing.empty())
      return fail(Fault::missing,
                  fmt::format("the controller cannot send {}: {}", parcel.name, piece->missing),
                  "see whether the folder of packages is as it was, and run the step again");
    if (piece->bytes.empty() || piece->bytes.size() > parcel.size - size) {
      size = 0;
      break;
    }
    RELAB_CHECK(append(fd, piece->bytes, part));
    size += piece->bytes.size();
  }
  if (::fsync(fd) != 0) return broken(part);
  RELAB_TRY(const auto found, crypto::sha256_of_file(part));
  if (size == parcel.size && found == parcel.sha256) return {};
  std::error_code error;
  fs::remove(part, error);
  return fail(Fault::damaged,
              fmt::format("what came for {} is not the file that was ordered", parcel.name),
              "it was changed on the controller's machine meanwhile, or is damaged: run the step "
              "again");
}

void Parcels::drop_old() const {
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - kept_for;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unknown;
    if (entry->last_write_time(unknown) < oldest && !unknown) fs::remove(entry->path(), unknown);
  }
}

}  // namespace relab::agent
