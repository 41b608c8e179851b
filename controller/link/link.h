#pragma once

/// A connection to one agent, as the controller needs it.

#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

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

class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() = default;

  /// Takes what happened since the last call, dials anew where needed. To be called often.
  virtual void tend() = 0;
  virtual bool up() const = 0;
  /// Counts connections that came up: a new number means that the agent must be greeted anew.
  virtual unsigned generation() const = 0;
  virtual Trouble trouble() const = 0;

  /// Gives the connection up and dials anew, soon.
  virtual void redial() = 0;

  virtual std::optional<Bytes> receive() = 0;
  /// Fault::unreachable while the connection is down.
  virtual Result<void> send(ByteView frame) = 0;
};

/// All connections of one controller.
class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  /// The link lives as long as the exchange.
  virtual Link& dial(Dial dial) = 0;
};

/// A sentence about the trouble with the agent of this name.
Error explain(Trouble trouble, const std::string& agent, const std::string& endpoint,
              const std::string& fingerprint);

}  // namespace relab::controller
