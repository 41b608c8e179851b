#include "controller/rehearsal/stage.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/file.h"
#include "controller/gates/approval.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

using controller::Finding;
using controller::RunEnd;

/// From when a person is asked to approve of something until it is typed.
constexpr auto approving_takes = Millis(std::chrono::minutes(5));
/// Each step that destroys is approved of once or twice: again where the evidence became newer.
constexpr unsigned approvals_max = 100;
/// What people do takes them minutes, and so does a restart.
constexpr auto patience = std::chrono::seconds(3600);
/// As long as something was just said; and while a task goes on for hours.
constexpr auto quiet_interval = Millis(1000);
constexpr auto long_interval = Millis(30'000);
constexpr auto lively = Millis(10'000);
/// A year of waiting for what does not come is a mistake of the simulation.
constexpr auto longest = std::chrono::hours(24 * 366);

void count(const controller::Engine& engine, PhaseEnd& end) {
  using controller::StepState;
  end.succeeded = static_cast<unsigned>(engine.count(StepState::succeeded));
  end.failed = static_cast<unsigned>(engine.count(StepState::failed));
  end.blocked = static_cast<unsigned>(engine.count(StepState::blocked));
  end.waiting.clear();
  for (const auto& track : engine.tracks())
    for (const auto& run : track)
      if (run.wait != controller::Wait::nothing)
        end.waiting.push_back({.path = run.step.path, .wait = run.wait, .why = run.why});
}

}  // namespace

Stage::Stage(Setting setting)
    : setting_(std::move(setting)), timeline_(setting_.begin), keys_(crypto::Keys::make()) {}

Result<std::unique_ptr<Stage>> Stage::make(Setting setting) {
  std::unique_ptr<Stage> stage(new Stage(std::move(setting)));
  RELAB_CHECK(make_private_folder(stage->setting_.folder));
  RELAB_TRY(auto store, controller::open_entries(stage->setting_.folder / "ledger.db"));
  RELAB_TRY(auto book, controller::Book::open(std::move(store), [stage = stage.get()] {
              return stage->timeline_.now();
            }));
  stage->book_.emplace(std::move(book));
  stage->exchange_.reached([stage = stage.get()](const std::string& endpoint) {
    const auto name = stage->names_.find(endpoint);
    return name == stage->names_.end() || stage->setting_.reached(name->second, endpoint);
  });
  RELAB_CHECK(stage->book_->begin(stage->keys_, std::string(controller::rehearsing_controller),
                                  stage->setting_.lab));
  return stage;
}

Result<void> Stage::place(Place place) {
  const auto name = place.name;
  places_.erase(name);
  return begin(places_.emplace(name, std::move(place)).first->second);
}

Result<void> Stage::begin(Place& place) {
  const auto folder = setting_.folder / "agents" / place.name;
  RELAB_CHECK(make_private_folder(folder));
  RELAB_TRY(auto keys, crypto::Keys::from(place.keys.secret().view()));
  RELAB_TRY(auto role, agent::RoleLimits::parse(place.role));
  RELAB_TRY(auto actor,
            Actor::make({.name = place.name,
                         .keys = std::move(keys),
                         .trust = agent::Trust::of(setting_.lab, {*book_->state().controller()}),
                         .role = std::move(role),
                         .folder = folder,
                         .timeline = timeline_,
                         .machine = place.machine,
                         .fate = setting_.fate == nullptr ? harmless_ : *setting_.fate,
                         .send = [this](const std::string& route, ByteView frame, Tone tone) {
                           return exchange_.deliver(route, frame, tone);
                         }}));
  exchange_.answer(place.endpoint,
                   [actor = actor.get()](const agent::Incoming& frame) { actor->take(frame); });
  names_[place.endpoint] = place.name;
  actors_[place.name] = std::move(actor);
  return {};
}

void Stage::falls(const std::string& name, Instant when, Millis away) {
  timeline_.at(when, [this, name] {
    exchange_.silence(places_.at(name).endpoint);
    actors_.erase(name);
  });
  timeline_.at(std::max(when, timeline_.now()) + away, [this, name] {
    if (auto begun = begin(places_.at(name)); !begun) broken_ = begun.error();
  });
}

Result<void> Stage::enrol(Place wanted) {
  const auto name = wanted.name;
  const auto endpoint = wanted.endpoint;
  RELAB_CHECK(place(std::move(wanted)));
  RELAB_TRY(const auto party, read_identity(actors_.at(name)->identity(), schema::Role::AGENT));
  return book_->enrolled({.name = name, .endpoint = endpoint, .agent = party});
}

controller::Evidences Stage::evidences(schema::Lab::Reader lab) const {
  controller::Evidences evidences{
      .lab = lab, .state = book_->state(), .now = timeline_.now(), .secrets = {}};
  for (const auto& name : setting_.secrets) evidences.secrets.emplace(name, setting_.begin);
  return evidences;
}

Result<controller::StoredSecret> Stage::secret(const std::string& name) const {
  if (!setting_.secrets.contains(name))
    return fail(Fault::missing, fmt::format("there is no secret '{}'", name),
                "relab secret set " + name);
  const auto value = "the rehearsal's " + name;
  return controller::StoredSecret{.value = crypto::Secret::of(bytes_of(value)),
                                  .set_at = setting_.begin};
}

Result<std::vector<GivenApproval>> Stage::approve(const Message<schema::Lab>& lab,
                                                  const std::string& phase) {
  constexpr auto valid_for = std::chrono::hours(24);
  std::vector<GivenApproval> given;
  RELAB_TRY(const auto plan, controller::compile_phase(lab.reader(), phase));
  const auto before = evidences(lab.reader());
  const auto deeds = controller::deeds_of(plan, before);
  const bool ready = std::ranges::all_of(deeds, [](const auto& deed) {
    return !deed.victims.empty() && std::ranges::all_of(deed.needs.findings, &Finding::met);
  });
  if (deeds.empty() || !ready) return given;
  const auto approval = controller::approval_of(plan, deeds, valid_for, before);
  RELAB_CHECK(book_->approved(sign(keys_, approval).bytes()));
  for (const auto& deed : deeds)
    given.push_back({.path = deed.step.path, .agent = deed.step.agent, .victims = deed.victims});
  return given;
}

Result<PhaseEnd> Stage::run(const Message<schema::Lab>& lab, const std::string& phase,
                            controller::Narrator& narrator, const Moment& moment) {
  PhaseEnd end{.gate = {}, .began = timeline_.now(), .ended = timeline_.now()};
  RELAB_TRY(end.gate, controller::judge_entry(phase, evidences(lab.reader())));
  RELAB_CHECK(book_->judged(end.gate));
  if (!end.gate.open) return end;
  RELAB_TRY(const auto plan, controller::compile_phase(lab.reader(), phase));
  const auto run = RunId::make(timeline_.now());
  RELAB_CHECK(book_->run_started(run, {.phase = phase}, lab.bytes()));
  for (unsigned lives = 0; !end.ran && lives <= approvals_max; ++lives) {
    RELAB_TRY(const auto left, run_once(run, plan, end, narrator, moment));
    end.ran = left == RunEnd::done;
    const bool asks = std::ranges::any_of(
        end.waiting, [](const auto& one) { return one.wait == controller::Wait::approval; });
    if (end.ran || !asks) break;
    let_pass(approving_takes);
    RELAB_TRY(const auto given, approve(lab, phase));
    if (given.empty()) break;
    end.approvals.insert(end.approvals.end(), given.begin(), given.end());
  }
  if (end.ran) RELAB_CHECK(book_->run_ended(run));
  RELAB_CHECK(book_->checkpoint(keys_));
  end.ended = timeline_.now();
  return end;
}

void Stage::let_pass(Millis span) {
  const auto until = timeline_.now() + span;
  while (!timeline_.empty() && timeline_.next() <= until) timeline_.step();
  if (timeline_.now() < until) timeline_.pass(until - timeline_.now());
}

Result<RunEnd> Stage::run_once(const RunId& run, controller::PhasePlan plan, PhaseEnd& end,
                               controller::Narrator& narrator, const Moment& moment) {
  exchange_.hang_up();
  controller::Driver driver({.lab = setting_.lab,
                             .patience = patience,
                             .secrets = [this](const std::string& name) { return secret(name); },
                             .parcels = setting_.parcels},
                            *book_, keys_, exchange_, narrator);
  RELAB_CHECK(driver.begin(run, std::move(plan), timeline_.both()));
  RELAB_TRY(const auto left, follow(driver, moment));
  count(driver.engine(), end);
  return left;
}

/// As long as somebody has something to say no time passes; then it goes on to what comes next.
Result<RunEnd> Stage::follow(controller::Driver& driver, const Moment& moment) {
  const auto begun = timeline_.now();
  auto stirred = begun;
  auto heard = exchange_.news();
  while (timeline_.now() - begun < longest) {
    if (broken_) return fail(*broken_);
    RELAB_TRY(const auto end, driver.step(timeline_.both()));
    if (moment) RELAB_CHECK(moment(driver.engine(), timeline_.now() - begun));
    if (end) return *end;
    if (const auto news = exchange_.news(); std::exchange(heard, news) != news)
      stirred = timeline_.now();
    if (exchange_.waiting()) continue;
    const auto interval = timeline_.now() - stirred > lively ? long_interval : quiet_interval;
    if (!timeline_.empty() && timeline_.next() <= timeline_.now() + interval) {
      timeline_.step();
    } else {
      timeline_.pass(interval);
    }
  }
  return fail(Fault::damaged, fmt::format("the rehearsal did not end within {}", human(longest)));
}

}  // namespace relab::rehearsal
