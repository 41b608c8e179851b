#pragma once

/// The port to the machine: all that a task kind knows of the world.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/delivery.h"
#include "agent/host/flow.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace relab::agent {

using Path = std::filesystem::path;

/// A program with its arguments, never a shell line. The environment is pinned (LC_ALL=C.UTF-8, a
/// fixed PATH), standard input is `input`, or a secret, the working directory is /.
struct Command {
  /// argv; the first is a program's name, looked up in the pinned PATH, or an absolute path.
  std::vector<std::string> argv;
  std::string input = {};
  /// The name of a secret that came with the order: it is standard input, instead of `input`. Its
  /// value passes through no kind and no wrapper of a host.
  std::string secret_input = {};
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

/// What two programs left behind of which one was the other's input.
struct Piped {
  Output from;
  Output to;

  bool operator==(const Piped&) const = default;
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
  /// When its content was written, or is said to have been: dpkg and tar set it to what the archive
  /// has.
  Instant modified = {};
  /// When it came to be as it is, by the kernel's word: content, name, owner and mode.
  Instant changed = {};

  bool operator==(const FileStatus&) const = default;
};

/// Who owns a file or folder, and the permission bits.
struct Rights {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;

  bool operator==(const Rights&) const = default;
};

/// What is to be in a file.
struct Content {
  std::string text = {};
  /// The name of a secret that came with the order: it is the content, instead of `text`. Its value
  /// passes through no kind and no wrapper of a host.
  std::string secret = {};
};

/// What becomes of a TCP connection.
enum class Reach {
  open,         ///< accepted
  refused,      ///< by a packet that resets it
  silent,       ///< no answer in time
  unreachable,  ///< there is no way to that host, by the word of a machine on the way or of this
                ///< one
  no_network,   ///< this machine has no route or no address to try with
};

struct Reached {
  Reach reach = Reach::no_network;
  /// Of the operating system.
  std::string words = {};

  bool operator==(const Reached&) const = default;
};

struct Endpoint {
  /// IPv4 or IPv6, in numbers.
  std::string address;
  std::uint16_t port = 0;
};

/// How far a task is.
struct Advance {
  std::uint64_t done = 0;
  /// 0 where it is not known.
  std::uint64_t total = 0;
  /// "bytes", "steps".
  std::string unit;
  /// "reading the backup back"
  std::string what;
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
  /// machine"), or no secret of that name came with the order,
  /// ::cancelled if it did not end in time or the task was cancelled (it and its children are ended
  /// then).
  virtual Result<Output> run(const Command& command) = 0;
  /// The same, with what the program writes to its standard output flowing into `sink`; `out` of
  /// the result is empty. Where the sink fails, the program is ended, and that is the error. The
  /// flow is complete: what a program's children keep open after its end is waited for until the
  /// timeout.
  virtual Result<Output> stream(const Command& command, Sink& sink) = 0;
  /// A program whose standard input is the whole of a file or disk, read from the disk itself;
  /// `also` takes every piece before it. Where the program ends sooner, its output is the result:
  /// the caller knows what it means. Where reading or `also` fails, the program is ended, and that
  /// is the error.
  virtual Result<Output> feed(const Path& path, const Command& command, Sink& also) = 0;
  /// What one program prints is what the other reads; `also` takes every piece before it. Each is
  /// to be judged by itself: neither's success says anything of the other's. `from` ends first, or
  /// is ended because `to` wants no more; `to` sees the end of its input then. Where `also` fails,
  /// both are ended, and that is the error. Faults as of `run`, for either.
  virtual Result<Piped> pipe(const Command& from, const Command& to, Sink& also) = 0;
  /// A new file of mode 0600 under this name until it is published under another one. Written past
  /// the page cache. Fault::conflict if there is something already.
  virtual Result<std::unique_ptr<NewFile>> create_file(const Path& path) = 0;
  /// Some of a file or disk, read from the disk itself and not from the page cache. Fewer bytes
  /// than asked for are no error. Fault::missing if there is none, ::damaged, with the place, where
  /// it cannot be read.
  virtual Result<void> read_through(const Path& path, const Range& range, Sink& sink) = 0;
  /// A regular file with this content and these rights, in place of what was there, at once: after
  /// a failure or a crash the old one stands as it was. Fault::missing if its folder is not there,
  /// ::conflict if there is something else than a regular file, or a part of the path is a symbolic
  /// link, ::busy if the disk is full.
  virtual Result<void> put_file(const Path& path, const Content& content, const Rights& rights) = 0;
  /// A folder with these rights, made if it is not there, and only changed otherwise. Faults as of
  /// `put_file`.
  virtual Result<void> put_directory(const Path& path, const Rights& rights) = 0;
  /// Tries to connect, and hangs up at once. Fault::invalid if that is no address.
  virtual Result<Reached> connect(const Endpoint& endpoint, Millis timeout) = 0;
  /// The arguments of a command that a role of the agent lists by this name. Fault::refused if none
  /// does.
  virtual Result<std::vector<std::string>> listed_command(const std::string& name) = 0;
  /// A file or link; done if there is none. Fault::invalid if it is a directory.
  virtual Result<void> remove_file(const Path& path) = 0;
  /// The room of the file system that holds this path.
  virtual Result<FileSystem> file_system(const Path& path) = 0;
  /// What a person should know of a change although it succeeded: "Proxmox warns: ...". It stands
  /// in the task's report, below the change.
  virtual void remark(const std::string& /*text*/) {}
  /// Tells how far the task is; cheap enough for every piece of a flow.
  virtual void progress(const Advance& advance) = 0;
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
  /// A copy of a SQLite database, with its owner and mode, consistent while others write to it:
  /// https://www.sqlite.org/backup.html. Fault::missing if there is none, ::damaged if it is no
  /// database or its content does not hold together, ::conflict if there is something at `copy`.
  virtual Result<void> copy_database(const Path& database, const Path& copy) = 0;
  /// A DSSE envelope of this text in a line of JSON, signed by this agent.
  /// Fault::unsupported where there is no key to sign with.
  virtual Result<std::string> sign(std::string_view payload_type, std::string_view text) = 0;
  /// The newest checkpoint of the controller's ledger that this agent was shown, signed by the
  /// controller: a line of DSSE JSON. Fault::missing if it was shown none.
  virtual Result<std::string> ledger_head() = 0;
  /// What came with the order to be handed on to a guest. Fault::missing if nothing did.
  virtual Result<Delivery> delivery() = 0;
  /// A file of the delivery, whole, under a name that is its digest; what is not there yet is
  /// waited for, for as long as the task may run. Fault::missing if the controller has it no more,
  /// ::damaged if what it sends is another one, ::busy if the disk is full.
  virtual Result<Path> fetch(const Parcel& parcel) = 0;
  /// Lets time pass. Fault::cancelled if the task was cancelled or is out of time.
  virtual Result<void> pause(Millis span, const Waiting& waiting) = 0;

  /// `read_through` of the whole.
  Result<void> read_through(const Path& path, Sink& sink) { return read_through(path, {}, sink); }
  /// `read_file` with a limit that suits configuration and kernel files: 1 MiB.
  Result<std::string> read_file(const Path& path) { return read_file(path, std::size_t{1} << 20U); }
};

}  // namespace relab::agent
