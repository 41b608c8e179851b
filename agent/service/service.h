#pragma once

/// The agent at work: one loop that owns the door, the journal and the core, and carries out the
/// core's effects.

#include <array>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <zmq.hpp>

#include "agent/core/core.h"
#include "agent/guard/guard.h"
#include "agent/journal/journal.h"
#include "agent/link/server.h"
#include "agent/trust/trust.h"
#include "agent/worker/workers.h"
#include "common/base/signals.h"
#include "common/log/log.h"

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
};

/// Why frames were not taken, since the start.
struct Turned {
  std::array<std::uint64_t, 4> unopened{};
  std::uint64_t revoked = 0;
  std::uint64_t unexpected = 0;
  std::map<schema::Refusal, std::uint64_t> refused;
};

class Service {
 public:
  /// Reads keys, trust, role and journal, and opens the door. Fault::missing if no controller is
  /// pinned yet.
  static Result<std::unique_ptr<Service>> open(ServiceConfig config,
                                               std::shared_ptr<spdlog::logger> log);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() = default;

  /// Until it was told to stop by a signal and the tasks have ended.
  Result<void> run(const Signals& signals);

  const Turned& turned() const { return turned_; }

 private:
  struct Parts {
    crypto::Keys keys;
    Trust trust;
    RoleLimits role;
    Journal journal;
  };
  Service(ServiceConfig config, std::shared_ptr<spdlog::logger> log, Parts parts);

  Result<void> recover();
  void reload_trust();
  void wait(const Signals& signals);
  bool busy() const;
  Millis patience() const;
  void take_signal(int signal);
  /// Gives controllers that listen a moment to acknowledge what ended: a report that is sent and
  /// not waited for would be lost with the connection, and asked for anew only when the agent is
  /// back.
  void take_leave();
  void take_frame(const Incoming& incoming);
  void remember(const Incoming& incoming);
  void dispatch(const Party& peer, const Opened& opened, const std::string& route);
  void take_attach(const Party& peer, const schema::Attach::Reader& attach,
                   const std::string& route);
  void take_order(const Opened& opened);
  void take_ack(const schema::Ack::Reader& ack);
  void take_cancel(const schema::Cancel::Reader& cancel);
  void take_notice(Notice notice);

  void feed(const Event& event);
  /// False if the effects after this one must not happen.
  bool perform(const effect::Accept& effect);
  bool perform(const effect::Begin& effect);
  bool perform(const effect::Start& effect);
  bool perform(const effect::Stop& effect);
  bool perform(const effect::Conclude& effect);
  bool perform(const effect::Finish& effect);
  bool perform(const effect::Answer& effect);
  bool perform(const effect::Deliver& effect);
  bool perform(const effect::Release& effect);
  bool perform(const effect::Exit& effect);

  Message<schema::Hello> hello(const schema::Attach::Reader& attach);
  Result<Message<schema::Order>> stored_order(const TaskId& id);
  /// Signed, to every controller that is heard.
  template <typename T>
  void send(const Message<T>& message) {
    send_frame(sign(keys_, message).bytes());
  }
  void send_frame(ByteView frame);

  ServiceConfig config_;
  std::shared_ptr<spdlog::logger> log_;
  crypto::Keys keys_;
  Trust trust_;
  RoleLimits role_;
  Journal journal_;
  Nonce nonce_{};
  std::string machine_id_;
  std::string boot_id_;
  Core core_;
  zmq::context_t context_;
  std::optional<Server> server_;
  Workers workers_;
  /// A connection over which a pinned controller was heard.
  struct Heard {
    std::string peer;  ///< its CURVE key
    std::string route;
  };
  /// The newest last. One controller may have several: a run, and somebody who looks at it.
  std::deque<Heard> sessions_;
  /// The order being admitted while the core decides on it.
  std::optional<Admission> admission_;
  /// Ends whose reports are not in the journal yet.
  std::map<TaskId, TaskEnd> ends_;
  std::map<TaskId, Instant> told_;
  Turned turned_;
  bool leaving_ = false;
  /// A task ended since memory was last given back.
  bool worn_ = false;
};

}  // namespace relab::agent
