#include "controller/gates/later_word.h"

#include "common/base/text.h"

namespace relab::controller {

namespace {

/// Debian scrubs every pool once a month.
constexpr auto scrub_age_max = std::chrono::days(45);
/// What the machine's clock and the controller's may differ by.
constexpr auto clock_difference_max = std::chrono::minutes(10);
/// Where a drill receives: it comes and goes, and is in no copy.
constexpr std::string_view drill_place = "/relab-drill";

/// The scrubs after that look, and what they found.
std::string later_scrub(const Evidences& evidences, LabPool pool, const TaskRecord& health) {
  const auto* scrub = evidences.state.last_ended(
      host_of(evidences.lab, pool), "zfsScrub",
      [name = str(pool.getName())](schema::Task::Reader task) {
        return task.isZfsScrub() && view(task.getZfsScrub().getPool()) == name;
      });
  if (scrub == nullptr || scrub->check || scrub->closed <= health.closed) return {};
  if (!scrub->evidence ||
      scrub->evidence->report.reader().getOutcome() != schema::Outcome::SUCCEEDED ||
      !scrub->evidence->report.reader().getFacts().isZfsScrub())
    return "a scrub that came after that did not succeed";
  const auto found = scrub->evidence->report.reader().getFacts().getZfsScrub();
  if (found.getErrors() != 0)
    return fmt::format("a scrub that came after that left {} error(s)", found.getErrors());
  if (found.getConcerns().size() != 0)
    return fmt::format("after a later scrub: {}", view(found.getConcerns()[0]));
  return {};
}

}  // namespace

bool is_ahead(Instant now, Instant then) { return then - now > clock_difference_max; }

std::string scrub_concern(const Evidences& evidences, LabPool pool, const TaskRecord& health) {
  const auto facts = health.evidence->report.reader().getFacts().getPoolHealth();
  if (facts.getScrubbedAt() == 0)
    return "no scrub of it is known that came to its end: only a scrub reads every block";
  const auto age = evidences.now - instant_of(facts.getScrubbedAt());
  if (is_ahead(evidences.now, instant_of(facts.getScrubbedAt())))
    return "its last scrub ended in the future: was a clock set back?";
  if (age > scrub_age_max)
    return fmt::format("it was scrubbed {} ago, which is more than {}", human(age),
                       human(scrub_age_max));
  return later_scrub(evidences, pool, health);
}

std::string left_out(const Evidences& evidences, LabPool pool, const TaskRecord& verify,
                     const std::set<std::string>& copied) {
  const auto* audit = evidences.state.last_ended(host_of(evidences.lab, pool), "auditZfs");
  if (audit == nullptr || audit->closed <= verify.closed || !audit->evidence ||
      !audit->evidence->report.reader().getFacts().isAuditZfs())
    return {};
  const auto name = str(pool.getName());
  for (const auto row : audit->evidence->report.reader().getFacts().getAuditZfs().getDatasets()) {
    const auto dataset = str(row.getName());
    const bool of_pool = dataset == name || dataset.starts_with(name + "/");
    if (!of_pool || copied.contains(dataset)) continue;
    if ((dataset + "/").find(std::string(drill_place) + "/") != std::string::npos) continue;
    return fmt::format("a later audit shows {}, of which it has nothing", dataset);
  }
  return {};
}

}  // namespace relab::controller
