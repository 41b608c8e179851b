#pragma once

/// Connections by ZeroMQ, and waiting on all of them.

#include <memory>
#include <vector>
#include <zmq.hpp>

#include "common/base/time.h"
#include "controller/link/client.h"

namespace relab::controller {

class ZmqExchange final : public Exchange {
 public:
  Link& dial(Dial dial) override;

  /// Until one of the connections, or the descriptor (-1: none), has something, or the time is up.
  void wait(int fd, Millis timeout);

 private:
  zmq::context_t context_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace relab::controller
