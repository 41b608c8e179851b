#include "controller/cli/live/rehearsal_show.h"

#include <fmt/format.h>

#include "controller/gates/gate.h"
#include "controller/rehearsal/rehearsal.h"

namespace relab::controller::cli {

namespace {

constexpr auto look_interval = Millis(1000);
constexpr std::size_t bar_columns = 30;

}  // namespace

Narrator& RehearsalShow::begins(const rehearsal::RehearsedPhase& phase) {
  phase_ = phase.name;
  looked_ = {};
  if (!out_.is_lively()) return quiet_;
  return show_.emplace(out_, fmt::format("Rehearsal of {}  {}", phase.name, phase.title), quiet_);
}

Result<void> RehearsalShow::passes(const rehearsal::Stage& stage, const Engine& engine,
                                   Millis since) {
  if (!show_) return {};
  const auto now = wall_clock();
  if (now - looked_ >= look_interval) {
    looked_ = now;
    show_->tell_open_conditions(open_behind(phase_, stage.evidences(lab_)));
  }
  show_->redraw(engine, since, now);
  return {};
}

ChaosShow::ChaosShow(Printer& out, unsigned count)
    : out_(out), count_(count), screen_(out.is_lively() ? terminal_screen() : nullptr) {
  out_.keep_above(screen_.get());
}

ChaosShow::~ChaosShow() { out_.keep_above(nullptr); }

void ChaosShow::tell(unsigned done, unsigned recovered, unsigned wrong) {
  if (screen_ == nullptr) return;
  screen_->draw({fmt::format("{}  {} of {} rehearsals: {} recovered, {} stopped, {} wrong",
                             progress_bar(done, count_, bar_columns), done, count_, recovered,
                             done - recovered, wrong)});
}

}  // namespace relab::controller::cli
