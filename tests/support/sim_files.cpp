// The interface between SQLite and its files: https://www.sqlite.org/vfs.html. The shared index of
// a write-ahead log is in memory and goes with the connection; there is one connection to a file.

#include "tests/support/sim_files.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace relab {

namespace {

/// What a disk writes as one.
constexpr std::size_t sector = 512;

std::map<std::string, SimFiles*, std::less<>>& folders() {
  static std::map<std::string, SimFiles*, std::less<>> all;
  return all;
}

/// What of the write reached the disk, by sectors.
enum class Fate { lost, kept, garbled };

}  // namespace

void SimFile::apply(Bytes& content, const Pending& change) {
  if (change.bytes.empty()) return content.resize(change.at);
  if (content.size() < change.at + change.bytes.size())
    content.resize(change.at + change.bytes.size());
  std::memcpy(content.data() + change.at, change.bytes.data(), change.bytes.size());
}

void SimFile::write(std::size_t at, ByteView bytes) {
  if (bytes.empty()) return;
  pending_.push_back({.at = at, .bytes = {bytes.begin(), bytes.end()}});
  apply(now_, pending_.back());
}

void SimFile::resize(std::size_t size) {
  pending_.push_back({.at = size, .bytes = {}});
  apply(now_, pending_.back());
}

void SimFile::sync() {
  for (const auto& change : pending_) apply(durable_, change);
  pending_.clear();
}

void SimFile::lose_power(const std::function<std::uint64_t(std::uint64_t)>& below) {
  // A disk may have been idle, or about to write all of it in order, or anything in between.
  const auto manner = below(4);
  const auto whole = manner == 0 ? 0 : below(pending_.size() + 1);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const auto& change = pending_[i];
    if (i < whole || (change.bytes.empty() && manner > 1 && below(2) == 0)) {
      apply(durable_, change);
      continue;
    }
    // In order: of the one after those that are there, a part is; of the others, nothing.
    if (manner == 0 || (manner == 1 && i > whole)) break;
    for (std::size_t at = 0; at < change.bytes.size(); at += sector) {
      const auto fate = static_cast<Fate>(below(manner == 3 ? 3 : 2));
      if (fate == Fate::lost) continue;
      const auto from = change.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      Pending part{.at = change.at + at,
                   .bytes = {from, from + static_cast<std::ptrdiff_t>(
                                              std::min(sector, change.bytes.size() - at))}};
      if (fate == Fate::garbled)
        for (auto& byte : part.bytes) byte = static_cast<std::uint8_t>(below(256));
      apply(durable_, part);
    }
  }
  pending_.clear();
  now_ = durable_;
}

/// What SQLite calls.
struct SimVfs {
  struct Open {
    sqlite3_file base;
    SimFiles* files;
    std::shared_ptr<SimFile>* file;
    std::vector<std::unique_ptr<Bytes>>* index;
  };

  static Open& of(sqlite3_file* file) { return *reinterpret_cast<Open*>(file); }

  static SimFiles* folder_of(std::string_view path) {
    const auto found = folders().find(path.substr(0, path.rfind('/')));
    return found == folders().end() ? nullptr : found->second;
  }

  /// Does what changes the files, unless the program dies first: then perhaps only half of it.
  template <typename Change>
  static int change(SimFiles& files, int failure, Change change) {
    if (files.dead()) return failure;
    ++files.changes_;
    const bool survives = files.survives();
    change(survives);
    return survives ? SQLITE_OK : failure;
  }

  static int close(sqlite3_file* file) {
    delete of(file).file;
    delete of(file).index;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    if (of(file).files->dead()) return SQLITE_IOERR_READ;
    const auto content = (*of(file).file)->content();
    const auto start = std::min(static_cast<std::size_t>(at), content.size());
    const auto part = content.subspan(
        start, std::min<std::size_t>(static_cast<std::size_t>(size), content.size() - start));
    std::memset(to, 0, static_cast<std::size_t>(size));
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    return part.size() == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    if (!of(file).files->dead() && of(file).files->full) return SQLITE_FULL;
    const ByteView bytes(static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size));
    return change(*of(file).files, SQLITE_IOERR_WRITE, [&](bool survives) {
      (*of(file).file)
          ->write(static_cast<std::size_t>(at), survives ? bytes : bytes.first(bytes.size() / 2));
    });
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return change(*of(file).files, SQLITE_IOERR_TRUNCATE, [&](bool survives) {
      if (survives) (*of(file).file)->resize(static_cast<std::size_t>(size));
    });
  }
  static int sync(sqlite3_file* file, int /*flags*/) {
    return change(*of(file).files, SQLITE_IOERR_FSYNC, [&](bool survives) {
      if (survives && !of(file).files->lazy) (*of(file).file)->sync();
    });
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>((*of(file).file)->content().size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file* /*file*/, int /*level*/) { return SQLITE_OK; }
  static int is_locked(sqlite3_file* /*file*/, int* locked) {
    *locked = 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file* /*file*/, int /*what*/, void* /*argument*/) {
    return SQLITE_NOTFOUND;
  }
  static int sector_size(sqlite3_file* /*file*/) { return sector; }
  static int characteristics(sqlite3_file* /*file*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int map_index(sqlite3_file* file, int region, int size, int extend, volatile void** to) {
    auto& index = *of(file).index;
    const auto wanted = static_cast<std::size_t>(region);
    *to = nullptr;
    if (index.size() <= wanted && extend == 0) return SQLITE_OK;
    while (index.size() <= wanted)
      index.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
    *to = index[wanted]->data();
    return SQLITE_OK;
  }
  static int lock_index(sqlite3_file* /*file*/, int /*from*/, int /*count*/, int /*flags*/) {
    return SQLITE_OK;
  }
  static void barrier(sqlite3_file* /*file*/) {}
  static int unmap_index(sqlite3_file* file, int /*remove*/) {
    of(file).index->clear();
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                  int* flags_out) {
    // Without a name: what SQLite only needs for a moment.
    auto* files = name == nullptr ? nullptr : folder_of(name);
    if (files == nullptr) return machine().xOpen(&machine(), name, file, flags, flags_out);
    file->pMethods = nullptr;
    if (files->dead()) return SQLITE_CANTOPEN;
    const auto known = files->files_.find(name);
    if (known == files->files_.end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    auto content = known != files->files_.end() ? known->second : std::make_shared<SimFile>();
    files->files_[name] = content;
    of(file).files = files;
    of(file).file = new std::shared_ptr<SimFile>(std::move(content));
    of(file).index = new std::vector<std::unique_ptr<Bytes>>;
    static const sqlite3_io_methods methods = {.iVersion = 2,
                                               .xClose = close,
                                               .xRead = read,
                                               .xWrite = write,
                                               .xTruncate = truncate,
                                               .xSync = sync,
                                               .xFileSize = size,
                                               .xLock = lock,
                                               .xUnlock = lock,
                                               .xCheckReservedLock = is_locked,
                                               .xFileControl = control,
                                               .xSectorSize = sector_size,
                                               .xDeviceCharacteristics = characteristics,
                                               .xShmMap = map_index,
                                               .xShmLock = lock_index,
                                               .xShmBarrier = barrier,
                                               .xShmUnmap = unmap_index,
                                               .xFetch = nullptr,
                                               .xUnfetch = nullptr};
    file->pMethods = &methods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* /*vfs*/, const char* name, int sync_folder) {
    auto* files = folder_of(name);
    if (files == nullptr) return machine().xDelete(&machine(), name, sync_folder);
    return change(*files, SQLITE_IOERR_DELETE, [&](bool survives) {
      if (survives) files->files_.erase(name);
    });
  }
  static int exists(sqlite3_vfs* /*vfs*/, const char* name, int flags, int* found) {
    const auto* files = folder_of(name);
    if (files == nullptr) return machine().xAccess(&machine(), name, flags, found);
    *found = files->files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_name(sqlite3_vfs* /*vfs*/, const char* name, int size, char* to) {
    if (folder_of(name) == nullptr) return machine().xFullPathname(&machine(), name, size, to);
    if (std::strlen(name) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(to, name, std::strlen(name) + 1);
    return SQLITE_OK;
  }

  /// What serves all other files, and whatever has nothing to do with files.
  static sqlite3_vfs& machine() {
    static auto* vfs = sqlite3_vfs_find(nullptr);
    return *vfs;
  }
  static void install() {
    static sqlite3_vfs vfs = [] {
      auto changed = machine();
      changed.zName = "relab-simulation";
      changed.szOsFile = std::max(machine().szOsFile, static_cast<int>(sizeof(Open)));
      changed.xOpen = open;
      changed.xDelete = remove;
      changed.xAccess = exists;
      changed.xFullPathname = full_name;
      return changed;
    }();
    static const bool done = sqlite3_vfs_register(&vfs, 1) == SQLITE_OK;
    if (!done) throw std::runtime_error("SQLite takes no other files");
  }
};

SimFiles::SimFiles(std::string folder) : folder_(std::move(folder)) {
  SimVfs::install();
  if (!folders().emplace(folder_, this).second)
    throw std::logic_error("there are such files already: " + folder_);
}

SimFiles::~SimFiles() { folders().erase(folder_); }

void SimFiles::die_after(std::uint64_t operations) { until_death_ = operations; }

bool SimFiles::survives() {
  if (until_death_ == UINT64_MAX) return true;
  if (until_death_-- != 0) return true;
  dead_ = true;
  return false;
}

void SimFiles::revive() {
  dead_ = false;
  until_death_ = UINT64_MAX;
}

void SimFiles::lose_power(const std::function<std::uint64_t(std::uint64_t)>& below) {
  for (auto& [name, file] : files_) file->lose_power(below);
}

}  // namespace relab
