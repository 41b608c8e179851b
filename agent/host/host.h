#pragma once

/// The port to the machine: all that a task kind knows of the world.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace relab::agent {

using Path = std::filesystem::path;

/// A program with its arguments, never a shell line. The environment is pinned (LC_ALL=C.UTF-8, a
/// fixed PATH), standard input is `input`, the working directory is /.
struct Command {
  /// argv; the first is a program's name, looked up in the pinned PATH, or an absolute path.
  std::vector<std::string> argv;
  std::string input = {};
  std::chrono::seconds timeout = std::chrono::seconds(60);
  /// Bytes kept of each of the two outputs; the rest is read and dropped, and `truncated` is set.
  std::size_t output_max = std::size_t{4} << 20U;
};

/// What a program left behind. A non-zero exit is data, not an error: the caller knows what it
/// means.
struct Output {
  /// The exit status, or 128 + the number of the signal that ended it.
  int status = 0;
  std::string out = {};
  std::string err = {};
  /// Some of `out` or `err` was dropped: whoever parses it must treat it as incomplete.
  bool truncated = false;

  bool operator==(const Output&) const = default;
};

enum class FileType { regular, directory, symlink, block, character, other };

struct FileStatus {
  FileType type = FileType::other;
  std::uint64_t size = 0;
  /// Permission bits.
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  /// Major and minor number of a device node.
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  Instant modified = {};

  bool operator==(const FileStatus&) const = default;
};

/// What a task waits for.
struct Waiting {
  /// "waiting for the disk X"
  std::string what;
  /// What a person has to do; empty: nothing.
  std::string for_person = {};
};

class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  /// Runs a program to its end. Fault::missing if there is no such program ("no zpool on this
  /// machine"),
  /// ::cancelled if it did not end in time or the task was cancelled (it and its children are ended
  /// then).
  virtual Result<Output> run(const Command& command) = 0;
  /// A whole regular file, or special file of /proc and /sys, of at most `size_max` bytes.
  /// Fault::missing if there is none,
  /// ::invalid if it is larger. Follows symbolic links.
  virtual Result<std::string> read_file(const Path& path, std::size_t size_max) = 0;
  /// The names in a directory, sorted, without "." and "..". Fault::missing if there is none.
  virtual Result<std::vector<std::string>> list(const Path& path) = 0;
  /// Of the path itself: a symbolic link is not followed. Fault::missing if there is nothing.
  virtual Result<FileStatus> status(const Path& path) = 0;
  /// The target of a symbolic link, as written in it.
  virtual Result<std::string> read_link(const Path& path) = 0;
  /// The path with every symbolic link resolved. Fault::missing if it does not exist.
  virtual Result<Path> canonical(const Path& path) = 0;
  virtual Instant now() = 0;
  /// Lets time pass. Fault::cancelled if the task was cancelled or is out of time.
  virtual Result<void> pause(Millis span, const Waiting& waiting) = 0;

  /// `read_file` with a limit that suits configuration and kernel files: 1 MiB.
  Result<std::string> read_file(const Path& path) { return read_file(path, std::size_t{1} << 20U); }
};

}  // namespace relab::agent
