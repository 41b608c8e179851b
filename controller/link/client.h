#pragma once

/// The controller's end of one connection to one agent: a DEALER under CURVE with the agent's key
/// pinned, dialled anew on our own terms.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace zmq {
class context_t;
}

namespace relab::controller {

struct Dial {
  /// "tcp://ADDRESS:PORT".
  std::string endpoint;
  /// The agent's pinned CURVE key.
  std::string server_key_z85;
  std::string own_public_z85;
  std::string own_secret_z85;
};

/// Why an agent is not there.
enum class Trouble {
  none,
  unreachable,   ///< nothing listens, or no packet comes back
  silent,        ///< something listens and does not speak our protocol
  other_key,     ///< what listens does not hold the pinned key
  not_admitted,  ///< the agent does not know our key
};

class Client {
 public:
  Client(zmq::context_t& context, Dial dial);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// The two ZeroMQ sockets to poll on.
  void* frames_handle() const;
  void* events_handle() const;

  /// Takes what happened since the last call, dials anew where needed. To be called often.
  void tend();
  bool up() const;
  /// Counts connections that came up: a new number means that the agent must be greeted anew.
  unsigned generation() const;
  Trouble trouble() const;

  std::optional<Bytes> receive();
  /// Fault::unreachable while the connection is down.
  Result<void> send(ByteView frame);

 private:
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
};

/// A sentence about the trouble with the agent of this name.
Error explain(Trouble trouble, const std::string& agent, const std::string& endpoint,
              const std::string& fingerprint);

}  // namespace relab::controller
