#pragma once

/// Rehearsals on a terminal: what a run would look like, by simulated clocks.

#include <memory>
#include <optional>
#include <string>

#include "controller/cli/live/news.h"
#include "controller/cli/live/show.h"
#include "controller/cli/rehearse_text.h"
#include "controller/rehearsal/onlooker.h"

namespace relab::controller::cli {

/// One rehearsal. Its events are not lines that stay: the timeline tells them. Where lines cannot
/// be drawn anew nothing is to be seen but warnings.
class RehearsalShow final : public rehearsal::Onlooker {
 public:
  RehearsalShow(Printer& out, schema::Lab::Reader lab) : out_(out), quiet_(out), lab_(lab) {}

  Narrator& begins(const rehearsal::RehearsedPhase& phase) override;
  Result<void> passes(const rehearsal::Stage& stage, const Engine& engine, Millis since) override;
  void ends() override { show_.reset(); }

 private:
  Printer& out_;
  QuietNarrator quiet_;
  schema::Lab::Reader lab_;
  std::string phase_;
  std::optional<LiveNews> news_;
  std::optional<LiveShow> show_;
  Instant looked_{};
  /// How often steps had told something when it was drawn last.
  std::uint64_t drawn_at_ = 0;
};

/// How many of them are done.
class ChaosShow {
 public:
  ChaosShow(Printer& out, unsigned count);
  ChaosShow(const ChaosShow&) = delete;
  ChaosShow& operator=(const ChaosShow&) = delete;
  ~ChaosShow();

  void tell(unsigned done, unsigned recovered, unsigned stopped, unsigned wrong);

 private:
  Printer& out_;
  unsigned count_;
  std::unique_ptr<Screen> screen_;
};

}  // namespace relab::controller::cli
