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

  void at(Instant now) { now_ = now; }
  /// From then on a pause ends as if the task had been stopped.
  void stop_at(Instant stop) { stop_ = stop; }
  /// Every command so far, joined by spaces.
  const std::vector<std::string>& ran() const { return ran_; }

  Result<Output> run(const Command& command) override;
  Result<std::string> read_file(const Path& path, std::size_t size_max) override;
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override;
  Result<FileStatus> status(const Path& path) override;
  Result<std::string> read_link(const Path& path) override;
  Result<Path> canonical(const Path& path) override;
  Instant now() override { return now_; }
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  struct Node {
    FileStatus status;
    /// A file's content, or a link's target.
    std::string content;
  };
  Result<const Node*> find(const Path& path, bool follow) const;

  std::map<std::string, Node> nodes_ = {
      {"/", {.status = {.type = FileType::directory}, .content = {}}}};
  std::map<std::string, Error> broken_;
  std::map<std::string, Program> programs_;
  std::map<std::string, Output> answers_;
  std::vector<std::string> ran_;
  Instant now_ = Instant(std::chrono::hours(24 * 365 * 56));
  std::optional<Instant> stop_;
};

}  // namespace relab::agent
