#pragma once

/// What agents and steps tell of themselves while a run goes on, kept for whoever wants to see it.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/cli/live/view.h"
#include "controller/run/driver.h"

namespace relab::controller::cli {

class LiveNews final : public Narrator {
 public:
  /// What happens is told to `lines` as well, which is borrowed; that it still goes on only where
  /// nobody sees that.
  enum class Seen { here, elsewhere };
  LiveNews(std::string title, Narrator& lines, Seen seen)
      : lines_(lines), title_(std::move(title)), seen_(seen) {}

  /// What gates further on still wait for.
  void tell_open_conditions(std::vector<std::string> conditions) {
    conditions_ = std::move(conditions);
  }
  LiveView view(const Engine& engine, Millis since) const;
  /// How often a step has told how far it is.
  std::uint64_t told() const { return told_; }

  void agent_up(const std::string& agent, const Greeting& greeting) override;
  void agent_down(const std::string& agent, const Error& why) override;
  void step_changed(const StepRun& run) override;
  void progress(const StepRun& run, schema::Progress::Reader progress, Millis at) override;
  void still_waiting(const Engine& engine, Millis since) override {
    if (seen_ == Seen::elsewhere) lines_.still_waiting(engine, since);
  }
  void warn(const std::string& what) override { lines_.warn(what); }
  void enrolled(const std::string& agent, const Party& party) override {
    lines_.enrolled(agent, party);
  }

 private:
  struct Doing {
    std::string what;
    std::optional<Pace> pace;
  };

  Narrator& lines_;
  std::string title_;
  Seen seen_;
  /// By the step's path.
  std::map<std::string, Doing> doing_;
  std::set<std::string> there_;
  std::map<std::string, std::string> away_;
  std::vector<std::string> conditions_;
  std::uint64_t told_ = 0;
};

/// Of "0b/usb/write", the last part.
std::string step_name(const std::string& path);
/// Of "0b/usb/write", the one in the middle.
std::string track_name(const std::string& path);

}  // namespace relab::controller::cli
