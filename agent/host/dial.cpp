#include "agent/host/dial.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/handle.h"

namespace relab::agent {

namespace {

/// How often a stop request is looked for.
constexpr auto glance = Millis(50);

using Addresses = CHandle<addrinfo, freeaddrinfo>;

Result<Addresses> parse(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = fmt::format("{}", endpoint.port);
  if (::getaddrinfo(endpoint.address.c_str(), port.c_str(), &hints, &found) != 0)
    return fail(Fault::invalid, fmt::format("'{}' is no address", endpoint.address));
  return Addresses(found);
}

/// Fault::damaged for an error that says nothing of the network.
Result<Reached> reached(int error) {
  auto words = error == 0 ? std::string("connected") : words_of(error);
  switch (error) {
    case 0:
      return Reached{.reach = Reach::open, .words = std::move(words)};
    case ECONNREFUSED:
    case ECONNRESET:
      return Reached{.reach = Reach::refused, .words = std::move(words)};
    case ETIMEDOUT:
      return Reached{.reach = Reach::silent, .words = std::move(words)};
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return Reached{.reach = Reach::unreachable, .words = std::move(words)};
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:
    case EACCES:
    case EPERM:
      return Reached{.reach = Reach::no_network, .words = std::move(words)};
    default:
      return fail(Fault::damaged, fmt::format("connecting failed: {}", words));
  }
}

/// The error that the connection came to; ETIMEDOUT if it came to none in time.
Result<int> wait_for(const Fd& fd, Millis timeout, const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + timeout;
  for (;;) {
    if (stop.stop_requested())
      return fail(Fault::cancelled, "the task was cancelled or is out of time");
    const auto left = std::chrono::ceil<Millis>(until - Clock::now());
    if (left <= Millis(0)) return ETIMEDOUT;
    pollfd event{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    const auto count = ::poll(&event, 1, static_cast<int>(std::min(left, glance).count()));
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

}  // namespace

Result<Reached> dial(const Endpoint& endpoint, Millis timeout, const std::stop_token& stop) {
  RELAB_TRY(const auto address, parse(endpoint));
  const Fd fd(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return reached(errno);
  if (::connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0) return reached(0);
  if (errno != EINPROGRESS) return reached(errno);
  RELAB_TRY(const auto error, wait_for(fd, timeout, stop));
  return reached(error);
}

}  // namespace relab::agent
