#include "controller/cli/run_part.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/cli/narrate.h"
#include "controller/cli/run_ending.h"
#include "controller/cli/show_gate.h"
#include "controller/keys/key_file.h"

namespace relab::controller::cli {

namespace {

constexpr auto poll_time = Millis(100);
constexpr auto farewell_time = Millis(1000);

int weight(ExitCode code) {
  switch (code) {
    case ExitCode::done:
      return 0;
    case ExitCode::gate_closed:
      return 1;
    case ExitCode::person_needed:
      return 2;
    case ExitCode::unreachable:
      return 3;
    case ExitCode::failed:
      return 4;
    case ExitCode::usage:
      return 5;
    case ExitCode::detached:
      return 6;
  }
  return 7;
}

/// The agents keep the newest checkpoint, so that a ledger whose end is cut off is noticed. The
/// moment is also that of the last acknowledgements on their way.
void show_ledger(Driver& driver, ZmqExchange& exchange) {
  const auto until = now_of_system().steady + farewell_time;
  driver.show_ledger(now_of_system());
  while (!driver.ledger_was_shown(now_of_system()) && now_of_system().steady < until)
    exchange.wait(-1, Millis(20));
}

}  // namespace

ExitCode worse(ExitCode one, ExitCode other) { return weight(one) < weight(other) ? other : one; }

Result<OpenedLab> open_lab(Context& context, schema::Lab::Reader lab, const std::string& command) {
  const auto name = str(lab.getName());
  RELAB_TRY(auto lock, lock_lab(context.state_dir(name), command));
  RELAB_TRY(auto keys, context.keys());
  RELAB_TRY(const auto owner, read_owner(context.key_file()));
  RELAB_TRY(auto book, context.open_book(name));
  RELAB_CHECK(book.begin(keys, owner.name, name));
  return OpenedLab{.lock = std::move(lock), .keys = std::move(keys), .book = std::move(book)};
}

PartEnd PartRunner::failed(const Error& error) { return {.code = context_.failed(error)}; }

Result<Gate> PartRunner::gate_of(const std::string& phase) const {
  return judge_entry(phase, context_.evidences(lab_.reader(), opened_.book.state()));
}

Result<void> PartRunner::record_gate(const Gate& gate) {
  RELAB_CHECK(opened_.book.judged(gate));
  return opened_.book.checkpoint(opened_.keys);
}

std::optional<PartEnd> PartRunner::stopped_at_gate(const Part& part) {
  const auto gate = gate_of(part.phase);
  if (!gate) return failed(gate.error());
  if (const auto recorded = record_gate(*gate); !recorded) return failed(recorded.error());
  if (gate->open) return {};
  show(*gate, fmt::format("Gate of {}", part.phase), context_.out());
  return PartEnd{.code = ExitCode::gate_closed,
                 .value = {{"phase", part.phase}, {"gate", to_json(*gate)}}};
}

Result<void> PartRunner::close_run(const RunId& run) {
  const auto is_open = [](const auto* task) { return task->open(); };
  if (std::ranges::any_of(opened_.book.state().tasks_of(run), is_open)) {
    // Nobody may carry out what nobody wants any more.
    RELAB_CHECK(opened_.book.cancel_asked(run));
    if (drive(run, {}, Orders::none).code == ExitCode::detached)
      return fail(Fault::cancelled, "the run before was not ended yet");
  }
  if (opened_.book.state().run(run)->ended) return {};
  // Whoever is away hears of it first of all when he is back.
  for (const auto* task : opened_.book.state().tasks_of(run))
    if (task->open())
      RELAB_CHECK(opened_.book.abandoned(task->id, schema::Abandoned::Reason::LAB_CHANGED,
                                         "lab.toml was changed before its report came"));
  return opened_.book.run_ended(run);
}

bool PartRunner::is_still_wanted(const RunRecord& run) const {
  const auto then = plan_of(run);
  const auto now = compile_part(lab_.reader(), {.phase = run.phase, .track = run.track});
  return then && now && plan_digest(*then) == plan_digest(*now);
}

Result<void> PartRunner::close_orphans() {
  std::vector<RunId> orphans;
  for (const auto* run : opened_.book.state().open_runs())
    if (!compile_part(lab_.reader(), {.phase = run->phase, .track = run->track})) {
      context_.out().note(fmt::format("lab.toml has no {} any more: run {} of it is ended",
                                      Part{.phase = run->phase, .track = run->track}.text(),
                                      run->id.brief()));
      orphans.push_back(run->id);
    }
  for (const auto& run : orphans) RELAB_CHECK(close_run(run));
  return {};
}

/// A run with another plan than this is ended. So is an earlier check, which has nothing to lose.
Result<RunId> PartRunner::begin_run(const Part& part, Purpose purpose) {
  const bool check = purpose == Purpose::check;
  for (const auto* open : opened_.book.state().open_runs(part.phase)) {
    if (open->check != check) continue;
    const bool same_plan = is_still_wanted(*open);
    if (same_plan && open->track == part.track) {
      context_.out().note(fmt::format("carrying on with run {} of {}, begun {}", open->id.brief(),
                                      part.text(), iso8601(open->started)));
      return open->id;
    }
    if (same_plan && !check)
      return fail(Fault::conflict,
                  fmt::format("run {} of {} has not ended", open->id.brief(),
                              Part{.phase = open->phase, .track = open->track}.text()),
                  "carry on with it first: `relab attach`");
    context_.out().note(
        fmt::format("{} since run {} began: that run is ended, a new one begins",
                    same_plan ? "another check is asked for" : "its plan in lab.toml has changed",
                    open->id.brief()));
    RELAB_CHECK(close_run(open->id));
  }
  const auto id = RunId::make(wall_clock());
  RELAB_CHECK(opened_.book.run_started(
      id, {.phase = part.phase, .track = part.track, .check = check}, lab_.bytes()));
  return id;
}

Result<void> PartRunner::take_request(const CancelTarget& target, Driver& driver,
                                      const RunId& run) {
  const auto& state = opened_.book.state();
  if (const auto* task = std::get_if<TaskId>(&target)) {
    const auto known = state.tasks().find(*task);
    if (known == state.tasks().end() || !known->second.open()) return {};
    context_.out().note(fmt::format("{} is to be cancelled", known->second.step));
    if (known->second.run == run) return driver.cancel(*task, now_of_system());
    return opened_.book.cancel_asked(*task);
  }
  const auto& wanted = std::get<RunId>(target);
  const auto* known = state.run(wanted);
  if (known == nullptr || known->ended) return {};
  context_.out().note(fmt::format("run {} of {} is to be cancelled", wanted.brief(), known->phase));
  if (wanted == run) return driver.cancel({}, now_of_system());
  return opened_.book.cancel_asked(wanted);
}

Result<void> PartRunner::take_requests(Driver& driver, const RunId& run) {
  const Requests requests(context_.state_dir(str(lab_.reader().getName())));
  RELAB_TRY(const auto waiting, requests.waiting());
  for (const auto& problem : waiting.problems)
    context_.out().note(fmt::format("warning: a request was not understood: {}", problem));
  for (const auto& request : waiting.requests) {
    RELAB_CHECK(take_request(request.target, driver, run));
    RELAB_CHECK(Requests::settled(request));
  }
  return {};
}

PartEnd PartRunner::await(const Awaited& awaited) { return drive(awaited.run, awaited.task); }

void PartRunner::tell_carrying_on(const RunId& run) {
  if (const auto* record = opened_.book.state().run(run); record != nullptr)
    context_.out().note(fmt::format("carrying on with run {} of {}, begun {}", run.brief(),
                                    Part{.phase = record->phase, .track = record->track}.text(),
                                    iso8601(record->started)));
}

PartEnd PartRunner::carry_on(const RunId& run) {
  tell_carrying_on(run);
  return drive(run);
}

PartEnd PartRunner::attach(const RunId& run) {
  const auto* record = opened_.book.state().run(run);
  if (record == nullptr) return carry_on(run);
  if (!is_still_wanted(*record)) {
    context_.out().note(
        fmt::format("the plan of {} in lab.toml has changed since run {} began: that run is ended",
                    Part{.phase = record->phase, .track = record->track}.text(), run.brief()));
    const auto closed = close_run(run);
    if (!closed && closed.error().fault == Fault::cancelled) return {.code = ExitCode::detached};
    return closed ? PartEnd{.code = ExitCode::done} : failed(closed.error());
  }
  if (record->check) return carry_on(run);
  const auto phase = record->phase;
  const auto asks = has_more_to_order(*record);
  if (!asks) return failed(asks.error());
  const auto gate = gate_of(phase);
  if (!gate) return failed(gate.error());
  // An open one decides nothing where only what is out already is waited for.
  if (*asks || !gate->open)
    if (const auto recorded = record_gate(*gate); !recorded) return failed(recorded.error());
  if (gate->open) return carry_on(run);
  tell_carrying_on(run);
  auto end = drive(run, {}, Orders::none);
  const auto* after = opened_.book.state().run(run);
  if (end.code == ExitCode::detached || (after != nullptr && after->ended)) return end;
  show(*gate, fmt::format("Gate of {}", phase), context_.out());
  return {.code = worse(end.code, ExitCode::gate_closed),
          .value = {{"phase", phase}, {"gate", to_json(*gate)}}};
}

Result<PhasePlan> PartRunner::plan_of(const RunRecord& run) const {
  RELAB_TRY(const auto lab, Message<schema::Lab>::parse(run.lab));
  return compile_part(lab.reader(), {.phase = run.phase, .track = run.track});
}

void PartRunner::leave_settled(PhasePlan& plan, const RunRecord& run) {
  const auto lab = Message<schema::Lab>::parse(run.lab);
  if (!lab || run.check) return;
  const auto settled =
      settled_deeds(run.phase, context_.evidences(lab->reader(), opened_.book.state()));
  for (auto& track : plan.tracks)
    std::erase_if(track, [&](const PlannedStep& step) {
      const auto done = settled.find(step.path);
      if (done == settled.end() || done->second->run == run.id) return false;
      context_.out().note(fmt::format("{} was done in run {}: it is not done again", step.path,
                                      done->second->run.brief()));
      return true;
    });
  std::erase_if(plan.tracks, [](const auto& track) { return track.empty(); });
}

std::set<std::string> PartRunner::ordered_steps(const RunId& run) const {
  auto ordered = finished_steps(run);
  for (const auto* task : opened_.book.state().tasks_of(run))
    if (task->open()) ordered.insert(task->step);
  return ordered;
}

std::set<std::string> PartRunner::finished_steps(const RunId& run) const {
  std::set<std::string> finished;
  for (const auto* task : opened_.book.state().tasks_of(run))
    if (task->evidence && task->evidence->report.reader().getOutcome() != schema::Outcome::UNKNOWN)
      finished.insert(task->step);
  return finished;
}

/// A step whose outcome is unknown may be ordered once more.
Result<bool> PartRunner::has_more_to_order(const RunRecord& run) const {
  RELAB_TRY(const auto plan, plan_of(run));
  const auto ordered = ordered_steps(run.id);
  return std::ranges::any_of(plan.tracks, [&](const auto& track) {
    return std::ranges::any_of(track,
                               [&](const auto& step) { return !ordered.contains(step.path); });
  });
}

PartEnd PartRunner::drive(const RunId& run, const std::optional<TaskId>& task, Orders orders) {
  const auto* record = opened_.book.state().run(run);
  if (record == nullptr)
    return failed({.fault = Fault::missing, .what = "there is no such run in the ledger"});
  auto plan = plan_of(*record);
  if (!plan) return failed(plan.error());
  leave_settled(*plan, *record);
  const bool orders_some = orders == Orders::some && !task;
  if (orders_some)
    if (auto stopped = stopped_for_secrets(*plan, ordered_steps(run))) return std::move(*stopped);
  auto parcels = parcels_of(*plan, finished_steps(run));
  if (!parcels && orders_some) return failed(parcels.error());
  if (!parcels) context_.out().note(parcels.error().sentence());
  LineNarrator lines(context_.out());
  std::optional<LiveShow> show;
  if (context_.out().is_lively()) show.emplace(context_.out());
  LiveNews news(
      fmt::format("{}  {}{}", record->phase, plan->title, record->check ? " (check)" : ""), lines,
      show ? LiveNews::Seen::here : LiveNews::Seen::elsewhere);
  LiveFile file(context_.state_dir(str(lab_.reader().getName())), run);
  ZmqExchange exchange;
  Driver driver({.lab = str(lab_.reader().getName()),
                 .patience = manner_.patience,
                 .collect_only = !orders_some,
                 .secrets = secrets(),
                 .parcels = parcels ? std::move(*parcels) : std::vector<OfferedParcel>(),
                 .greetings = Greetings(context_.state_dir(str(lab_.reader().getName())))},
                opened_.book, opened_.keys, exchange, news);
  if (const auto begun = driver.begin(run, std::move(*plan), now_of_system()); !begun)
    return failed(begun.error());
  auto end = follow({.driver = driver,
                     .exchange = exchange,
                     .record = *record,
                     .task = task,
                     .news = news,
                     .show = show ? &*show : nullptr,
                     .file = file});
  show.reset();
  if (!end) return failed(end.error());
  // However it ended: what the ledger says now is not to be cut off it unnoticed.
  if (const auto marked = opened_.book.checkpoint(opened_.keys); !marked)
    return failed(marked.error());
  show_ledger(driver, exchange);
  return std::move(*end);
}

Result<PartEnd> PartRunner::follow(const Going& going) {
  auto& driver = going.driver;
  const Part part{.phase = going.record.phase, .track = going.record.track};
  const auto run = going.record.id;
  const bool check = going.record.check;
  const RunEnding ending(context_, opened_, lab_.reader(), going.record);
  const auto begun = now_of_system().steady;
  for (;;) {
    RELAB_TRY(const auto end, driver.step(now_of_system()));
    show_progress(going, begun);
    if (going.task && !opened_.book.state().tasks().at(*going.task).open()) return PartEnd{};
    if (end && going.show != nullptr) going.show->finish();
    if (end && *end == RunEnd::stalled) return ending.tell_stalled(driver);
    if (end) return check ? ending.conclude_check(driver) : ending.conclude(driver);
    RELAB_CHECK(take_requests(driver, run));
    going.exchange.wait(signals_.fd(), poll_time);
    if (!signals_.take()) continue;
    if (going.show != nullptr) going.show->finish();
    context_.out().note(fmt::format(
        "Detached: work goes on at the agents. `relab run {}{}` carries on and collects.",
        part.text(), check ? " --check" : ""));
    return PartEnd{.code = ExitCode::detached};
  }
}

PartEnd PartRunner::run(const Part& part, Purpose purpose) {
  const auto plan = compile_part(lab_.reader(), part);
  if (!plan) return failed(plan.error());
  if (purpose == Purpose::apply)
    if (auto stopped = stopped_at_gate(part)) return std::move(*stopped);
  if (plan->step_count() == 0)
    return failed({.fault = Fault::unsupported,
                   .what = fmt::format("phase {} has no steps in lab.toml: there is nothing to "
                                       "run, and it is not done",
                                       part.text())});
  // Of a run that was begun, some steps may have had theirs.
  if (opened_.book.state().open_runs(part.phase).empty()) {
    if (auto stopped = stopped_for_secrets(*plan, {})) return std::move(*stopped);
    if (auto stopped = stopped_for_parcels(*plan)) return std::move(*stopped);
  }
  const auto run = begin_run(part, purpose);
  if (!run && run.error().fault == Fault::cancelled) return {.code = ExitCode::detached};
  if (!run) return failed(run.error());
  return drive(*run);
}

}  // namespace relab::controller::cli
