#pragma once

/// What a run tells while it goes on: one line per event; it may stand in a log file as well as on
/// a terminal.

#include <map>
#include <string>

#include "controller/cli/printer.h"
#include "controller/report/pace.h"
#include "controller/run/driver.h"

namespace relab::controller::cli {

class LineNarrator final : public Narrator {
 public:
  explicit LineNarrator(Printer& out) : out_(out) {}

  void agent_up(const std::string& agent, const Greeting& greeting) override;
  void agent_down(const std::string& agent, const Error& why) override;
  void step_changed(const StepRun& run) override;
  void progress(const StepRun& run, schema::Progress::Reader progress, Millis at) override;
  void still_waiting(const Engine& engine, Millis since) override;
  void warn(const std::string& what) override;
  void enrolled(const std::string& agent, const Party& party) override;

 private:
  /// What a step does at the moment, and how fast.
  struct Doing {
    std::string what;
    Pace pace;
  };

  Printer& out_;
  /// By the step's path.
  std::map<std::string, Doing> doing_;
};

}  // namespace relab::controller::cli
