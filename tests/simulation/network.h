#pragma once

/// A network that loses, doubles, delays and reorders, can be cut, and has somebody on it who keeps
/// what he hears and says it again, to whomever he likes.

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/link/server.h"
#include "controller/link/link.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/plant.h"
#include "tests/simulation/timeline.h"
#include "tests/simulation/watch.h"

namespace relab::sim {

/// One in so many frames; 0: none.
struct Weather {
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t hostile = 0;
  Millis delay_most = Millis(2);
};

/// The way between the controller and one agent.
struct Line {
  /// Of the connection that stands; 0: none does.
  std::uint64_t connection = 0;
  /// What a double that calls an old connection a new one adds to its name.
  std::uint64_t alias = 0;
  Instant made = {};
  bool cut = false;
  bool agent_lives = false;
  std::deque<Bytes> to_controller = {};
};

class Network {
 public:
  /// `deliver` hands a frame to an agent that lives.
  using Deliver = std::function<void(std::size_t agent, const agent::Incoming& incoming)>;

  Network(Timeline& timeline, Chance& chance, Watch& watch, std::size_t agents);

  Weather weather;
  Plant plant = Plant::none;
  Deliver deliver;
  /// The CURVE keys under which frames arrive: the controller's, and the stranger's.
  std::string controller_key;
  std::string stranger_key;
  /// An order signed by the stranger, for this agent.
  std::function<Bytes(std::size_t agent, ByteView heard)> forge;

  Line& line(std::size_t agent) { return lines_[agent]; }
  std::size_t size() const { return lines_.size(); }
  std::string route(std::size_t agent) const;
  /// The number of a new connection, or 0 if none can be made now.
  std::uint64_t connect(std::size_t agent);
  void cut(std::size_t agent);
  void heal(std::size_t agent) { lines_[agent].cut = false; }
  void controller_dies();
  void agent_dies(std::size_t agent);

  Result<void> to_agent(std::size_t agent, std::uint64_t connection, ByteView frame);
  Result<void> to_controller(std::size_t agent, const std::string& route, ByteView frame);

 private:
  /// When copies of a frame arrive: none, one or two of them.
  std::vector<Millis> fate();
  void tell_of_confirm(std::size_t agent, ByteView frame);
  void arrive(std::size_t agent, std::uint64_t connection, Bytes frame, const std::string& key);
  void arrive_back(std::size_t agent, std::uint64_t connection, Bytes frame);
  void meddle(std::size_t agent, ByteView frame);
  void meddle_back(std::size_t agent, ByteView frame);
  Bytes altered(ByteView frame);
  void keep(std::deque<Bytes>& heard, ByteView frame);

  Timeline& timeline_;
  Chance& chance_;
  Watch& watch_;
  std::vector<Line> lines_;
  std::uint64_t connections_ = 0;
  std::deque<Bytes> heard_;
  std::deque<Bytes> heard_back_;
};

/// The controller's end of one line, in one life of the controller.
class SimLink final : public controller::Link {
 public:
  SimLink(Network& network, const Timeline& timeline, std::size_t agent)
      : network_(network), timeline_(timeline), agent_(agent) {}

  void tend() override;
  bool up() const override { return connection_ != 0; }
  unsigned generation() const override { return generation_; }
  controller::Trouble trouble() const override {
    return up() ? controller::Trouble::none : controller::Trouble::unreachable;
  }
  void redial() override;
  std::optional<Bytes> receive() override;
  Result<void> send(ByteView frame) override;

 private:
  Network& network_;
  const Timeline& timeline_;
  std::size_t agent_;
  std::uint64_t connection_ = 0;
  unsigned generation_ = 0;
  Instant redial_ = {};
};

}  // namespace relab::sim
