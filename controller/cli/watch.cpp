// What another `relab` is doing, by the ledger that it writes and by what it shows of itself:
// nothing is asked of agents, and nothing changed.

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <poll.h>

#include "common/base/signals.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/live/live_file.h"
#include "controller/cli/live/news.h"
#include "controller/cli/live/show.h"
#include "controller/report/escape.h"

namespace relab::controller::cli {

namespace {

namespace fs = std::filesystem;

constexpr auto look_interval = Millis(1000);

/// The ledger's files as they are: what is not so any more is worth reading.
std::string stamp_of(const fs::path& ledger) {
  std::string stamp;
  for (const auto* ending : {"", "-wal"}) {
    std::error_code error;
    const fs::path file = ledger.string() + ending;
    const auto size = fs::file_size(file, error);
    if (error) continue;
    const auto time = fs::last_write_time(file, error);
    stamp += fmt::format("{} {} ", size, time.time_since_epoch().count());
  }
  return stamp;
}

StepState state_of(const TaskRecord& task) {
  if (!task.refusal.empty() || !task.abandoned.empty()) return StepState::failed;
  if (!task.evidence) return StepState::ordered;
  const bool succeeded = task.evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED;
  return succeeded ? StepState::succeeded : StepState::failed;
}

std::string why_of(const TaskRecord& task) {
  if (!task.refusal.empty()) return visible(task.refusal);
  if (!task.abandoned.empty()) return visible(task.abandoned);
  if (!task.evidence) return {};
  return visible(view(task.evidence->report.reader().getFailure().getWhat()));
}

/// Behind a step that failed nothing more comes in its track.
void block_behind_failures(LiveTrack& track) {
  bool failed = false;
  for (auto& step : track.steps) {
    if (failed && step.state == StepState::waiting) step.state = StepState::blocked;
    failed = failed || step.state == StepState::failed;
  }
}

/// By the lab file that the run was begun with.
Result<LiveView> view_of(const RunRecord& run, const State& state, Instant now) {
  RELAB_TRY(const auto lab, Message<schema::Lab>::parse(run.lab));
  RELAB_TRY(const auto plan, compile_part(lab.reader(), {.phase = run.phase, .track = run.track}));
  LiveView shown{
      .title = fmt::format("{}  {}{}", run.phase, plan.title, run.check ? " (check)" : ""),
      .since = now - run.started,
      .tracks = {},
      .away = {},
      .open_conditions = {}};
  for (const auto& track : plan.tracks) {
    if (track.empty()) continue;
    LiveTrack row{.name = track_name(track[0].path), .agent = track[0].agent, .steps = {}};
    for (const auto& step : track) {
      LiveStep cell{.name = step_name(step.path)};
      for (const auto* task : state.tasks_of(run.id)) {
        if (task->step != step.path) continue;
        cell.state = state_of(*task);
        cell.why = why_of(*task);
      }
      row.steps.push_back(std::move(cell));
    }
    block_behind_failures(row);
    shown.tracks.push_back(std::move(row));
  }
  return shown;
}

bool has_succeeded(const LiveView& shown) {
  return std::ranges::all_of(shown.tracks, [](const auto& track) {
    return std::ranges::all_of(track.steps,
                               [](const auto& step) { return step.state == StepState::succeeded; });
  });
}

class Watch {
 public:
  Watch(Context& context, std::string lab) : context_(context), lab_(std::move(lab)) {
    if (!context_.out().is_lively()) return;
    screen_ = terminal_screen();
    context_.out().keep_above(screen_.get());
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { context_.out().keep_above(nullptr); }

  ExitCode go() {
    const Signals signals;
    for (;;) {
      if (const auto looked = look(); !looked) return end(context_.failed(looked.error()));
      if (followed_.empty()) {
        context_.out().line("No run is open: there is nothing to watch.");
        return end(ExitCode::done);
      }
      if (open_ == 0) return end(all_succeeded_ ? ExitCode::done : ExitCode::failed);
      if (!context_.out().healthy()) return end(ExitCode::failed);
      pollfd waited{.fd = signals.fd(), .events = POLLIN, .revents = 0};
      ::poll(&waited, 1, static_cast<int>(look_interval.count()));
      if (signals.take()) return end(ExitCode::detached);
    }
  }

 private:
  ExitCode end(ExitCode code) {
    if (screen_) screen_->clear();
    return code;
  }

  Result<void> look() {
    const auto stamp = stamp_of(context_.ledger_file(lab_));
    if (stamp != stamp_ || views_.empty()) RELAB_CHECK(read());
    stamp_ = stamp;
    for (auto& [run, shown] : views_) shown.since = wall_clock() - started_.at(run);
    draw();
    return {};
  }

  Result<void> read() {
    RELAB_TRY(const auto book, context_.read_book(lab_));
    const auto& state = book.state();
    for (const auto* run : state.open_runs()) followed_.insert(run->id);
    open_ = 0;
    all_succeeded_ = true;
    views_.clear();
    for (const auto& id : followed_) {
      const auto* run = state.run(id);
      RELAB_TRY(auto shown, view_of(*run, state, wall_clock()));
      tell_changes(run->phase, shown);
      all_succeeded_ = all_succeeded_ && has_succeeded(shown);
      if (run->ended) {
        tell_end(*run);
        continue;
      }
      ++open_;
      started_[id] = run->started;
      views_.emplace(id, std::move(shown));
    }
    return {};
  }

  void tell_changes(const std::string& phase, const LiveView& shown) {
    for (const auto& track : shown.tracks)
      for (const auto& step : track.steps) {
        const auto path = fmt::format("{}/{}/{}", phase, track.name, step.name);
        auto& last = told_[path];
        if (last == step.state) continue;
        last = step.state;
        context_.out().line(fmt::format("{:10} {}{}", name(step.state), path,
                                        step.why.empty() ? "" : ": " + step.why));
      }
  }

  void tell_end(const RunRecord& run) {
    if (!ended_.insert(run.id).second) return;
    context_.out().line(fmt::format("run {} of {} has ended", run.id.brief(),
                                    Part{.phase = run.phase, .track = run.track}.text()));
  }

  void draw() {
    if (!screen_) return;
    std::vector<std::string> lines;
    const auto rows = screen_->size().rows / std::max<std::size_t>(views_.size(), 1);
    auto style = context_.out().style();
    style.width = screen_->size().columns;
    for (const auto& [run, shown] : views_) {
      // Who carries the run on knows more of it than the ledger.
      auto live = read_live(context_.state_dir(lab_), run, wall_clock());
      if (live) live->since = shown.since;
      auto block = render_live(live ? *live : shown, rows, style);
      lines.insert(lines.end(), block.begin(), block.end());
    }
    screen_->draw(std::move(lines));
  }

  Context& context_;
  std::string lab_;
  std::unique_ptr<Screen> screen_;
  std::string stamp_;
  /// Every run that was open at one time.
  std::set<RunId> followed_;
  std::set<RunId> ended_;
  std::map<RunId, LiveView> views_;
  std::map<RunId, Instant> started_;
  /// By the step's path; those that were never told wait.
  std::map<std::string, StepState> told_;
  std::size_t open_ = 0;
  /// As it is now: what failed may be tried again.
  bool all_succeeded_ = true;
};

}  // namespace

ExitCode watch(const Values& /*values*/, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  return Watch(context, str(lab->reader().getName())).go();
}

}  // namespace relab::controller::cli
