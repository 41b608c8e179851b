#include "controller/rehearsal/stage.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "controller/gates/gate.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

using controller::RunEnd;

constexpr auto quiet_interval = Millis(1000);
/// A year of waiting for what does not come is a mistake of the simulation.
constexpr auto longest = std::chrono::hours(24 * 366);

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
  RELAB_CHECK(stage->book_->begin(stage->keys_, "rehearsal", stage->setting_.lab));
  return stage;
}

Result<void> Stage::place(Place place) {
  const auto folder = setting_.folder / "agents" / place.name;
  RELAB_CHECK(make_private_folder(folder));
  RELAB_TRY(auto actor,
            Actor::make({.name = place.name,
                         .keys = std::move(place.keys),
                         .trust = agent::Trust::of(setting_.lab, {*book_->state().controller()}),
                         .role = std::move(place.role),
                         .folder = folder,
                         .timeline = timeline_,
                         .machine = place.machine,
                         .send = [this](const std::string& route, ByteView frame) {
                           return exchange_.deliver(route, frame);
                         }}));
  exchange_.answer(place.endpoint,
                   [actor = actor.get()](const agent::Incoming& frame) { actor->take(frame); });
  actors_[place.name] = std::move(actor);
  return {};
}

Result<void> Stage::enrol(Place wanted) {
  const auto name = wanted.name;
  const auto endpoint = wanted.endpoint;
  RELAB_CHECK(place(std::move(wanted)));
  RELAB_TRY(const auto party, read_identity(actors_.at(name)->identity(), schema::Role::AGENT));
  return book_->enrolled({.name = name, .endpoint = endpoint, .agent = party});
}

Result<PhaseEnd> Stage::run(const Message<schema::Lab>& lab, const std::string& phase,
                            controller::Narrator& narrator) {
  PhaseEnd end{.began = timeline_.now(), .ended = timeline_.now()};
  RELAB_TRY(const auto gate,
            controller::judge_entry(
                phase, {.lab = lab.reader(), .state = book_->state(), .now = timeline_.now()}));
  RELAB_CHECK(book_->judged(gate));
  if (!gate.open) return end;
  end.gate_was_open = true;
  RELAB_TRY(auto plan, controller::compile_phase(lab.reader(), phase));
  const auto run = RunId::make(timeline_.now());
  exchange_.hang_up();
  RELAB_CHECK(book_->run_started(run, {.phase = phase}, lab.bytes()));
  controller::Driver driver(
      {.lab = setting_.lab, .patience = std::chrono::seconds(30), .secrets = setting_.secrets},
      *book_, keys_, exchange_, narrator);
  RELAB_CHECK(driver.begin(run, std::move(plan), timeline_.both()));
  RELAB_TRY(const auto left, follow(driver));
  end.ran = left == RunEnd::done;
  if (end.ran) RELAB_CHECK(book_->run_ended(run));
  RELAB_CHECK(book_->checkpoint(keys_));
  end.ended = timeline_.now();
  return end;
}

/// As long as somebody has something to say no time passes; then it goes on to what comes next.
Result<RunEnd> Stage::follow(controller::Driver& driver) {
  const auto begun = timeline_.now();
  while (timeline_.now() - begun < longest) {
    RELAB_TRY(const auto end, driver.step(timeline_.both()));
    if (end) return *end;
    if (exchange_.waiting()) continue;
    if (!timeline_.empty() && timeline_.next() <= timeline_.now() + quiet_interval) {
      timeline_.step();
    } else {
      timeline_.pass(quiet_interval);
    }
  }
  return fail(Fault::damaged, fmt::format("the rehearsal did not end within {}", human(longest)));
}

}  // namespace relab::rehearsal
