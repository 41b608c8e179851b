#include "controller/link/zmq_exchange.h"

#include "common/wire/poll.h"

namespace relab::controller {

Link& ZmqExchange::dial(Dial dial) {
  return *clients_.emplace_back(std::make_unique<Client>(context_, std::move(dial)));
}

void ZmqExchange::wait(int fd, Millis timeout) {
  std::vector<zmq::pollitem_t> items;
  if (fd >= 0) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  for (const auto& client : clients_) {
    items.push_back({client->frames_handle(), 0, ZMQ_POLLIN, 0});
    items.push_back({client->events_handle(), 0, ZMQ_POLLIN, 0});
  }
  wait_for(items, timeout);
}

}  // namespace relab::controller
