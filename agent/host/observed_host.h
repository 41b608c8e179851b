#pragma once

/// A host that tells what is done through it: the log of a task, and its progress.

#include <functional>
#include <string>
#include <vector>

#include "agent/host/forwarding_host.h"

namespace relab::agent {

class ObservedHost final : public ForwardingHost {
 public:
  using Tell = std::function<void(const Advance& advance, const std::string& for_person)>;

  /// Borrows the host. `tell` is called before every program is run, before every pause, and a few
  /// times a second while something flows; while something is waited for, what a person has to do
  /// is told with it.
  ObservedHost(Host& host, Tell tell) : ForwardingHost(host), tell_(std::move(tell)) {}

  /// The commands that ran and how they ended, the last ones if they were many; without their
  /// output.
  std::vector<std::string> take_log() { return std::move(log_); }

  Result<Output> run(const Command& command) override;
  Result<Output> stream(const Command& command, Sink& sink) override;
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override;
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override;
  void progress(const Advance& advance) override;
  Result<Path> fetch(const Parcel& parcel) override;
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  std::string begin(const Command& command);
  void note(const std::string& line, Instant begun, const Result<Output>& output);

  Tell tell_;
  std::vector<std::string> log_;
  std::uint64_t steps_ = 0;
  Instant told_ = {};
  /// Of the last pause.
  Waiting waiting_;
};

}  // namespace relab::agent
