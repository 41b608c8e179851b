#include "tests/simulation/sim_controller.h"

#include <filesystem>
#include <fmt/format.h>

#include "controller/gates/approval.h"
#include "tests/simulation/sim_agent.h"

namespace relab::sim {

namespace {

class SimExchange final : public controller::Exchange {
 public:
  SimExchange(Network& network, const Timeline& timeline)
      : network_(network), timeline_(timeline) {}

  controller::Link& dial(controller::Dial dial) override {
    return *links_.emplace_back(
        std::make_unique<SimLink>(network_, timeline_, std::stoul(dial.endpoint)));
  }

 private:
  Network& network_;
  const Timeline& timeline_;
  std::vector<std::unique_ptr<SimLink>> links_;
};

class Silent final : public controller::Narrator {
 public:
  void agent_up(const std::string& /*agent*/, const controller::Greeting& /*greeting*/) override {}
  void agent_down(const std::string& /*agent*/, const Error& /*why*/) override {}
  void step_changed(const controller::StepRun& /*run*/) override {}
  void progress(const controller::StepRun& /*run*/, schema::Progress::Reader /*progress*/,
                Millis /*at*/) override {}
  void still_waiting(const controller::Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& /*what*/) override {}
  void enrolled(const std::string& /*agent*/, const Party& /*party*/) override {}
};

/// The lab file that has exactly this phase.
Message<schema::Lab> lab_of(const controller::PhasePlan& plan) {
  Draft<schema::Lab> lab;
  lab->setName(SimAgent::lab);
  auto phase = lab->initPlan().initPhases(1)[0];
  phase.setName(plan.name);
  auto tracks = phase.initTracks(static_cast<unsigned>(plan.tracks.size()));
  for (unsigned i = 0; i < tracks.size(); ++i) {
    const auto& steps = plan.tracks[i];
    auto list = tracks[i].initSteps(static_cast<unsigned>(steps.size()));
    for (unsigned j = 0; j < list.size(); ++j) {
      const std::filesystem::path path = steps[j].path;
      tracks[i].setName(path.parent_path().filename().string());
      tracks[i].setAgent(steps[j].agent);
      list[j].setName(path.filename().string());
      list[j].setTask(steps[j].task->reader());
    }
  }
  return std::move(lab).finish();
}

/// Everything that the ledger decides about a task, in words.
std::string summary(const controller::State& state) {
  std::string text;
  for (const auto& [id, task] : state.tasks())
    text += fmt::format(
        "{} {} {} {} orders {} outcome {} '{}' '{}'\n", id.text(), task.step, task.agent,
        task.attempt, task.orders.size(),
        task.evidence ? static_cast<int>(task.evidence->report.reader().getOutcome()) : -1,
        task.refusal, task.abandoned);
  for (const auto& run : state.runs())
    text += fmt::format("{} {} {}\n", run.id.text(), run.phase, run.ended.has_value());
  return text;
}

}  // namespace

struct SimController::Life {
  Life(controller::Book opened, Network& network, const Timeline& timeline)
      : book(std::move(opened)), exchange(network, timeline) {}
  controller::Book book;
  SimExchange exchange;
  Silent narrator;
  std::unique_ptr<controller::Driver> driver;
  RunId run;
};

SimController::SimController(const World& world, crypto::Keys keys, std::vector<Enrolled> agents,
                             MakeAudit audit)
    : disk(world.chance, world.watch),
      world_(world),
      keys_(std::move(keys)),
      agents_(std::move(agents)),
      audit_(std::move(audit)) {}

SimController::~SimController() = default;

Now SimController::now() const {
  const auto off = world_.plant == Plant::ages_ignored ? Millis(0) : clock_off_;
  return {.wall = world_.timeline.now() + off, .steady = world_.timeline.now()};
}

void SimController::assign(const std::string& phase, MakePlan plan) {
  phase_ = phase;
  detour_.clear();
  plan_ = std::move(plan);
  done_ = false;
}

void SimController::live(const std::function<Result<void>()>& act) {
  try {
    // After an error the command ends, and whoever gave it looks at it and gives it again.
    if (!act()) die();
  } catch (const Crash&) {
    die();
  }
}

void SimController::start() {
  if (life_ || done_ || world_.timeline.now() < not_before_) return;
  if (world_.plant == Plant::ledger_forks) cut_last_entry(disk);
  live([this]() -> Result<void> {
    RELAB_CHECK(open_book());
    return begin_run();
  });
}

Result<void> SimController::open_book() {
  RELAB_TRY(auto entries, SimEntries::open(disk, world_.watch, world_.plant));
  auto book = controller::Book::open(std::move(entries), [this] { return now().wall; });
  if (!book) throw Violation("the ledger does not open: " + book.error().sentence());
  life_ = std::make_unique<Life>(std::move(*book), world_.network, world_.timeline);
  return {};
}

Result<void> SimController::begin_run() {
  auto& book = life_->book;
  RELAB_CHECK(book.begin(keys_, "sim", SimAgent::lab));
  for (std::size_t i = 0; i < agents_.size(); ++i)
    if (!book.state().agents().contains(agents_[i].name))
      RELAB_CHECK(book.enrolled(
          {.name = agents_[i].name, .endpoint = std::to_string(i), .agent = agents_[i].party}));
  const auto& phase = detour_.empty() ? phase_ : detour_;
  const auto* open = book.state().open_run(phase);
  if (const auto* last = book.state().last_run(phase); last != nullptr && last->ended) {
    if (detour_.empty()) done_ = true;
    detour_.clear();
    return fail(Fault::conflict, "it is done");
  }
  auto plan = detour_.empty() ? plan_() : audit_(detour_);
  if (open != nullptr && world_.plant != Plant::run_forgotten) {
    life_->run = open->id;
  } else {
    life_->run = RunId::make(now().wall);
    RELAB_CHECK(book.run_started(life_->run, {.phase = phase}, lab_of(plan).bytes()));
  }
  life_->driver = std::make_unique<controller::Driver>(
      controller::DriverConfig{.lab = SimAgent::lab, .patience = std::chrono::seconds(30)}, book,
      keys_, life_->exchange, life_->narrator);
  return life_->driver->begin(life_->run, std::move(plan), now());
}

void SimController::step() {
  if (!life_ || leaving_) return;
  live([this]() -> Result<void> {
    RELAB_TRY(const auto end, life_->driver->step(now()));
    if (!end) return {};
    if (*end == controller::RunEnd::done) return conclude();
    return stalled();
  });
}

/// What a person does who finds that nothing goes on.
Result<void> SimController::stalled() {
  const auto waits = life_->driver->engine().stalled();
  if (waits.contains(controller::Wait::approval)) RELAB_CHECK(approve());
  if (waits.contains(controller::Wait::evidence) && detour_.empty() &&
      world_.timeline.now() >= look_again_) {
    detour_ = fmt::format("look-{}", ++detours_);
    look_again_ = world_.timeline.now() + Millis(15'000);
  }
  // Whoever finds that nothing can be done looks again some time later.
  if (detour_.empty() && !waits.contains(controller::Wait::approval))
    not_before_ = world_.timeline.now() + Millis(6'000);
  leave();
  return {};
}

Result<void> SimController::approve() {
  const auto& state = life_->book.state();
  RELAB_TRY(const auto lab, Message<schema::Lab>::parse(state.run(life_->run)->lab));
  RELAB_TRY(const auto plan, controller::compile_phase(lab.reader(), phase_));
  const controller::Evidences evidences{.lab = lab.reader(), .state = state, .now = now().wall};
  auto deeds = controller::deeds_of(plan, evidences);
  std::erase_if(deeds, [](const controller::Deed& deed) { return !deed.needs.met(); });
  if (world_.plant != Plant::nobody_asked)
    for (const auto& deed : deeds)
      world_.watch.approved(deed.step.path, deed.needs.evidence.at(0)->digest);
  const auto approval = controller::approval_of(plan, deeds, std::chrono::minutes(10), evidences);
  return life_->book.approved(sign(keys_, approval).bytes());
}

Result<void> SimController::conclude() {
  RELAB_CHECK(life_->book.run_ended(life_->run));
  RELAB_CHECK(life_->book.checkpoint(keys_));
  check_against_ledger();
  if (detour_.empty()) done_ = true;
  detour_.clear();
  leave();
  return {};
}

std::string SimController::waits() const {
  if (!life_ || !life_->driver) return detour_.empty() ? "no controller runs" : detour_;
  std::string words;
  for (const auto& track : life_->driver->engine().tracks())
    for (const auto& run : track)
      if (!run.ended())
        words += fmt::format("{} {} ({}); ", run.step.path, controller::name(run.state), run.why);
  return words;
}

void SimController::leave() {
  leaving_ = true;
  // What was sent last is on its way.
  world_.timeline.after(Millis(100), [this] {
    if (leaving_) die();
  });
}

void SimController::die() {
  // Opening the ledger, it may have died before it lived.
  const bool killed = !leaving_ && (life_ || disk.files().dead());
  if (!life_ && !killed) return;
  if (killed) {
    ++world_.watch.counts.crashes;
    disk.files().die();
  }
  leaving_ = false;
  life_.reset();
  disk.left_by_the_dead(killed && world_.chance.one_in(2));
  world_.network.controller_dies();
}

void SimController::check_against_ledger() const {
  const auto replayed = controller::State::replay(life_->book.ledger());
  if (!replayed) throw Violation("the ledger does not replay: " + replayed.error().sentence());
  if (summary(*replayed) != summary(life_->book.state()))
    throw Violation(fmt::format("the state is not what replaying the ledger gives:\n{}---\n{}",
                                summary(life_->book.state()), summary(*replayed)));
}

}  // namespace relab::sim
