// The plan: phases in an order that exists, tracks with names of their own.

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>
#include <vector>

#include "common/reflect/notes.h"
#include "common/reflect/resource.h"
#include "common/reflect/union.h"
#include "common/wire/message.h"
#include "controller/lab/additions.h"
#include "controller/lab/checks.h"
#include "controller/lab/guest_tasks.h"
#include "controller/lab/hosts.h"
#include "controller/lab/steps.h"

namespace relab::lab {

namespace {

using schema::Lab;

using Order = std::map<std::string, std::vector<std::string>>;

/// Takes away, again and again, the phases that wait for none of the rest; what stays is in a
/// circle, or waits for one.
Order circle_of(Order waiting) {
  const auto waits = [&](const std::string& name) { return waiting.contains(name); };
  for (;;) {
    const auto free = std::ranges::find_if(
        waiting, [&](const auto& phase) { return std::ranges::none_of(phase.second, waits); });
    if (free == waiting.end()) return waiting;
    waiting.erase(free);
  }
}

/// A walk along the circle from one phase to where it closes: "1 after 2 after 1".
std::string described(const Order& circle, const std::string& start) {
  std::vector<std::string> way = {start};
  for (;;) {
    const auto& next = circle.at(way.back());
    way.push_back(*std::ranges::find_if(
        next, [&](const std::string& name) { return circle.contains(name); }));
    if (std::ranges::count(way, way.back()) > 1)
      return fmt::format("{}", fmt::join(way, " after "));
  }
}

void phases_can_be_ordered(Lab::Reader lab, Findings& findings) {
  Order waiting;
  const auto phases = lab.getPlan().getPhases();
  for (const auto phase : phases) {
    const auto [own, is_new] = waiting.try_emplace(str(phase.getName()));
    if (!is_new) return;  // the order means nothing until the names are unique
    for (const auto name : phase.getAfter()) own->second.push_back(str(name));
  }
  const auto circle = circle_of(waiting);
  for (unsigned i = 0; i < phases.size(); ++i) {
    const auto name = str(phases[i].getName());
    if (!circle.contains(name)) continue;
    // One report for the whole circle: all of it is the mistake.
    findings.report(findings.element_path("plan.phases", i) + ".after",
                    fmt::format("the phases wait for each other: {}", described(circle, name)),
                    "no phase of this circle could ever start");
    return;
  }
}

void tracks_are_unique_in_the_plan(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> taken;
  const auto phases = lab.getPlan().getPhases();
  for (unsigned i = 0; i < phases.size(); ++i) {
    const auto phase = str(phases[i].getName());
    const auto list = findings.element_path("plan.phases", i) + ".tracks";
    for (unsigned k = 0; k < phases[i].getTracks().size(); ++k) {
      const auto name = str(phases[i].getTracks()[k].getName());
      const auto [first, is_new] = taken.emplace(name, phase);
      if (!name.empty() && !is_new && first->second != phase)
        findings.report(findings.element_path(list, k) + ".name",
                        fmt::format("phase '{}' has a track '{}' too", first->second, name),
                        "tracks are named in commands and reports without their phase");
    }
  }
}

void only_changes_that_cut_off_are_confirmed(Lab::Reader lab, Findings& findings) {
  each_step(lab, findings, [&](Lab::Step::Reader step, const std::string& path) {
    if (!findings.given(path + ".confirm") || step.getTask().isUnset()) return;
    const auto arm = reflect::member_of(capnp::toDynamic(step.getTask()));
    if (reflect::notes_of_kind(arm).commit_confirmed) return;
    findings.report(
        path + ".confirm",
        fmt::format("nothing of the kind '{}' is confirmed, or undone", reflect::snake_case(arm)),
        "leave it out: it is for kinds that may cut their agent off");
  });
}

void what_a_person_does_is_seen(Lab::Reader lab, Findings& findings) {
  each_step(lab, findings, [&](Lab::Step::Reader step, const std::string& path) {
    if (step.getInstruction().size() == 0 || step.getTask().isUnset()) return;
    const auto arm = reflect::member_of(capnp::toDynamic(step.getTask()));
    if (reflect::notes_of_kind(arm).waits) return;
    findings.report(path + ".instruction",
                    fmt::format("nothing of the kind '{}' waits until a person has done that",
                                reflect::snake_case(arm)),
                    "give a step with an instruction a task that sees that it was done, such as "
                    "disk_attached");
  });
}

/// The agent takes them one after the other, in an order that nobody chose.
void no_two_tracks_change_one_thing(Lab::Reader lab, Findings& findings) {
  const auto phases = lab.getPlan().getPhases();
  for (unsigned i = 0; i < phases.size(); ++i) {
    std::map<std::string, std::string> taken;
    const auto list = findings.element_path("plan.phases", i) + ".tracks";
    for (unsigned k = 0; k < phases[i].getTracks().size(); ++k) {
      const auto track = phases[i].getTracks()[k];
      const auto steps_path = findings.element_path(list, k) + ".steps";
      for (unsigned n = 0; n < track.getSteps().size(); ++n) {
        // With what it does not say itself, as [[guests]] does.
        Draft<schema::Task> task(track.getSteps()[n].getTask());
        fill_guest_task(*task, lab);
        const auto resource = reflect::resource_of(task->asReader());
        if (resource.empty()) continue;
        const auto [first, is_new] =
            taken.emplace(str(track.getAgent()) + " " + resource, str(track.getName()));
        if (!is_new && first->second != str(track.getName()))
          findings.report(findings.element_path(steps_path, n) + ".task",
                          fmt::format("the track '{}' of this phase changes the {} of '{}' too",
                                      first->second, resource, str(track.getAgent())),
                          "tracks run side by side: put both steps into one, in their order");
      }
    }
  }
}

/// The oldest evidence that may stand before a phase that overwrites something.
constexpr std::uint32_t guarded_age_max = 31 * 86400;

void proofs_are_fresh(Lab::Reader lab, Findings& findings) {
  const auto phases = lab.getPlan().getPhases();
  for (unsigned i = 0; i < phases.size(); ++i) {
    if (!is_guarded(phases[i])) continue;
    const auto list = findings.element_path("plan.phases", i) + ".gate";
    for (unsigned k = 0; k < phases[i].getGate().size(); ++k)
      if (phases[i].getGate()[k].getMaxAge() > guarded_age_max)
        findings.report(findings.element_path(list, k) + ".max_age",
                        "a phase that installs or destroys something wants evidence of the last "
                        "31 days",
                        "give at most \"31d\"");
  }
}

void paths_are_named(Lab::Reader lab, Findings& findings) {
  each_step_of_tracks(lab, findings, [&](auto track, auto step, const std::string& path) {
    if (!step.getTask().isPathCheck() || step.getTask().getPathCheck().getPaths().size() != 0)
      return;
    const auto agent = view(track.getAgent());
    if (!any_in(lab.getKeep(),
                [&](auto keep) { return !keep.getLose() && host_of(keep, lab) == agent; }))
      findings.report(path + ".task.path_check",
                      fmt::format("it has no paths, and no [[keep]] names any of '{}'", agent),
                      "leave the step out, or name what must not be lost");
  });
}

constexpr Check checks[] = {
    {"phases do not wait for each other", phases_can_be_ordered},
    {"no two phases have a track of one name", tracks_are_unique_in_the_plan},
    {"only what may cut an agent off is to be confirmed", only_changes_that_cut_off_are_confirmed},
    {"what a person does is seen", what_a_person_does_is_seen},
    {"no two tracks of a phase change one thing", no_two_tracks_change_one_thing},
    {"nothing is overwritten on old evidence", proofs_are_fresh},
    {"a look at paths has paths", paths_are_named},
};

}  // namespace

std::span<const Check> plan_checks() { return checks; }

}  // namespace relab::lab
