#pragma once

/// Waiting on ZeroMQ sockets and descriptors.

#include <chrono>
#include <span>
#include <zmq.hpp>

namespace relab {

/// Until one of them is ready, which it tells, or the time is up; may return earlier, with nothing
/// ready. A process that was stopped and continued is woken here with EINTR, which zmq::poll would
/// throw.
inline bool wait_for(std::span<zmq::pollitem_t> items, std::chrono::milliseconds timeout) {
  const auto ready = zmq_poll(items.data(), static_cast<int>(items.size()), timeout.count());
  if (ready < 0 && zmq_errno() != EINTR) throw zmq::error_t();
  return ready > 0;
}

}  // namespace relab
