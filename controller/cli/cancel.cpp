#include <algorithm>
#include <fmt/format.h>
#include <thread>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/run_part.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

constexpr auto handing_over = std::chrono::seconds(15);
constexpr auto poll_time = Millis(100);

/// An open task by its id, the short form of that, or its step.
std::optional<TaskId> open_task(const State& state, const std::string& word) {
  for (const auto& [id, task] : state.tasks())
    if (task.open() && (id.text() == word || id.brief() == word || task.step == word)) return id;
  return {};
}

Result<std::vector<CancelTarget>> targets_of(const std::string& word, schema::Lab::Reader lab,
                                             const State& state) {
  if (const auto task = open_task(state, word)) return std::vector<CancelTarget>{*task};
  for (const auto& [id, task] : state.tasks())
    if (id.text() == word || id.brief() == word || task.step == word)
      return fail(Fault::conflict, fmt::format("{} has ended already", task.step),
                  "`relab status` tells how");
  std::vector<CancelTarget> targets;
  // Also what lab.toml has no more: it may still be at work.
  for (const auto* run : state.open_runs())
    if (run->phase == word || run->id.text() == word || run->id.brief() == word)
      targets.emplace_back(run->id);
  if (!targets.empty()) return targets;
  RELAB_TRY(const auto part, find_part(lab, word));
  for (const auto* run : state.open_runs(part.phase))
    if (part.track.empty() || run->track == part.track) targets.emplace_back(run->id);
  if (targets.empty())
    return fail(Fault::conflict,
                fmt::format("nothing of {} is open: there is nothing to cancel", part.text()),
                "`relab status` shows what was run");
  return targets;
}

/// The tasks that are to end, each with whether it has.
std::vector<const TaskRecord*> tasks_of(const State& state, const CancelTarget& target) {
  if (const auto* run = std::get_if<RunId>(&target)) return state.tasks_of(*run);
  return {&state.tasks().at(std::get<TaskId>(target))};
}

/// Whether somebody asked for that, in the entries behind the first so many.
bool is_asked(const Ledger& ledger, std::size_t behind, const CancelTarget& target) {
  const auto id = std::visit([](const auto& known) { return known.view(); }, target);
  const auto of_this = [&](const LedgerEntry& entry) {
    const auto body = entry.entry.reader();
    return body.isCancelAsked() &&
           std::ranges::equal(id, std::holds_alternative<TaskId>(target)
                                      ? view(body.getCancelAsked().getTaskId())
                                      : view(body.getCancelAsked().getRun()));
  };
  return std::any_of(ledger.entries().begin() + static_cast<std::ptrdiff_t>(behind),
                     ledger.entries().end(), of_this);
}

/// What became of requests that were taken: by the ledger.
ExitCode tell_taken(const std::vector<CancelTarget>& targets, std::size_t behind,
                    const std::string& lab, Context& context) {
  const auto book = context.read_book(lab);
  if (!book) return context.failed(book.error());
  const auto late = std::ranges::count_if(targets, [&](const CancelTarget& target) {
    return !is_asked(book->ledger(), behind, target);
  });
  if (late != 0)
    return context.failed(
        {.fault = Fault::conflict,
         .what = targets.size() == 1
                     ? "it had come to its end before it could be cancelled"
                     : fmt::format("{} of {} had come to their end before they could be cancelled",
                                   late, targets.size()),
         .hint = "`relab status` tells how"});
  context.out().line(
      "The `relab` that holds the lab has taken it on: it tells what becomes of it.");
  context.out().value({{"handedOver", true}});
  return ExitCode::done;
}

/// By the process that holds the lab, if there is one; it goes on with what is left. Nothing if it
/// did not take the request, and let go of the lab instead.
std::optional<ExitCode> hand_over(const std::vector<CancelTarget>& targets, std::size_t behind,
                                  const std::string& lab, Context& context) {
  const Requests requests(context.state_dir(lab));
  std::vector<std::filesystem::path> files;
  for (const auto& target : targets) {
    auto file = requests.post(target);
    if (!file) return context.failed(file.error());
    files.push_back(std::move(*file));
  }
  std::error_code error;
  const auto until = now_of_system().steady + handing_over;
  while (now_of_system().steady < until) {
    std::erase_if(files, [&](const auto& file) { return !std::filesystem::exists(file, error); });
    if (files.empty()) return tell_taken(targets, behind, lab, context);
    std::this_thread::sleep_for(poll_time);
  }
  for (const auto& file : files) std::filesystem::remove(file, error);
  return {};
}

bool was_cancelled(const TaskRecord& task) {
  return task.evidence ? task.evidence->report.reader().getOutcome() == schema::Outcome::CANCELLED
                       : task.abandoned_for == schema::Abandoned::Reason::CANCELLED;
}

std::string fate_of(const TaskRecord& task) {
  if (task.open()) return "is told when its agent is back";
  if (was_cancelled(task)) return "was cancelled";
  if (task.evidence) return "had come to its end before";
  if (!task.refusal.empty()) return "was refused by its agent: " + task.refusal;
  return "was given up, nobody knows what became of it: " + task.abandoned;
}

/// Tells what became of each task: one that had ended before it could be cancelled is none that
/// was.
ExitCode tell(const State& state, const std::vector<CancelTarget>& targets, Context& context) {
  auto list = nlohmann::json::array();
  std::size_t open = 0;
  std::size_t missed = 0;
  for (const auto& target : targets)
    for (const auto* task : tasks_of(state, target)) {
      if (!task->cancel_asked) continue;
      if (task->open())
        ++open;
      else if (!was_cancelled(*task))
        ++missed;
      context.out().line(fmt::format("{} {}", task->step, Printer::harmless(fate_of(*task))));
      list.push_back(
          {{"task", task->id.text()}, {"step", task->step}, {"cancelled", was_cancelled(*task)}});
    }
  context.out().value({{"tasks", std::move(list)}});
  if (open != 0) return ExitCode::unreachable;
  return missed == 0 ? ExitCode::done : ExitCode::failed;
}

ExitCode cancel_here(const std::vector<CancelTarget>& targets, const Message<schema::Lab>& lab,
                     OpenedLab& opened, Context& context, std::chrono::seconds patience) {
  PartRunner runner(context, opened, lab, {.patience = patience});
  for (const auto& target : targets) {
    const auto asked =
        std::visit([&](const auto& id) { return opened.book.cancel_asked(id); }, target);
    if (!asked) return context.failed(asked.error());
    PartEnd end;
    if (const auto* id = std::get_if<TaskId>(&target))
      end = runner.await({.task = *id, .run = opened.book.state().tasks().at(*id).run});
    else
      end = runner.carry_on(std::get<RunId>(target));
    // What a run came to has a value; an error has none.
    if (end.code != ExitCode::done && end.value.is_null()) return end.code;
  }
  return tell(opened.book.state(), targets, context);
}

}  // namespace

void declare_cancel(po::options_description& options) {
  options.add_options()("patience", patience_value(30), "seconds to wait for agents that are away");
}

ExitCode cancel(const Values& values, Context& context) {
  const auto word = argument_of(values, 0);
  if (word.empty()) {
    context.out().error(
        {.fault = Fault::invalid,
         .what = "cancel what?",
         .hint = "usage: relab cancel TASK, PHASE or TRACK; `relab status` shows them"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto name = str(lab->reader().getName());
  const auto seen = context.read_book(name);
  if (!seen) return context.failed(seen.error());
  const auto targets = targets_of(word, lab->reader(), seen->state());
  if (!targets) {
    const auto code = context.failed(targets.error());
    return targets.error().fault == Fault::missing ? ExitCode::usage : code;
  }
  auto opened = open_lab(context, lab->reader(), "cancel " + word);
  if (!opened && opened.error().fault == Fault::busy) {
    if (const auto code = hand_over(*targets, seen->ledger().entries().size(), name, context))
      return *code;
    opened = open_lab(context, lab->reader(), "cancel " + word);
  }
  if (!opened) return context.failed(opened.error());
  return cancel_here(*targets, *lab, *opened, context,
                     std::chrono::seconds(values["patience"].as<unsigned>()));
}

}  // namespace relab::controller::cli
