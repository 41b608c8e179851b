#pragma once

/// A machine in memory: files, directories and links as given, programs as functions, time that
/// stands until it is moved.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

class SimHost final : public Host {
 public:
  using Program = std::function<Result<Output>(const Command&)>;

  /// Also makes the directories above. Content of any size.
  void file(const Path& path, std::string content);
  void file(const Path& path, std::string content, FileStatus status);
  void directory(const Path& path);
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
  /// The answer to exactly these arguments, joined by single spaces, the name first; it goes before
  /// `program`.
  void answer(std::string command, Output output);
  /// The exact answers of this program, by its name, are gone.
  void forget_answers(const std::string& name);

  /// So much fits into each file system, under the path that it is mounted on; without one,
  /// anything fits into everything.
  void file_system(const Path& mount, FileSystem room) { rooms_[mount.string()] = room; }
  /// As if it had come with the order: a program that is fed it has it as `input`.
  void secret(const std::string& name, std::string value) { secrets_[name] = std::move(value); }

  /// As if a role of the agent listed it.
  void command(const std::string& name, std::vector<std::string> argv) {
    commands_[name] = std::move(argv);
  }
  /// What becomes of a connection to "10.0.0.1 80", or, as long as nothing is said of the port, to
  /// "10.0.0.1"; without a word of either there is no network.
  void reach(const std::string& where, Reach reach) { reaches_[where] = reach; }

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
  void progress(const Advance& advance) override { advances_.push_back(advance); }
  /// All that was told.
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
  /// The room that writing there uses up; null if there is no end to it.
  FileSystem* room_at(const Path& path);

  struct Node {
    FileStatus status;
    /// A file's content, or a link's target.
    std::string content;
  };
  /// `argv` is that of the command, its program without folders.
  Result<Output> answer_of(const Command& command, const std::vector<std::string>& argv) const;
  Result<const Node*> find(const Path& path, bool follow) const;
  /// That the folder of a path is there, and that no part of it is a symbolic link.
  Result<void> check_folder(const Path& path) const;

  std::map<std::string, Node> nodes_ = {
      {"/", {.status = {.type = FileType::directory}, .content = {}}}};
  std::map<std::string, Error> broken_;
  std::map<std::string, Program> programs_;
  std::map<std::string, Output> answers_;
  std::map<std::string, std::string> secrets_;
  std::map<std::string, std::vector<std::string>> commands_;
  std::map<std::string, Reach> reaches_;
  std::vector<std::string> ran_;
  std::vector<Advance> advances_;
  std::map<std::string, FileSystem> rooms_;
  Instant now_ = Instant(std::chrono::hours(24 * 365 * 56));
  std::optional<Instant> stop_;
  std::optional<Delivery> delivery_;
  std::map<std::string, std::string> parcels_;
  std::string head_ = "{\"payloadType\":\"a head\"}\n";
};

}  // namespace relab::agent
