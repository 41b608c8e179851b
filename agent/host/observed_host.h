#pragma once

/// A host that tells what is done through it: the log of a task, and its progress.

#include <functional>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

class ObservedHost final : public Host {
 public:
  using Tell = std::function<void(std::uint64_t steps, const Waiting& doing)>;

  /// Borrows the host. `tell` is called before every program is run and before every pause; while
  /// something is waited for, what a person has to do is told with both.
  ObservedHost(Host& host, Tell tell) : host_(host), tell_(std::move(tell)) {}

  /// The commands that ran and how they ended, the last ones if they were many; without their
  /// output.
  std::vector<std::string> take_log() { return std::move(log_); }

  Result<Output> run(const Command& command) override;
  Result<std::string> read_file(const Path& path, std::size_t size_max) override {
    return host_.read_file(path, size_max);
  }
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override { return host_.list(path); }
  Result<FileStatus> status(const Path& path) override { return host_.status(path); }
  Result<std::string> read_link(const Path& path) override { return host_.read_link(path); }
  Result<Path> canonical(const Path& path) override { return host_.canonical(path); }
  Instant now() override { return host_.now(); }
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  Host& host_;
  Tell tell_;
  std::vector<std::string> log_;
  std::uint64_t steps_ = 0;
  /// Of the last pause.
  Waiting waiting_;
};

}  // namespace relab::agent
