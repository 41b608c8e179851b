#include <fmt/format.h>
#include <map>

#include "common/base/signals.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/show_gate.h"
#include "controller/keys/key_file.h"
#include "controller/link/zmq_exchange.h"
#include "controller/run/driver.h"
#include "controller/run/impostor.h"
#include "controller/run/lock.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

/// Of what a task does at the moment; enough to know the program.
constexpr std::size_t doing_max = 60;
constexpr auto poll_time = Millis(100);
constexpr auto impostor_patience = Millis(1500);
constexpr auto farewell_time = Millis(1000);

/// One line per event; `relab run` may stand in a log file as well as on a terminal.
class LineNarrator final : public Narrator {
 public:
  explicit LineNarrator(Printer& out) : out_(out) {}

  void agent_up(const std::string& agent, const Greeting& greeting) override {
    out_.note(fmt::format("agent {} is there: version {}, role {}", agent, greeting.version,
                          greeting.role));
  }
  void agent_down(const std::string& agent, const Error& why) override {
    out_.note(fmt::format("agent {} is gone: {}", agent, why.what));
  }
  void step_changed(const StepRun& run) override {
    if (run.state == StepState::waiting || run.state == StepState::accepted) return;
    if (run.state == StepState::ordered && run.attempt < 2) return;
    out_.note(fmt::format("{:10} {}{}", name(run.state), run.step.path,
                          run.why.empty() ? "" : ": " + run.why));
  }
  void progress(const StepRun& run, std::uint64_t /*steps*/, const std::string& what) override {
    doing_[run.step.path] = what;
  }
  void still_waiting(const Engine& engine, Millis since) override {
    std::map<std::string, unsigned> alike;
    for (const auto& track : engine.tracks())
      for (const auto& run : track)
        if (!run.ended()) {
          auto doing = doing_.contains(run.step.path) ? doing_[run.step.path].substr(0, doing_max)
                                                      : std::string();
          if (!run.why.empty()) doing = run.why;
          ++alike[fmt::format("{}{}{}", name(run.state), doing.empty() ? "" : ": ", doing)];
        }
    out_.note(fmt::format("after {}, still:", human(since)));
    for (const auto& [what, count] : alike) out_.note(fmt::format("  {} step(s) {}", count, what));
  }
  void warn(const std::string& what) override { out_.note("warning: " + what); }

 private:
  Printer& out_;
  std::map<std::string, std::string> doing_;
};

struct Opened {
  FileLock lock;
  crypto::Keys keys;
  Book book;
};

Result<Opened> open_all(Context& context, schema::Lab::Reader lab, const std::string& phase) {
  const auto name = str(lab.getName());
  RELAB_TRY(auto lock, lock_lab(context.state_dir(name), "run " + phase));
  RELAB_TRY(auto keys, context.keys());
  RELAB_TRY(const auto owner, read_owner(context.key_file()));
  RELAB_TRY(auto book, Book::open(context.ledger_file(name)));
  RELAB_CHECK(book.begin(keys, owner.name, name));
  return Opened{.lock = std::move(lock), .keys = std::move(keys), .book = std::move(book)};
}

/// The run to carry on with, or a new one. One that was made from another lab file is ended: its
/// plan is not this plan.
Result<RunId> begin_run(Book& book, const Message<schema::Lab>& lab, const std::string& phase,
                        Printer& out) {
  if (const auto* open = book.state().open_run(phase); open != nullptr) {
    const auto id = open->id;
    if (open->lab_digest == crypto::digest(lab.bytes())) {
      out.note(fmt::format("carrying on with run {} of {}, begun {}", id.brief(), phase,
                           iso8601(open->started)));
      return id;
    }
    out.note(
        fmt::format("lab.toml has changed since run {} began: that run is ended, a new one begins",
                    id.brief()));
    for (const auto* task : book.state().tasks_of(id))
      if (task->open())
        RELAB_CHECK(book.abandoned(task->id, schema::Abandoned::Reason::LAB_CHANGED,
                                   "lab.toml was changed before its report came"));
    RELAB_CHECK(book.run_ended(id));
  }
  const auto id = RunId::make(wall_clock());
  RELAB_CHECK(book.run_started(id, {.phase = phase}, lab.bytes()));
  return id;
}

/// The agents keep the newest checkpoint, so that a ledger whose end is cut off is noticed. The
/// moment is also that of the last acknowledgements on their way.
void show_ledger(Driver& driver, ZmqExchange& exchange) {
  const auto until = now_of_system().steady + farewell_time;
  driver.show_ledger(now_of_system());
  while (!driver.ledger_was_shown(now_of_system()) && now_of_system().steady < until)
    exchange.wait(-1, Millis(20));
}

ExitCode conclude(Context& context, Opened& opened, const Driver& driver, const RunId& run,
                  schema::Lab::Reader lab, const std::string& phase) {
  const auto gate =
      judge_proof(phase, {.lab = lab, .state = opened.book.state(), .now = wall_clock()});
  if (!gate) return context.failed(gate.error());
  const auto written = [&]() -> Result<void> {
    RELAB_CHECK(opened.book.run_ended(run));
    RELAB_CHECK(opened.book.judged(*gate));
    return opened.book.checkpoint(opened.keys);
  }();
  if (!written) return context.failed(written.error());
  const auto failed =
      driver.engine().count(StepState::failed) + driver.engine().count(StepState::blocked);
  const auto succeeded = driver.engine().count(StepState::succeeded);
  context.out().line(
      fmt::format("Phase {}: {} step(s) succeeded, {} failed.", phase, succeeded, failed));
  if (!gate->verdicts.empty())
    show(*gate, fmt::format("What {} must show before anything after it", phase), context.out());
  context.out().value({{"run", run.text()},
                       {"phase", phase},
                       {"succeeded", succeeded},
                       {"failed", failed},
                       {"gate", to_json(*gate)}});
  if (failed != 0) return ExitCode::failed;
  return gate->open ? ExitCode::done : ExitCode::gate_closed;
}

/// Nothing if somebody asked to leave before the end.
Result<std::optional<RunEnd>> drive(Driver& driver, ZmqExchange& exchange, const Signals& signals) {
  for (;;) {
    RELAB_TRY(const auto end, driver.step(now_of_system()));
    if (end) return end;
    exchange.wait(signals.fd(), poll_time);
    if (signals.take()) return std::optional<RunEnd>();
  }
}

ExitCode tell_unreachable(Context& context, const Driver& driver, const Opened& opened,
                          const std::string& phase) {
  for (const auto* session : driver.missing())
    context.out().error(
        name_impostor(*session, opened.book.state(), opened.keys, impostor_patience));
  context.out().note(
      fmt::format("Nothing is lost: `relab run {}` carries on when the agents are back.", phase));
  return ExitCode::unreachable;
}

ExitCode run_phase(Context& context, const Message<schema::Lab>& lab, PhasePlan plan,
                   std::chrono::seconds patience) {
  const auto phase = plan.name;
  const Signals signals;
  auto opened = open_all(context, lab.reader(), phase);
  if (!opened) return context.failed(opened.error());
  const auto entry =
      judge_entry(phase, {.lab = lab.reader(), .state = opened->book.state(), .now = wall_clock()});
  if (!entry) return context.failed(entry.error());
  if (!entry->open) {
    show(*entry, fmt::format("Gate of {}", phase), context.out());
    context.out().value({{"phase", phase}, {"gate", to_json(*entry)}});
    return ExitCode::gate_closed;
  }
  if (plan.step_count() == 0)
    return context.failed(
        {.fault = Fault::unsupported,
         .what = fmt::format(
             "phase {} has no steps in lab.toml: there is nothing to run, and it is not done",
             phase)});
  const auto run = begin_run(opened->book, lab, phase, context.out());
  if (!run) return context.failed(run.error());
  LineNarrator narrator(context.out());
  ZmqExchange exchange;
  Driver driver({.lab = str(lab.reader().getName()), .patience = patience}, opened->book,
                opened->keys, exchange, narrator);
  const auto begun = driver.begin(*run, std::move(plan), now_of_system());
  if (!begun) return context.failed(begun.error());
  const auto end = drive(driver, exchange, signals);
  if (!end) return context.failed(end.error());
  if (!*end) {
    context.out().note(fmt::format(
        "Detached: work goes on at the agents. `relab run {}` carries on and collects.", phase));
    return ExitCode::detached;
  }
  switch (**end) {
    case RunEnd::done: {
      const auto code = conclude(context, *opened, driver, *run, lab.reader(), phase);
      show_ledger(driver, exchange);
      return code;
    }
    case RunEnd::unreachable:
      break;
  }
  return tell_unreachable(context, driver, *opened, phase);
}

}  // namespace

void declare_run(po::options_description& options) {
  options.add_options()("patience", patience_value(30), "seconds to wait for agents that are away");
}

ExitCode run(const Values& values, Context& context) {
  const auto phase = argument_of(values, 0);
  if (phase.empty()) {
    context.out().error({.fault = Fault::invalid,
                         .what = "which phase?",
                         .hint = "usage: relab run PHASE; `relab plan` lists them"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  auto plan = compile_phase(lab->reader(), phase);
  if (!plan) {
    context.out().error(plan.error());
    return ExitCode::usage;
  }
  return run_phase(context, *lab, std::move(*plan),
                   std::chrono::seconds(values["patience"].as<unsigned>()));
}

}  // namespace relab::controller::cli
