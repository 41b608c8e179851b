#include "controller/cli/live/rehearsal_show.h"

#include <fmt/format.h>

#include "controller/gates/gate.h"
#include "controller/rehearsal/rehearsal.h"

namespace relab::controller::cli {

namespace {

constexpr auto look_interval = Millis(1000);
constexpr std::size_t bar_columns = 30;
/// Long steps tell fifty times and more how far they are.
constexpr std::uint64_t told_each_frame = 10;

}  // namespace

Narrator& RehearsalShow::begins(const rehearsal::RehearsedPhase& phase) {
  phase_ = phase.name;
  looked_ = {};
  drawn_at_ = 0;
  if (!out_.is_lively()) {
    out_.note(fmt::format("rehearsing phase {}  {}", phase.name, phase.title));
    return quiet_;
  }
  show_.emplace(out_);
  return news_.emplace(fmt::format("Rehearsal of {}  {}", phase.name, phase.title), quiet_,
                       LiveNews::Seen::here);
}

Result<void> RehearsalShow::passes(const rehearsal::Stage& stage, const Engine& engine,
                                   Millis since) {
  if (!show_) return {};
  const auto now = wall_clock();
  // Hours may pass between two frames.
  if (!show_->is_due(now) && news_->told() - drawn_at_ < told_each_frame) return {};
  drawn_at_ = news_->told();
  if (now - looked_ >= look_interval) {
    looked_ = now;
    news_->tell_open_conditions(open_behind(phase_, stage.evidences(lab_)));
  }
  show_->draw(news_->view(engine, since), now);
  return {};
}

ChaosShow::ChaosShow(Printer& out, unsigned count)
    : out_(out), count_(count), screen_(out.is_lively() ? terminal_screen() : nullptr) {
  out_.keep_above(screen_.get());
}

ChaosShow::~ChaosShow() { out_.keep_above(nullptr); }

void ChaosShow::tell(unsigned done, unsigned recovered, unsigned stopped, unsigned wrong) {
  if (screen_ == nullptr) return;
  screen_->draw({fmt::format("{}  {} of {} rehearsals: {} recovered, {} stopped, {} wrong",
                             progress_bar(done, count_, bar_columns), done, count_, recovered,
                             stopped, wrong)});
}

}  // namespace relab::controller::cli
