#include "controller/cli/live/show.h"

#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include "controller/report/escape.h"

namespace relab::controller::cli {

namespace {

constexpr auto frame_interval = Millis(250);

Screen::Size size_of_terminal() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

std::unique_ptr<Screen> terminal_screen() {
  return std::make_unique<Screen>([](std::string_view bytes) { std::cerr << bytes << std::flush; },
                                  size_of_terminal);
}

std::string step_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string track_name(const std::string& path) {
  const auto first = path.find('/');
  return path.substr(first + 1, path.rfind('/') - first - 1);
}

LiveShow::LiveShow(Printer& out, std::string title, Narrator& lines)
    : out_(out), lines_(lines), title_(std::move(title)), screen_(terminal_screen()) {
  const auto* no_color = std::getenv("NO_COLOR");
  style_.colour = no_color == nullptr || *no_color == '\0';
  out_.keep_above(screen_.get());
}

LiveShow::~LiveShow() { out_.keep_above(nullptr); }

void LiveShow::agent_up(const std::string& agent, const Greeting& greeting) {
  there_.insert(agent);
  away_.erase(agent);
  lines_.agent_up(agent, greeting);
}

void LiveShow::agent_down(const std::string& agent, const Error& why) {
  there_.erase(agent);
  away_[agent] = visible(why.what);
  lines_.agent_down(agent, why);
}

void LiveShow::step_changed(const StepRun& run) {
  if (run.ended()) doing_.erase(run.step.path);
  lines_.step_changed(run);
}

void LiveShow::progress(const StepRun& run, schema::Progress::Reader progress, Millis at) {
  const auto what = visible(view(progress.getWhat()));
  auto& doing = doing_[run.step.path];
  if (view(progress.getUnit()) != "bytes") {
    doing = {.what = what, .pace = {}};
    return;
  }
  if (doing.what != what || !doing.pace) doing = {.what = what, .pace = Pace()};
  doing.pace->add({.done = progress.getDone(), .total = progress.getTotal(), .at = at});
}

LiveView LiveShow::view_of(const Engine& engine, Millis since) const {
  LiveView view{
      .title = title_, .since = since, .tracks = {}, .away = away_, .open_conditions = conditions_};
  for (const auto& track : engine.tracks()) {
    if (track.empty()) continue;
    LiveTrack shown{.name = track_name(track[0].step.path),
                    .agent = track[0].step.agent,
                    .agent_there = there_.contains(track[0].step.agent),
                    .steps = {}};
    for (const auto& run : track) {
      LiveStep step{.name = step_name(run.step.path),
                    .state = run.state,
                    .wait = run.wait,
                    .why = visible(run.why),
                    .doing = {},
                    .pace = {}};
      if (const auto doing = doing_.find(run.step.path); doing != doing_.end()) {
        step.doing = doing->second.what;
        step.pace = doing->second.pace;
      }
      shown.steps.push_back(std::move(step));
    }
    view.tracks.push_back(std::move(shown));
  }
  return view;
}

void LiveShow::redraw(const Engine& engine, Millis since, Instant now) {
  if (now - drawn_ < frame_interval) return;
  drawn_ = now;
  screen_->draw(render_live(view_of(engine, since), screen_->size().rows, style_));
}

}  // namespace relab::controller::cli
