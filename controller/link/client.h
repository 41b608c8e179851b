#pragma once

/// The controller's end of one connection to one agent: a DEALER under CURVE with the agent's key
/// pinned, dialled anew on our own terms.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "controller/link/link.h"

namespace zmq {
class context_t;
}

namespace relab::controller {

class Client final : public Link {
 public:
  Client(zmq::context_t& context, Dial dial);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() override;

  /// The two ZeroMQ sockets to poll on.
  void* frames_handle() const;
  void* events_handle() const;

  void tend() override;
  bool up() const override;
  unsigned generation() const override;
  Trouble trouble() const override;
  void redial() override;
  std::optional<Bytes> receive() override;
  Result<void> send(ByteView frame) override;

 private:
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace relab::controller
