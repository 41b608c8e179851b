#pragma once

/// The agent at work: one loop that owns the door, the journal and the workers, and lets the
/// servant decide.

#include <filesystem>
#include <memory>
#include <string>
#include <zmq.hpp>

#include "agent/service/servant.h"
#include "common/base/lock.h"
#include "common/base/signals.h"

namespace relab::agent {

struct ServiceConfig {
  std::filesystem::path state_dir;
  /// "tcp://ADDRESS:PORT".
  std::string endpoint;
  std::string name;
  std::filesystem::path roles_dir;
  std::string role;
  /// PATH of the programs that tasks run.
  std::string program_path;
  CoreLimits limits = {};
  /// What started the agent limits it by the roles that were installed then: where they are others
  /// now, it makes way.
  bool limited_from_outside = false;
};

enum class Leaving {
  told,
  replaced,  ///< its program was, or its limits were: whoever started it should start it anew
};

class Service {
 public:
  /// Reads keys, trust, role and journal, and opens the door. Fault::missing if no controller is
  /// pinned yet, ::busy if another agent serves this state directory.
  static Result<std::unique_ptr<Service>> open(ServiceConfig config,
                                               std::shared_ptr<spdlog::logger> log);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() = default;

  /// Until it was told to stop by a signal and the tasks have ended, or makes way for another
  /// program of its name or for other limits from outside. Without an address to listen on it works
  /// on only while there is a change to be undone, and then fails.
  Result<Leaving> run(const Signals& signals);

 private:
  Service(ServiceConfig config, std::shared_ptr<spdlog::logger> log, FileLock lock,
          Journal journal);

  Result<void> begin(Self self);
  Result<bool> leads_back();
  /// Opens the door if it is shut, which it is while a change took away what it listens on.
  Result<void> tend_door();
  void tell_ready();
  void reload_trust();
  void reload_role();
  /// What takes the place of this process, in the first words of a sentence; empty: nothing does.
  std::string_view successor() const;
  bool limits_are_others() const;
  /// Once it is replaced, it leaves as soon as no task is under way.
  void make_way();
  void wait(const Signals& signals);
  Millis patience() const;
  void take_signal(int signal);
  void take_frames();
  void take_notices();
  /// Gives controllers that listen a moment to acknowledge what ended: a report that is sent and
  /// not waited for would be lost with the connection, and asked for anew only when the agent is
  /// back.
  void take_leave();

  ServiceConfig config_;
  std::shared_ptr<spdlog::logger> log_;
  /// Two agents over one journal would take each other's tasks for those of a dead one.
  FileLock lock_;
  Journal journal_;
  /// Installed when it started.
  std::vector<std::string> roles_;
  zmq::context_t context_;
  std::optional<Server> server_;
  /// Why nobody can come in, and when that is tried again.
  std::optional<Error> shut_;
  Instant retry_door_ = {};
  /// Its program is not the one any more that is installed, or its limits are not.
  bool replaced_ = false;
  /// Something was done since memory was last given back.
  bool worn_ = false;
  std::optional<Servant> servant_;
  /// Its threads sign with the servant's keys: they end first.
  Workers workers_;
};

}  // namespace relab::agent
