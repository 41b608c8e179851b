/// libzmq redials by itself only after some failures and never says which; so each dial has a
/// monitor, and after any failure the socket is thrown away and a new one is made when its time
/// comes.

#include "controller/link/client.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <zmq.hpp>

#include "common/wire/envelope.h"

namespace relab::controller {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto redial_first = std::chrono::milliseconds(100);
constexpr auto redial_last = std::chrono::milliseconds(3000);
constexpr int watched = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;

struct MonitorEvent {
  std::uint16_t event = 0;
  std::uint32_t value = 0;
};

}  // namespace

struct Client::Sockets {
  Sockets(zmq::context_t& zmq_context, Dial how) : context(zmq_context), dial(std::move(how)) {
    connect();
  }
  ~Sockets() { close(); }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  void connect();
  void close();
  std::optional<MonitorEvent> next_event();
  void take(const MonitorEvent& event);
  void lost(Trouble why);

  zmq::context_t& context;
  Dial dial;
  zmq::socket_t data;
  zmq::socket_t events;
  bool connected = false;
  bool up = false;
  unsigned generation = 0;
  Trouble trouble = Trouble::none;
  std::chrono::milliseconds pause = redial_first;
  std::optional<Clock::time_point> redial;
};

void Client::Sockets::connect() {
  redial.reset();
  connected = false;
  data = zmq::socket_t(context, zmq::socket_type::dealer);
  data.set(zmq::sockopt::linger, 0);
  data.set(zmq::sockopt::immediate, true);
  data.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_size_max));
  data.set(zmq::sockopt::handshake_ivl, 10000);
  data.set(zmq::sockopt::heartbeat_ivl, 5000);
  data.set(zmq::sockopt::heartbeat_timeout, 10000);
  data.set(zmq::sockopt::heartbeat_ttl, 30000);
  data.set(zmq::sockopt::connect_timeout, 3000);
  data.set(zmq::sockopt::reconnect_ivl, -1);
  data.set(zmq::sockopt::sndhwm, 1000);
  data.set(zmq::sockopt::rcvhwm, 1000);
  data.set(zmq::sockopt::curve_serverkey, dial.server_key_z85);
  data.set(zmq::sockopt::curve_publickey, dial.own_public_z85);
  data.set(zmq::sockopt::curve_secretkey, dial.own_secret_z85);
  static std::atomic<unsigned> count = 0;
  const auto name = fmt::format("inproc://dial-{}", ++count);
  if (zmq_socket_monitor(data.handle(), name.c_str(), watched) != 0) throw zmq::error_t();
  events = zmq::socket_t(context, zmq::socket_type::pair);
  events.set(zmq::sockopt::linger, 0);
  events.connect(name);
  data.connect(dial.endpoint);
}

void Client::Sockets::close() {
  // The monitor first: an I/O thread that writes to a monitor nobody reads would stand still.
  if (data.handle() != nullptr) zmq_socket_monitor(data.handle(), nullptr, 0);
  events.close();
  data.close();
}

std::optional<MonitorEvent> Client::Sockets::next_event() {
  zmq::message_t head;
  zmq::message_t address;
  if (!events.recv(head, zmq::recv_flags::dontwait)) return {};
  if (head.more()) static_cast<void>(events.recv(address, zmq::recv_flags::none));
  MonitorEvent event;
  if (head.size() < sizeof event.event + sizeof event.value) return event;
  std::memcpy(&event.event, head.data(), sizeof event.event);
  std::memcpy(&event.value, head.data<char>() + sizeof event.event, sizeof event.value);
  return event;
}

void Client::Sockets::lost(Trouble why) {
  up = false;
  trouble = why;
  redial = Clock::now() + pause;
  pause = std::min(pause * 2, redial_last);
}

void Client::Sockets::take(const MonitorEvent& event) {
  if (redial) return;  // the first failure of a dial is its cause, what follows is its echo
  switch (event.event) {
    case ZMQ_EVENT_CONNECTED:
      connected = true;
      break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      up = true;
      trouble = Trouble::none;
      pause = redial_first;
      ++generation;
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      lost(Trouble::not_admitted);
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      lost(event.value == EAGAIN ? Trouble::silent : Trouble::other_key);
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      lost(Trouble::other_key);
      break;
    case ZMQ_EVENT_CLOSED:
      lost(Trouble::unreachable);
      break;
    case ZMQ_EVENT_DISCONNECTED:
      lost(up || !connected ? Trouble::unreachable : Trouble::silent);
      break;
    default:
      break;
  }
}

Client::Client(zmq::context_t& context, Dial dial)
    : sockets_(std::make_unique<Sockets>(context, std::move(dial))) {}
Client::~Client() = default;

void* Client::frames_handle() const { return sockets_->data.handle(); }
void* Client::events_handle() const { return sockets_->events.handle(); }
bool Client::up() const { return sockets_->up; }
unsigned Client::generation() const { return sockets_->generation; }
Trouble Client::trouble() const { return sockets_->trouble; }

void Client::redial() {
  if (!sockets_->redial) sockets_->lost(Trouble::unreachable);
}

void Client::tend() {
  while (const auto event = sockets_->next_event()) sockets_->take(*event);
  if (!sockets_->redial || Clock::now() < *sockets_->redial) return;
  sockets_->close();
  sockets_->connect();
}

std::optional<Bytes> Client::receive() {
  for (;;) {
    zmq::message_t frame;
    if (!sockets_->data.recv(frame, zmq::recv_flags::dontwait)) return {};
    bool whole = true;
    while (frame.more()) {
      whole = false;
      if (!sockets_->data.recv(frame, zmq::recv_flags::dontwait)) return {};
    }
    const auto* start = frame.data<std::uint8_t>();
    if (whole) return Bytes(start, start + frame.size());
  }
}

Result<void> Client::send(ByteView frame) try {
  if (!sockets_->up ||
      !sockets_->data.send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::dontwait))
    return fail(Fault::unreachable, "the connection is down");
  return {};
} catch (const zmq::error_t& error) {
  return fail(Fault::unreachable, error.what());
}

}  // namespace relab::controller
