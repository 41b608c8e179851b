#pragma once

/// Connections of a controller with actors: nothing takes time, and nothing is lost but where an
/// actor's machine is not reached.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/link/server.h"
#include "controller/link/link.h"
#include "controller/rehearsal/tone.h"

namespace relab::rehearsal {

/// Gives an actor a frame.
using Hear = std::function<void(const agent::Incoming& incoming)>;

class StageExchange final : public controller::Exchange {
 public:
  controller::Link& dial(controller::Dial dial) override;

  /// Somebody answers there from now on.
  void answer(const std::string& endpoint, Hear hear) { actors_[endpoint] = std::move(hear); }
  /// Whether the machine of who answers there is reached now; it is, unless something else is said.
  using Reached = std::function<bool(const std::string& endpoint)>;
  void reached(Reached reached) { reached_ = std::move(reached); }
  /// Nobody does any more.
  void silence(const std::string& endpoint) { actors_.erase(endpoint); }
  /// From an actor: to the connection over which it heard what it answers. Fault::unreachable if
  /// that is gone.
  Result<void> deliver(const std::string& route, ByteView frame, Tone tone);
  /// The controller ends: its connections end with it.
  void hang_up() { links_.clear(); }
  /// Whether a frame waits for the controller.
  bool waiting() const;
  /// How often anybody had news.
  std::uint64_t news() const { return news_; }

 private:
  class StageLink final : public controller::Link {
   public:
    StageLink(StageExchange& exchange, controller::Dial dial, std::string route)
        : exchange_(exchange), dial_(std::move(dial)), route_(std::move(route)) {}
    /// What comes back is another connection.
    void tend() override {
      if (up() && was_down_) ++generation_;
      was_down_ = !up();
    }
    bool up() const override { return exchange_.is_there(dial_.endpoint); }
    unsigned generation() const override { return up() ? generation_ : 0; }
    controller::Trouble trouble() const override {
      return up() ? controller::Trouble::none : controller::Trouble::unreachable;
    }
    void redial() override { ++generation_; }
    std::optional<Bytes> receive() override;
    Result<void> send(ByteView frame) override;

    const std::string& endpoint() const { return dial_.endpoint; }

    std::deque<Bytes> incoming;

   private:
    StageExchange& exchange_;
    controller::Dial dial_;
    std::string route_;
    unsigned generation_ = 1;
    bool was_down_ = false;
  };
  bool is_there(const std::string& endpoint) const {
    return actors_.contains(endpoint) && reached_(endpoint);
  }

  std::map<std::string, Hear> actors_;
  Reached reached_ = [](const std::string& /*endpoint*/) { return true; };
  /// By route.
  std::map<std::string, std::unique_ptr<StageLink>> links_;
  unsigned last_ = 0;
  std::uint64_t news_ = 0;
};

}  // namespace relab::rehearsal
