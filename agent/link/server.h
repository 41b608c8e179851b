#pragma once

/// The agent's door: one bound ROUTER under CURVE that only pinned controllers get through.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/keys.h"

namespace zmq {
class context_t;
}

namespace relab::agent {

/// Something that came through the door.
struct Incoming {
  /// Where to answer, as long as this connection lasts.
  std::string route;
  /// The peer's CURVE key in Z85, as the handshake proved it.
  std::string peer;
  Bytes frame;
};

/// Where an agent's frames go out.
class Outlet {
 public:
  Outlet() = default;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  virtual ~Outlet() = default;

  /// Queues a frame; Fault::unreachable if that connection is gone, ::busy if it takes no more for
  /// now.
  virtual Result<void> send(const std::string& route, ByteView frame) = 0;

 protected:
  Outlet(Outlet&&) = default;
  Outlet& operator=(Outlet&&) = default;
};

/// How long a port that was just used may take to become free.
inline constexpr auto port_patience = Millis(2000);

/// How a door is opened.
struct Door {
  /// "tcp://ADDRESS:PORT".
  std::string endpoint;
  std::string curve_secret_z85;
  std::string curve_public_z85;
  /// Asked at every handshake: may the holder of this CURVE key (Z85) come in?
  std::function<bool(std::string_view)> admits;
};

class Server final : public Outlet {
 public:
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Without listening yet: nobody comes in, and every `send` is Fault::unreachable.
  static Result<Server> prepare(zmq::context_t& context, Door door);
  /// Prepared, and listening.
  static Result<Server> open(zmq::context_t& context, Door door);
  /// Binds, and dials itself once with a throw-away key to see that it is not admitted: a door that
  /// lets strangers in is Fault::damaged, and must be closed. Fault::busy if the port is not free
  /// within `patience`, ::missing if no interface has the address: both can be tried again.
  Result<void> listen(Millis patience);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server() override;

  /// The ZeroMQ sockets to poll on: messages, and handshakes that wait for `admit`.
  void* frames_handle() const;
  void* handshakes_handle() const;

  /// Answers handshakes that wait; to be called often.
  void admit();
  /// The next message, if one is there. What is no single frame is dropped.
  std::optional<Incoming> receive();
  Result<void> send(const std::string& route, ByteView frame) override;

  /// Handshakes that were turned away.
  std::uint64_t turned_away() const;

 private:
  struct Sockets;
  explicit Server(std::unique_ptr<Sockets> sockets);
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace relab::agent
