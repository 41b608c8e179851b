#pragma once

/// A run on a terminal: events as lines that stay, and below them how everything is right now.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/cli/live/screen.h"
#include "controller/cli/live/view.h"
#include "controller/cli/printer.h"
#include "controller/run/driver.h"

namespace relab::controller::cli {

/// The screen that standard error is.
std::unique_ptr<Screen> terminal_screen();

class LiveShow final : public Narrator {
 public:
  /// Whatever the printer prints goes above it as long as this lives.
  /// What happens is told to `lines` as well, which is borrowed.
  LiveShow(Printer& out, std::string title, Narrator& lines);
  LiveShow(const LiveShow&) = delete;
  LiveShow& operator=(const LiveShow&) = delete;
  ~LiveShow() override;

  /// Draws it anew, a few times a second at most.
  void redraw(const Engine& engine, Millis since, Instant now);
  /// Takes it off the terminal: what is printed now is the end.
  void finish() { screen_->clear(); }
  /// What gates further on still wait for.
  void tell_open_conditions(std::vector<std::string> conditions) {
    conditions_ = std::move(conditions);
  }

  void agent_up(const std::string& agent, const Greeting& greeting) override;
  void agent_down(const std::string& agent, const Error& why) override;
  void step_changed(const StepRun& run) override;
  void progress(const StepRun& run, schema::Progress::Reader progress, Millis at) override;
  /// It is to be seen.
  void still_waiting(const Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& what) override { lines_.warn(what); }
  void enrolled(const std::string& agent, const Party& party) override {
    lines_.enrolled(agent, party);
  }

 private:
  struct Doing {
    std::string what;
    std::optional<Pace> pace;
  };
  LiveView view_of(const Engine& engine, Millis since) const;

  Printer& out_;
  Narrator& lines_;
  std::string title_;
  std::unique_ptr<Screen> screen_;
  Style style_;
  /// By the step's path.
  std::map<std::string, Doing> doing_;
  std::set<std::string> there_;
  std::map<std::string, std::string> away_;
  std::vector<std::string> conditions_;
  Instant drawn_{};
};

/// Of "0b/usb/write", the last part.
std::string step_name(const std::string& path);
/// Of "0b/usb/write", the one in the middle.
std::string track_name(const std::string& path);

}  // namespace relab::controller::cli
