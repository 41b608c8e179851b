#pragma once

/// What one task of an actor works through: it ends with the task's time, tells people what they
/// are asked for, and stops in the middle where its agent is to die.

#include <functional>
#include <memory>
#include <optional>

#include "agent/host/forwarding_host.h"
#include "common/crypto/keys.h"

namespace relab::rehearsal {

/// Of an agent, as far as one task is concerned.
class Life {
 public:
  Life() = default;
  /// It ends with the call of this number, from 1.
  explicit Life(unsigned last) : last_(last) {}

  /// Counts a call. Fault::unreachable from its end on.
  Result<void> live();
  bool over() const { return last_ && calls_ >= *last_; }
  /// Now, whatever it does.
  void end() { last_ = calls_; }

 private:
  std::optional<unsigned> last_;
  unsigned calls_ = 0;
};

class TaskHost final : public agent::ForwardingHost {
 public:
  struct Manner {
    /// From then on nothing is begun any more; without one, things are put right after that.
    std::optional<Instant> until = {};
    /// A person is told this while the task waits.
    std::function<void(const agent::Waiting&)> ask = [](const agent::Waiting&) {};
    /// Of the agent, to sign what it leaves behind; borrowed.
    const crypto::Keys* keys = nullptr;
  };
  /// Borrows host and life.
  TaskHost(agent::Host& host, Life& life, Manner manner)
      : ForwardingHost(host), life_(life), manner_(std::move(manner)) {}

  Result<agent::Output> run(const agent::Command& command) override;
  Result<agent::Output> stream(const agent::Command& command, agent::Sink& sink) override;
  Result<agent::Output> feed(const agent::Path& path, const agent::Command& command,
                             agent::Sink& also) override;
  Result<agent::Piped> pipe(const agent::Command& from, const agent::Command& to,
                            agent::Sink& also) override;
  Result<std::unique_ptr<agent::NewFile>> create_file(const agent::Path& path) override;
  Result<void> put_file(const agent::Path& path, const agent::Content& content,
                        const agent::Rights& rights) override;
  Result<void> put_directory(const agent::Path& path, const agent::Rights& rights) override;
  Result<void> remove_file(const agent::Path& path) override;
  Result<void> copy_database(const agent::Path& database, const agent::Path& copy) override;
  Result<agent::Path> fetch(const agent::Parcel& parcel) override;
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override;
  Result<void> pause(Millis span, const agent::Waiting& waiting) override;

 private:
  /// Fault::cancelled where the task's time is over.
  Result<void> go_on();

  Life& life_;
  Manner manner_;
};

}  // namespace relab::rehearsal
