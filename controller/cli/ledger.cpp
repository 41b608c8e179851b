#include "controller/ledger/ledger.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/keys/key_file.h"
#include "controller/ledger/export.h"
#include "controller/report/history.h"
#include "controller/report/table.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

bool holds_head(const Ledger& ledger, const std::string& head) {
  return std::ranges::any_of(ledger.entries(),
                             [&](const LedgerEntry& entry) { return hex(entry.hash) == head; });
}

ExitCode verify(const Book& book, const std::string& head, Context& context) {
  const auto& entries = book.ledger().entries();
  if (entries.empty() || !book.state().controller())
    return context.failed(
        {.fault = Fault::damaged,
         .what = "the ledger has no beginning: it is empty, or its entries were removed",
         .hint = "restore a copy that verifies"});
  if (const auto owner = read_owner(context.key_file());
      owner && owner->sign_key != book.state().controller()->sign_key)
    return context.failed(
        {.fault = Fault::conflict,
         .what = fmt::format("the ledger was begun by the controller key {}, the keys here are {}",
                             crypto::fingerprint(book.state().controller()->sign_key),
                             crypto::fingerprint(owner->sign_key)),
         .hint = "is this the right state directory?"});
  if (!head.empty() && !holds_head(book.ledger(), head))
    return context.failed({.fault = Fault::damaged,
                           .what = fmt::format("no entry of the ledger has the hash {}", head),
                           .hint = "its end was cut off, or it was replaced: restore the newest "
                                   "copy; or this is not a head that `ledger verify` printed"});
  std::size_t orders = 0;
  std::size_t reports = 0;
  std::size_t checkpoints = 0;
  for (const auto& entry : entries) {
    orders += entry.entry.reader().isOrdered() ? 1U : 0U;
    reports += entry.entry.reader().isReceived() ? 1U : 0U;
    checkpoints += entry.entry.reader().isCheckpoint() ? 1U : 0U;
  }
  const auto newest = hex(book.ledger().head());
  context.out().line(fmt::format(
      "The ledger of '{}' holds: {} entries, {} signed orders, {} signed reports, {} checkpoints.",
      book.state().lab(), entries.size(), orders, reports, checkpoints));
  context.out().line(fmt::format("Head {}", newest));
  context.out().value({{"lab", book.state().lab()},
                       {"entries", entries.size()},
                       {"orders", orders},
                       {"reports", reports},
                       {"checkpoints", checkpoints},
                       {"head", newest},
                       {"valid", true}});
  return ExitCode::done;
}

/// A kind that does not exist would show an empty list, as if nothing had happened.
bool knows_kind(const std::string& kind, Context& context) {
  const auto kinds = history_kinds();
  if (kind.empty() || std::ranges::find(kinds, kind) != kinds.end()) return true;
  const auto near = nearest(kind, kinds);
  context.out().error({.fault = Fault::invalid,
                       .what = fmt::format("the ledger has no entries of the kind '{}'", kind),
                       .hint = near.empty() ? fmt::format("kinds: {}", fmt::join(kinds, ", "))
                                            : fmt::format("did you mean '{}'?", near)});
  return false;
}

nlohmann::json to_json(const HistoryLine& line) {
  return {{"number", line.number}, {"time", iso8601(line.time)}, {"kind", line.kind},
          {"agent", line.agent},   {"phase", line.phase},        {"task", line.task},
          {"what", line.what}};
}

ExitCode show(const Book& book, const Values& values, Context& context) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  if (!knows_kind(text("kind"), context)) return ExitCode::usage;
  auto lines = history(
      book.ledger(), book.state(),
      {.kind = text("kind"), .agent = text("agent"), .phase = text("phase"), .task = text("task")});
  if (values.count("last") != 0 && values["last"].as<std::size_t>() < lines.size())
    lines.erase(lines.begin(),
                lines.end() - static_cast<std::ptrdiff_t>(values["last"].as<std::size_t>()));
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
  if (!lines.empty()) context.out().text(table.print(context.out().style()));
  context.out().line(fmt::format("{} of {} entries", lines.size(), book.ledger().entries().size()));
  context.out().value(json);
  return ExitCode::done;
}

}  // namespace

void declare_ledger(po::options_description& options) {
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  options.add_options()("head", text(),
                        "verify: a head that was printed before and must still be there")(
      "kind", text(), "show: entries of this kind alone, such as ordered or judged")(
      "agent", text(), "show: those about this agent")("phase", text(),
                                                       "show: those of this phase")(
      "task", text(), "show: those of the task with this id, or end of an id")(
      "last", po::value<std::size_t>(), "show: the last so many of them");
}

ExitCode ledger(const Values& values, Context& context) {
  const auto what = argument_of(values, 0);
  if (what != "verify" && what != "export" && what != "show") {
    context.out().error(
        {.fault = Fault::invalid,
         .what = "usage: relab ledger verify, relab ledger show, or relab ledger export"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto book = Book::open_read_only(context.ledger_file(str(lab->reader().getName())));
  if (!book) return context.failed(book.error());
  if (what == "verify") return verify(*book, values["head"].as<std::string>(), context);
  if (what == "show") return show(*book, values, context);
  for (const auto& entry : book->ledger().entries()) context.out().raw(export_line(entry));
  return ExitCode::done;
}

}  // namespace relab::controller::cli
