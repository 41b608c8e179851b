/// ZAP (https://rfc.zeromq.org/spec/27) is answered by the loop that owns the socket. It is bound
/// before the data socket, and the domain is enforced: without a handler, libzmq would otherwise
/// admit everybody.

#include "agent/link/server.h"

#include <array>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "common/wire/envelope.h"
#include "common/wire/poll.h"

namespace relab::agent {

namespace {

constexpr auto zap_endpoint = "inproc://zeromq.zap.01";
constexpr auto zap_domain = "relab";
/// A draft name in zmq.h, which Debian's libraries honour all the same.
constexpr int zap_enforce_domain = 93;
/// More than all reports of an agent at once, with a receipt for each: what a full connection does
/// not take is sent only at the next hello.
constexpr int outgoing_most = 1024;
constexpr auto self_test_time = std::chrono::seconds(3);

void set_limits(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_size_max));
  socket.set(zmq::sockopt::handshake_ivl, 5000);
  socket.set(zmq::sockopt::heartbeat_ivl, 5000);
  socket.set(zmq::sockopt::heartbeat_timeout, 10000);
  socket.set(zmq::sockopt::heartbeat_ttl, 30000);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, outgoing_most);
  socket.set(zmq::sockopt::rcvhwm, 1000);
  socket.set(zmq::sockopt::backlog, 64);
  socket.set(zmq::sockopt::router_mandatory, true);
}

void secure(zmq::socket_t& socket, const Door& door) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, door.curve_secret_z85);
  socket.set(zmq::sockopt::zap_domain, zap_domain);
  const int on = 1;
  if (zmq_setsockopt(socket.handle(), zap_enforce_domain, &on, sizeof on) != 0)
    throw zmq::error_t();
}

/// Whoever had the port just now, such as an enrolment that has ended, may be on its way out.
void bind_patiently(zmq::socket_t& socket, const std::string& endpoint, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    try {
      return socket.bind(endpoint);
    } catch (const zmq::error_t& error) {
      if (error.num() != EADDRINUSE || std::chrono::steady_clock::now() >= until) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

tl::unexpected<Error> cannot_listen(const std::string& endpoint, const zmq::error_t& error) {
  const auto what = fmt::format("cannot listen on {}: {}", endpoint, error.what());
  if (error.num() == EADDRINUSE)
    return fail(Fault::busy, what, "another agent or program uses that port");
  if (error.num() == EADDRNOTAVAIL)
    return fail(Fault::missing, what, "no interface of this machine has that address");
  return fail(Fault::invalid, what, "give --listen as tcp://ADDRESS:PORT");
}

std::string z85_of(const zmq::message_t& key) {
  std::array<char, 41> text{};
  if (key.size() != 32 || zmq_z85_encode(text.data(), static_cast<const std::uint8_t*>(key.data()),
                                         key.size()) == nullptr)
    return {};
  return text.data();
}

/// The parts of one message that waits, or none.
std::vector<zmq::message_t> take_parts(zmq::socket_t& socket) {
  std::vector<zmq::message_t> parts;
  for (;;) {
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return parts;
    const bool more = part.more();
    parts.push_back(std::move(part));
    if (!more) return parts;
  }
}

}  // namespace

struct Server::Sockets {
  explicit Sockets(zmq::context_t& of)
      : zap(of, zmq::socket_type::rep), data(of, zmq::socket_type::router), context(of) {}

  void answer_handshake(const std::vector<zmq::message_t>& request);

  Door door;
  zmq::socket_t zap;
  zmq::socket_t data;
  zmq::context_t& context;
  std::uint64_t turned_away = 0;
};

void Server::Sockets::answer_handshake(const std::vector<zmq::message_t>& request) {
  const bool sane = request.size() == 7 && request[0].to_string_view() == "1.0" &&
                    request[2].to_string_view() == zap_domain &&
                    request[5].to_string_view() == "CURVE";
  const auto key = sane ? z85_of(request[6]) : std::string();
  const bool in = !key.empty() && door.admits(key);
  if (!in) ++turned_away;
  const auto id = request.size() > 1 ? request[1].to_string() : std::string();
  const std::array<std::string, 6> reply = {
      "1.0", id, in ? "200" : "400", in ? "OK" : "not pinned", in ? key : "", ""};
  for (std::size_t i = 0; i < reply.size(); ++i)
    zap.send(zmq::buffer(reply[i]),
             i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

namespace {

/// The address under which a bound endpoint is reached from this machine.
std::string own_address(std::string endpoint) {
  for (const std::string any : {"//0.0.0.0:", "//*:"})
    if (const auto at = endpoint.find(any); at != std::string::npos)
      endpoint.replace(at, any.size(), "//127.0.0.1:");
  return endpoint;
}

/// Dials the door with a key that nobody pinned. True if it was turned away, false if it was let in
/// or nothing was heard.
bool turns_strangers_away(zmq::context_t& context, Server& server, const std::string& endpoint,
                          const std::string& server_key) {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) return false;
  zmq::socket_t stranger(context, zmq::socket_type::dealer);
  stranger.set(zmq::sockopt::linger, 0);
  stranger.set(zmq::sockopt::curve_serverkey, server_key);
  stranger.set(zmq::sockopt::curve_publickey, public_key.data());
  stranger.set(zmq::sockopt::curve_secretkey, secret_key.data());
  const auto name = fmt::format("inproc://self-test-{}", static_cast<const void*>(&stranger));
  if (zmq_socket_monitor(stranger.handle(), name.c_str(),
                         ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
    return false;
  zmq::socket_t events(context, zmq::socket_type::pair);
  events.set(zmq::sockopt::linger, 0);
  events.connect(name);
  stranger.connect(own_address(endpoint));
  const auto until = std::chrono::steady_clock::now() + self_test_time;
  std::uint16_t seen = 0;
  while (seen == 0 && std::chrono::steady_clock::now() < until) {
    zmq::pollitem_t items[] = {{events.handle(), 0, ZMQ_POLLIN, 0},
                               {server.handshakes_handle(), 0, ZMQ_POLLIN, 0}};
    wait_for(items, std::chrono::milliseconds(5));
    server.admit();
    const auto parts = take_parts(events);
    if (!parts.empty() && parts[0].size() >= sizeof seen)
      std::memcpy(&seen, parts[0].data(), sizeof seen);
  }
  zmq_socket_monitor(stranger.handle(), nullptr, 0);
  return seen == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}

}  // namespace

Server::Server(std::unique_ptr<Sockets> sockets) : sockets_(std::move(sockets)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::prepare(zmq::context_t& context, Door door) try {
  Server server(std::make_unique<Sockets>(context));
  auto& sockets = *server.sockets_;
  sockets.door = std::move(door);
  sockets.zap.set(zmq::sockopt::linger, 0);
  sockets.zap.bind(zap_endpoint);
  set_limits(sockets.data);
  secure(sockets.data, sockets.door);
  return server;
} catch (const zmq::error_t& error) {
  return fail(Fault::damaged, fmt::format("the transport does not start: {}", error.what()));
}

Result<Server> Server::open(zmq::context_t& context, Door door) {
  RELAB_TRY(auto server, prepare(context, std::move(door)));
  RELAB_CHECK(server.listen(port_patience));
  return server;
}

Result<void> Server::listen(Millis patience) try {
  try {
    bind_patiently(sockets_->data, sockets_->door.endpoint, patience);
  } catch (const zmq::error_t& error) {
    return cannot_listen(sockets_->door.endpoint, error);
  }
  if (!turns_strangers_away(sockets_->context, *this,
                            sockets_->data.get(zmq::sockopt::last_endpoint),
                            sockets_->door.curve_public_z85))
    return fail(
        Fault::damaged,
        fmt::format("the self test of {} failed: a stranger was not turned away",
                    sockets_->door.endpoint),
        "this must not happen; do not use this agent, and report it with the version of libzmq");
  sockets_->turned_away = 0;
  return {};
} catch (const zmq::error_t& error) {
  return fail(Fault::damaged, fmt::format("the transport does not start: {}", error.what()));
}

void* Server::frames_handle() const { return sockets_->data.handle(); }
void* Server::handshakes_handle() const { return sockets_->zap.handle(); }
std::uint64_t Server::turned_away() const { return sockets_->turned_away; }

void Server::admit() {
  for (auto request = take_parts(sockets_->zap); !request.empty();
       request = take_parts(sockets_->zap))
    sockets_->answer_handshake(request);
}

std::optional<Incoming> Server::receive() {
  for (auto parts = take_parts(sockets_->data); !parts.empty();
       parts = take_parts(sockets_->data)) {
    if (parts.size() != 2) continue;
    const auto* peer = zmq_msg_gets(parts[1].handle(), "User-Id");
    if (peer == nullptr) continue;
    const auto* start = parts[1].data<std::uint8_t>();
    return Incoming{.route = parts[0].to_string(),
                    .peer = peer,
                    .frame = Bytes(start, start + parts[1].size())};
  }
  return {};
}

Result<void> Server::send(const std::string& route, ByteView frame) try {
  if (!sockets_->data.send(zmq::buffer(route),
                           zmq::send_flags::sndmore | zmq::send_flags::dontwait))
    return fail(Fault::busy, "the connection takes no more for now");
  if (!sockets_->data.send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::dontwait))
    return fail(Fault::busy, "the connection takes no more for now");
  return {};
} catch (const zmq::error_t& error) {
  return fail(Fault::unreachable, fmt::format("the connection is gone: {}", error.what()));
}

}  // namespace relab::agent
