#pragma once

/// A real agent in memory: servant, core, guard, journal and task kinds as they are on a machine,
/// over a simulated host and a clock of its own.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/journal/journal.h"
#include "agent/service/servant.h"
#include "controller/rehearsal/fate.h"
#include "controller/rehearsal/machine.h"
#include "controller/rehearsal/sights.h"
#include "controller/rehearsal/timeline.h"
#include "controller/rehearsal/tone.h"

namespace relab::rehearsal {

/// Takes what the actor sends.
using Send = std::function<Result<void>(const std::string& route, ByteView frame, Tone tone)>;

class Actor final : public agent::Outlet, public agent::Labour {
 public:
  /// Borrows timeline, machine and fate. Its journal is in the folder: made anew over the same one,
  /// it is the agent that starts again.
  struct Part {
    std::string name;
    crypto::Keys keys;
    agent::Trust trust;
    agent::RoleLimits role;
    std::filesystem::path folder;
    Timeline& timeline;
    Machine& machine;
    Fate& fate;
    Send send;
  };
  static Result<std::unique_ptr<Actor>> make(Part part);

  const std::string& name() const { return name_; }
  Bytes identity() const { return identity_; }
  const crypto::Keys& keys() const { return keys_; }
  void take(const agent::Incoming& incoming);

  Result<void> send(const std::string& route, ByteView frame) override;
  void start(const TaskId& id, agent::Job job) override;
  void stop(const TaskId& id, agent::StopReason reason) override;
  void armed(const TaskId& id, Result<void> stored) override;
  /// Files come with the machine.
  void piece(const TaskId& /*id*/, agent::Piece /*piece*/) override {}
  void review(const TaskId& id, Message<schema::Order> order) override;
  void undo(const TaskId& id, agent::Undoing undoing) override;

 private:
  Actor(Part part, const std::string& role);
  /// At that time, if the actor is still there.
  void at(Instant when, std::function<void()> what);
  void tell(agent::Notice notice);
  void tick();
  void carry_out(const TaskId& id, const agent::Job& job);
  /// What is done at once on the simulated host ends when its clock says so.
  void end_at(agent::TaskEnd end);
  /// And is told of on the way there.
  void tell_of(const TaskId& id, const std::vector<Sight>& sights);

  std::string name_;
  crypto::Keys keys_;
  Bytes identity_;
  Timeline& timeline_;
  Machine& machine_;
  Fate& fate_;
  Send send_;
  std::optional<agent::Journal> journal_;
  std::optional<agent::Servant> servant_;
  struct Work {
    Instant began;
    /// It was told to end.
    std::optional<agent::StopReason> stopped = {};
  };
  std::map<TaskId, Work> working_;
  std::optional<Result<void>> armed_;
  Tone tone_ = Tone::news;
  /// When it heard or did something last.
  Instant stirred_{};
  /// Gone with the actor: what was to happen to it does not happen any more.
  std::shared_ptr<bool> there_ = std::make_shared<bool>(true);
};

}  // namespace relab::rehearsal
