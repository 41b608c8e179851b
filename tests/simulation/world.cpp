#include "tests/simulation/world.h"

#include <fmt/format.h>

namespace relab::sim {

namespace {

constexpr auto step_deadline = std::chrono::seconds(20);
/// The longest time to confirm, and the longest pause before another attempt at a way back.
constexpr auto undone_within = Millis(3 * 60 * 1000);
/// Beyond every deadline and patience of the plan, one step after the other.
constexpr auto peace_most = Millis(40 * 60 * 1000);

Party party_of(const crypto::Keys& keys, schema::Role role, const std::string& name,
               const std::string& machine) {
  auto party = read_identity(
      state_identity(keys, {.role = role, .name = name, .machine_id = machine}), role);
  if (!party) throw std::logic_error(party.error().sentence());
  return std::move(*party);
}

crypto::Keys copy_of(const crypto::Keys& keys) {
  return std::move(*crypto::Keys::from(keys.secret().view()));
}

using SharedTask = std::shared_ptr<const Message<schema::Task>>;

SharedTask share(Draft<schema::Task> task) {
  return std::make_shared<const Message<schema::Task>>(std::move(task).finish());
}

SharedTask ping(const std::string& echo) {
  Draft<schema::Task> task;
  task->initPing().setEcho(echo);
  return share(std::move(task));
}

SharedTask wipe(const std::string& serial) {
  Draft<schema::Task> task;
  task->initWipeDisk().setSerial(serial);
  return share(std::move(task));
}

SharedTask readdress(const std::string& address) {
  Draft<schema::Task> task;
  task->initIpAddresses().setInterface("eth7");
  task->getIpAddresses().initAddresses(1).set(0, address);
  return share(std::move(task));
}

SharedTask look_at_disks() {
  Draft<schema::Task> task;
  task->initAuditDisks();
  return share(std::move(task));
}

}  // namespace

World::World(std::uint64_t seed, Plant plant, Faults muted)
    : plant_(plant), chance_(seed), fate_(~seed), muted_(std::move(muted)) {
  draw_everything_from(seed);
  grow();
}

World::~World() = default;

void World::grow() {
  const auto size = chance_.below(20);
  // Few agents mostly, since those seeds are cheap; many now and then.
  make_agents(size < 14 ? 1 + chance_.below(4) : size < 19 ? 4 + chance_.below(9) : 50);
  network_->weather = {.lost = chance_.one_in(2) ? 5 + chance_.below(40) : 0,
                       .doubled = chance_.one_in(2) ? 3 + chance_.below(20) : 0,
                       .hostile = chance_.one_in(2) ? 2 + chance_.below(10) : 0,
                       .delay_most = chance_.between(Millis(2), Millis(1500))};
  auto deadly = chance_.one_in(2) ? 10 + chance_.below(60) : 0;
  if (muted_.contains(0)) network_->weather = {};
  if (muted_.contains(1)) deadly = 0;
  const auto& weather = network_->weather;
  note(fmt::format(
      "{} agents; of the frames 1 in {} is lost, 1 in {} doubled, 1 in {} meddled with, "
      "all come within {} ms; programs die at 1 in {} writes (0: none)",
      agents_.size(), weather.lost, weather.doubled, weather.hostile, weather.delay_most.count(),
      deadly));
  controller_->disk.deadly = deadly;
  for (auto& agent : agents_) agent->disk.deadly = deadly;
  steps_ = draw_steps("1", 4);
  controller_->assign("1", [this] { return plan("1", steps_); });
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    agents_[i]->start();
    keep_agent_awake(i);
  }
  keep_controller_awake();
  next_fault();
  timeline_.after(chance_.between(Millis(5'000), Millis(90'000)), [this] { peace(); });
}

void World::make_agents(std::size_t count) {
  auto keys = crypto::Keys::make();
  const auto own = party_of(keys, schema::Role::CONTROLLER, "sim", "");
  stranger_ = crypto::Keys::make();
  const auto stranger = party_of(*stranger_, schema::Role::CONTROLLER, "stranger", "");
  network_ = std::make_unique<Network>(timeline_, chance_, watch_, count);
  network_->controller_key = crypto::z85(keys.curve_key());
  network_->stranger_key = crypto::z85(stranger_->curve_key());
  network_->plant = plant_;
  network_->forge = [this](std::size_t agent, ByteView heard) { return forge(agent, heard); };
  network_->deliver = [this](std::size_t agent, const agent::Incoming& incoming) {
    agents_[agent]->take(incoming);
  };
  std::vector<Enrolled> enrolled;
  std::optional<crypto::Keys> shared;
  for (std::size_t i = 0; i < count; ++i) {
    auto agent_keys = shared ? copy_of(*shared) : crypto::Keys::make();
    if (plant_ == Plant::shared_key && !shared) shared = copy_of(agent_keys);
    enrolled.push_back({.name = fmt::format("a{}", i),
                        .party = party_of(agent_keys, schema::Role::AGENT, fmt::format("a{}", i),
                                          fmt::format("machine-{}", i))});
    agents_.push_back(
        std::make_unique<SimAgent>(SimAgent::World{timeline_, chance_, watch_, *network_, plant_},
                                   i, std::move(agent_keys), own, stranger));
  }
  controller_ = std::make_unique<SimController>(
      SimController::World{timeline_, chance_, watch_, *network_, plant_}, std::move(keys),
      std::move(enrolled), [this](const std::string& phase) { return look(phase); });
}

/// As good an order as somebody can make who heard everything and has no key of ours.
Bytes World::forge(std::size_t agent, ByteView heard) {
  Draft<schema::Order> forged;
  const auto outer = Message<schema::Envelope>::parse(heard);
  const auto inner = outer ? Message<schema::Order>::parse(view(outer->reader().getPayload()))
                           : Result<Message<schema::Order>>(fail(Fault::damaged, ""));
  if (inner && inner->reader().getNonce().size() == 16) {
    forged->setNonce(inner->reader().getNonce());
    forged->setJournal(inner->reader().getJournal());
  }
  forged->setLab(SimAgent::lab);
  forged->setRun(blob(RunId::make(timeline_.now()).bytes));
  forged->setTaskId(blob(TaskId::make(timeline_.now()).bytes));
  forged->setAttempt(1);
  forged->setAudience(blob(agents_[agent]->keys().sign_key()));
  forged->setNotAfter(unix_millis(timeline_.now() + std::chrono::hours(1)));
  forged->setDeadline(60);
  forged->setMode(schema::Mode::APPLY);
  forged->initTask().initPing().setEcho("forged");
  forged->setStep(steps_.empty() ? "1/t/s" : steps_.front().path);
  const auto envelope = sign(*stranger_, std::move(forged).finish());
  const auto bytes = envelope.bytes();
  return {bytes.begin(), bytes.end()};
}

std::vector<World::Step> World::draw_steps(const std::string& phase, std::uint64_t per_track) {
  std::vector<Step> steps;
  for (std::size_t agent = 0; agent < agents_.size(); ++agent)
    for (std::uint64_t track = 0; track <= chance_.below(2); ++track) {
      const auto count = 1 + chance_.below(per_track);
      for (std::uint64_t i = 0; i < count; ++i) {
        const bool wipes = chance_.one_in(10);
        const bool readdresses = !wipes && chance_.one_in(6);
        steps.push_back({.path = fmt::format("{}/t{}-{}/s{}", phase, agent, track, i),
                         .agent = agent,
                         .convergent = !wipes && chance_.one_in(2),
                         .first = i == 0,
                         .wipes = wipes,
                         .readdresses = readdresses,
                         // Now and then what is wished for is there already.
                         .address = fmt::format("address {}", chance_.below(3))});
        watch_.belongs(steps.back().path, agent);
        if (!steps.back().convergent) watch_.once_only(steps.back().path);
      }
    }
  return steps;
}

controller::PhasePlan World::look(const std::string& phase) {
  controller::PhasePlan plan{.name = phase, .title = "A look at the disks", .tracks = {}};
  for (std::size_t agent = 0; agent < agents_.size(); ++agent) {
    auto path = fmt::format("{}/t{}/s", phase, agent);
    watch_.belongs(path, agent);
    plan.tracks.push_back({{.path = std::move(path),
                            .agent = fmt::format("a{}", agent),
                            .arm = "auditDisks",
                            .deadline = step_deadline,
                            .convergent = true,
                            .task = look_at_disks()}});
  }
  return plan;
}

controller::PhasePlan World::plan(const std::string& phase, const std::vector<Step>& steps) const {
  controller::PhasePlan plan{.name = phase, .title = "A simulation", .tracks = {}};
  for (const auto& step : steps) {
    if (step.first) plan.tracks.emplace_back();
    plan.tracks.back().push_back(
        {.path = step.path,
         .agent = fmt::format("a{}", step.agent),
         .arm = step.arm(),
         .deadline = step_deadline,
         .convergent = step.convergent || plant_ == Plant::everything_converges,
         .destructive = step.wipes,
         .needs = step.wipes ? std::vector<std::string>{"disk.unused"} : std::vector<std::string>(),
         .confirm_within = std::chrono::seconds(step.readdresses ? 20 : 0),
         .task = step.wipes         ? wipe(agents_[step.agent]->serial())
                 : step.readdresses ? readdress(step.address)
                                    : ping(step.path)});
  }
  return plan;
}

void World::keep_agent_awake(std::size_t agent) {
  agents_[agent]->tick();
  timeline_.after(Millis(1000), [this, agent] { keep_agent_awake(agent); });
}

void World::keep_controller_awake() {
  controller_->step();
  if (controller_->lives() || controller_->done())
    return timeline_.after(Millis(100), [this] { keep_controller_awake(); });
  controller_->start();
  timeline_.after(chance_.between(Millis(100), Millis(3000)), [this] { keep_controller_awake(); });
}

void World::note(std::string what) {
  trace_.push_back(fmt::format(
      "{:>9} ms  {}", (timeline_.now() - Instant(std::chrono::hours(500'000))).count(), what));
}

bool World::advance_until(const std::function<bool()>& reached, Millis most) {
  const auto until = timeline_.now() + most;
  while (!reached() && timeline_.now() < until && timeline_.advance()) {
    ++watch_.counts.events;
    // Those that died at a write of their own come back, too.
    for (std::size_t i = 0; i < agents_.size(); ++i)
      if (!agents_[i]->lives() && !restarting_.contains(i)) {
        restarting_.insert(i);
        timeline_.after(chance_.between(Millis(10), Millis(8000)), [this, i] {
          restarting_.erase(i);
          agents_[i]->start();
        });
      }
  }
  return reached();
}

void World::run_in_peace(const std::string& phase, const SimController::MakePlan& plan) {
  controller_->assign(phase, plan);
  if (!advance_until([this] { return controller_->done() && !controller_->lives(); }, peace_most))
    throw Violation(fmt::format("the run of {} in peace did not end", phase));
}

void World::live_through() {
  if (!advance_until([this] { return peace_ && controller_->done() && !controller_->lives(); },
                     peace_most))
    throw Violation("the run did not end, though peace was made: " + controller_->waits());
  watch_.check_ended();
  // What was given up is undone in its time, though nobody waits for it.
  advance_until([this] { return watch_.settled(); }, undone_within);
  watch_.check_changes();
  // One more run, to which nothing happens: it must succeed, and leave no report uncollected.
  // An agent that lost its journal has no evidence of its own, whatever the ledger has.
  run_in_peace("look", [this] { return look("look"); });
  const auto calm = draw_steps("2", 2);
  run_in_peace("2", [this, calm] { return plan("2", calm); });
  const auto succeeded = watch_.succeeded_steps();
  for (const auto& step : calm)
    if (!succeeded.contains(step.path))
      throw Violation(fmt::format("{} did not succeed, though nothing happened:{}", step.path,
                                  watch_.story(step.path)));
  watch_.check_changes();
  for (std::size_t i = 0; i < agents_.size(); ++i)
    if (agents_[i]->unreleased() != 0)
      throw Violation(fmt::format("agent {} keeps reports that nobody collected", i));
}

Verdict World::run() {
  Verdict verdict;
  try {
    live_through();
  } catch (const Violation& violation) {
    verdict.held = false;
    verdict.why = violation.what();
  }
  verdict.trace = std::move(trace_);
  verdict.counts = watch_.counts;
  verdict.faults = faults_;
  return verdict;
}

}  // namespace relab::sim
