#include "controller/rehearsal/exchange.h"

#include <algorithm>

namespace relab::rehearsal {

controller::Link& StageExchange::dial(controller::Dial dial) {
  const auto route = "line " + std::to_string(++last_);
  auto& link = links_[route];
  link = std::make_unique<StageLink>(*this, std::move(dial), route);
  return *link;
}

Result<void> StageExchange::deliver(const std::string& route, ByteView frame, Tone tone) {
  // What was asked over a connection before is answered over the one that took its place.
  const auto link = links_.find(route.substr(0, route.find('#')));
  if (link == links_.end()) return fail(Fault::unreachable, "that connection is gone");
  if (!reached_(link->second->endpoint()))
    return fail(Fault::unreachable, "nothing comes through from " + link->second->endpoint());
  link->second->incoming.emplace_back(frame.begin(), frame.end());
  if (tone == Tone::news) ++news_;
  return {};
}

bool StageExchange::waiting() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& link) { return !link.second->incoming.empty(); });
}

std::optional<Bytes> StageExchange::StageLink::receive() {
  if (incoming.empty()) return {};
  auto frame = std::move(incoming.front());
  incoming.pop_front();
  return frame;
}

Result<void> StageExchange::StageLink::send(ByteView frame) {
  const auto actor = exchange_.actors_.find(dial_.endpoint);
  if (!exchange_.is_there(dial_.endpoint))
    return fail(Fault::unreachable, "nobody answers at " + dial_.endpoint);
  actor->second({.route = route_ + "#" + std::to_string(generation_),
                 .peer = dial_.own_public_z85,
                 .frame = Bytes(frame.begin(), frame.end())});
  return {};
}

}  // namespace relab::rehearsal
