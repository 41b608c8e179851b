#pragma once

/// A machine in memory: files, directories and links as given, programs as functions, time that
/// stands until it is moved, or until something is done that takes time.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// A file system in the tree of a simulated machine.
struct SimMount {
  Path point;
  /// As the kernel names it: "ext4", "zfs".
  std::string type;
  /// A device, or a dataset: what was written below it is there again when it is mounted again.
  std::string source;
  std::string options = "rw,relatime";
  /// The part of the source that is seen there.
  std::string root = "/";

  bool operator==(const SimMount&) const = default;
};

/// Bytes that are read and written in a second; 0: at once.
struct SimSpeed {
  std::uint64_t read = 0;
  std::uint64_t write = 0;
};

class SimHost final : public Host {
 public:
  using Program = std::function<Result<Output>(const Command&)>;

  SimHost();

  /// Also makes the directories above. Content of any size. One of which it is not said when it was
  /// changed has been when it was modified.
  void file(const Path& path, std::string content);
  void file(const Path& path, std::string content, FileStatus status);
  void directory(const Path& path);
  /// There is such a folder from now on, with this status.
  void directory(const Path& path, FileStatus status);
  void link(const Path& path, std::string target);
  /// A node of /dev without content.
  void device(const Path& path, FileStatus status);
  void remove(const Path& path);
  /// Reading, listing or looking at this path fails with this error from now on.
  void broken(const Path& path, Error error);

  /// Every call of the program by this name (the first of argv, without folders).
  void program(std::string name, Program program);
  /// A program with one answer whatever its arguments.
  void program(std::string name, Output output);
  /// What goes by that name so far, for a part that answers some of it; null if nothing does.
  Program program_of(const std::string& name) const;
  /// The answer to exactly these arguments, joined by single spaces, the name first; it goes before
  /// `program`.
  void answer(std::string command, Output output);
  /// The exact answers of this program, by its name, are gone.
  void forget_answers(const std::string& name);

  /// A program that is neither known nor named here is not taken for one that the machine does not
  /// have: it is an error, and one of `unknown`.
  void strict(std::set<std::string> absent) { absent_ = std::move(absent); }
  /// What a program says to arguments that its simulation does not know: an error, and one of
  /// `unknown`.
  tl::unexpected<Error> does_not_know(const Command& command);
  /// All that was asked of the simulation and is not simulated, as it was typed.
  const std::set<std::string>& unknown() const { return unknown_; }

  /// From now on /proc/self/mountinfo tells of the mounts, and of nothing else. What lies below the
  /// point is covered. Fault::missing if there is no such folder.
  Result<void> mount(const SimMount& mount);
  /// What was mounted there last. Fault::missing if nothing was, ::busy if something is mounted
  /// below.
  Result<void> unmount(const Path& named);
  const std::vector<SimMount>& mounts() const { return mounts_; }
  /// Whether the file system that has this path is mounted so that nothing is written to it.
  bool is_read_only(const Path& path) const;
  /// What was once mounted from there is gone.
  void forget(const std::string& source, const std::string& root = "/") {
    unmounted_.erase(source + " " + root);
  }

  /// So much fits into each file system, under the path that it is mounted on; without one,
  /// anything fits into everything.
  void file_system(const Path& mount, FileSystem room) { rooms_[mount.string()] = room; }
  /// How fast the file system is that is mounted there.
  void speed(const Path& mount, SimSpeed speed) { speeds_[mount.string()] = speed; }
  /// Nothing is known of room and speed there any more.
  void no_file_system(const Path& mount) {
    rooms_.erase(mount.string());
    speeds_.erase(mount.string());
  }
  /// Nothing at or below this folder can be read or written from now on, or, once so many bytes
  /// more were written there, from then on.
  void breaks(const Path& folder, Error error, std::uint64_t after_bytes = 0);
  void mends(const Path& folder) { breakings_.erase(folder.string()); }
  /// Takes the room for so many bytes more below this path; false, and nothing is taken, if there
  /// is less.
  bool occupy(const Path& path, std::uint64_t bytes);
  void vacate(const Path& path, std::uint64_t bytes);
  /// Where something was refused for want of room, by the places that `file_system` was told of.
  const std::set<std::string>& ran_out_of_room() const { return ran_out_of_room_; }
  /// What every command takes at least.
  void each_command_takes(Millis span) { command_takes_ = span; }
  /// Time passes, as in a program that works.
  void spend(Millis span) { now_ += span; }
  /// As if so many bytes had flowed, at so many in a second.
  void spend(std::uint64_t bytes, std::uint64_t each_second);
  /// To be said by a program: every byte that it prints stands for so many, in time and in the room
  /// that they take where they are written.
  void stand_for(std::uint64_t bytes) {
    grain_ = bytes;
    flowed_ = std::max(flowed_, bytes);
  }
  /// How a program ends that breaks off in the middle of what it prints; nothing: it goes on.
  using Source = std::function<std::optional<Output>()>;
  /// To be said by a program: it is asked this with every piece that flows out of it.
  void may_break_off(Source source) { source_ = std::move(source); }
  /// How fast a program takes what flows into it, and whether it still can.
  struct Drain {
    /// Bytes; 0: as fast as they come.
    std::uint64_t each_second = 0;
    /// None: it always can.
    std::function<bool()> is_stuck = {};
  };
  /// What is piped into this program flows no faster than it says of a command, and breaks off once
  /// it is stuck.
  using DrainOf = std::function<Drain(const Command& command)>;
  void drains(const std::string& program, DrainOf drain) { drains_[program] = std::move(drain); }
  /// How many bytes one byte of a file stands for.
  std::uint64_t grain_of(const Path& path) const;
  /// What lies in this folder is so many bytes more than it looks: few of its files are there.
  void weighs(const Path& folder, std::uint64_t bytes) { weights_[folder.string()] = bytes; }
  std::uint64_t weight_of(const Path& folder) const {
    const auto found = weights_.find(folder.string());
    return found == weights_.end() ? 0 : found->second;
  }
  /// From now on every byte of this file does.
  void stand_for(const Path& path, std::uint64_t bytes);
  /// As if it had come with the order: a program that is fed it has it as `input`.
  void secret(const std::string& name, std::string value) { secrets_[name] = std::move(value); }

  /// As if a role of the agent listed it.
  void command(const std::string& name, std::vector<std::string> argv) {
    commands_[name] = std::move(argv);
  }
  /// What becomes of a connection to "10.0.0.1 80", or, as long as nothing is said of the port, to
  /// "10.0.0.1"; without a word of either there is no network.
  void reach(const std::string& where, Reach reach) { reaches_[where] = reach; }
  /// Who tells what becomes of a connection of which nothing was said; nothing: nobody knows, which
  /// is an error, and one of `unknown`.
  using Network = std::function<std::optional<Reached>(const Endpoint&)>;
  void network(Network network) { network_ = std::move(network); }

  void at(Instant now) { now_ = now; }
  /// From then on a pause ends as if the task had been stopped.
  void stop_at(Instant stop) { stop_ = stop; }
  /// Every command so far, joined by spaces.
  const std::vector<std::string>& ran() const { return ran_; }

  Result<Output> run(const Command& command) override;
  /// The program's output in pieces of a few bytes.
  Result<Output> stream(const Command& command, Sink& sink) override;
  /// The program has the file's content as `input`.
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override;
  /// The second program has all that the first one printed as `input`.
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override;
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override;
  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override;
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override;
  Result<void> put_directory(const Path& path, const Rights& rights) override;
  /// Time passes where nothing answers.
  Result<Reached> connect(const Endpoint& endpoint, Millis timeout) override;
  Result<std::vector<std::string>> listed_command(const std::string& name) override;
  Result<void> remove_file(const Path& path) override;
  Result<FileSystem> file_system(const Path& path) override;
  void remark(const std::string& text) override { remarks_.push_back(text); }
  /// All that was remarked.
  const std::vector<std::string>& remarks() const { return remarks_; }
  void progress(const Advance& advance) override;
  /// All that was told; bytes are those that they stand for.
  const std::vector<Advance>& advances() const { return advances_; }
  Result<std::string> read_file(const Path& path, std::size_t size_max) override;
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override;
  Result<FileStatus> status(const Path& path) override;
  Result<std::string> read_link(const Path& path) override;
  Result<Path> canonical(const Path& path) override;
  Instant now() override { return now_; }
  /// The file's bytes.
  Result<void> copy_database(const Path& database, const Path& copy) override;
  /// With a key of its own, always the same.
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override;
  Result<std::string> ledger_head() override;
  Result<Delivery> delivery() override;
  /// A file that holds what `deliver` was given.
  Result<Path> fetch(const Parcel& parcel) override;
  /// As if it had come with the order. What the parcels hold comes by their names.
  void deliver(Delivery delivery, std::map<std::string, std::string> contents = {});
  /// What it was shown; empty: nothing.
  void show_head(std::string head) { head_ = std::move(head); }
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  friend class SimNewFile;
  struct Node {
    FileStatus status;
    /// A file's content, or a link's target.
    std::string content;
    /// What each byte of it stands for.
    std::uint64_t grain = 1;
  };
  using Nodes = std::map<std::string, Node>;

  /// The room that writing there uses up; null if there is no end to it.
  FileSystem* room_at(const Path& path);
  /// Fault::busy, and nothing is taken, if there is less.
  Result<void> take_room(const Path& path, std::uint64_t bytes);
  struct Breaking {
    Error error;
    std::uint64_t after_bytes = 0;
  };
  /// What breaks there, or is broken already; null if nothing does.
  Breaking* breaking_at(const Path& path);
  Result<void> check_unbroken(const Path& path) const;
  /// That it is not read-only either.
  Result<void> check_writable(const Path& path) const;
  /// That so many bytes more can be written there.
  Result<void> wear(const Path& path, std::uint64_t bytes);
  SimSpeed speed_at(const Path& path) const;
  /// Takes out what lies below a folder.
  Nodes take_below(const Path& folder);
  void tell_mounts();
  /// What flows out of a program into a sink: the slower of the two sets the time. How many bytes
  /// of it do.
  Result<std::size_t> flow_on(Instant began, std::string_view text, Sink& sink,
                              const Source& source);
  Source breaking_off(const Path& path) const;
  /// `argv` is that of the command, its program without folders.
  Result<Output> answer_of(const Command& command, const std::vector<std::string>& argv);
  /// The path that it really has, and what is there.
  Result<const Nodes::value_type*> resolve(const Path& path, bool follow) const;
  Result<const Node*> find(const Path& path, bool follow) const;
  /// That the folder of a path is there, and that no part of it is a symbolic link.
  Result<void> check_folder(const Path& path) const;

  Nodes nodes_;
  std::vector<SimMount> mounts_;
  /// By its source, what is on a file system that is not mounted; by the point, what is covered.
  std::map<std::string, Nodes> unmounted_;
  std::map<std::string, std::vector<Nodes>> covered_;
  std::map<std::string, SimSpeed> speeds_;
  std::map<std::string, Breaking> breakings_;
  std::map<std::string, std::uint64_t> weights_;
  Millis command_takes_{0};
  /// Of a millisecond.
  double owed_ = 0;
  std::uint64_t grain_ = 1;
  Source source_;
  /// The most that a byte stood for since a file was made: who compresses writes at the end only.
  std::uint64_t flowed_ = 1;
  std::optional<std::set<std::string>> absent_;
  std::set<std::string> unknown_;
  std::map<std::string, Error> broken_;
  std::map<std::string, Program> programs_;
  std::map<std::string, DrainOf> drains_;
  std::map<std::string, Output> answers_;
  std::map<std::string, std::string> secrets_;
  std::map<std::string, std::vector<std::string>> commands_;
  std::map<std::string, Reach> reaches_;
  Network network_;
  std::vector<std::string> ran_;
  std::vector<Advance> advances_;
  /// The last one that told of bytes, as it was told, and how many those stand for.
  Advance last_;
  std::uint64_t real_ = 0;
  /// Of the file that is read, as it looks.
  std::uint64_t read_size_ = 0;
  std::vector<std::string> remarks_;
  std::map<std::string, FileSystem> rooms_;
  std::set<std::string> ran_out_of_room_;
  Instant now_ = Instant(std::chrono::hours(24 * 365 * 56));
  std::optional<Instant> stop_;
  std::optional<Delivery> delivery_;
  std::map<std::string, std::string> parcels_;
  std::string head_ = "{\"payloadType\":\"a head\"}\n";
};

}  // namespace relab::agent
