#include "controller/cli/ledger_show.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "common/base/number.h"
#include "common/base/text.h"
#include "controller/cli/context.h"
#include "controller/cli/page/parts.h"
#include "controller/report/history.h"
#include "controller/report/table.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

nlohmann::json to_json(const HistoryLine& line) {
  return {{"number", line.number}, {"time", iso8601(line.time)}, {"kind", line.kind},
          {"agent", line.agent},   {"phase", line.phase},        {"task", line.task},
          {"run", line.run},       {"what", line.what}};
}

constexpr auto time_help = "times are in UTC, such as 2026-10-04T19:22 or 2026-10-04";

/// All that a filter could name.
struct Names {
  std::vector<std::string> kinds = history_kinds();
  std::vector<std::string> agents = {};
  std::vector<std::string> phases = {};
};

Names names_in(const std::vector<HistoryLine>& lines, schema::Lab::Reader lab) {
  Names names;
  for (const auto& line : lines) {
    names.agents.push_back(line.agent);
    names.phases.push_back(line.phase);
  }
  for (const auto phase : lab.getPlan().getPhases()) {
    names.phases.push_back(str(phase.getName()));
    for (const auto track : phase.getTracks()) names.agents.push_back(str(track.getAgent()));
  }
  return names;
}

/// A name that does not exist would show an empty list, as if nothing had happened.
Result<std::string> one_of(const std::string& wish, std::string_view what,
                           const std::vector<std::string>& known) {
  if (std::ranges::find(known, wish) != known.end() || wish.empty()) return wish;
  const auto near = nearest(wish, known);
  return fail(Fault::invalid, fmt::format("there is no {} '{}'", what, wish),
              near.empty() ? "`relab ledger show` without it shows all there are"
                           : fmt::format("did you mean '{}'?", near));
}

/// An id, or its end, that some line has.
Result<std::string> id_in(const std::vector<HistoryLine>& lines, std::string HistoryLine::*id,
                          std::string_view what, const std::string& wish) {
  if (std::ranges::any_of(lines, [&](const auto& line) { return (line.*id).ends_with(wish); }))
    return wish;
  return fail(Fault::invalid, fmt::format("the ledger has no {} '{}'", what, wish),
              fmt::format("give the id of a {}, or the end of one", what));
}

Result<std::optional<Instant>> time_in(const std::string& wish) {
  if (wish.empty()) return std::optional<Instant>();
  const auto time = instant_from(wish);
  if (!time) return fail(Fault::invalid, fmt::format("'{}' is no time", wish), time_help);
  return time;
}

/// How many lines at most; without a wish, any number of them.
Result<std::size_t> last_of(const std::string& wish) {
  if (wish.empty()) return std::numeric_limits<std::size_t>::max();
  const auto count = parse_number<std::size_t>(wish);
  if (count && *count > 0) return *count;
  return fail(Fault::invalid, fmt::format("'{}' is no number of entries", wish));
}

Result<HistoryFilter> filter_of(const Values& values, const std::vector<HistoryLine>& lines,
                                schema::Lab::Reader lab) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  for (const char* name : {"kind", "agent", "phase", "task", "run", "since", "until", "last"})
    if (!values[name].defaulted() && text(name).empty())
      return fail(Fault::invalid, fmt::format("--{} names nothing", name));
  const auto names = names_in(lines, lab);
  HistoryFilter filter;
  RELAB_TRY(filter.kind, one_of(text("kind"), "kind of entries", names.kinds));
  RELAB_TRY(filter.agent, one_of(text("agent"), "agent", names.agents));
  RELAB_TRY(filter.phase, one_of(text("phase"), "phase", names.phases));
  RELAB_TRY(filter.task, id_in(lines, &HistoryLine::task, "task", text("task")));
  RELAB_TRY(filter.run, id_in(lines, &HistoryLine::run, "run", text("run")));
  RELAB_TRY(filter.since, time_in(text("since")));
  RELAB_TRY(filter.until, time_in(text("until")));
  return filter;
}

void print(const std::vector<HistoryLine>& lines, std::size_t all, Printer& out) {
  Table table({"entry", "time", "kind", "phase", "agent", "task", "what"});
  auto json = nlohmann::json::array();
  for (const auto& line : lines) {
    const auto brief = line.task.empty() ? line.task : line.task.substr(24);
    table.add({{fmt::format("{}", line.number), true},
               {iso8601(line.time)},
               {line.kind},
               {line.phase},
               {line.agent},
               {brief},
               {line.what}});
    json.push_back(to_json(line));
  }
  if (!lines.empty()) out.text(table.print(out.style()));
  out.line(lines.empty() ? fmt::format("None of the {} entries is like that.", all)
                         : fmt::format("{} of {} entries", lines.size(), all));
  out.value(json);
}

}  // namespace

nlohmann::json history_json(const Book& book) {
  auto json = nlohmann::json::array();
  for (const auto& line : history(book.ledger(), book.state(), {})) json.push_back(to_json(line));
  return json;
}

void declare_ledger_show(po::options_description& options) {
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  options.add_options()("kind", text(),
                        "show: entries of this kind alone, such as ordered or judged")(
      "agent", text(), "show: those about this agent")("phase", text(),
                                                       "show: those of this phase")(
      "task", text(), "show: those of the task with this id, or end of an id")(
      "run", text(), "show: those of the run with this id, or end of an id")(
      "since", text(), "show: those from this time on; UTC, such as 2026-10-04T19:22")(
      "until", text(), "show: those before this time")("last", text(),
                                                       "show: the last so many of them");
}

ExitCode show_ledger(const Book& book, schema::Lab::Reader lab, const Values& values,
                     Context& context) {
  auto lines = history(book.ledger(), book.state(), {});
  const auto all = lines.size();
  const auto filter = filter_of(values, lines, lab);
  const auto last = last_of(values["last"].as<std::string>());
  if (!filter || !last) {
    context.out().error(filter ? last.error() : filter.error());
    return ExitCode::usage;
  }
  std::erase_if(lines, [&](const auto& line) { return !passes(line, *filter); });
  if (*last < lines.size())
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(*last));
  print(lines, all, context.out());
  return ExitCode::done;
}

}  // namespace relab::controller::cli
