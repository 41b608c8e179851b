#pragma once

/// What a run tells while it goes on: one line per event; it may stand in a log file as well as on
/// a terminal.

#include <map>
#include <string>

#include "controller/cli/printer.h"
#include "controller/run/driver.h"

namespace relab::controller::cli {

class LineNarrator final : public Narrator {
 public:
  explicit LineNarrator(Printer& out) : out_(out) {}

  void agent_up(const std::string& agent, const Greeting& greeting) override;
  void agent_down(const std::string& agent, const Error& why) override;
  void step_changed(const StepRun& run) override;
  void progress(const StepRun& run, std::uint64_t steps, const std::string& what) override;
  void still_waiting(const Engine& engine, Millis since) override;
  void warn(const std::string& what) override;

 private:
  Printer& out_;
  std::map<std::string, std::string> doing_;
};

}  // namespace relab::controller::cli
