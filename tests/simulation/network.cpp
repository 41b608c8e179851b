#include "tests/simulation/network.h"

#include <fmt/format.h>
#include <string>

#include "common/wire/envelope.h"

namespace relab::sim {

namespace {

/// As long as heartbeats take to notice that nothing comes back.
constexpr auto silence = Millis(10'000);
constexpr auto redial_pause = Millis(300);
constexpr std::size_t heard_most = 64;

}  // namespace

Network::Network(Timeline& timeline, Chance& chance, Watch& watch, std::size_t agents)
    : timeline_(timeline), chance_(chance), watch_(watch), lines_(agents) {}

std::uint64_t Network::connect(std::size_t agent) {
  auto& line = lines_[agent];
  if (line.cut || !line.agent_lives) return 0;
  line.to_controller.clear();
  line.made = timeline_.now();
  return line.connection = ++connections_;
}

std::string Network::route(std::size_t agent) const {
  return fmt::format("{}/{}", lines_[agent].connection, lines_[agent].alias);
}

void Network::cut(std::size_t agent) {
  ++watch_.counts.cuts;
  lines_[agent].cut = true;
  // Either somebody says so at once, or both sides have to find out.
  const auto notice = chance_.one_in(2) ? Millis(0) : silence;
  timeline_.after(notice, [this, agent, broken = lines_[agent].connection] {
    auto& line = lines_[agent];
    if (line.cut && line.connection == broken) line.connection = 0;
  });
}

void Network::controller_dies() {
  for (auto& line : lines_) line.connection = 0;
}

void Network::agent_dies(std::size_t agent) {
  lines_[agent].agent_lives = false;
  lines_[agent].connection = 0;
}

std::vector<Millis> Network::fate() {
  ++watch_.counts.frames;
  std::vector<Millis> copies;
  if (weather.lost == 0 || !chance_.one_in(weather.lost))
    copies.push_back(chance_.between(Millis(1), weather.delay_most));
  else
    ++watch_.counts.lost;
  if (weather.doubled != 0 && chance_.one_in(weather.doubled)) {
    ++watch_.counts.doubled;
    copies.push_back(chance_.between(Millis(1), weather.delay_most * 4));
  }
  return copies;
}

void Network::arrive(std::size_t agent, std::uint64_t connection, Bytes frame,
                     const std::string& key) {
  const auto& line = lines_[agent];
  if (line.cut || !line.agent_lives || line.connection != connection) return;
  if (key == controller_key) tell_of_confirm(agent, frame);
  deliver(agent, {.route = route(agent), .peer = key, .frame = std::move(frame)});
}

void Network::tell_of_confirm(std::size_t agent, ByteView frame) {
  const auto outer = Message<schema::Envelope>::parse(frame);
  if (!outer || view(outer->reader().getPayloadType()) != PayloadType<schema::Confirm>::name)
    return;
  const auto confirm = Message<schema::Confirm>::parse(view(outer->reader().getPayload()));
  if (!confirm) return;
  if (const auto task = TaskId::from(view(confirm->reader().getTaskId())))
    watch_.confirm_arrives(*task, lines_[agent].made);
}

void Network::arrive_back(std::size_t agent, std::uint64_t connection, Bytes frame) {
  auto& line = lines_[agent];
  if (!line.cut && line.connection == connection) line.to_controller.push_back(std::move(frame));
}

Result<void> Network::to_agent(std::size_t agent, std::uint64_t connection, ByteView frame) {
  if (lines_[agent].connection != connection)
    return fail(Fault::unreachable, "the connection is down");
  for (const auto pause : fate())
    timeline_.after(pause, [this, agent, connection, copy = Bytes(frame.begin(), frame.end())] {
      arrive(agent, connection, copy, controller_key);
    });
  keep(heard_, frame);
  if (weather.hostile != 0 && chance_.one_in(weather.hostile)) meddle(agent, frame);
  return {};
}

Result<void> Network::to_controller(std::size_t agent, const std::string& route, ByteView frame) {
  const auto connection = lines_[agent].connection;
  if (connection == 0 || this->route(agent) != route)
    return fail(Fault::unreachable, "the connection is gone");
  for (const auto pause : fate())
    timeline_.after(pause, [this, agent, connection, copy = Bytes(frame.begin(), frame.end())] {
      arrive_back(agent, connection, copy);
    });
  keep(heard_back_, frame);
  if (weather.hostile != 0 && chance_.one_in(weather.hostile)) meddle_back(agent, frame);
  return {};
}

void Network::keep(std::deque<Bytes>& heard, ByteView frame) {
  heard.emplace_back(frame.begin(), frame.end());
  if (heard.size() > heard_most)
    heard.erase(heard.begin() + static_cast<long>(chance_.below(heard_most)));
}

Bytes Network::altered(ByteView frame) {
  Bytes copy(frame.begin(), frame.end());
  switch (chance_.below(3)) {
    case 0:
      copy.resize(chance_.below(copy.size()));
      break;
    default:
      copy[chance_.below(copy.size())] ^= static_cast<std::uint8_t>(1U << chance_.below(8));
  }
  return copy;
}

void Network::meddle(std::size_t agent, ByteView frame) {
  ++watch_.counts.hostile;
  auto to = chance_.one_in(2) ? agent : chance_.below(lines_.size());
  auto key = controller_key;
  Bytes said;
  switch (chance_.below(4)) {
    case 0:
      said = altered(frame);
      break;
    case 1:
      said = forge(to, frame);
      key = chance_.one_in(2) ? stranger_key : controller_key;
      break;
    default:
      said = heard_[chance_.below(heard_.size())];
  }
  timeline_.after(chance_.between(Millis(0), Millis(20'000)),
                  [this, to, key, said] { arrive(to, lines_[to].connection, said, key); });
}

void Network::meddle_back(std::size_t agent, ByteView frame) {
  ++watch_.counts.hostile;
  const auto from = chance_.one_in(2) ? agent : chance_.below(lines_.size());
  const auto said =
      chance_.one_in(3) ? altered(frame) : heard_back_[chance_.below(heard_back_.size())];
  timeline_.after(chance_.between(Millis(0), Millis(20'000)),
                  [this, from, said] { arrive_back(from, lines_[from].connection, said); });
}

void SimLink::tend() {
  auto& line = network_.line(agent_);
  if (connection_ != 0 && line.connection != connection_) {
    connection_ = 0;
    redial_ = timeline_.now() + redial_pause;
  }
  if (connection_ != 0 || timeline_.now() < redial_) return;
  connection_ = network_.connect(agent_);
  if (connection_ != 0) ++generation_;
}

void SimLink::redial() {
  if (connection_ == 0) return;
  if (network_.plant == Plant::confirm_over_old_line) {
    ++network_.line(agent_).alias;
    ++generation_;
    return;
  }
  network_.line(agent_).connection = 0;
  connection_ = 0;
  redial_ = timeline_.now() + redial_pause;
}

std::optional<Bytes> SimLink::receive() {
  auto& waiting = network_.line(agent_).to_controller;
  if (connection_ == 0 || waiting.empty()) return {};
  auto frame = std::move(waiting.front());
  waiting.pop_front();
  return frame;
}

Result<void> SimLink::send(ByteView frame) {
  if (connection_ == 0) return fail(Fault::unreachable, "the connection is down");
  return network_.to_agent(agent_, connection_, frame);
}

}  // namespace relab::sim
