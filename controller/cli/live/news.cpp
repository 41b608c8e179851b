#include "controller/cli/live/news.h"

#include "common/wire/message.h"
#include "controller/report/escape.h"

namespace relab::controller::cli {

std::string step_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string track_name(const std::string& path) {
  const auto first = path.find('/');
  return path.substr(first + 1, path.rfind('/') - first - 1);
}

void LiveNews::agent_up(const std::string& agent, const Greeting& greeting) {
  there_.insert(agent);
  away_.erase(agent);
  lines_.agent_up(agent, greeting);
}

void LiveNews::agent_down(const std::string& agent, const Error& why) {
  there_.erase(agent);
  away_[agent] = visible(why.what);
  lines_.agent_down(agent, why);
}

void LiveNews::step_changed(const StepRun& run) {
  if (run.ended()) doing_.erase(run.step.path);
  lines_.step_changed(run);
}

void LiveNews::progress(const StepRun& run, schema::Progress::Reader progress, Millis at) {
  const auto what = visible(relab::view(progress.getWhat()));
  ++told_;
  auto& doing = doing_[run.step.path];
  if (relab::view(progress.getUnit()) != "bytes") {
    doing = {.what = what, .pace = {}};
    return;
  }
  if (doing.what != what || !doing.pace) doing = {.what = what, .pace = Pace()};
  doing.pace->add({.done = progress.getDone(), .total = progress.getTotal(), .at = at});
}

LiveView LiveNews::view(const Engine& engine, Millis since) const {
  LiveView view{.title = title_,
                .since = since,
                .tracks = {},
                .there = there_,
                .away = away_,
                .open_conditions = conditions_};
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

}  // namespace relab::controller::cli
