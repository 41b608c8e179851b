#pragma once

/// A run on a terminal: below the lines that stay, how everything is right now.

#include <memory>

#include "common/base/time.h"
#include "controller/cli/live/screen.h"
#include "controller/cli/live/view.h"
#include "controller/cli/printer.h"

namespace relab::controller::cli {

/// The screen that standard error is.
std::unique_ptr<Screen> terminal_screen();

class LiveShow {
 public:
  /// Whatever the printer prints goes above it as long as this lives.
  explicit LiveShow(Printer& out);
  LiveShow(const LiveShow&) = delete;
  LiveShow& operator=(const LiveShow&) = delete;
  ~LiveShow();

  /// It is drawn a few times a second at most.
  bool is_due(Instant now) const;
  void draw(const LiveView& view, Instant now);
  /// Takes it off the terminal: what is printed now is the end.
  void finish() { screen_->clear(); }

 private:
  Printer& out_;
  std::unique_ptr<Screen> screen_;
  Style style_;
  Instant drawn_{};
};

}  // namespace relab::controller::cli
