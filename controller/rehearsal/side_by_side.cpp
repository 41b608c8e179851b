#include "controller/rehearsal/side_by_side.h"

#include <algorithm>
#include <capnp/dynamic.h>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

#include "common/reflect/union.h"
#include "common/wire/message.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

/// Shorter ones are no names of anything.
constexpr std::size_t name_min = 3;
/// Who is done in less meets nobody half-way.
constexpr auto long_enough = Millis(2000);

/// A step of the plan that was at work.
struct Work {
  std::string path;
  std::string track;
  std::string agent;
  std::string arm;
  Instant began;
  Instant ended;
  bool changed = false;
  /// What its task is about: paths, pools, names.
  std::set<std::string> things = {};
};

void add_thing(const std::string& text, std::set<std::string>& things) {
  if (text.size() < name_min) return;
  things.insert(text);
  // A dataset is in its pool.
  if (const auto slash = text.find('/'); slash != 0 && slash != std::string::npos)
    things.insert(text.substr(0, slash));
}

std::set<std::string> things_of(schema::Task::Reader reader) {
  std::set<std::string> things;
  const auto task = capnp::toDynamic(reader);
  KJ_IF_MAYBE (member, task.which()) {
    const auto params = task.get(*member).as<capnp::DynamicStruct>();
    for (const auto field : params.getSchema().getNonUnionFields()) {
      if (field.getType().isText())
        add_thing(str(params.get(field).as<capnp::Text>()), things);
      else if (field.getType().isList() && field.getType().asList().getElementType().isText())
        for (const auto text : params.get(field).as<capnp::DynamicList>())
          add_thing(str(text.as<capnp::Text>()), things);
    }
  }
  return things;
}

bool is_at_or_below(const std::string& path, const std::string& above) {
  return path == above || (above[0] == '/' && path.starts_with(above + "/"));
}

/// What both are about; empty: nothing.
std::string common_thing(const Work& one, const Work& other) {
  for (const auto& mine : one.things)
    for (const auto& its : other.things)
      if (is_at_or_below(mine, its) || is_at_or_below(its, mine)) return mine;
  return {};
}

bool met(const Work& one, const Work& other) {
  const bool overlap = one.began <= other.ended && other.began <= one.ended;
  const bool is_long =
      one.ended - one.began > long_enough || other.ended - other.began > long_enough;
  return overlap && is_long && one.agent == other.agent && one.track != other.track &&
         one.arm != other.arm && (one.changed || other.changed);
}

std::vector<Work> works_of(schema::Lab::Reader lab, const controller::State& state,
                           const Course& course, const std::string& phase) {
  std::vector<Work> works;
  const auto plan = controller::compile_phase(lab, phase);
  const auto* run = state.last_run(phase);
  if (!plan || run == nullptr) return works;
  std::map<std::string, const controller::PlannedStep*> steps;
  for (const auto& track : plan->tracks)
    for (const auto& step : track) steps[step.path] = &step;
  std::set<std::string> changed;
  for (const auto* task : state.tasks_of(run->id))
    if (task->evidence && task->evidence->report.reader().getChanges().size() != 0)
      changed.insert(task->step);
  for (const auto& bar : course.bars) {
    const auto path = fmt::format("{}/{}/{}", bar.phase, bar.track, bar.step);
    const auto step = steps.find(path);
    if (bar.phase != phase || step == steps.end()) continue;
    works.push_back({.path = path,
                     .track = bar.track,
                     .agent = bar.agent,
                     .arm = step->second->arm,
                     .began = bar.began,
                     .ended = bar.ended,
                     .changed = changed.contains(path),
                     .things = things_of(step->second->task->reader())});
  }
  return works;
}

}  // namespace

std::vector<Trouble> side_by_side(schema::Lab::Reader lab, const controller::State& state,
                                  const Course& course) {
  std::vector<Trouble> all;
  for (const auto& phase : controller::phases_in_order(lab)) {
    const auto works = works_of(lab, state, course, phase);
    for (std::size_t i = 0; i < works.size(); ++i)
      for (std::size_t j = i + 1; j < works.size(); ++j) {
        if (!met(works[i], works[j])) continue;
        const auto thing = common_thing(works[i], works[j]);
        if (thing.empty()) continue;
        all.push_back(
            {Trouble::Kind::not_played, works[j].path,
             fmt::format("is at work on {} beside {}: what the one sees of the other, and "
                         "how long both take then, is not played",
                         thing, works[i].path),
             "put them into one track, if one needs what the other does"});
      }
  }
  return all;
}

}  // namespace relab::rehearsal
