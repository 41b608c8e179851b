#pragma once

/// A host that tells what is done through it: the log of a task, and its progress.

#include <functional>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

class ObservedHost final : public Host {
 public:
  using Tell = std::function<void(const Advance& advance, const std::string& for_person)>;

  /// Borrows the host. `tell` is called before every program is run, before every pause, and a few
  /// times a second while something flows; while something is waited for, what a person has to do
  /// is told with it.
  ObservedHost(Host& host, Tell tell) : host_(host), tell_(std::move(tell)) {}

  /// The commands that ran and how they ended, the last ones if they were many; without their
  /// output.
  std::vector<std::string> take_log() { return std::move(log_); }

  Result<Output> run(const Command& command) override;
  Result<Output> stream(const Command& command, Sink& sink) override;
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override;
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override;
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override {
    return host_.create_file(path);
  }
  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override {
    return host_.read_through(path, range, sink);
  }
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override {
    return host_.put_file(path, content, rights);
  }
  Result<void> put_directory(const Path& path, const Rights& rights) override {
    return host_.put_directory(path, rights);
  }
  Result<Reached> connect(const Endpoint& endpoint, Millis timeout) override {
    return host_.connect(endpoint, timeout);
  }
  Result<std::vector<std::string>> listed_command(const std::string& name) override {
    return host_.listed_command(name);
  }
  Result<void> remove_file(const Path& path) override { return host_.remove_file(path); }
  Result<FileSystem> file_system(const Path& path) override { return host_.file_system(path); }
  void progress(const Advance& advance) override;
  Result<std::string> read_file(const Path& path, std::size_t size_max) override {
    return host_.read_file(path, size_max);
  }
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override { return host_.list(path); }
  Result<FileStatus> status(const Path& path) override { return host_.status(path); }
  Result<std::string> read_link(const Path& path) override { return host_.read_link(path); }
  Result<Path> canonical(const Path& path) override { return host_.canonical(path); }
  Instant now() override { return host_.now(); }
  Result<void> copy_database(const Path& database, const Path& copy) override {
    return host_.copy_database(database, copy);
  }
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override {
    return host_.sign(payload_type, text);
  }
  Result<std::string> ledger_head() override { return host_.ledger_head(); }
  Result<Delivery> delivery() override { return host_.delivery(); }
  Result<Path> fetch(const Parcel& parcel) override;
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  std::string begin(const Command& command);
  void note(const std::string& line, Instant begun, const Result<Output>& output);

  Host& host_;
  Tell tell_;
  std::vector<std::string> log_;
  std::uint64_t steps_ = 0;
  Instant told_ = {};
  /// Of the last pause.
  Waiting waiting_;
};

}  // namespace relab::agent
