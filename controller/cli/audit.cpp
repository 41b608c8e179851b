#include "controller/report/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/find_audit.h"
#include "controller/cli/page/parts.h"
#include "controller/cli/survive.h"
#include "controller/report/diff.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

/// The sections of the audit with their task kinds, in the schema's order.
std::vector<std::pair<std::string, std::string>> sections() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (const auto section = reflect::notes_of(field).audit; !section.empty())
      found.emplace_back(section, field.getProto().getName().cStr());
  return found;
}

std::string outcome_words(const TaskRecord& task) {
  if (!task.refusal.empty()) return "refused";
  if (!task.abandoned.empty()) return "given up";
  if (!task.evidence) return "no report yet";
  return task.evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED ? "succeeded"
                                                                                   : "failed";
}

SectionView view_of(const std::string& section, const std::string& agent, const TaskRecord* task) {
  SectionView seen{.section = section, .agent = agent, .outcome = "never read"};
  if (task == nullptr) return seen;
  seen.outcome = outcome_words(*task);
  seen.failure = task->refusal + task->abandoned;
  if (!task->evidence) return seen;
  const auto report = task->evidence->report.reader();
  seen.taken_at = instant_of(report.getEndedAt());
  seen.facts = findings_of(report.getFacts());
  if (report.getOutcome() != schema::Outcome::SUCCEEDED)
    seen.failure = str(report.getFailure().getWhat());
  return seen;
}

/// The last word on each section from each host; from one run only, if one is named.
std::vector<SectionView> collect(schema::Lab::Reader lab, const State& state,
                                 const std::optional<RunId>& run, const std::string& only) {
  std::vector<SectionView> views;
  for (const auto host : lab.getHosts())
    for (const auto& [section, arm] : sections()) {
      if (!only.empty() && section != only) continue;
      const TaskRecord* last = nullptr;
      for (const auto& [id, task] : state.tasks())
        if (task.agent == str(host.getName()) && task.arm == arm && (!run || task.run == *run) &&
            (last == nullptr || task.ordered >= last->ordered))
          last = &task;
      views.push_back(view_of(section, str(host.getName()), last));
    }
  return views;
}

ExitCode show(const Values& values, Context& context, schema::Lab::Reader lab, const State& state) {
  const auto only = argument_of(values, 1);
  const auto known = reflect::audit_sections();
  if (!only.empty() && std::find(known.begin(), known.end(), only) == known.end()) {
    context.out().error({.fault = Fault::invalid,
                         .what = fmt::format("the audit has no section '{}'", only),
                         .hint = lab::suggestion(only, known)});
    return ExitCode::usage;
  }
  const auto views = collect(lab, state, {}, only);
  auto style = context.out().style();
  if (values.count("markdown") != 0) style = {.form = Form::markdown};
  context.out().text(render_audit(views, style, wall_clock()));
  context.out().value_text(audit_json(views));
  const bool whole = std::all_of(views.begin(), views.end(), is_whole);
  if (!whole) context.out().note("The audit is not whole: `relab gate` says what is missing.");
  return whole ? ExitCode::done : ExitCode::failed;
}

/// The change from one audit to the other of a section, where both were read.
std::vector<Change> changes_of(const SectionView& before, const SectionView& after,
                               Volatile fields) {
  if (before.facts && after.facts) return diff(*before.facts, *after.facts, before.section, fields);
  if (!before.facts && !after.facts && before.outcome == after.outcome) return {};
  return {{.kind = Change::Kind::changed,
           .path = {before.section},
           .before = before.facts ? "read" : before.outcome + ", no facts",
           .after = after.facts ? "read" : after.outcome + ", no facts"}};
}

ExitCode compare(const Values& values, Context& context, schema::Lab::Reader lab,
                 const State& state) {
  const auto from = find_audit(state, argument_of(values, 1));
  if (!from) return context.failed(from.error());
  const auto to = find_audit(state, argument_of(values, 2));
  if (!to) return context.failed(to.error());
  const auto before = collect(lab, state, (*from)->id, {});
  const auto after = collect(lab, state, (*to)->id, {});
  const auto fields = values.count("all") != 0 ? Volatile::shown : Volatile::hidden;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < before.size(); ++i)
    for (auto& change : changes_of(before[i], after[i], fields)) {
      if (lab.getHosts().size() > 1) change.path.insert(change.path.begin(), before[i].agent);
      changes.push_back(std::move(change));
    }
  const auto style =
      values.count("markdown") != 0 ? Style{.form = Form::markdown} : context.out().style();
  context.out().text(changes.empty() ? "no differences\n" : render_changes(changes, style));
  context.out().value_text(changes_json(changes));
  return ExitCode::done;
}

}  // namespace

void declare_audit(po::options_description& options) {
  options.add_options()("markdown", "as Markdown, for a wiki")(
      "all", "diff: also what changes all the time, such as counters");
}

std::vector<SectionView> audit_views(schema::Lab::Reader lab, const State& state) {
  return collect(lab, state, {}, {});
}

ExitCode audit(const Values& values, Context& context) {
  const auto what = argument_of(values, 0);
  const auto count = arguments_of(values).size();
  if (!(what == "show" && count <= 2) && !(what == "diff" && count == 3) &&
      !(what == "survive" && count == 1)) {
    context.out().error(
        {.fault = Fault::invalid,
         .what = "usage: relab audit show [SECTION], relab audit survive, or relab audit diff A B",
         .hint = "A and B are runs: last, last~1, or ids as `relab status` shows them"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto book = context.read_book(str(lab->reader().getName()));
  if (!book) return context.failed(book.error());
  if (what == "survive")
    return survive(values, context, context.evidences(lab->reader(), book->state()));
  if (what == "diff") return compare(values, context, lab->reader(), book->state());
  return show(values, context, lab->reader(), book->state());
}

}  // namespace relab::controller::cli
