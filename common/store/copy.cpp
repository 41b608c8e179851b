#include "common/store/copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "common/base/handle.h"
#include "common/base/time.h"

namespace relab::store {

namespace {

namespace fs = std::filesystem;

using Connection = CHandle<sqlite3, sqlite3_close_v2>;
using Copying = CHandle<sqlite3_backup, sqlite3_backup_finish>;

/// Others may write between two steps.
constexpr int pages_each = 1024;
constexpr auto lock_pause = Millis(20);
/// Of pauses in a row.
constexpr int pauses_max = 1500;

tl::unexpected<Error> broken(const fs::path& database, int code) {
  const auto low = code & 0xFF;
  const bool busy = low == SQLITE_BUSY || low == SQLITE_LOCKED || low == SQLITE_FULL;
  return fail(busy ? Fault::busy : Fault::damaged,
              fmt::format("{}: {}", database.string(), sqlite3_errstr(code)));
}

Result<Connection> open(const std::string& name, int flags) {
  sqlite3* connection = nullptr;
  const auto code =
      sqlite3_open_v2(name.c_str(), &connection, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection handle(connection);
  if (code != SQLITE_OK) return broken(name, code);
  return handle;
}

Result<void> copy_pages(sqlite3* from, sqlite3* to, const fs::path& database,
                        const std::stop_token& stop) {
  Copying copying(sqlite3_backup_init(to, "main", from, "main"));
  if (!copying) return broken(database, sqlite3_extended_errcode(to));
  for (int pauses = 0;;) {
    if (stop.stop_requested())
      return fail(Fault::cancelled, "the task was cancelled or is out of time");
    const auto code = sqlite3_backup_step(copying.get(), pages_each);
    if (code == SQLITE_DONE) break;
    const bool locked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (code != SQLITE_OK && (!locked || ++pauses > pauses_max)) return broken(database, code);
    if (!locked) pauses = 0;
    if (locked) std::this_thread::sleep_for(lock_pause);
  }
  const auto code = sqlite3_backup_finish(copying.release());
  if (code != SQLITE_OK) return broken(database, code);
  return {};
}

int keep_answer(void* kept, int /*columns*/, char** values, char** /*names*/) {
  if (values[0] != nullptr) *static_cast<std::string*>(kept) += values[0];
  return 0;
}

/// A file that others still write to when it is read may be no database at all.
Result<void> check(const fs::path& copy, const fs::path& database) {
  RELAB_TRY(const auto connection, open(fmt::format("file:{}?immutable=1", copy.string()),
                                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
  std::string answer;
  const auto code =
      sqlite3_exec(connection.get(), "PRAGMA quick_check(1)", &keep_answer, &answer, nullptr);
  if (code != SQLITE_OK) return broken(database, code);
  if (answer != "ok")
    return fail(Fault::damaged, fmt::format("{}: the database does not hold together: {}",
                                            database.string(), answer));
  return {};
}

Result<void> give_owner(const fs::path& copy, const struct stat& info) {
  const std::array times = {info.st_atim, info.st_mtim};
  if (::chown(copy.c_str(), info.st_uid, info.st_gid) != 0 ||
      ::chmod(copy.c_str(), info.st_mode & 07777U) != 0 ||
      ::utimensat(AT_FDCWD, copy.c_str(), times.data(), 0) != 0)
    return fail(Fault::damaged, fmt::format("{}: {}", copy.string(), words_of(errno)));
  return {};
}

Result<void> make_copy(const fs::path& database, const fs::path& copy, const struct stat& info,
                       const std::stop_token& stop) {
  {
    RELAB_TRY(const auto from, open(database.string(), SQLITE_OPEN_READONLY));
    RELAB_TRY(const auto to, open(copy.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    RELAB_CHECK(copy_pages(from.get(), to.get(), database, stop));
  }
  RELAB_CHECK(check(copy, database));
  return give_owner(copy, info);
}

}  // namespace

Result<void> copy_database(const fs::path& database, const fs::path& copy,
                           const std::stop_token& stop) {
  struct stat info {};
  if (::stat(database.c_str(), &info) != 0)
    return fail(Fault::missing, fmt::format("there is no {}", database.string()));
  std::error_code error;
  if (fs::exists(fs::symlink_status(copy, error)))
    return fail(Fault::conflict, fmt::format("{} is there already", copy.string()));
  auto done = make_copy(database, copy, info, stop);
  if (!done)
    for (const auto* suffix : {"", "-journal", "-wal", "-shm"})
      fs::remove(copy.string() + suffix, error);
  return done;
}

}  // namespace relab::store
