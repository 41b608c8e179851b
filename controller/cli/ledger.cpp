#include "controller/ledger/ledger.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/file.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/ledger_show.h"
#include "controller/cli/page/parts.h"
#include "controller/keys/key_file.h"
#include "controller/ledger/export.h"
#include "controller/ledger/head.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

nlohmann::json ledger_json(const Book& book) {
  std::size_t orders = 0;
  std::size_t reports = 0;
  std::size_t checkpoints = 0;
  for (const auto& entry : book.ledger().entries()) {
    orders += entry.entry.reader().isOrdered() ? 1U : 0U;
    reports += entry.entry.reader().isReceived() ? 1U : 0U;
    checkpoints += entry.entry.reader().isCheckpoint() ? 1U : 0U;
  }
  return {{"lab", book.state().lab()},
          {"entries", book.ledger().entries().size()},
          {"orders", orders},
          {"reports", reports},
          {"checkpoints", checkpoints},
          {"head", hex(book.ledger().head())},
          {"valid", true}};
}

namespace {

bool holds_head(const Ledger& ledger, const std::string& head) {
  return std::ranges::any_of(ledger.entries(),
                             [&](const LedgerEntry& entry) { return hex(entry.hash) == head; });
}

/// The file that `relab ledger head --write` wrote.
Result<void> compare(const Book& book, const std::string& path) {
  RELAB_TRY(const auto text, read_small_file(path));
  RELAB_TRY(const auto head,
            read_head(text, {.lab = book.state().lab(), .key = book.state().controller()->sign_key})
                .during(fmt::format("reading {}", path)));
  return check_against(book.ledger(), head);
}

ExitCode verify(const Book& book, const Values& values, Context& context) {
  const auto head = values["head"].as<std::string>();
  const auto against = values["against"].as<std::string>();
  const auto& entries = book.ledger().entries();
  if (entries.empty() || !book.state().controller())
    return context.failed(
        {.fault = Fault::damaged,
         .what = "the ledger has no beginning: it is empty, or its entries were removed",
         .hint = "restore a copy that verifies"});
  const auto owner = read_owner(context.key_file());
  if (!owner)
    return context.failed(
        {.fault = owner.error().fault,
         .what = "whether this is our own ledger cannot be told: " + owner.error().what,
         .hint = "give the state directory that has the controller's keys, too"});
  if (owner->sign_key != book.state().controller()->sign_key)
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
  if (!against.empty())
    if (const auto compared = compare(book, against); !compared)
      return context.failed(compared.error());
  const auto kept = context.kept_head({.lab = book.state().lab(), .key = owner->sign_key}).read();
  if (!kept) return context.failed(kept.error());
  if (!*kept)
    context.out().note(
        "no head of it is kept beside the keys: that its end was not cut off is not known");
  const auto counts = ledger_json(book);
  context.out().line(fmt::format(
      "The ledger of '{}' holds: {} entries, {} signed orders, {} signed reports, {} checkpoints.",
      book.state().lab(), entries.size(), counts["orders"].get<std::size_t>(),
      counts["reports"].get<std::size_t>(), counts["checkpoints"].get<std::size_t>()));
  context.out().line(fmt::format("Head {}", hex(book.ledger().head())));
  context.out().value(counts);
  return ExitCode::done;
}

/// The newest checkpoint; what came after it is told, since nothing covers that yet.
ExitCode tell_head(const Book& book, const std::string& path, Context& context) {
  const auto& state = book.state();
  if (state.checkpoint().empty() || !state.controller())
    return context.failed({.fault = Fault::missing,
                           .what = "the ledger has no signed checkpoint yet",
                           .hint = "enrolling an agent and every run write one"});
  const auto line = head_line(state.checkpoint());
  if (!line) return context.failed(line.error());
  const auto head = read_head(*line, {.lab = state.lab(), .key = state.controller()->sign_key});
  if (!head) return context.failed(head.error());
  if (path.empty()) context.out().raw(*line);
  if (!path.empty()) {
    std::error_code error;
    const auto there = std::filesystem::symlink_status(path, error).type();
    if (there != std::filesystem::file_type::regular &&
        there != std::filesystem::file_type::not_found)
      return context.failed({.fault = Fault::invalid,
                             .what = fmt::format("{} is there, and is no file", path),
                             .hint = "give the name of a file, or of none"});
    if (const auto written = replace_file(path, *line); !written)
      return context.failed(written.error());
    context.out().line(fmt::format("The head of {} entries is in {}.", head->entries, path));
    context.out().value({{"entries", head->entries}, {"head", hex(head->hash)}, {"file", path}});
  }
  // The checkpoint is an entry itself.
  const auto after = book.ledger().entries().size() - head->entries - 1;
  if (after > 0)
    context.out().note(fmt::format("{} entries after it have no signed head yet", after));
  return ExitCode::done;
}

/// An option that is not looked at would be taken for a comparison that held.
bool options_are_used(const std::string& what, const Values& values, Context& context) {
  constexpr std::pair<const char*, std::string_view> owners[] = {
      {"head", "verify"}, {"against", "verify"}, {"write", "head"}};
  for (const auto& [name, owner] : owners) {
    if (values[name].defaulted()) continue;
    if (what == owner && !values[name].as<std::string>().empty()) continue;
    context.out().error({.fault = Fault::invalid,
                         .what = what == owner
                                     ? fmt::format("--{} has no value", name)
                                     : fmt::format("--{} is for `relab ledger {}`", name, owner)});
    return false;
  }
  return true;
}

}  // namespace

void declare_ledger(po::options_description& options) {
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  options.add_options()("head", text(),
                        "verify: a head that was printed before and must still be there")(
      "against", text(), "verify: a file with a signed head; the ledger must continue it")(
      "write", text(), "head: the file to put it into, replaced at once or not at all");
  declare_ledger_show(options);
}

ExitCode ledger(const Values& values, Context& context) {
  const auto what = argument_of(values, 0);
  if (what != "verify" && what != "export" && what != "show" && what != "head") {
    context.out().error({.fault = Fault::invalid,
                         .what = "usage: relab ledger verify, relab ledger show, relab ledger "
                                 "head, or relab ledger export"});
    return ExitCode::usage;
  }
  if (!options_are_used(what, values, context)) return ExitCode::usage;
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto name = str(lab->reader().getName());
  // What is there can be looked at, whether it is the whole or not.
  const bool looks = what == "show" || what == "export";
  const auto book =
      looks ? Book::open_read_only(context.ledger_file(name)) : context.read_book(name);
  if (!book) return context.failed(book.error());
  if (what == "verify") return verify(*book, values, context);
  if (what == "show") return show_ledger(*book, lab->reader(), values, context);
  if (what == "head") return tell_head(*book, values["write"].as<std::string>(), context);
  for (const auto& entry : book->ledger().entries()) context.out().raw(export_line(entry));
  return ExitCode::done;
}

}  // namespace relab::controller::cli
