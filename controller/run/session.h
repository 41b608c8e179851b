#pragma once

/// One enrolled agent as the controller talks to it: dialled, greeted, every frame checked against
/// its pinned key.

#include <array>
#include <optional>
#include <set>
#include <string>

#include "common/base/id.h"
#include "common/crypto/identity.h"
#include "controller/link/link.h"
#include "controller/state/state.h"

namespace relab::controller {

/// What an agent said of itself in its hello.
struct Greeting {
  Bytes nonce;
  std::set<TaskId> held;
  /// Those of them whose changes wait to be confirmed.
  std::set<TaskId> unconfirmed = {};
  /// Which journal the agent has.
  Bytes journal;
  std::string version;
  std::string role;
  /// Task kinds that its role permits, as arms of the Task union.
  std::vector<std::string> kinds = {};
  /// Of its roles, each as JSON; none if it did not tell them.
  std::vector<std::string> manifests = {};
  std::string machine_id;
  std::string boot_id;
  /// The agent's clock less ours.
  Millis skew;
  std::uint64_t free_bytes = 0;
  /// The newest checkpoint of our ledger that it was shown and countersigned; empty: none.
  Bytes checkpoint = {};
};

class Session {
 public:
  Session(Exchange& exchange, AgentRecord agent, const crypto::Keys& keys, std::string lab);

  const std::string& name() const { return agent_.name; }
  const AgentRecord& agent() const { return agent_; }

  /// Set while the agent is up and has answered our challenge.
  const std::optional<Greeting>& greeting() const { return greeting_; }
  /// Why it is not, in a sentence with a hint.
  Error trouble() const;
  Trouble link_trouble() const { return link_.trouble(); }

  /// Tends the connection and greets a new one. True if the agent was there and is not any more.
  bool tend(const Now& now);
  bool up() const { return link_.up(); }
  /// Counts connections.
  unsigned connection() const { return generation_; }
  /// Gives this connection up for a new one.
  void redial() {
    greeting_.reset();
    link_.redial();
  }
  /// Asks for a new hello.
  void greet(const Now& now);
  /// Verified frames; a hello that answers what was asked last is taken here and returned, too.
  /// Empty when nothing waits.
  std::optional<Opened> receive(const Now& now);

  template <typename T>
  Result<void> send(const Message<T>& message) {
    return link_.send(sign(keys_, message).bytes());
  }
  Result<void> send_frame(ByteView frame) { return link_.send(frame); }

 private:
  /// False if it does not answer what was asked last, or comes from another machine.
  bool take_hello(schema::Hello::Reader hello, const Now& now);

  AgentRecord agent_;
  const crypto::Keys& keys_;
  std::string lab_;
  Link& link_;
  unsigned generation_ = 0;
  std::array<std::uint8_t, 16> challenge_{};
  Now asked_ = {};
  std::optional<Greeting> greeting_;
  /// The key of a frame that was signed, but not by the pinned key.
  std::optional<crypto::PublicKey> other_key_;
  std::string other_machine_;
};

}  // namespace relab::controller
